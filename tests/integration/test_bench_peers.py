"""bench/peers/run and bench/init/run measure what they say: the parts that read and count, and both as a whole, with few services."""
import configparser
import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import types
import unittest

from harness import BELFRY, ROOT, belfry

for folder in (f"{ROOT}/bench", f"{ROOT}/bench/peers"):
    sys.path.insert(0, folder)

import dag  # noqa: E402: the folders have to be known first
import managers  # noqa: E402
import namespaces  # noqa: E402
import nursery  # noqa: E402
import stack as user_stack  # noqa: E402
import stacks  # noqa: E402
import table  # noqa: E402
import tables  # noqa: E402
import users  # noqa: E402
from arena import Arena, NotReady, Refused  # noqa: E402

PEERS = f"{ROOT}/bench/peers/run"
INIT = f"{ROOT}/bench/init/run"
MS = 1_000_000


def script(path):
    """A program of bench/ as a module."""
    loader = importlib.machinery.SourceFileLoader(path.replace("/", "_"), path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def manager(name, **what):
    return types.SimpleNamespace(**{"name": name, "hears_readiness": True, "stops_in_order": True, **what})


def run_of(up, **what):
    return {"up": up, "up_from_first": up, "down": 10, "cpu": 20, "memory": 2048, "processes": 1, "started_early": 0, "stopped_early": 0, **what}


class WithFolder(unittest.TestCase):
    def folder(self):
        path = tempfile.mkdtemp(prefix="belfry-peers-")
        self.addCleanup(shutil.rmtree, path)
        return path


class Table(unittest.TestCase):
    def rows(self, *others, **figures):
        everybody = [manager("floor"), *others]
        versions = {one.name: "" if one.name == "floor" else "1.2" for one in everybody}
        medians = {(one.name, "chain"): figures.get(one.name, run_of(100)) for one in everybody}
        return table.dag_rows(everybody, versions, medians, {"chain": stacks.chain(50)})

    def test_says_the_ratio_to_the_floor_but_for_the_floor_itself(self):
        rows = self.rows(manager("belfry"), belfry=run_of(112, down=5))
        self.assertEqual(rows[0], ["50 trivial services", "floor", "belfry 1.2"])
        self.assertEqual(rows[1], ["chain: exec → all ready", "100 ms", "112 ms (1.12)"])
        self.assertEqual(rows[2], ["— stop → nothing left", "10 ms", "5.0 ms (0.50)"])
        self.assertEqual(rows[4], ["— memory of the manager, chain", "2.0 MiB", "2.0 MiB (1.00)"])
        self.assertEqual(rows[5], ["edges not kept, start / stop, of 49", "0 / 0", "0 / 0"])

    def test_marks_who_was_only_started_and_says_what_the_mark_means(self):
        flat = manager("runit", hears_readiness=False)
        rows = self.rows(flat, runit=run_of(50, started_early=3, stopped_early=4))
        self.assertEqual(rows[1][2], "50 ms (0.50) †")
        self.assertNotIn("†", rows[2][2])
        self.assertEqual(rows[5][2], "3 / 4")
        self.assertTrue(any(note.startswith("† runit: started only") for note in table.notes([manager("floor"), flat], [])))

    def test_says_why_in_the_cell_of_who_has_failed(self):
        rows = self.rows(manager("dinit"), dinit={"failure": "refused"})
        self.assertEqual([row[2] for row in rows[1:]], ["refused"] * 5)

    def test_names_who_is_missing_and_who_keeps_no_order_in_the_stop(self):
        notes = table.notes([manager("floor"), manager("s6", stops_in_order=False)], ["dinit is not installed, and not in Debian 12"])
        self.assertEqual(len(notes), 2)
        self.assertTrue(notes[0].startswith("s6: all are asked to stop at once."))
        self.assertEqual(notes[1], "Not measured: dinit is not installed, and not in Debian 12.")

    def test_adds_up_the_edges_of_all_graphs_and_shows_the_rest_of_the_last(self):
        graphs = {"chain": stacks.chain(50), "fan-out": stacks.fan_out(50)}
        medians = {("floor", "chain"): run_of(1, started_early=1), ("floor", "fan-out"): run_of(2, started_early=2, stopped_early=5, memory=1024)}
        rows = table.dag_rows([manager("floor")], {"floor": ""}, medians, graphs)
        self.assertEqual([row[0] for row in rows[1:5]], ["chain: exec → all ready", "— stop → nothing left", "fan-out: exec → all ready",
                                                         "— stop → nothing left"])
        self.assertEqual(rows[6:], [["— memory of the manager, fan-out", "1.0 MiB"], ["edges not kept, start / stop, of 98", "3 / 5"]])

    def test_is_markdown(self):
        self.assertEqual(tables.markdown([["", "a"], ["long", "b"]]), "|      | a |\n|------|---|\n| long | b |")

    def test_of_users_has_ratios_to_belfry_and_never_for_who_restarts_nothing(self):
        ways = [types.SimpleNamespace(name="belfry exec"), types.SimpleNamespace(name="script"), types.SimpleNamespace(name="s6")]
        good = {"exec": 100, "crash": 200, "term": 50, "lost": 0, "clean": True}
        found = {"belfry exec": users.summary([good, good]),
                 "script": users.summary([{"exec": 1000, "term": 55, "lost": True, "clean": True}, {"exec": 1200, "term": 55, "lost": False, "clean": False}]),
                 "s6": users.summary([{"failure": "no cmd in 60 s"}, good])}
        rows = users.rows_of(ways, {"s6": "2.11"}, found)
        self.assertEqual(rows[0][1:], ["belfry exec", "script", "s6 2.11"])
        self.assertEqual(rows[1][1:], ["100 ms", "1100 ms (11.0)", "no cmd in 60 s"])
        self.assertEqual(rows[2][1:3], ["200 ms", "never"])
        self.assertEqual(rows[4][1:3], ["0 of 2", "1 of 2"])
        self.assertEqual(rows[5][1:3], ["0 of 2", "1 of 2"])


class Counting(unittest.TestCase):
    def test_an_edge_is_not_kept_when_it_starts_before_or_stops_after_its_dependency(self):
        graph = [[], [0], [0]]
        ok = (0, 10 * MS, 50 * MS, 51 * MS)
        records = [ok, (9 * MS, 12 * MS, 30 * MS, 31 * MS), (11 * MS, 13 * MS, 30 * MS, 60 * MS)]
        found = dag.result_of(graph, records, -5 * MS)
        self.assertEqual(found, {"up": 18, "up_from_first": 13, "started_early": 1, "stopped_early": 1})

    def test_a_median_is_that_of_each_figure_and_a_failure_is_nobody_s_median(self):
        self.assertEqual(dag.medians_of([run_of(1), run_of(5), run_of(3)])["up"], 3)
        self.assertEqual(dag.medians_of([run_of(1), {"failure": "refused"}]), {"failure": "refused"})

    def test_the_version_is_found_in_what_a_program_says(self):
        for said, version in (("systemd 252 (252.39-1~deb12u2)\n+PAM", "252"), ("4.2.5\n", "4.2.5"), ("2.11.3.2-1", "2.11.3.2"),
                              ("Dinit version 0.19.4.", "0.19.4"), ("", "?")):
            self.assertEqual(managers.first_number(said), version)

    def test_memory_is_the_proportional_set_size(self):
        self.assertEqual(nursery.proportional_kib("5581-7ffe ---p 00000000 00:00 0  [rollup]\nRss:  900 kB\nPss:  123 kB\nPss_Anon: 7 kB\n"), 123)
        self.assertEqual(nursery.proportional_kib(""), 0)

    def test_the_cgroup_is_that_of_version_2(self):
        self.assertEqual(namespaces.cgroup_of("9:name=systemd:/\n4:memory:/x\n0::/user.slice/a\n"), "/user.slice/a")
        self.assertIsNone(namespaces.cgroup_of("4:memory:/x\n"))

    def test_the_state_of_a_database_is_read_from_its_control_file(self):
        self.assertEqual(user_stack.state_in("pg_control version number:  1300\nDatabase cluster state:               shut down\n"), "shut down")
        self.assertIsNone(user_stack.state_in(""))

    def test_events_are_heard_in_their_order_and_nothing_is_heard_for_ever(self):
        stack = user_stack.Stack.__new__(user_stack.Stack)
        stack.events, write_end = os.pipe()
        os.set_blocking(stack.events, False)
        self.addCleanup(os.close, stack.events)
        self.addCleanup(os.close, write_end)
        stack.heard = b""
        os.write(write_end, b"ready\ncmd\nlo")
        stack.until("cmd", 10)
        with self.assertRaises(user_stack.Timeout):
            stack.until("ready", 0)  # it was before, and is forgotten
        os.write(write_end, b"st\n")
        self.assertEqual(stack.all_heard(), ["lost"])


class Selection(unittest.TestCase):
    def test_an_unknown_name_is_an_error_and_the_floor_always_takes_part(self):
        run = script(PEERS)
        known = [types.SimpleNamespace(name=name, why_not=lambda: None) for name in ("floor", "belfry")]
        known.append(types.SimpleNamespace(name="dinit", why_not=lambda: "dinit is not installed"))
        there, missing = run.selected(known, None)
        self.assertEqual(([one.name for one in there], missing), (["floor", "belfry"], ["dinit is not installed"]))
        self.assertEqual([one.name for one in run.selected(known, "belfry")[0]], ["floor", "belfry"])
        self.assertEqual([one.name for one in run.selected(known, "script")[0]], ["floor"])
        with self.assertRaisesRegex(SystemExit, "cannot measure dint: the names are floor, belfry, dinit, script"):
            run.selected(known, "dint")

    def test_who_is_not_installed_says_where_it_would_come_from(self):
        dinit, runit = managers.Dinit("x"), managers.Runit("x")
        dinit.program = runit.program = None
        self.assertEqual(dinit.why_not(), "dinit is not installed, and not in Debian 12")
        self.assertEqual(runit.why_not(), "runit is not installed: deploy/install-deps peers")


class Inits(unittest.TestCase):
    def test_the_table_has_ratios_to_tini_and_no_memory_of_nobody(self):
        run = script(INIT)
        runs = {name: [{"time": time, "cpu": 2, "stop": 1, "resident": 100, "private": 10}] for name, time in (("none", 0.5), ("tini", 1), ("belfry", 1.5))}
        del runs["none"][0]["resident"], runs["none"][0]["private"]
        rows = run.rows_of({name: run.medians_of(values) for name, values in runs.items()}, {"none": "none", "tini": "tini 1", "belfry": "belfry 2"})
        self.assertEqual(rows[1], ["none", "500 µs (0.50)", "500 µs (0.50)", "2000 µs (1.00)", "1000 µs (1.00)", "", ""])
        self.assertEqual(rows[2], ["tini 1", "1000 µs", "1000 µs", "2000 µs", "1000 µs", "100 KiB", "10 KiB"])
        self.assertEqual(rows[3][1], "1500 µs (1.50)")

    def test_memory_is_read_from_the_kernel_s_sums(self):
        self.assertEqual(script(INIT).sizes_in("55 ---p [rollup]\nRss:  9 kB\nPss_Anon:  1 kB\nPrivate_Clean:  2 kB\nPrivate_Dirty: 3 kB\n"),
                         {"resident": 9, "private": 5, "anonymous": 1})

    def test_who_is_not_there_is_named(self):
        there, missing = script(INIT).inits("/no/belfry")
        self.assertEqual(there["none"], [])
        self.assertIn("belfry", missing)
        self.assertNotIn("belfry", there)

    @unittest.skipUnless(shutil.which("tini"), "needs tini")
    def test_all_inits_run_the_same_command_and_hear_sigterm(self):
        done = subprocess.run([sys.executable, INIT, "--belfry", BELFRY, "--no-install", "--rounds", "1"], capture_output=True, text=True, check=False,
                              timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^\| belfry \d")
        self.assertRegex(done.stdout, r"(?m)^\| tini \d")


class Files(WithFolder):
    """The same graph for everybody: 2 waits for 0 and 1."""

    GRAPH = [[], [], [0, 1]]

    def written_by(self, one):
        folder = self.folder()
        one.write(folder, self.GRAPH, lambda i: ["/bin/tick", "/record", str(i), "0", one.tick])
        return folder

    def read(self, *path):
        with open(os.path.join(*path), encoding="utf-8") as file:
            return file.read()

    def test_of_belfry_pass_check(self):
        folder = self.folder()
        managers.Belfry(BELFRY).write(folder, self.GRAPH, lambda i: ["/bin/sleep", str(i)])
        checked = belfry("check", f"{folder}/belfry.yaml")
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_of_systemd_have_the_edges_and_wait_for_ready_1(self):
        unit = self.read(self.written_by(managers.Systemd()), "units/s2.service")
        for line in ("Requires=s0.service s1.service", "After=s0.service s1.service", "Type=notify", "ExecStart=/bin/tick /record 2 0 notify"):
            self.assertIn(line + "\n", unit)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_of_systemd_are_found_right_by_systemd_itself(self):
        folder = self.folder()
        managers.Systemd().write(folder, self.GRAPH, lambda i: ["/bin/sleep", str(i)])
        said = subprocess.run(["systemd-analyze", "verify", *(f"{folder}/units/s{i}.service" for i in range(3))], capture_output=True, text=True,
                              check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}/units:"}).stderr
        self.assertEqual([line for line in said.splitlines() if folder in line or "s2.service" in line], [])

    def test_of_dinit_have_the_edges_and_a_descriptor(self):
        folder = self.written_by(managers.Dinit("dinit"))
        service = self.read(folder, "dinit.d/s2")
        for line in ("command = /bin/tick /record 2 0 3", "ready-notification = pipefd:3", "depends-on = s0", "depends-on = s1"):
            self.assertIn(line + "\n", service)
        self.assertEqual(self.read(folder, "dinit.d/all").count("depends-on"), 3)

    def test_of_s6_wait_for_events_and_start_no_shell_where_nothing_is_waited_for(self):
        folder = self.written_by(managers.S6())
        self.assertEqual(self.read(folder, "scan/s0/run"), "#!/bin/tick /record 0 0 3\n")
        self.assertIn("s6-svwait -U ../s0 ../s1 && exec /bin/tick /record 2 0 3\n", self.read(folder, "scan/s2/run"))
        self.assertEqual(self.read(folder, "scan/s2/notification-fd"), "3\n")

    def test_of_runit_are_scripts_without_a_shell(self):
        folder = self.written_by(managers.Runit("runsvdir"))
        self.assertEqual(self.read(folder, "service/s2/run"), "#!/bin/tick /record 2 0 none\n")
        self.assertTrue(os.access(f"{folder}/service/s2/run", os.X_OK))

    def test_of_supervisord_give_each_process_its_number(self):
        settings = configparser.RawConfigParser()
        settings.read(f"{self.written_by(managers.Supervisord('supervisord'))}/supervisord.conf")
        self.assertEqual(settings["program:s"]["command"], "/bin/tick /record %(process_num)d 0 none")
        self.assertEqual(settings["program:s"]["numprocs"], "3")


class Programs(WithFolder):
    """The tick and the floor, compiled here, and the benches as a whole."""

    @classmethod
    def setUpClass(cls):
        cls.build = tempfile.mkdtemp(prefix="belfry-peers-")
        cls.addClassCleanup(shutil.rmtree, cls.build)
        os.mkdir(f"{cls.build}/bench")
        cls.tick = f"{cls.build}/bench/belfry_tick"
        source = f"{ROOT}/bench/floor"
        for name, files in (("belfry_tick", ["tick.c"]), ("belfry_floor_bare", ["floor.c", "graph.c", "floor_bare.c"])):
            subprocess.run(["clang-19", "-D_GNU_SOURCE", "-O1", "-static", "-o", f"{cls.build}/bench/{name}", *(f"{source}/{one}" for one in files)],
                           check=True)

    def arena(self, count):
        arena = Arena(count)
        self.addCleanup(arena.close)
        return arena

    def started(self, *argv, **options):
        child = subprocess.Popen(argv, **options)

        def end():
            child.kill()
            child.wait()
        self.addCleanup(end)
        return child

    def test_a_tick_takes_its_words_from_the_first_line_of_a_script_and_says_that_it_is_ready_on_a_descriptor(self):
        arena, (ear, mouth) = self.arena(1), os.pipe()
        self.addCleanup(os.close, ear)
        path = f"{self.folder()}/run"
        managers.write_script(path, [self.tick, arena.record, "0", "0", str(mouth)])
        child = self.started(path, pass_fds=[mouth], env={})
        os.close(mouth)
        arena.wait_until_all_ready("the tick", os.pidfd_open(child.pid), 10)
        self.assertEqual(os.read(ear, 10), b"\n")
        child.terminate()
        self.assertEqual(child.wait(10), 0)
        (began, ready, asked, gone), = arena.records()
        self.assertTrue(0 < began <= ready <= asked <= gone)

    def test_a_tick_that_nobody_listens_to_is_ready_when_it_runs_and_not_without_being_told_so(self):
        arena = self.arena(1)
        child = self.started(self.tick, arena.record, "0", "0", "none", env={})
        arena.wait_until_all_ready("the tick", os.pidfd_open(child.pid), 10)
        self.assertEqual(self.started(self.tick, arena.record, "0", env={}).wait(10), 64)

    def test_a_manager_that_ends_has_refused_and_one_that_is_silent_is_not_ready(self):
        arena = self.arena(1)
        with self.assertRaises(Refused):
            arena.wait_until_all_ready("false", os.pidfd_open(self.started("false").pid), 10)
        with self.assertRaises(NotReady):
            arena.wait_until_all_ready("sleep", os.pidfd_open(self.started("sleep", "1000").pid), 0)

    def test_nothing_is_gone_before_who_was_left_behind_is_and_nobody_s_time_is_lost(self):
        # In a process of its own: whoever is a subreaper stays one.
        code = ("import sys; sys.path.insert(0, sys.argv[1])\n"
                "import nursery, os\n"
                "place = nursery.Nursery()\n"
                "read, write = os.pipe(); os.set_inheritable(write, True)\n"
                "work = 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done'\n"
                "place.start(['/bin/sh', '-c', '(%s; echo late >&%d) & exit 0' % (work, write)], {})\n"
                "cpu = place.finish(60)\n"
                "print(os.read(read, 10), cpu > 0.01, nursery.descendants(os.getpid()))\n"
                "place.start(['/bin/sh', '-c', 'sleep 1000 & sleep 1000'], {})\n"
                "try: place.finish(0.001)\n"
                "except nursery.Hung: print('hung')\n"
                "place.clear(); print(nursery.descendants(os.getpid()))\n")
        said = subprocess.run([sys.executable, "-c", code, f"{ROOT}/bench/peers"], capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual(said.stdout.splitlines(), ["b'late\\n' True []", "hung", "[]"], said.stderr)

    def bench(self, *options):
        path = f"{self.folder()}/told.json"
        done = subprocess.run([sys.executable, PEERS, "--binaries", self.build, "--belfry", BELFRY, "--no-install", "--rounds", "1", "--json", path,
                               *options], capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with open(path, encoding="utf-8") as file:
            return done.stdout, json.load(file)

    def test_the_same_graph_is_run_by_all_that_are_there(self):
        there = [name for name, program in (("s6", "s6-svscan"), ("supervisord", "supervisord"), ("runit", "runsvdir")) if shutil.which(program)]
        if managers.Systemd().why_not() is None:
            there.append("systemd")
        said, told = self.bench("--part", "dag", "--count", "4", "--only", ",".join(["belfry", *there]))
        self.assertEqual(set(told["versions"]), {"floor", "belfry", *there})
        for name in ("floor", "belfry", *there):
            for shape in stacks.SHAPES:
                run, = told["dag"]["runs"][f"{name} {shape}"]
                with self.subTest(name=name, shape=shape):
                    self.assertGreater(min(run["up"], run["down"], run["cpu"], run["memory"], run["processes"]), 0, run)
                    if name not in ("supervisord", "runit"):
                        self.assertEqual(run["started_early"], 0)
                    if name in ("floor", "belfry", "systemd"):
                        self.assertEqual(run["stopped_early"], 0)
        self.assertIn("| chain: exec → all ready ", said)
        self.assertEqual(said.count("Not measured: "), len(told["missing"]))

    @unittest.skipIf(user_stack.missing(), "needs PostgreSQL, Redis and curl")
    def test_belfry_brings_up_the_users_stack_heals_it_and_takes_it_down_in_order(self):
        said, told = self.bench("--part", "users", "--only", "belfry")
        run, = told["users"]["runs"]["belfry exec"]
        self.assertEqual({key: run[key] for key in ("lost", "clean")}, {"lost": False, "clean": True})
        self.assertGreater(min(run["exec"], run["crash"], run["term"]), 0)
        self.assertIn("| exec → first byte of CMD ", said)

if __name__ == "__main__":
    unittest.main()
