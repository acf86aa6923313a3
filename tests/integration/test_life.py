"""A stack's life: order, readiness, restart, stop, and the commands that ask for them."""
import contextlib
import json
import os
import shutil
import signal
import socket
import unittest

from harness import BELFRY, PATIENCE, SAMPLE, Scenario, belfry, free_port, free_ports

DIAMOND = """
  base: {command: $SAMPLE --name base --notify --ready-delay 30ms --on-stop-delay 20ms, ready: notify}
  left: {command: $SAMPLE --name left --notify --ready-delay 20ms --on-stop-delay 30ms, ready: notify, depends_on: [base]}
  right: {command: $SAMPLE --name right --notify --on-stop-delay 10ms, ready: notify, depends_on: [base]}
  top: {command: $SAMPLE --name top --notify --on-stop-delay 10ms, ready: notify, depends_on: [left, right]}
"""
EDGES = (("left", "base"), ("right", "base"), ("top", "left"), ("top", "right"))


class Order(Scenario):
    def test_dependents_start_after_ready_and_stop_first(self):
        stack = self.stack(DIAMOND).start()
        stack.event("top", "ready")
        self.assertEqual(stack.wait("top"), 200)
        self.assert_clean_end(stack)
        for dependent, dependency in EDGES:
            self.assertLess(stack.event(dependency, "ready"), stack.event(dependent, "main"))
            self.assertLess(stack.event(dependent, "exit"), stack.event(dependency, "term"))

    def test_independent_services_start_and_stop_side_by_side(self):
        stack = self.stack("""
  a: {command: $SAMPLE --name a --notify --ready-delay 200ms --on-stop-delay 200ms, ready: notify}
  b: {command: $SAMPLE --name b --notify --ready-delay 200ms --on-stop-delay 200ms, ready: notify}
""").start()
        self.assertLess(stack.event("b", "main"), stack.event("a", "ready"))
        self.assertLess(stack.event("a", "main"), stack.event("b", "ready"))
        stack.wait_for_control()
        self.assertEqual(stack.wait("a", "b"), 200)
        self.assert_clean_end(stack)
        self.assertLess(stack.event("b", "term"), stack.event("a", "exit"))
        self.assertLess(stack.event("a", "term"), stack.event("b", "exit"))

    def test_asked_by_a_signal_belfry_says_what_its_own_tasks_wait_for(self):
        stack = self.stack("  a: {command: $SAMPLE --name a --notify, ready: notify}").start()
        stack.event("a", "ready")
        self.assertEqual(stack.wait("a"), 200)
        stack.send(signal.SIGUSR1)
        stack.output.index_of("task daemon: waits since")
        self.assertRegex(stack.output.text(), r"task daemon: waits since [0-9.]+ s for .*wakeup 'signal'")
        self.assert_clean_end(stack)

    def test_a_failed_oneshot_starts_nobody(self):
        stack = self.stack("""
  migrate: {type: oneshot, command: $SAMPLE --name migrate --exit-after 0s --exit-code 3}
  api: {command: $SAMPLE --name api, depends_on: [migrate]}
  other: {command: $SAMPLE --name other --notify, ready: notify}
""").start()
        stack.event("migrate", "exit")
        stack.event("other", "ready")
        self.assertEqual(stack.wait("api"), 424)
        self.assertIn("3", stack.services()["migrate"]["last_error"])
        self.assert_clean_end(stack)
        self.assertEqual(stack.all_events("api"), [])


