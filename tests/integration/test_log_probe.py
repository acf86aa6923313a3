"""Readiness by a line of the service's output."""
import os
import time

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

    def test_a_line_counts_as_often_as_it_is_asked_for(self):
        """The entrypoint of an image: a temporary server first, then the real one."""
        stack = self.stack("""
  db:
    command: [/bin/sh, -c, "echo ready to accept connections; read _ <$DIR/go; echo ready to accept connections; exec sleep 1000"]
    ready: {log: {regex: ready to accept, times: 2}}
""")
        os.mkfifo(os.path.join(stack.path, "go"))
        stack.start().wait_for_control()
        with open(os.path.join(stack.path, "go"), "w", encoding="ascii") as go:
            self.assertEqual(stack.services()["db"]["state"], "starting")
            go.write("\n")
        self.assertEqual(stack.wait("db"), 200)
        self.assert_clean_end(stack)

    def test_the_last_line_of_a_process_counts_without_its_end(self):
        """Also when a process that it has left behind still has the pipe open."""
        stack = self.stack("""
  job: {type: oneshot, command: [/bin/sh, -c, "sleep 1000 & printf 'all done'"], ready: {log: "^all done$"}}
  next: {command: $SAMPLE --name next, depends_on: {job: completed}}
  keeper: {command: $SAMPLE --name keeper}
""").start()
        stack.event("next", "main")
        self.assertEqual(stack.services()["job"]["state"], "completed")
        self.assert_clean_end(stack)

    def test_a_line_of_a_gigabyte_is_no_burden(self):
        """And an expression that the automaton has no room for, held against it."""
        stack = self.stack("""
  flood:
    command: [/bin/sh, -c, "head -c 1000000000 /dev/zero | tr '\\\\0' a; echo; echo done; exec sleep 1000"]
    ready: {log: "[ab]*a[ab]{800}c|^done"}
  other: {command: $SAMPLE --name other}
""").start()
        stack.event("other", "main")
        stack.wait("flood", timeout="1s")
        with open(f"/proc/{stack.process.pid}/status", encoding="ascii") as status:
            resident = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
        self.assertLess(resident, 200 << 10)
        slowest = 0
        for _ in range(50):
            before = time.monotonic()
            stack.get("/livez")
            slowest = max(slowest, time.monotonic() - before)
        self.assertLess(slowest, 0.25)  # bounded work a turn; the rest is the machine's
        self.assert_clean_end(stack)
