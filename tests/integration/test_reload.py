"""A changed file is taken over by what runs: `belfry reload`, SIGHUP, POST /v1/reload."""
import json
import os
import signal
import socket
import threading

from harness import PATIENCE, Scenario, free_port


def sleeper(name, seconds=1000, more=""):
    return f"  {name}: {{command: [sleep, '{seconds}']{more}}}\n"


class Reload(Scenario):
    def running(self, services, *names, top="", arguments=()):
        stack = self.stack(services, top).start(*arguments).wait_for_control()
        self.assertEqual(stack.wait(*names), 200, stack.output.text())
        return stack

    def pids(self, stack):
        return {name: one.get("pid") for name, one in stack.services().items()}

    def reload(self, stack, *arguments):
        ran = stack.cli("reload", *arguments)
        self.assertEqual(ran.returncode, 0, ran.stderr + stack.output.text())
        return ran.stdout

    def refused(self, stack, *texts, code=65):
        """It is refused with these texts, and what runs has not noticed."""
        before, events = self.pids(stack), stack.cli("events").stdout
        ran = stack.cli("reload")
        self.assertEqual(ran.returncode, code, ran.stdout)
        for text in texts:
            self.assertIn(text, ran.stderr)
        self.assertEqual(self.pids(stack), before)
        self.assertEqual(stack.cli("events").stdout, events)

    # --- what comes, goes, changes

    def test_who_is_unchanged_keeps_its_process_and_who_is_changed_is_restarted(self):
        stack = self.running(sleeper("a") + sleeper("b"), "a", "b")
        before = self.pids(stack)
        stack.write(sleeper("a") + sleeper("b", 1001))
        self.assertEqual(self.reload(stack), "changed b; stopped b; started b\n")
        after = self.pids(stack)
        self.assertEqual(after["a"], before["a"])
        self.assertNotEqual(after["b"], before["b"])
        with open(f"/proc/{after['b']}/cmdline", encoding="utf-8") as line:
            self.assertEqual(line.read(), "sleep\0001001\0")
        self.assert_clean_end(stack)

    def test_who_is_new_is_started_and_has_its_place_in_the_file(self):
        stack = self.running(sleeper("b"), "b")
        stack.write(sleeper("a") + sleeper("b") + sleeper("c", more=", depends_on: [a]"))
        self.assertEqual(self.reload(stack), "added a, c; started a, c\n")
        self.assertEqual(list(stack.services()), ["a", "b", "c"])
        self.assertEqual({s["state"] for s in stack.services().values()}, {"ready"})
        self.assertIn('belfry_service_ready{service="c"} 1', stack.get("/metrics")[1])
        self.assertEqual(stack.cli("logs", "c").returncode, 0)
        self.assert_clean_end(stack)

    def test_who_is_in_the_file_no_more_is_stopped_and_known_to_nobody(self):
        stack = self.running("  gone: {command: $SAMPLE --name gone --log-lines 3}\n" + sleeper("b"), "gone", "b")
        stack.output.index_of("gone | ")
        stack.write(sleeper("b"))
        self.assertEqual(self.reload(stack), "removed gone; stopped gone\n")
        stack.event("gone", "term")
        self.assertEqual(list(stack.services()), ["b"])
        self.assertNotIn('service="gone"', stack.get("/metrics")[1])
        self.assertEqual(stack.get("/v1/wait?service=gone")[0], 404)
        self.assertEqual(stack.get("/v1/logs?service=gone")[0], 404)
        self.assertEqual(stack.get("/readyz")[0], 200)
        self.assertEqual(stack.get("/v1/logs")[0], 200)
        self.assert_clean_end(stack)

    def test_who_comes_back_later_is_a_new_service(self):
        stack = self.running(sleeper("a") + sleeper("b"), "a", "b")
        for _ in range(3):
            stack.write(sleeper("b"))
            self.reload(stack)
            stack.write(sleeper("a") + sleeper("b"))
            self.reload(stack)
            self.assertEqual(stack.services()["a"]["incarnation"], 1)
        self.assert_clean_end(stack)

    def test_who_waits_for_a_service_that_goes_is_told(self):
        stack = self.running(sleeper("b"), "b")
        stack.write("  never: {command: [sleep, '9'], ready: {file: nowhere}}\n" + sleeper("b"))
        self.assertEqual(stack.cli("reload", "--no-wait").returncode, 0)
        self.assertEqual(stack.cli("wait", "--for", "started", "never").returncode, 0, stack.output.text())
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(stack.get("/v1/wait?service=never")))
        waiting.start()
        stack.write(sleeper("b"))
        self.reload(stack)
        waiting.join(PATIENCE)
        self.assertEqual(answers[0][0], 424)
        self.assert_clean_end(stack)

    def test_a_change_stops_who_depends_on_it_first_and_brings_it_back(self):
        def services(delay):
            return f"""
  db: {{command: $SAMPLE --name db --notify --on-stop-delay {delay}, ready: notify}}
  api: {{command: $SAMPLE --name api --notify, ready: notify, depends_on: [db]}}
  web: {{command: $SAMPLE --name web --notify, ready: notify, depends_on: [api]}}
  other: {{command: $SAMPLE --name other --notify, ready: notify}}
"""
        stack = self.running(services("1ms"), "web", "other")
        stack.write(services("2ms"))
        seen = len(stack.all_events())
        self.assertEqual(self.reload(stack), "changed db; stopped web, api, db; started db, api, web\n")
        self.assertLess(stack.event("web", "exit", seen), stack.event("api", "term", seen))
        self.assertLess(stack.event("api", "exit", seen), stack.event("db", "term", seen))
        self.assertLess(stack.event("db", "ready", seen), stack.event("api", "main", seen))
        self.assertEqual([e for e in stack.all_events("other") if e[2] == "term"], [])
        self.assert_clean_end(stack)

    def test_edges_and_tuning_change_in_place(self):
        stack = self.running(sleeper("db") + sleeper("api"), "db", "api")
        before = self.pids(stack)
        stack.write(sleeper("db") + sleeper("api", more=", depends_on: [db], restart: {delay: 5ms}, stop: {timeout: 3s}"))
        self.assertEqual(self.reload(stack), "changed api\n")
        self.assertEqual(self.pids(stack), before)
        self.assertIn("db", stack.cli("graph").stdout)
        asked = stack.cli("restart", "db")  # the new edge counts
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertNotEqual(self.pids(stack)["api"], before["api"])
        self.assert_clean_end(stack)

    def test_a_live_probe_changes_in_place(self):
        def services(live):
            return f"  web: {{command: $SAMPLE --name web, restart: {{delay: 1ms}}{live}}}\n"

        stack = self.running(services(""), "web")
        before = self.pids(stack)
        stack.write(services(", live: {file: alive, period: 5ms, failure_threshold: 1}"))
        self.assertEqual(self.reload(stack), "changed web\n")
        stack.output.index_of("web is not alive")
        stack.write(services(""))
        self.reload(stack)
        self.assertEqual(stack.wait("web"), 200)
        self.assertNotEqual(self.pids(stack), before)
        self.assert_clean_end(stack)

    def test_a_lost_line_of_the_edge_of_a_waiting_service_lets_it_start(self):
        services = "  db: {command: [sleep, '1'], ready: {file: never}}\n"
        stack = self.stack(services + sleeper("api", more=", depends_on: [db]")).start().wait_for_control()
        self.assertEqual(stack.wait("db", condition="started"), 200)
        db = self.pids(stack)["db"]
        stack.write(services + sleeper("api"))
        self.assertEqual(stack.cli("reload").returncode, 0, stack.output.text())
        self.assertEqual(stack.wait("api"), 200)
        self.assertEqual(self.pids(stack)["db"], db)
        self.assert_clean_end(stack)

    def test_the_probes_of_a_service_change_and_what_they_wait_for_with_them(self):
        def services(line):
            return f"  web: {{command: $SAMPLE --name web --ready-line {line}, ready: {{log: {line}}}}}\n"

        stack = self.running(services("one"), "web")
        stack.write(services("two"))
        self.assertEqual(self.reload(stack), "changed web; stopped web; started web\n")
        stack.write(services("two").replace("log: two", "log: two, timeout: 20s"))
        self.assertEqual(self.reload(stack), "changed web\n")
        restart = stack.cli("restart", "web")  # by the new description from its first line on
        self.assertEqual(restart.returncode, 0, restart.stderr)
        self.assert_clean_end(stack)

    def test_gates_count_their_new_members(self):
        gate = "  all: {type: gate, depends_on: [%s]}\n"
        api = sleeper("api", more=", depends_on: [all]")
        stack = self.running(sleeper("a") + gate % "a" + api, "api")
        before = self.pids(stack)
        stack.write(sleeper("a") + sleeper("b") + gate % "a, b" + api)
        self.reload(stack)
        self.assertEqual(stack.wait("all"), 200)
        self.assertEqual(self.pids(stack)["a"], before["a"])
        self.assert_clean_end(stack)

    def test_replicas_come_and_go(self):
        stack = self.running(sleeper("a", more=", replicas: 2"), "a")
        before = self.pids(stack)
        stack.write(sleeper("a", more=", replicas: 3"))
        self.assertIn("added a-3", self.reload(stack))
        self.assertEqual(stack.wait("a"), 200)
        self.assertEqual({name: self.pids(stack)[name] for name in ("a-1", "a-2")},
                         {name: before[name] for name in ("a-1", "a-2")})
        stack.write(sleeper("a", more=", replicas: 1"))
        self.assertIn("removed a-2, a-3", self.reload(stack))
        self.assertEqual(self.pids(stack)["a-1"], before["a-1"])
        self.assertEqual(stack.get("/readyz")[0], 200)
        self.assert_clean_end(stack)

    def test_a_service_of_a_profile_is_stopped_when_nothing_enables_it_any_more(self):
        def services(profile):
            return sleeper("a") + sleeper("b", more=f", profiles: [{profile}]")

        stack = self.running(services("on"), "a", "b", arguments=("--profile", "on"))
        stack.write(services("off"))
        self.assertEqual(self.reload(stack), "changed b; stopped b\n")
        self.assertEqual(stack.services()["b"]["state"], "inactive")
        self.assertEqual(stack.get("/readyz")[0], 200)
        stack.write(services("on"))
        self.assertEqual(self.reload(stack), "changed b; started b\n")
        self.assertEqual(stack.wait("b"), 200)
        self.assert_clean_end(stack)

    def test_a_disabled_service_that_comes_by_reload_can_be_started_by_name(self):
        stack = self.running(sleeper("a"), "a")
        user = ", user: nobody" if os.geteuid() == 0 else ""
        stack.write(sleeper("a") + sleeper("dbg", more=f", profiles: [debug], environment_from: [PATH]{user}"))
        self.assertEqual(self.reload(stack), "added dbg\n")
        self.assertEqual(stack.services()["dbg"]["state"], "inactive")
        started = stack.cli("start", "dbg")
        self.assertEqual(started.returncode, 0, started.stderr + stack.output.text())
        stack.write(sleeper("a") + sleeper("dbg", 1001, f", profiles: [debug], environment_from: [PATH, HOME]{user}"))
        self.assertIn("stopped dbg; started dbg", self.reload(stack))
        self.assertEqual(stack.wait("dbg"), 200)
        self.assert_clean_end(stack)

    def test_free_ports_stay_and_new_ones_are_others(self):
        top = "ports: {one: free%s}"
        stack = self.running(sleeper("a", more=", environment: {P: \"${PORT_one}\"}"), "a", top=top % "")
        before = self.pids(stack)
        stack.write(sleeper("a", more=", environment: {P: \"${PORT_one}\"}") +
                    sleeper("b", more=", environment: {P: \"${PORT_two}\"}"), top % ", two: free")
        self.assertIn("added b", self.reload(stack))
        self.assertEqual(self.pids(stack)["a"], before["a"])
        self.assert_clean_end(stack)

    def test_who_uses_outputs_gets_those_of_the_new_run(self):
        def services(port, more=""):
            return f"""
  db: {{command: $SAMPLE --name db --port {port}, ready: {{port: any}}}}
  api: {{command: "$SAMPLE --name api --tcp-connect 127.0.0.1:${{db.PORT}}", depends_on: [db]{more}}}
"""
        one, two = free_port(), free_port()
        stack = self.running(services(one), "api")
        stack.write(services(two))
        self.assertEqual(self.reload(stack), "changed db; stopped api, db; started db, api\n")
        with open(f"/proc/{self.pids(stack)['api']}/cmdline", encoding="utf-8") as line:
            self.assertIn(f"127.0.0.1:{two}", line.read())
        self.assert_clean_end(stack)

    def test_a_oneshot_that_has_done_its_work_is_not_run_again(self):
        def services(word):
            return f"  once: {{type: oneshot, command: $SAMPLE --name once --exit-after 1ms --status {word}}}\n" + sleeper("a")

        stack = self.running(services("one"), "a")
        self.assertEqual(stack.wait("once", condition="completed"), 200)
        stack.write(services("two"))
        self.assertEqual(self.reload(stack), "changed once\n")
        self.assertEqual(len(stack.all_events("once", "main")), 1)
        self.assert_clean_end(stack)

    def test_a_failed_service_is_tried_again_when_it_has_changed(self):
        stack = self.running("  bad: {command: ./nowhere, restart: no}\n" + sleeper("a"), "a")
        self.assertEqual(stack.wait("bad"), 424)
        stack.write(sleeper("bad", more=", restart: no") + sleeper("a"))
        self.assertEqual(self.reload(stack), "changed bad; started bad\n")
        self.assertEqual(stack.services()["bad"]["state"], "ready")
        self.assert_clean_end(stack)

    def test_what_was_stopped_by_command_stays_so(self):
        stack = self.running(sleeper("a") + sleeper("b"), "a", "b")
        self.assertEqual(stack.cli("stop", "b").returncode, 0)
        stack.write(sleeper("a") + sleeper("b", 1001))
        self.assertEqual(self.reload(stack), "changed b\n")
        self.assertEqual(stack.services()["b"]["state"], "inactive")
        self.assertEqual(stack.cli("start", "b").returncode, 0)
        with open(f"/proc/{self.pids(stack)['b']}/cmdline", encoding="utf-8") as line:
            self.assertIn("1001", line.read())
        self.assert_clean_end(stack)

    def test_what_belfry_listens_on_stays_bound_and_a_new_address_is_bound(self):
        port, other = free_port(), free_port()

        def services(at, seconds=1000):
            return sleeper("web", seconds, f", listen: '127.0.0.1:{at}'")

        stack = self.running(services(port), "web")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as waiting:
            stack.write(services(port, 1001))
            self.assertEqual(self.reload(stack), "changed web; stopped web; started web\n")
            waiting.setblocking(False)
            with self.assertRaises(BlockingIOError):  # still in the backlog, and not reset
                waiting.recv(1)
        stack.write(services(other))
        self.reload(stack)
        socket.create_connection(("127.0.0.1", other), PATIENCE).close()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.assert_clean_end(stack)

    def test_a_replica_that_comes_or_goes_touches_nobody_who_depends_on_the_others(self):
        def services(count):
            return (sleeper("api", more=f", replicas: {count}") + sleeper("web", more=", depends_on: [api]") +
                    sleeper("cares", more=", depends_on: {api: {on_loss: restart}}"))

        stack = self.running(services(3), "web", "cares")
        before = self.pids(stack)
        for count, stops, starts in ((2, ["api-3"], []), (4, [], ["api-3", "api-4"])):
            stack.write(services(count))
            said = json.loads(self.reload(stack, "--dry-run", "--json"))
            self.assertEqual((said["stops"], said["starts"]), (stops, starts))
            done = json.loads(self.reload(stack, "--json"))
            self.assertEqual((done["stops"], done["starts"]), (stops, starts))
            self.assertEqual(stack.wait("api"), 200)
            after = self.pids(stack)
            for name in ("api-1", "api-2", "web", "cares"):
                self.assertEqual(after[name], before[name], name)
        self.assert_clean_end(stack)

    def test_a_repaired_essential_service_does_not_end_the_stack(self):
        stack = self.running("  bad: {command: ./nowhere, restart: no}\n" + sleeper("a"), "a")
        self.assertEqual(stack.wait("bad"), 424)
        stack.write(sleeper("bad", more=", essential: true") + sleeper("a"))
        self.assertEqual(self.reload(stack), "changed bad; started bad\n")
        self.assertEqual(stack.services()["bad"]["state"], "ready")
        self.assert_clean_end(stack)

    def test_a_oneshot_that_is_done_and_is_a_daemon_now_is_started(self):
        stack = self.running("  m: {type: oneshot, command: ['true']}\n" + sleeper("a"), "a")
        self.assertEqual(stack.wait("m", condition="completed"), 200)
        stack.write(sleeper("m") + sleeper("a"))
        self.assertEqual(self.reload(stack), "changed m; started m\n")
        self.assertEqual(stack.get("/readyz")[0], 200)
        self.assert_clean_end(stack)

    def test_what_a_service_started_by_command_requires_now_is_started(self):
        stack = self.running(sleeper("a") + sleeper("b"), "a", arguments=("a",))
        self.assertEqual(stack.cli("start", "b").returncode, 0)
        stack.write(sleeper("a") + sleeper("b", 1001, ", depends_on: [c]") + sleeper("c"))
        self.assertEqual(self.reload(stack), "added c; changed b; stopped b; started b, c\n")
        self.assertEqual(stack.services()["b"]["state"], "ready")
        self.assert_clean_end(stack)

    def test_a_gate_with_a_lost_member_does_not_keep_belfry_busy(self):
        stack = self.running(sleeper("a") + "  b: {command: [sh, -c, 'exit 1'], restart: {delay: 60m}}\n" + """\
  q: {type: gate, require: 1, depends_on: {a: {on_loss: restart}, b: {on_loss: restart}}}
""", "q")
        self.assertIn("no effect in the gate", stack.output.text())
        self.assertEqual(stack.get("/livez")[0], 200)
        self.assert_clean_end(stack)

    def test_log_files_of_the_past_are_closed_and_another_rotation_counts(self):
        def services(file, size):
            writes = "yes a-line-of-some-length | head -c 30000; echo done; exec sleep 1000"
            return (f"  a: {{command: [sh, -c, '{writes}'], ready: {{log: done}}, "
                    f"log: {{file: {file}, stdout: false, max_size: {size}, max_files: 3}}}}\n")

        def is_open(stack, name):
            fds = f"/proc/{stack.process.pid}/fd"
            return any(os.readlink(os.path.join(fds, fd)).endswith(name) for fd in os.listdir(fds))

        stack = self.running(services("one.log", "64MiB"), "a")
        where = os.path.dirname(stack.file)
        stack.write(services("one.log", "20KiB"))
        self.reload(stack)
        for turn in range(5):
            stack.write(services(f"turn{turn}.log", "64MiB"))
            self.reload(stack)
        self.assertFalse(is_open(stack, "turn0.log"))
        self.assertFalse(is_open(stack, "one.log"))
        self.assertTrue(os.path.exists(os.path.join(where, "one.log.1")))
        self.assert_clean_end(stack)

    def test_who_follows_the_log_of_a_service_that_goes_is_at_its_end(self):
        stack = self.running(sleeper("gone") + sleeper("b"), "gone", "b")
        answers = []
        following = threading.Thread(target=lambda: answers.append(stack.cli("logs", "-f", "gone").returncode))
        following.start()
        stack.write(sleeper("b"))
        self.reload(stack)
        following.join(PATIENCE)
        self.assertFalse(following.is_alive())
        # 64: it came after the service had gone.
        self.assertIn(answers[0], (0, 64))
        self.assert_clean_end(stack)

    # --- what must not be taken over

    def test_a_dry_run_refuses_what_a_reload_refuses(self):
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.1", 0))
            stranger.listen()
            stack = self.running(sleeper("a"), "a")
            stack.write(sleeper("a") + sleeper("web", more=f", listen: '127.0.0.1:{stranger.getsockname()[1]}'"))
            ran = stack.cli("reload", "--dry-run")
            self.assertEqual(ran.returncode, 65, ran.stdout)
            self.assertIn("cannot listen on", ran.stderr)
            stranger.close()
            self.assertIn("would start: web", self.reload(stack, "--dry-run"))
            self.assertIn("added web", self.reload(stack))
        self.assert_clean_end(stack)

    def test_a_main_service_neither_comes_nor_goes(self):
        stack = self.running(sleeper("a"), "a")
        stack.write(sleeper("a") + sleeper("m", more=", main: true"))
        self.refused(stack, "m: main: true (new)")
        self.assert_clean_end(stack)

    def test_a_file_with_mistakes_touches_nothing_and_all_of_them_are_said(self):
        stack = self.running(sleeper("a"), "a")
        stack.write(sleeper("a", 1001) + "  b: {comand: x}\n  c: {command: x, depends_on: [nobody]}\n")
        self.refused(stack, "cannot reload: the file has mistakes", "unknown key `comand`", "did you mean `command`?",
                     "nobody")
        stack.send(signal.SIGHUP)
        stack.output.index_of("unknown key `comand`")
        self.assertEqual(stack.services()["a"]["state"], "ready")
        self.assert_clean_end(stack)

    def test_a_circle_or_a_service_that_others_need_is_a_mistake(self):
        stack = self.running(sleeper("a") + sleeper("b", more=", depends_on: [a]"), "b")
        stack.write(sleeper("a", more=", depends_on: [b]") + sleeper("b", more=", depends_on: [a]"))
        self.refused(stack, "a → b → a")
        stack.write(sleeper("b", more=", depends_on: [a]"))
        self.refused(stack, "what runs is untouched", "`a`")
        self.assert_clean_end(stack)

    def test_a_file_that_has_vanished_touches_nothing(self):
        stack = self.running(sleeper("a"), "a")
        os.remove(stack.file)
        self.refused(stack, "cannot read", "No such file or directory", "what runs is untouched")
        self.assert_clean_end(stack)

    def test_what_belongs_to_belfry_itself_is_refused_and_named(self):
        stack = self.running(sleeper("a", 1000) + sleeper("b"), "a", "b")
        stack.write(sleeper("a", 1001) + sleeper("b"), name="other")
        self.refused(stack, "name: test → other", "restart of belfry itself")
        stack.write(sleeper("a", 1001, ", main: true") + sleeper("b"))
        self.refused(stack, "a: main: true (new)")
        stack.write(sleeper("a", 1001) + sleeper("b"), top="http: {listen: '127.0.0.1:1'}")
        self.refused(stack, "http.listen: ", "(new)")
        self.assert_clean_end(stack)

    def test_an_address_that_a_stranger_has_is_found_before_anything_stops(self):
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.1", 0))
            stranger.listen()
            stack = self.running(sleeper("a"), "a")
            stack.write(sleeper("a") + sleeper("web", more=f", listen: '127.0.0.1:{stranger.getsockname()[1]}'"))
            self.refused(stack, "cannot listen on")
            stranger.close()
            self.assertIn("added web", self.reload(stack))
        self.assert_clean_end(stack)

    def test_a_user_that_nobody_knows_is_found_before_anything_stops(self):
        if os.geteuid() != 0:
            self.skipTest("only root may name another user")
        stack = self.running(sleeper("a"), "a")
        stack.write(sleeper("a", 1001, ", user: nobody-knows-this-one"))
        self.refused(stack, "nobody-knows-this-one")
        self.assert_clean_end(stack)

    # --- how it is asked for

    def test_the_same_file_changes_nothing_in_the_journal(self):
        stack = self.running(sleeper("a") + sleeper("b"), "a", "b")
        before, events = self.pids(stack), stack.cli("events").stdout
        self.assertEqual(self.reload(stack), "nothing has changed\n")
        stack.send(signal.SIGHUP)
        stack.output.index_of("reloaded: nothing has changed")
        os.utime(stack.file, ns=(1, 1))
        self.assertEqual(self.reload(stack), "nothing has changed\n")
        self.assertNotIn("has changed since", stack.cli("status").stdout)
        self.assertEqual((self.pids(stack), stack.cli("events").stdout), (before, events))
        self.assert_clean_end(stack)

    def test_a_hangup_reloads_and_the_journal_says_so(self):
        stack = self.running(sleeper("a"), "a")
        stack.write(sleeper("a", 1001))
        stack.send(signal.SIGHUP)
        stack.output.index_of("reloaded: changed a; stopped a; started a")
        self.assertIn("reload of the file asked for by SIGHUP", stack.output.text())
        self.assertIn("reloaded: 1 changed", stack.cli("events").stdout)
        self.assertEqual(stack.wait("a"), 200)
        self.assert_clean_end(stack)

    def test_a_dry_run_says_it_all_and_touches_nothing(self):
        stack = self.running(sleeper("db", more=", environment: {PASSWORD: one}") + sleeper("api", more=", depends_on: [db]"), "api")
        before, events = self.pids(stack), stack.cli("events").stdout
        stack.write(sleeper("db", more=", environment: {PASSWORD: two}") + sleeper("api", more=", depends_on: [db], restart: always") +
                    sleeper("new"))
        self.assertEqual(self.reload(stack, "--dry-run"), """\
new: added
db: environment.PASSWORD: *** (another one)   [restart]
api: restart.policy: on-failure → always   [in place]
would stop: api, db
would start: db, api, new
""")
        said = json.loads(self.reload(stack, "--dry-run", "--json"))
        self.assertEqual((said["stops"], said["starts"], said["dry_run"]), (["api", "db"], ["db", "api", "new"], True))
        self.assertEqual((self.pids(stack), stack.cli("events").stdout), (before, events))
        self.assertIn("belfry.yaml has changed since", stack.cli("status").stdout)
        self.reload(stack)
        self.assertNotIn("has changed since", stack.cli("status").stdout)
        self.assert_clean_end(stack)

    def test_a_file_beside_it_that_is_newer_is_named_and_so_is_one_with_the_same_time(self):
        stack = self.running(sleeper("a"), "a")
        beside = os.path.join(os.path.dirname(stack.file), "beside.env")
        with open(beside, "w", encoding="utf-8") as file:
            file.write("A=1\n")
        stack.write(sleeper("a", more=", env_file: beside.env"))
        self.reload(stack)
        self.assertNotIn("changed since", stack.cli("status").stdout)
        with open(beside, "w", encoding="utf-8") as file:
            file.write("A=2\n")
        self.assertIn("beside.env has changed since", stack.cli("status").stdout)
        self.reload(stack)
        was = os.stat(stack.file)
        with open(stack.file, "r+", encoding="utf-8") as file:
            text = file.read().replace("1000", "1001")
            file.seek(0)
            file.write(text)
        os.utime(stack.file, ns=(was.st_atime_ns, was.st_mtime_ns))
        self.assertIn("belfry.yaml has changed since", stack.cli("status").stdout)
        self.assert_clean_end(stack)

    def test_over_http_without_a_right_nothing_is_reloaded(self):
        port = free_port()
        stack = self.running(sleeper("a"), "a", top=f"http: {{listen: '127.0.0.1:{port}'}}")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.assertIn(b" 403 ", client.recv(4096).split(b"\r\n")[0])
        status, body = stack.request("POST", "/v1/reload")
        self.assertEqual((status, json.loads(body)["message"]), (200, "nothing has changed"))
        self.assertEqual(stack.get("/v1/reload")[0], 405)
        self.assert_clean_end(stack)

    def test_who_cannot_start_after_it_is_named_and_the_others_run(self):
        stack = self.running(sleeper("a"), "a")
        stack.write(sleeper("a", 1001) + "  bad: {command: ./nowhere, restart: no}\n")
        ran = stack.cli("reload")
        self.assertEqual(ran.returncode, 69)
        self.assertIn("cannot start all after the reload", ran.stderr)
        self.assertIn("bad is failed", ran.stderr)
        self.assertEqual(stack.services()["a"]["state"], "ready")
        self.assert_clean_end(stack)

    def test_two_at_once_come_one_after_the_other(self):
        slow = "  slow: {command: $SAMPLE --name slow --on-stop-delay 100ms --status %s}\n"
        stack = self.running(slow % 1, "slow")
        stack.write(slow % 2)
        self.assertEqual(stack.cli("reload", "--no-wait").returncode, 0)
        stack.event("slow", "term")
        stack.write(slow % 2 + sleeper("b"))
        self.assertEqual(self.reload(stack), "added b; started b\n")
        self.assertEqual(len(stack.all_events("slow", "main")), 2)
        self.assert_clean_end(stack)

    def test_a_stop_of_belfry_in_the_middle_of_it_goes_first(self):
        slow = "  slow: {command: $SAMPLE --name slow --on-stop-delay 100ms --status %s}\n"
        stack = self.running(slow % 1 + sleeper("a"), "slow", "a")
        stack.write(slow % 2 + sleeper("a"))
        self.assertEqual(stack.cli("reload", "--no-wait").returncode, 0)
        stack.event("slow", "term")
        self.assert_clean_end(stack)
        self.assertEqual(len(stack.all_events("slow", "main")), 1)

    def test_during_a_slow_start_it_counts_from_then_on(self):
        services = "  db: {command: $SAMPLE --name db --notify --ready-delay %s, ready: notify}\n" + sleeper("api", more=", depends_on: [db]")
        stack = self.stack(services % "60m").start().wait_for_control()
        self.assertEqual(stack.wait("db", condition="started"), 200)
        stack.write(services % "1ms")
        self.assertEqual(stack.cli("reload").returncode, 0, stack.output.text())
        self.assertEqual(stack.wait("api"), 200)
        self.assertEqual(len(stack.all_events("db", "main")), 2)
        self.assert_clean_end(stack)

    def test_many_times_and_nothing_is_left_behind(self):
        stack = self.running(sleeper("a") + sleeper("b"), "a", "b")
        kept = self.pids(stack)["a"]
        before = None
        for turn in range(20):
            stack.write(sleeper("a") + sleeper("b", 1001 + turn) + sleeper(f"c{turn}", more=", depends_on: [b]"))
            self.reload(stack)
            if turn == 5:
                before = len(os.listdir(f"/proc/{stack.process.pid}/fd"))
        self.assertEqual(self.pids(stack)["a"], kept)
        self.assertLessEqual(len(os.listdir(f"/proc/{stack.process.pid}/fd")), before + 1)
        self.assert_clean_end(stack)