class Readiness(Scenario):
    def test_readyz_is_200_only_when_everything_is_ready(self):
        stack = self.stack("""
  a: {command: $SAMPLE --name a --notify, ready: notify}
  held: {command: [sh, -c, "read word < $DIR/gate && exec $SAMPLE --name held --notify"], ready: notify, depends_on: [a]}
""")
        gate = os.path.join(stack.path, "gate")
        os.mkfifo(gate)
        stack.start()
        stack.event("a", "ready")
        self.assertEqual(stack.wait("held", condition="started"), 200)
        self.assertEqual(stack.wait("a"), 200)
        status, body = stack.get("/readyz?verbose")
        self.assertEqual(status, 503)
        self.assertIn("[+]a ok", body)
        self.assertIn("[-]held", body)
        self.assertEqual(stack.get("/readyz/a")[0], 200)
        self.assertEqual(stack.get("/readyz/held")[0], 503)
        self.assertEqual(stack.get("/startupz")[0], 503)
        self.assertEqual(stack.get("/livez")[0], 200)
        with open(gate, "w", encoding="ascii") as out:
            out.write("go\n")
        self.assertEqual(stack.wait("held"), 200)
        self.assertEqual([stack.get(path)[0] for path in ("/readyz", "/startupz", "/healthz")], [200, 200, 200])
        self.assert_clean_end(stack)

    def test_every_kind_of_probe_rings_its_bell(self):
        ports = {name: free_port() for name in ("port", "tcp", "http")}
        stack = self.stack(f"""
  by_port: {{command: $SAMPLE --name by_port --port {ports['port']} --bind-delay 50ms, ready: {{port: {ports['port']}}}}}
  by_tcp: {{command: $SAMPLE --name by_tcp --port {ports['tcp']} --bind-delay 50ms, ready: {{tcp: "127.0.0.1:{ports['tcp']}"}}}}
  by_http: {{command: $SAMPLE --name by_http --port {ports['http']} --http --bind-delay 50ms,
             ready: {{http: "http://127.0.0.1:{ports['http']}/health"}}}}
  by_notify: {{command: $SAMPLE --name by_notify --notify --ready-delay 50ms --status warm, ready: notify}}
  by_exec: {{command: $SAMPLE --name by_exec --unix $DIR/exec.sock --bind-delay 50ms, ready: {{exec: [test, -S, $DIR/exec.sock]}}}}
""").start()
        stack.wait_for_control()
        names = ["by_port", "by_tcp", "by_http", "by_notify", "by_exec"]
        self.assertEqual(stack.wait(*names), 200, stack.output.text())
        for name in names:
            self.assertTrue(stack.all_events(name, "ready"), f"{name} was called ready before it was")
        self.assert_clean_end(stack)

    def test_a_stranger_on_the_port_rings_no_bell(self):
        port = free_port()
        stack = self.stack(f"""
  stranger: {{command: $SAMPLE --name stranger --port {port}}}
  service: {{command: $SAMPLE --name service --ready-line waiting, ready: {{port: {port}}}}}
""").start()
        stack.event("stranger", "ready")
        stack.event("service", "ready")
        self.assertEqual(stack.wait("service", timeout="300ms"), 504)
        self.assert_clean_end(stack)


class Restart(Scenario):
    def test_a_crashed_service_comes_back_and_its_waiting_dependents_with_it(self):
        stack = self.stack("""
  flaky:
    command: [sh, -c, "if mkdir $DIR/once 2>/dev/null; then exit 1; fi; exec $SAMPLE --name flaky --notify"]
    ready: notify
    restart: {delay: 20ms, jitter: 0}
  api: {command: $SAMPLE --name api --notify, ready: notify, depends_on: [flaky]}
""").start()
        stack.event("api", "ready")
        self.assertEqual(stack.wait("api"), 200)
        self.assertEqual(stack.services()["flaky"]["restarts"], 1)
        self.assert_clean_end(stack)

    def test_a_killed_service_is_started_again(self):
        stack = self.stack("  a: {command: $SAMPLE --name a --notify, ready: notify, restart: {delay: 10ms}}").start()
        stack.event("a", "ready")
        self.assertEqual(stack.wait("a"), 200)
        os.kill(stack.services()["a"]["pid"], signal.SIGKILL)
        seen = len(stack.events)
        stack.event("a", "ready", after=seen)
        self.assertEqual(stack.wait("a"), 200)
        self.assert_clean_end(stack)


