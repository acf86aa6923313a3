"""What is seen on a terminal: a line for each service that stays where it is, on `run`, `status --watch` and `attach`."""
import json
import subprocess

from harness import BELFRY, Scenario
from terminal import Terminal


class LiveView(Scenario):
    def open(self, stack, *arguments, columns=80, rows=24, **environment):
        env = stack.environment(**{"TERM": "xterm", "LC_ALL": "C.UTF-8", **environment})
        terminal = Terminal(*arguments, cwd=stack.path, env=env, columns=columns, rows=rows)
        self.addCleanup(terminal.close)
        return terminal

    def stack_of_three(self):
        return self.stack("\n".join((
            "  db: {command: [sleep, '1000']}",
            "  api: {command: [sleep, '1000'], depends_on: [db]}",
            "  slow: {command: [sh, -c, 'echo a line of slow; exec sleep 1000'], ready: {file: $DIR/go}}")))

    def touch(self, stack):
        subprocess.run(["touch", f"{stack.path}/go"], check=True)

    def block(self, terminal, name="test"):
        """The lines from the title on."""
        lines = terminal.screen.visible()
        titles = [i for i, line in enumerate(lines) if line.startswith(f"{name}: ")]
        self.assertEqual(len(titles), 1, "there is one block, and not two:\n" + terminal.screen.text())
        return [line for line in lines[titles[0]:] if line]

    def test_run_shows_each_service_once_and_lines_scroll_above(self):
        stack = self.stack_of_three()
        terminal = self.open(stack, "run", "-c", stack.file)
        terminal.until("test: 2 of 3 ready").until("a line of slow")
        lines = self.block(terminal)
        self.assertEqual([line.split()[:3] for line in lines[1:]],
                         [["●", "db", "ready"], ["●", "api", "ready"], ["◐", "slow", "starting"]])
        self.touch(stack)
        terminal.until("test: 3 of 3 ready")
        self.assertEqual(len(self.block(terminal)), 4)
        terminal.type("\x03")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("stopped after", terminal.screen.text())
        self.assertNotIn("test: ", terminal.screen.text())
        self.assertIn("a line of slow", terminal.screen.text())

    def test_the_terminal_is_left_as_it_was(self):
        stack = self.stack_of_three()
        shell = "trap : INT; stty -a > before; %s run -c %s; stty -a > after; cmp before after && echo the same" % (BELFRY, stack.file)
        terminal = self.open(stack, "run", "--", "sh", "-c", shell)
        terminal.until("test: 2 of 3 ready")
        terminal.type("\x03")
        terminal.until("stopped after")
        terminal.until("the same")
        terminal.end()

    def test_a_failure_stays_to_be_read_and_says_why(self):
        stack = self.stack("  bad: {command: ./nope}\n  api: {command: [sleep, '1000'], depends_on: [bad]}\n  ok: {command: [sleep, '1000']}")
        terminal = self.open(stack, "run", "-c", stack.file)
        terminal.until(lambda screen: any("blocked" in line and line.startswith("■") for line in screen.visible()), "a blocked service")
        terminal.until(lambda screen: any(line.startswith("✘ bad") and "./nope" in line for line in screen.visible()), "the reason")
        terminal.type("\x03")
        terminal.end()
        self.assertRegex(terminal.screen.text(), r"belfry \| bad failed: .*")

    def test_narrow_terminals_get_lines_that_fit(self):
        for columns in (20, 34, 60, 80):
            stack = self.stack("  a-service-with-a-rather-long-name: {command: ./a-command-that-is-not-there-at-all}\n  ok: {command: [sleep, '1000']}")
            terminal = self.open(stack, "run", "-c", stack.file, columns=columns)
            terminal.until(lambda screen: any(line.startswith("✘ a-") for line in screen.lines), "the failure")
            terminal.until(lambda screen: any(line.startswith("● ok") for line in screen.lines), "the other")
            for line in self.block(terminal):
                self.assertLess(len(line), columns)
            terminal.type("\x03")
            terminal.end()

    def test_a_terminal_that_becomes_narrow_has_no_rests_of_the_block(self):
        stack = self.stack_of_three()
        terminal = self.open(stack, "run", "-c", stack.file, columns=100)
        terminal.until("test: 2 of 3 ready")
        terminal.resize(24, 24)
        self.touch(stack)
        terminal.until("test: 3 of 3 ready")
        self.assertLessEqual(max(map(len, self.block(terminal))), 23)
        terminal.type("\x03")
        terminal.end()

    def test_of_many_services_those_worth_seeing_are_shown(self):
        many = "\n".join(f"  s{i:03}: {{command: [sleep, '1000']}}" for i in range(60))
        stack = self.stack(many + "\n  zzz: {command: ./nope}")
        terminal = self.open(stack, "run", "-c", stack.file)
        terminal.until(lambda screen: all(text in screen.text() for text in ("test: 60 of 61 ready", "✘ zzz")), "the one that fails")
        lines = self.block(terminal)
        self.assertLessEqual(len(lines), 22)
        self.assertTrue(any(line.startswith("✘ zzz") for line in lines), lines)
        self.assertRegex(lines[-1], r"^\d+ more: \d+ ready$")
        terminal.type("\x03")
        terminal.end()

    def test_colour_is_for_those_who_want_it_and_shapes_are_for_all(self):
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            stack = self.stack_of_three()
            terminal = self.open(stack, "run", "-c", stack.file, **environment)
            terminal.until("test: 2 of 3 ready")
            self.assertEqual(32 in terminal.screen.colours, coloured)
            self.assertTrue(self.block(terminal)[1].startswith("● db"))
            terminal.type("\x03")
            terminal.end()
        stack = self.stack_of_three()
        terminal = self.open(stack, "run", "-c", stack.file, LC_ALL="C")
        terminal.until("test: 2 of 3 ready")
        self.assertEqual([line[0] for line in self.block(terminal)[1:]], ["+", "+", "*"])
        terminal.type("\x03")
        terminal.end()

    def test_a_dumb_terminal_and_a_pipe_get_plain_lines(self):
        stack = self.stack_of_three()
        terminal = self.open(stack, "run", "-c", stack.file, TERM="dumb")
        terminal.until("belfry | api is ready")
        self.assertNotIn("\x1b", terminal.raw)
        self.assertNotIn("test: ", terminal.screen.text())
        terminal.type("\x03")
        terminal.end()
        stack = self.stack_of_three().start()
        stack.output.index_of("belfry | api is ready")
        self.assertEqual(stack.stop(), 0)
        self.assertNotIn("\x1b", stack.output.text())

    def test_status_watch_follows_without_asking_again_and_again(self):
        stack = self.stack_of_three().start().wait_for_control()
        stack.wait("api")
        terminal = self.open(stack, "status", "--watch", "-c", stack.file)
        terminal.until("test: 2 of 3 ready")
        self.touch(stack)
        terminal.until("test: 3 of 3 ready")
        self.assertEqual(len(self.block(terminal)), 4)
        asked = self.requests(stack)
        self.assertEqual(stack.get("/v1/wait?service=db&condition=stopped&timeout=1500ms")[0], 504)
        # One request is the wait, one for the metrics: who looks on asks nothing while nothing happens.
        self.assertLessEqual(self.requests(stack) - asked, 2)
        terminal.type("\x03")
        self.assertEqual(terminal.end(), 130)

    def test_a_mistyped_service_is_not_watched(self):
        stack = self.stack_of_three().start().wait_for_control()
        self.assertIn("did you mean db?", stack.cli("status", "--watch", "bd").stderr)
        self.assertEqual(stack.cli("status", "--watch", "--json").returncode, 64)

    def requests(self, stack):
        return sum(float(line.rsplit(" ", 1)[1]) for line in stack.get("/metrics")[1].splitlines()
                   if line.startswith("belfry_http_requests_total"))

    def test_status_watch_into_a_pipe_is_a_line_for_each_change(self):
        stack = self.stack_of_three().start().wait_for_control()
        stack.wait("api")
        watch = subprocess.Popen([BELFRY, "status", "--watch", "-c", stack.file], stdout=subprocess.PIPE, text=True, env=stack.environment())
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.kill)
        self.assertIn("test: not ready, 2 of 3", watch.stdout.readline())
        self.touch(stack)
        for line in watch.stdout:
            self.assertNotIn("\x1b", line)
            if "slow" in line and "  ready" in line and "T" in line:
                break
        stack.stop()
        self.assertIn("belfry has ended", watch.stdout.read())
        self.assertEqual(watch.wait(), 0)

    def test_attach_asks_whether_to_leave_or_to_stop(self):
        stack = self.stack_of_three().start().wait_for_control()
        stack.wait("api")
        terminal = self.open(stack, "attach", "-c", stack.file)
        terminal.until("test: 2 of 3 ready")
        terminal.type("\x03")
        terminal.until("leave it running (l) or stop the stack (s)?")
        terminal.type("l\n")
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(json.loads(stack.get("/v1/services")[1])["shutting_down"], False)
        terminal = self.open(stack, "attach", "-c", stack.file)
        terminal.until("test: 2 of 3 ready")
        terminal.type("\x03")
        terminal.until("stop the stack (s)?")
        terminal.type("s\n")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("belfry has ended", terminal.screen.text())
        self.assertEqual(stack.exit_code(), 0)

    def test_attach_ended_by_a_second_ctrl_c_leaves_the_stack_alone(self):
        stack = self.stack_of_three().start().wait_for_control()
        stack.wait("api")
        terminal = self.open(stack, "attach", "-c", stack.file)
        terminal.until("test: 2 of 3 ready")
        terminal.type("\x03")
        terminal.until("stop the stack (s)?")
        terminal.type("\x03")
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(stack.wait("db"), 200)

    def test_a_long_stop_says_on_a_terminal_whom_it_waits_for(self):
        stack = self.stack("  stubborn: {command: [sh, -c, 'trap \"\" TERM; echo up; while :; do sleep 1; done'], ready: {log: up}, stop: {timeout: 3s}}").start().wait_for_control()
        stack.wait("stubborn")
        terminal = self.open(stack, "stop", "-c", stack.file, "stubborn")
        terminal.until("still waiting for stubborn (stopping")
        self.assertEqual(terminal.end(), 0)
        self.assertNotIn("still waiting", terminal.screen.text())

    def test_escapes_of_a_service_never_reach_the_terminal(self):
        stack = self.stack("  evil: {command: [sh, -c, 'exit 3'], restart: {policy: 'no'}}\n  x: {command: [sh, -c, \"printf '\\\\033]0;owned\\\\007\\\\033[2J\\\\n'; exec sleep 1000\"]}")
        terminal = self.open(stack, "run", "-c", stack.file)
        terminal.until(lambda screen: any(line.startswith("✘ evil") for line in screen.lines), "the failure")
        terminal.type("\x03")
        terminal.end()
        self.assertNotIn("\x1b]", terminal.raw)
        self.assertNotIn("\x1b[2J", terminal.raw)


