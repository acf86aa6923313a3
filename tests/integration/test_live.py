"""What becomes of a service that was ready and is not alive any more."""
import os

from harness import Scenario


class LiveProbe(Scenario):
    def test_shutdown_takes_the_stack_down_with_69(self):
        stack = self.stack("""
  web: {command: $SAMPLE --name web, live: {file: alive, period: 1h, failure_threshold: 1, on_failure: shutdown}}
  other: {command: $SAMPLE --name other}
""")
        alive = os.path.join(stack.path, "alive")
        open(alive, "w", encoding="ascii").close()
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("web", "other"), 200)
        os.remove(alive)
        self.assertEqual(stack.exit_code(), 69)
        self.assertIn("web is not alive: cannot find", stack.output.text())
        self.assertEqual(stack.survivors(), set())

    def test_restart_is_of_the_service_alone(self):
        stack = self.stack("""
  web: {command: $SAMPLE --name web, restart: {delay: 1ms}, live: {file: alive, period: 1h, failure_threshold: 1}}
  other: {command: $SAMPLE --name other, depends_on: [web]}
""")
        alive = os.path.join(stack.path, "alive")
        open(alive, "w", encoding="ascii").close()
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("other"), 200)
        other = stack.services()["other"]["pid"]
        os.remove(alive)
        stack.output.index_of("web is not alive")
        open(alive, "w", encoding="ascii").close()
        self.assertEqual(stack.wait("web"), 200)
        self.assertEqual(stack.services()["web"]["restarts"], 1)
        self.assertEqual(stack.services()["other"]["pid"], other)
        self.assert_clean_end(stack)