class Limits(Scenario):
    def test_a_stack_above_the_limit_of_descriptors_says_so_and_starts_the_rest_when_there_is_room(self):
        names = [f"s{i}" for i in range(60)]
        stack = self.stack("".join(f"  {name}: {{command: $SAMPLE --name {name} --notify, ready: notify}}\n" for name in names))
        stack.start(wrapper=["prlimit", "--nofile=96:96"]).wait_for_control()
        stack.output.index_of("cannot run all of 60 services at once: that takes some 167 descriptors, and the limit is 96"
                              " (raise belfry's limit of open files: LimitNOFILE=, ulimit -n)")
        stack.output.index_of("Too many open files (raise belfry's limit of open files")
        self.assertNotIn("Resource temporarily unavailable", stack.output.text())
        states = {name: stack.services()[name]["state"] for name in names}
        latecomers = [name for name in names if states[name] == "backoff"][-10:]  # there is room for some 26
        self.assertEqual(len(latecomers), 10)
        self.assertEqual(stack.cli("stop", *(name for name in names if name not in latecomers)).returncode, 0)
        self.assertEqual(stack.wait(*latecomers), 200)
        self.assert_clean_end(stack)


    def test_who_cannot_start_for_lack_of_descriptors_holds_none_meanwhile(self):
        for limit in (96, 97):  # of an odd and of an even number of them left, one half of a start fits in
            with self.subTest(limit=limit):
                stack = self.stack("".join(f"  s{i}: {{command: $SAMPLE --name s{i}, notify_access: main, restart: {{delay: 300ms}}}}\n"
                                           for i in range(60)))
                stack.start(wrapper=["prlimit", f"--nofile={limit}:{limit}"]).wait_for_control()
                stack.output.index_of("Too many open files (raise belfry's limit of open files")
                ready = [name for name, service in stack.services().items() if service["state"] == "ready"]
                for name in ready[:8]:
                    self.assertEqual(stack.cli("stop", name).returncode, 0)
                before = self.pipes_with_both_ends(stack)
                stack.services()  # who is only about to start has let go by the time it is answered
                self.assertEqual(before & self.pipes_with_both_ends(stack), set())
                self.assert_clean_end(stack)

    def pipes_with_both_ends(self, stack):
        folder = f"/proc/{stack.process.pid}/fd"
        ends = []
        for fd in set(os.listdir(folder)) - {"0", "1", "2"}:  # its own output is one pipe twice
            with contextlib.suppress(FileNotFoundError):
                ends.append(os.readlink(f"{folder}/{fd}"))
        return {end for end in ends if end.startswith("pipe:") and ends.count(end) > 1}

    def test_a_stack_that_took_every_descriptor_answers_and_can_be_stopped(self):
        for log in ("", ", log: inherit"):
            with self.subTest(log=log):
                ports = free_ports(120)
                stack = self.stack("".join(f"  s{i}: {{command: [/bin/sleep, '1000'], ready: {{port: {port}}}{log}}}\n"
                                           for i, port in enumerate(ports)))
                stack.start(wrapper=["prlimit", "--nofile=96:96"]).wait_for_control()
                for _ in range(3):
                    self.assertIn("s119", stack.cli("status").stdout)
                self.assertEqual(stack.cli("stop", "s0").returncode, 0)
                self.assertEqual(stack.services()["s0"]["state"], "inactive")
                self.assert_clean_end(stack)


