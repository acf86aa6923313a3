"""What accompanies a run: own bells, hooks, and a bound on how much starts at once."""
import os

from harness import Scenario


class OwnBells(Scenario):
    def test_a_dependent_starts_at_the_bell_it_names(self):
        stack = self.stack("""
  api: {command: $SAMPLE --name api --notify, ready: notify, bells: {warm: {file: $DIR/warm}, cold: {file: $DIR/never}}}
  web: {command: $SAMPLE --name web --notify, ready: notify, depends_on: {api: warm}}
""").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("api"), 200)
        self.assertEqual(stack.services()["api"]["bells"], {"warm": False, "cold": False})
        self.assertEqual(stack.services()["web"]["waiting_for"], ["api warm"])
        self.assertEqual(stack.all_events("web"), [])
        with open(os.path.join(stack.path, "warm"), "w", encoding="ascii"):
            pass
        self.assertEqual(stack.wait("api", condition="warm"), 200)
        self.assertEqual(stack.wait("web"), 200)
        self.assertIn('belfry_service_bell_rung{service="api",bell="warm"} 1', stack.get("/metrics")[1])
        self.assertIn("api: rung: warm; not yet: cold", stack.cli("status").stdout)
        self.assertEqual(stack.wait("api", condition="frozen"), 400)
        self.assert_clean_end(stack)


class Hooks(Scenario):
    def test_hooks_run_in_their_places_as_the_service_does(self):
        stack = self.stack("""
  db:
    command: $SAMPLE --name db --notify
    ready: notify
    environment: {WHO: the-database}
    pre_start: [sh, -c, 'echo "pre_start $WHO" >> $DIR/story; echo said before']
    post_start: [sh, -c, 'echo "post_start $MAINPID" >> $DIR/story']
    pre_stop: [sh, -c, 'echo "pre_stop $MAINPID" >> $DIR/story']
    post_stop: [sh, -c, 'echo "post_stop $EXIT_CODE $EXIT_STATUS" >> $DIR/story']
""".replace("$WHO", "$$WHO").replace("$MAINPID", "$$MAINPID").replace("$EXIT", "$$EXIT")).start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        pid = stack.services()["db"]["pid"]
        self.assert_clean_end(stack)
        with open(os.path.join(stack.path, "story"), encoding="ascii") as story:
            self.assertEqual(story.read().splitlines(),
                             ["pre_start the-database", f"post_start {pid}", f"pre_stop {pid}", "post_stop exited 0"])
        self.assertIn("db | said before", stack.output.text())

    def test_a_failing_pre_start_names_itself_and_blocks_the_dependents(self):
        stack = self.stack("""
  db: {command: $SAMPLE --name db, pre_start: [sh, -c, "exit 3"], restart: "no"}
  api: {command: $SAMPLE --name api, depends_on: [db]}
""").start()
        self.assertEqual(stack.exit_code(), 69)
        self.assertIn("pre_start of db exited with code 3", stack.output.text())
        self.assertEqual(stack.all_events(), [])

    def test_what_a_hook_leaves_behind_is_gone_before_stopped(self):
        stack = self.stack("""
  db: {command: $SAMPLE --name db --notify, ready: notify, post_stop: [sh, -c, "setsid sleep 1000 & echo $! > $DIR/left; sleep 1000 & echo $! >> $DIR/left"]}
""".replace("$!", "$$!")).start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        self.assertEqual(stack.cli("stop", "db").returncode, 0)
        with open(os.path.join(stack.path, "left"), encoding="ascii") as left:
            for pid in left.read().split():
                self.assertFalse(os.path.exists(f"/proc/{pid}"), pid)
        self.assert_clean_end(stack)


class ParallelStarts(Scenario):
    def test_one_after_the_other_when_the_limit_is_one(self):
        services = "".join(f"  s{i}: {{command: $SAMPLE --name s{i} --notify --ready-delay 10ms, ready: notify}}\n"
                           for i in range(5))
        stack = self.stack(services, top="limits: {parallel_starts: 1}\n").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait(*(f"s{i}" for i in range(5))), 200)
        for i in range(4):
            self.assertLess(stack.event(f"s{i}", "ready"), stack.event(f"s{i + 1}", "main"))
        self.assert_clean_end(stack)
