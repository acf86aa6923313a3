"""Readiness by a line of the service's output."""
import os

from harness import Scenario


class LogProbe(Scenario):
    def test_a_line_that_matches_rings_the_bell_and_a_part_of_it_does_not(self):
        stack = self.stack("""
  db:
    command: [/bin/sh, -c, "printf 'almost listen'; read _ <$DIR/go; echo 'ing on port 80'; exec sleep 1000"]
    ready: {log: "listening on port \\\\d+$"}
  api: {command: $SAMPLE --name api, depends_on: [db]}
""")
        os.mkfifo(os.path.join(stack.path, "go"))
        stack.start().wait_for_control()
        with open(os.path.join(stack.path, "go"), "w", encoding="ascii") as go:  # it has written the first part
            self.assertEqual(stack.services()["db"]["state"], "starting")
            go.write("\n")
        stack.event("api", "main")
        self.assertEqual(stack.services()["db"]["state"], "ready")
        self.assert_clean_end(stack)

    def test_what_the_last_run_wrote_is_not_this_ones_word(self):
        """The word comes in the first run's output only: the second never gets ready."""
        stack = self.stack("""
  db:
    command: [/bin/sh, -c, "[ -e $DIR/once ] || { touch $DIR/once; echo is up; exit 1; }; echo again; exec sleep 1000"]
    ready: {log: "is up"}
    restart: {delay: 1ms}
""")
        stack.start()
        stack.output.index_of("db | again")
        self.assertEqual(stack.services()["db"]["state"], "starting")
        self.assert_clean_end(stack)

    def test_own_bells_and_readiness_hear_their_own_lines(self):
        stack = self.stack("""
  db:
    command: [/bin/sh, -c, "echo booted; read _ <$DIR/go; echo warm >&2; exec sleep 1000"]
    bells: {booted: {log: "^booted$"}}
    ready: {log: warm}
  early: {command: $SAMPLE --name early, depends_on: {db: booted}}
  late: {command: $SAMPLE --name late, depends_on: [db]}
""")
        os.mkfifo(os.path.join(stack.path, "go"))
        stack.start()
        stack.event("early", "main")
        self.assertEqual(stack.services()["late"]["state"], "waiting")
        with open(os.path.join(stack.path, "go"), "w", encoding="ascii") as go:
            go.write("\n")
        stack.event("late", "main")
        self.assert_clean_end(stack)

    def test_a_flood_of_hostile_lines_is_searched_without_holding_anybody(self):
        """Sixteen megabytes that a backtracking engine would never finish with."""
        stack = self.stack("""
  flood:
    command: [/bin/sh, -c, "head -c 16000000 /dev/zero | tr '\\\\0' a; echo; echo done; exec sleep 1000"]
    ready: {log: "(a|aa)+$done|^done"}
  other: {command: $SAMPLE --name other}
""".replace("$done", "x"))
        stack.start()
        stack.event("other", "main")
        self.assertEqual(stack.wait("flood"), 200)
        self.assert_clean_end(stack)