class Commands(Scenario):
    def test_exec_runs_the_command_in_a_ready_stack_and_leaves_with_its_code(self):
        stack = self.stack(DIAMOND)
        result = stack.cli("exec", "-c", stack.file, "--", "sh", "-c", f"{SAMPLE} --name cmd --trace {stack.trace} --exit-after 0s; exit 7")
        self.assertEqual(result.returncode, 7, result.stdout + result.stderr)
        self.assertLess(stack.event("top", "ready"), stack.event("cmd", "main"))
        self.assertLess(stack.event("cmd", "exit"), stack.event("top", "term"))
        self.assertLess(stack.event("top", "exit"), stack.event("base", "term"))

    def exec_of(self, services, script, *arguments, top=""):
        """`belfry exec -- sh -c script`, running."""
        return self.stack(services, top).start(*arguments, "--", "sh", "-c", script, command="exec")

    def test_exec_runs_the_command_also_when_all_that_the_stack_does_is_done(self):
        stack = self.exec_of("  migrate: {type: oneshot, command: ['true']}\n  tool: {command: [sleep, '0.1'], main: true}",
                             "sleep 0.3; echo CMD; exit 7")
        self.assertEqual(stack.exit_code(), 7, stack.output.text())
        self.assertIn("CMD", stack.output.text())

    def test_exec_that_is_interrupted_before_its_command_has_not_succeeded(self):
        stack = self.exec_of("  a: {command: $SAMPLE --name a, ready: {file: never}}", "echo CMD")
        stack.event("a", "main")
        self.assertEqual(stack.stop(), 128 + signal.SIGTERM)
        self.assertNotIn("CMD", stack.output.text())

    def test_exec_of_a_stack_that_is_shut_down_leaves_with_the_code_of_its_command(self):
        stack = self.exec_of("  a: {command: $SAMPLE --name a}",
                             f"trap 'exit 9' TERM; {BELFRY} shutdown --no-wait; while :; do sleep 0.1; done")
        self.assertEqual(stack.exit_code(), 9, stack.output.text())

    def test_exec_is_not_ready_in_time_also_when_a_service_keeps_trying(self):
        stack = self.exec_of("  a: {command: ['false'], ready: {file: never}, restart: {delay: 300ms, max_delay: 300ms}}", "echo CMD",
                             "--timeout", "500ms")
        self.assertEqual(stack.exit_code(), 69)
        self.assertIn("was not ready in time", stack.output.text())

    def test_a_command_that_does_not_end_is_killed_when_the_stack_cannot_go_on(self):
        stack = self.exec_of("  e: {command: $SAMPLE --name e --exit-after 100ms --exit-code 3, restart: no, essential: true}",
                             "trap '' TERM; echo CMD; while :; do sleep 0.1; done", top="shutdown: {timeout: 300ms}")
        self.assertEqual(stack.exit_code(), 69, stack.output.text())
        self.assertIn("sh did not end within 300ms: killed", stack.output.text())
        self.assertEqual(stack.survivors(), set())

    def test_a_second_signal_kills_a_command_that_does_not_follow_the_first(self):
        stack = self.exec_of("  a: {command: $SAMPLE --name a}", "trap 'echo heard' TERM; echo CMD; while :; do sleep 0.1; done")
        stack.output.index_of("CMD")
        stack.send(signal.SIGTERM)
        stack.output.index_of("heard")
        self.assertEqual(stack.stop(signal.SIGINT), 128 + signal.SIGINT)
        self.assertEqual(stack.survivors(), set())

    def test_what_the_command_started_in_the_background_goes_with_it(self):
        stack = self.exec_of("  a: {command: $SAMPLE --name a}", "sleep 4321 & setsid sleep 4322 & echo CMD; read x; exit 5")
        stack.output.index_of("CMD")
        self.assertEqual(stack.exit_code(), 5)
        self.assertNotIn("belong to nobody", stack.output.text())
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
                self.assertNotIn(file.read(), [b"sleep\0" + n + b"\0" for n in (b"4321", b"4322")])

    def test_exec_names_the_culprit_when_the_stack_does_not_get_ready(self):
        stack = self.stack("  db: {command: $SAMPLE --name db --exit-after 0s --exit-code 9, ready: notify, restart: no}\n"
                           "  api: {command: $SAMPLE --name api, depends_on: [db]}")
        result = stack.cli("exec", "-c", stack.file, "--", "true")
        self.assertEqual(result.returncode, 69, result.stdout + result.stderr)
        self.assertIn("db", result.stderr)

    def test_status_shows_the_table_and_json(self):
        stack = self.stack(DIAMOND).start()
        stack.event("top", "ready")
        self.assertEqual(stack.wait("top"), 200)
        table = stack.cli("status").stdout
        for name in ("base", "left", "right", "top", "NAME", "STATE"):
            self.assertIn(name, table)
        told = json.loads(stack.cli("status", "--json").stdout)
        self.assertEqual({s["name"]: s["state"] for s in told["services"]},
                         {name: "ready" for name in ("base", "left", "right", "top")})
        self.assert_clean_end(stack)

    def test_metrics_name_every_service(self):
        stack = self.stack(DIAMOND).start()
        stack.event("top", "ready")
        self.assertEqual(stack.wait("top"), 200)
        text = stack.get("/metrics")[1]
        for name in ("base", "left", "right", "top"):
            self.assertIn(f'belfry_service_ready{{service="{name}"}} 1', text)
        self.assertIn("belfry_build_info", text)
        self.assert_clean_end(stack)

    def test_help_and_version(self):
        self.assertIn("belfry", belfry("version").stdout)
        for arguments in ((), ("run",), ("check",), ("exec",), ("status",)):
            told = belfry(*arguments, "--help")
            self.assertEqual(told.returncode, 0)
            self.assertLessEqual(told.stdout.count("\n"), 50)
            self.assertIn("xample", told.stdout)


