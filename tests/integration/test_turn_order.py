"""What belfry makes of news, deaths and requests that come together, or while it stands still."""
import os
import select
import signal

from harness import PATIENCE, Scenario, belfry, descendants, until


class StandingStill(Scenario):
    """belfry is stopped (SIGSTOP) while things happen, as in a frozen cgroup or a paused virtual machine."""

    @staticmethod
    def reads_a_word(pid):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"read -r word" in file.read()

    def readers_below(self, pid):
        """Both, once both have been started."""
        found = [below for below, _ in descendants(pid) if self.reads_a_word(below)]
        return found if len(found) == 2 else None

    def test_who_said_ready_and_died_meanwhile_starts_nobody(self):
        stack = self.stack("""
  calm: {command: $SAMPLE --name calm}
  db:
    command: [sh, -c, "read -r word < $DIR/go; exec $SAMPLE --name db --notify --exit-code 1 --exit-after 1ms"]
    ready: notify
    restart: no
  logger:
    command: [sh, -c, "read -r word < $DIR/go2; echo okay; exec $SAMPLE --name logger --exit-code 1 --exit-after 1ms"]
    ready: {log: okay}
    restart: no
  app: {command: $SAMPLE --name app, depends_on: [db]}
  reader: {command: $SAMPLE --name reader, depends_on: [logger]}
""")
        for fifo in ("go", "go2"):
            os.mkfifo(os.path.join(stack.path, fifo))
        stack.start().output.index_of("calm is ready")
        readers = until(lambda: self.readers_below(stack.process.pid))
        waiting = [os.pidfd_open(pid) for pid in readers]
        stack.pause()
        for fifo in ("go", "go2"):
            with open(os.path.join(stack.path, fifo), "w", encoding="ascii") as out:
                out.write("go\n")
        for process in waiting:
            self.assertTrue(select.select([process], [], [], PATIENCE)[0], "it has not ended")
            os.close(process)
        stack.process.send_signal(signal.SIGCONT)
        stack.output.index_of("db failed: db exited with code 1")
        stack.output.index_of("logger failed: logger exited with code 1")
        self.assert_clean_end(stack)
        self.assertEqual(stack.all_events("app") + stack.all_events("reader"), [])


class Requests(Scenario):
    def test_a_request_that_comes_twice_is_one(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT)):
            stack = self.stack("\n  db: {command: $SAMPLE --name db --on-stop-delay 100ms}\n").start()
            stack.event("db", "main")
            stack.send(first)
            self.assertEqual(stack.stop(second), 0, stack.output.text())
            self.assertNotIn("killed", stack.output.text())

    def test_a_second_request_later_kills_and_says_why(self):
        stack = self.stack("""
  db: {command: $SAMPLE --name db --notify --ignore SIGTERM, ready: notify, stop: {timeout: 20s}}
  slow: {command: $SAMPLE --name slow --notify --on-stop-delay 700ms, ready: notify}
""").start()
        for service in ("db", "slow"):  # who does not hear signals yet would end within the time of an echo
            stack.event(service, "ready")
        stack.send(signal.SIGTERM)
        stack.output.index_of("slow stopped")
        self.assertEqual(stack.stop(signal.SIGTERM), 128 + signal.SIGTERM)
        stack.output.index_of("killing everything: a second request, SIGTERM")

    def test_a_service_of_a_profile_that_is_off_is_started_with_what_it_requires(self):
        stack = self.stack("""
  base: {command: $SAMPLE --name base}
  queue: {command: $SAMPLE --name queue --notify, ready: notify, profiles: [rare]}
  tool: {command: $SAMPLE --name tool --notify, ready: notify, profiles: [rare], depends_on: {queue: ready}}
""").start().wait_for_control()
        self.assertEqual(stack.wait("base"), 200)
        self.assertEqual(stack.services()["queue"]["state"], "inactive")
        self.assertEqual(stack.request("POST", "/v1/services/tool/start")[0], 200)
        self.assertEqual(stack.services()["queue"]["state"], "ready")
        self.assertEqual(stack.request("POST", "/v1/services/queue/stop")[0], 200)
        self.assertNotEqual(stack.services()["tool"]["state"], "ready")
        self.assertLess(stack.event("tool", "exit"), stack.event("queue", "exit"))
        self.assert_clean_end(stack)

    def test_exec_gives_up_on_a_crash_loop(self):
        stack = self.stack("""
  api: {command: [sh, -c, "exit 3"], ready: notify, restart: {delay: 1ms, max_delay: 5ms}}
""")
        done = belfry("exec", "-c", stack.file, "--", "echo", "ran", env=stack.environment())
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("times and was never ready", done.stderr)
        self.assertIn("api exited with code 3", done.stderr)
        self.assertNotIn("ran\n", done.stdout)
