"""What processes leave behind: daemons that go to the background, oneshots, probes."""
import os
import signal

from harness import Scenario, descendants, until


def children_named(stack, name):
    """Those below belfry whose command line begins so."""
    found = []
    for pid, _ in descendants(stack.process.pid):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                words = file.read().split("\0")
        except OSError:
            continue
        if " ".join(words).startswith(name):
            found.append(pid)
    return found


class Daemons(Scenario):
    def test_a_daemon_that_forks_runs_on_and_the_one_that_is_left_is_its_main_process(self):
        stack = self.stack("""
  forking:
    command: [sh, -c, '(setsid sh -c "touch $DIR/up; exec sleep 1000" >/dev/null 2>&1 &); exit 0']
    ready: {file: $DIR/up}
  app: {command: $SAMPLE --name app --notify, ready: notify, depends_on: [forking]}
""").start()
        stack.event("app", "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait("app"), 200)
        self.assertEqual(stack.services()["forking"]["state"], "ready")
        # Its main process is known when those that forked have left, which takes a moment more than the bell.
        main = until(lambda: stack.services()["forking"]["pid"])
        self.assertEqual(until(lambda: children_named(stack, "sleep 1000")), [main])  # it may still be about to call execve
        self.assertEqual(stack.services()["forking"]["pid"], main)
        self.assert_clean_end(stack)

    def test_the_number_in_a_pid_file_is_the_main_process_and_its_exit_code_counts(self):
        stack = self.stack("""
  forking:
    command: [sh, -c, "(sh -c 'sleep 1000 & echo $$$$ > $DIR/new; mv $DIR/new $DIR/pid; read line < $DIR/go; exit 3' &); exit 0"]
    ready: {file: $DIR/pid}
    restart: no
""")
        os.mkfifo(os.path.join(stack.path, "go"))
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("forking"), 200)
        with open(os.path.join(stack.path, "pid"), encoding="ascii") as file:
            self.assertEqual(stack.services()["forking"]["pid"], int(file.read()))
        with open(os.path.join(stack.path, "go"), "w", encoding="ascii") as go:
            go.write("on\n")
        stack.output.index_of("forking failed: forking exited with code 3")
        stack.exit_code()
        self.assertEqual(stack.survivors(), set())

    def test_a_daemon_that_forks_without_readiness_is_refused_in_words(self):
        stack = self.stack("""
  forking: {command: [sh, -c, "sleep 1000 & exit 0"], restart: always}
  app: {command: [sleep, "1000"]}
""").start()
        line = stack.output.index_of("forking failed: ")
        self.assertIn("forking daemonised: it forked, left ", stack.output.lines[line])
        self.assertIn("give it `ready:`, or run it in the foreground", stack.output.lines[line])
        stack.output.index_of("app is ready")
        self.assert_clean_end(stack)

    def test_a_oneshot_says_what_it_left_running_and_is_killed(self):
        stack = self.stack("""
  launch: {type: oneshot, command: [sh, -c, "(setsid sleep 1000 >/dev/null 2>&1 &); exit 0"]}
  app: {command: [sleep, "1000"], depends_on: {launch: completed}}
""").start()
        line = stack.output.index_of("launch ended; killed what it left running: ")
        self.assertRegex(stack.output.lines[line], r": \d+ (sh|setsid|sleep)$")
        stack.output.index_of("app is ready")
        self.assertEqual(len(children_named(stack, "sleep 1000")), 1)
        self.assert_clean_end(stack)


class Probes(Scenario):
    def test_no_attempt_of_a_probe_leaves_a_process_however_it_ends_and_flees(self):
        for isolate in ("false", "true"):
            with self.subTest(isolate=isolate):
                stack = self.stack(f"""
  web:
    command: [sleep, "1000"]
    isolate: {isolate}
    ready: {{exec: [sh, -c, "sleep 1411 & exit 0"], recheck: 20ms}}
    live: {{exec: [sh, -c, "echo x >> $DIR/tries; setsid sleep 1412 & wait"], period: 20ms, timeout: 20ms, failure_threshold: 1000}}
    bells:
      warm: {{exec: [sh, -c, "(setsid sleep 1413 &); [ $(wc -l < $DIR/tries) -gt 10 ]"], period: 20ms}}
""").start()
                stack.output.index_of("web is warm")
                for tag in ("1411", "1412", "1413"):
                    self.assertLessEqual(len(children_named(stack, f"sleep {tag}")), 1)
                self.assert_clean_end(stack)

    def test_what_an_isolated_probe_leaves_without_a_trace_ends_with_it(self):
        stack = self.stack("""
  web:
    command: [sleep, "1000"]
    isolate: true
    ready: {exec: [sh, -c, "(env -i setsid /bin/sleep 1414 >/dev/null 2>&1 </dev/null &); exit 0"]}
""").start()
        stack.output.index_of("web is ready")
        self.assertEqual(children_named(stack, "/bin/sleep 1414"), [])
        self.assert_clean_end(stack)

    def test_what_a_hook_leaves_belongs_to_its_service(self):
        stack = self.stack("""
  web:
    command: [sleep, "1000"]
    post_start: [sh, -c, "(setsid sleep 1415 >/dev/null 2>&1 &); exit 0"]
    ready: {exec: ["true"]}
  app: {command: [sleep, "1000"], depends_on: [web]}
""").start()
        stack.output.index_of("app is ready")
        self.assert_clean_end(stack, signal.SIGINT)