class Output(Scenario):
    def test_lines_carry_the_name_of_their_service(self):
        stack = self.stack("  talker: {command: $SAMPLE --name talker --log-lines 3 --notify, ready: notify}").start()
        stack.output.index_of("talker | line 3 of 3")
        self.assert_clean_end(stack)

    def test_a_flood_neither_stops_the_loop_nor_the_service(self):
        stack = self.stack("""
  flood: {command: $SAMPLE --name flood --flood --notify, ready: notify}
  calm: {command: $SAMPLE --name calm --notify --ready-delay 300ms, ready: notify, depends_on: [flood]}
  much: {type: oneshot, command: [sh, -c, "yes more than a pipe and its buffers hold | head -c 8000000"]}
""").start()
        stack.event("calm", "ready")
        self.assertEqual(stack.wait("calm"), 200)
        self.assertEqual(stack.wait("much", condition="completed"), 200)
        self.assert_clean_end(stack)

    def test_children_get_a_clean_environment_and_descriptors(self):
        stack = self.stack("  a: {command: $SAMPLE --name a --print-env --print-fds --ready-line done}")
        stack.start(LISTEN_FDS="3", WATCHDOG_USEC="1")
        end = stack.output.index_of("a | done")
        lines = stack.output.lines[:end]
        self.assertFalse([line for line in lines if "env LISTEN_FDS" in line or "env WATCHDOG_USEC" in line], lines)
        descriptors = sorted(line.split("fd ", 1)[1].split(" ")[0] for line in lines if "a | fd " in line)
        self.assertEqual(descriptors, ["0", "1", "2"], lines)
        self.assert_clean_end(stack)


@unittest.skipIf(os.geteuid() != 0 or not shutil.which("unshare"), "needs root and unshare")
class FirstProcess(Scenario):
    def test_as_pid_1_it_reaps_orphans_and_stops_on_sigterm(self):
        stack = self.stack("""
  orphans: {command: $SAMPLE --name orphans --fork 3 --double-fork --setsid --notify, ready: notify}
  api: {command: $SAMPLE --name api --notify, ready: notify, depends_on: [orphans]}
""")
        stack.start(wrapper=("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"))
        stack.event("api", "ready")
        self.assertEqual(stack.wait("api"), 200)
        with open(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children", encoding="ascii") as file:
            belfry_pid = int(file.read().split()[0])
        os.kill(belfry_pid, signal.SIGTERM)
        self.assertEqual(stack.process.wait(PATIENCE), 0, stack.output.text())


class Upwards(Scenario):
    def test_the_unit_is_started_when_the_stack_is_ready(self):
        stack = self.stack(DIAMOND)
        path = os.path.join(stack.path, "upwards")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(PATIENCE)
            stack.start(NOTIFY_SOCKET=path)
            told = ""
            while "READY=1" not in told.split("\n"):
                told = manager.recv(4096).decode()
            self.assertEqual(stack.get("/readyz")[0], 200)
            stack.send(signal.SIGTERM)
            while "STOPPING=1" not in told.split("\n"):
                told = manager.recv(4096).decode()
            self.assertEqual(stack.exit_code(), 0, stack.output.text())
