"""What goes wrong is said: all of it, where it is, and nothing hangs."""
import os
import signal
import socket
import unittest

from harness import Scenario, belfry, free_port

SIX_MISTAKES = """name: shop
services:
  db:
    command: [postgres, -D, /var/lib/pg]
    reday: notify
  cache:
    command: redis-server
    stop: {timeout: 10 parsecs}
  api:
    command: ./api
    depends_on: [databse]
  web:
    command: nginx
    type: deamon
  a:
    command: "true"
    depends_on: [b]
  b:
    command: "true"
    depends_on: [a]
  cache:
    command: redis-server
"""


class BadFiles(Scenario):
    def test_six_mistakes_are_six_messages_and_exit_65(self):
        stack = self.stack("")
        with open(stack.file, "w", encoding="utf-8") as out:
            out.write(SIX_MISTAKES)
        result = belfry("check", stack.file)
        said = result.stdout + result.stderr
        self.assertEqual(result.returncode, 65, said)
        self.assertEqual(said.count("error:"), 6, said)
        for line, word in ((5, "reday"), (8, "parsecs"), (11, "databse"), (14, "deamon"), (21, "cache")):
            self.assertRegex(said, rf"belfry\.yaml:{line}:\d+: error: .*", word)
        self.assertIn("^", said)
        self.assertRegex(said, r"a → b → a|b → a → b")

    def test_a_bad_file_starts_nothing(self):
        stack = self.stack("  a: {command: $SAMPLE --name a}\n  b: {command: $SAMPLE --name b, depends_on: [nobody]}")
        stack.start()
        self.assertEqual(stack.exit_code(), 65, stack.output.text())
        self.assertEqual(stack.all_events(), [])

    def test_a_missing_file_is_66(self):
        result = belfry("run", "-c", "/nonexistent/belfry.yaml")
        self.assertEqual(result.returncode, 66, result.stderr)
        self.assertIn("/nonexistent/belfry.yaml", result.stderr)

    def test_usage_errors_are_64(self):
        self.assertEqual(belfry("frobnicate").returncode, 64)
        self.assertEqual(belfry("run", "--no-such-flag").returncode, 64)

    def test_a_taken_port_is_one_clear_line_and_71(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            stack = self.stack("  a: {command: $SAMPLE --name a}", top=f"http: {{listen: 127.0.0.1:{port}}}")
            stack.start()
            self.assertEqual(stack.exit_code(), 71, stack.output.text())
        complaints = [line for line in stack.output.lines if "cannot" in line]
        self.assertEqual(len(complaints), 1, stack.output.text())
        self.assertIn(f"127.0.0.1:{port}", complaints[0])
        self.assertIn("in use", complaints[0])
        self.assertEqual(stack.all_events(), [])


class BadServices(Scenario):
    def test_a_command_that_does_not_exist_fails_with_stage_and_errno_and_blocks_its_dependents(self):
        stack = self.stack("""
  broken: {command: ./apii --port 1, restart: no}
  api: {command: $SAMPLE --name api --notify, ready: notify, depends_on: [broken]}
  web: {command: $SAMPLE --name web, depends_on: [api]}
  other: {command: $SAMPLE --name other --notify, ready: notify}
""").start()
        stack.event("other", "ready")
        self.assertEqual(stack.wait("other"), 200)
        self.assertEqual(stack.wait("broken"), 424)
        self.assertEqual(stack.wait("web"), 424)
        services = stack.services()
        self.assertEqual(services["broken"]["state"], "failed")
        self.assertIn("exec: No such file or directory: ./apii", services["broken"]["last_error"])
        self.assertEqual([services[s]["state"] for s in ("api", "web", "other")], ["blocked", "blocked", "ready"])
        for name in ("broken", "api"):  # the chain down to the root
            self.assertIn(name, services["web"]["last_error"])
        self.assertIn("No such file", services["web"]["last_error"])
        self.assertEqual(stack.get("/readyz")[0], 503)
        self.assert_clean_end(stack)
        self.assertEqual(stack.all_events("api"), [])

    def test_a_script_with_windows_line_ends_is_not_said_to_be_missing(self):
        stack = self.stack("  web: {command: ./crlf.sh, restart: no}\n  other: {command: sleep 1000}")
        with open(os.path.join(stack.path, "crlf.sh"), "w", encoding="ascii", newline="") as script:
            script.write("#!/bin/sh\r\nexit 0\r\n")
        os.chmod(script.name, 0o755)
        stack.start()
        stack.output.index_of("ends with CRLF")
        failed = stack.output.lines[stack.output.index_of("web failed")]
        self.assertNotIn("No such file", failed)
        self.assert_clean_end(stack)

    def test_an_unknown_user_fails_its_service_and_no_other(self):
        stack = self.stack("  shy: {command: sleep 1000, user: no-such-user-here}\n  bold: {command: sleep 1000}").start()
        failed = stack.output.lines[stack.output.index_of("shy failed")]
        self.assertIn("cannot run shy as no-such-user-here: unknown user", failed)
        self.assertNotIn("::", failed)
        self.assertEqual(stack.wait("bold"), 200)
        self.assertRegex(stack.output.text(), r"belfry\.yaml:\d+:\d+: warning: .*no such user")
        self.assert_clean_end(stack)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to give it up")
    def test_without_root_another_user_is_refused_at_once(self):
        stack = self.stack("  web: {command: sleep 1000, user: nobody}\n  other: {command: sleep 1000}")
        os.chmod(stack.path, 0o777)
        stack.start(wrapper=["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups"])
        failed = stack.output.lines[stack.output.index_of("web failed")]
        self.assertIn("cannot run web as nobody: belfry is not root", failed)
        self.assertEqual(stack.wait("other"), 200)
        self.assertEqual(stack.services()["web"]["state"], "failed")
        self.assert_clean_end(stack)

    def test_a_dependency_that_exits_before_ready_is_never_ready_and_never_a_hang(self):
        stack = self.stack("""
  db: {command: $SAMPLE --name db --exit-after 20ms, ready: {notify: true}, restart: no}
  api: {command: $SAMPLE --name api, depends_on: [db]}
  other: {command: $SAMPLE --name other --notify, ready: notify}
""").start()
        stack.event("db", "exit")
        stack.event("other", "ready")
        self.assertEqual(stack.wait("db"), 424)
        self.assertEqual(stack.wait("api"), 424)
        self.assertIn("before", stack.services()["db"]["last_error"])
        self.assert_clean_end(stack)
        self.assertEqual(stack.all_events("api"), [])

    def test_a_stack_in_which_nothing_can_run_any_more_ends_with_69(self):
        stack = self.stack("""
  db: {command: $SAMPLE --name db --exit-after 20ms --exit-code 1, ready: notify, restart: no}
  api: {command: $SAMPLE --name api, depends_on: [db]}
""").start()
        self.assertEqual(stack.exit_code(), 69, stack.output.text())
        self.assertIn("db", stack.output.text())
        self.assertEqual(stack.all_events("api"), [])

    def test_a_stack_of_finished_oneshots_ends_with_0(self):
        stack = self.stack("""
  one: {type: oneshot, command: $SAMPLE --name one --exit-after 0s}
  two: {type: oneshot, command: $SAMPLE --name two --exit-after 0s, depends_on: [one]}
""").start()
        self.assertEqual(stack.exit_code(), 0, stack.output.text())
        self.assertLess(stack.event("one", "exit"), stack.event("two", "main"))

    def test_a_service_that_ignores_sigterm_is_killed_with_its_children_at_its_timeout(self):
        stack = self.stack("""
  stubborn:
    command: $SAMPLE --name stubborn --ignore SIGTERM --fork 3 --notify
    ready: notify
    stop: {timeout: 300ms}
  orphans:
    command: $SAMPLE --name orphans --fork 2 --setsid --double-fork --ignore TERM --notify
    ready: notify
    stop: {timeout: 300ms}
""").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("stubborn", "orphans"), 200)
        for _ in range(3):
            stack.event("stubborn", "child")
        stack.event("orphans", "child")
        self.assert_clean_end(stack)
        self.assertIn("stubborn", stack.output.text())

    def test_a_second_signal_kills_at_once(self):
        stack = self.stack("""
  stubborn: {command: $SAMPLE --name stubborn --ignore SIGTERM --notify, ready: notify, stop: {timeout: 1h}}
""", top="shutdown: {timeout: 2h}").start()
        stack.event("stubborn", "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait("stubborn"), 200)
        stack.send(signal.SIGTERM)
        stack.output.index_of("stopping: SIGTERM")  # two of a kind so close together are one request
        stack.process.send_signal(signal.SIGINT)
        self.assertEqual(stack.exit_code(), 128 + signal.SIGINT, stack.output.text())
        self.assertEqual(stack.survivors(), set())

    def test_a_stack_that_still_starts_goes_down_at_once(self):
        stack = self.stack("""
  never: {command: $SAMPLE --name never, ready: {port: 1}}
  later: {command: $SAMPLE --name later, depends_on: [never]}
""").start()
        stack.event("never", "main")
        self.assert_clean_end(stack)
        self.assertEqual(stack.all_events("later"), [])


class BadClients(Scenario):
    def test_garbage_on_the_socket_is_refused_and_nothing_is_lost(self):
        port = free_port()
        stack = self.stack("  a: {command: $SAMPLE --name a --notify, ready: notify}",
                           top=f"http: {{listen: 127.0.0.1:{port}}}").start()
        stack.event("a", "ready")
        for garbage in (b"\x00\xff\x16\x03\x01 nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"x" * 100_000):
            with socket.create_connection(("127.0.0.1", port), 5) as client:
                try:
                    client.sendall(garbage)
                    answer = client.recv(4096)
                except (ConnectionResetError, BrokenPipeError):
                    answer = b""
                self.assertNotIn(b" 200 ", answer)
        self.assertEqual(stack.wait("a"), 200)
        self.assert_clean_end(stack)

    def test_no_daemon_is_69_and_an_unknown_service_64(self):
        stack = self.stack("  a: {command: $SAMPLE --name a --notify, ready: notify}")
        self.assertEqual(stack.cli("status").returncode, 69)
        stack.start()
        stack.event("a", "ready")
        unknown = stack.cli("status", "nobody")
        self.assertEqual(unknown.returncode, 64, unknown.stderr)
        self.assert_clean_end(stack)

    def test_a_stale_control_socket_is_replaced_and_a_live_one_refused(self):
        stack = self.stack("  a: {command: $SAMPLE --name a --notify, ready: notify}")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(stack.control)
        stack.start()
        stack.event("a", "ready")
        second = belfry("run", "-c", stack.file, env=stack.environment())
        self.assertEqual(second.returncode, 71, second.stdout + second.stderr)
        self.assertIn("cannot", second.stdout + second.stderr)
        self.assertEqual(stack.wait("a"), 200)
        self.assert_clean_end(stack)
        self.assertFalse(os.path.exists(stack.control))
