"""Commands that wait: they end in time, and say for whom they waited."""
import signal

from harness import Scenario

CRASH_LOOP = ("  api: {command: [sh, -c, 'exit 1'], restart: {delay: 10ms, max_delay: 10ms}, ready: notify}\n"
              "  proxy: {command: [sleep, '600'], depends_on: [api]}\n"
              "  web: {command: [sleep, '600'], depends_on: [proxy]}")


class InVain(Scenario):
    def test_a_start_that_cannot_succeed_ends_in_time_and_names_the_one_at_the_end_of_the_chain(self):
        stack = self.stack(CRASH_LOOP).start().wait_for_control()
        ran = stack.cli("start", "web", "--timeout", "300ms")
        self.assertEqual(ran.returncode, 124, ran.stderr)
        self.assertIn("cannot wait any longer: api (", ran.stderr)
        self.assertNotIn("proxy", ran.stderr)
        self.assertIn("exited with code 1", ran.stderr)

    def test_one_timeout_is_for_all_names_together(self):
        stack = self.stack(CRASH_LOOP).start().wait_for_control()
        self.assertEqual(stack.cli("restart", "web", "proxy", "api", "--timeout", "300ms").returncode, 124)

    def test_a_stop_that_lasts_names_who_is_stopping_and_goes_on(self):
        stack = self.stack('  slow: {command: [sh, -c, "trap \'\' TERM; echo deaf; while :; do sleep 600; done"], stop: {timeout: 600s}}')
        stack.start().wait_for_control()
        stack.output.index_of("slow | deaf")
        ran = stack.cli("stop", "slow", "--timeout", "300ms")
        self.assertEqual(ran.returncode, 124, ran.stderr)
        self.assertIn("cannot wait any longer: slow (stopping", ran.stderr)
        self.assertEqual(stack.services()["slow"]["state"], "stopping")

    def test_a_shutdown_and_a_daemon_that_says_nothing_are_given_up_too(self):
        stack = self.stack("  a: {command: [sleep, '600']}").start().wait_for_control()
        stack.pause()
        try:
            for command in (["shutdown"], ["stop", "a"], ["wait", "a", "--condition", "stopped"]):
                self.assertEqual(stack.cli(*command, "--timeout", "100ms").returncode, 124, command)
        finally:
            stack.process.send_signal(signal.SIGCONT)
