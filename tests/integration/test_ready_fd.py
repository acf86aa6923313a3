"""Readiness by a descriptor of its own, in the dialects of s6 and dinit."""
import fcntl
import os

from harness import Scenario


class ReadyFd(Scenario):
    def test_a_newline_on_the_descriptor_rings_the_bell(self):
        stack = self.stack("""
  db: {command: $SAMPLE --name db --ready-fd 3, ready: {fd: 3}}
  api: {command: $SAMPLE --name api, depends_on: [db]}
""")
        stack.start()
        self.assertLess(stack.event("db", "ready"), stack.event("api", "main"))
        self.assert_clean_end(stack)

    def test_bytes_without_a_newline_are_not_ready_for_s6_and_are_for_dinit(self):
        stack = self.stack("""
  six:
    command: [/bin/sh, -c, "printf nearly >&4; read _ <$DIR/go; echo >&4; exec sleep 1000"]
    ready: {fd: 4}
  di:
    command: [/bin/sh, -c, "printf x >&9; exec sleep 1000"]
    ready: {fd: 9, dialect: dinit}
""")
        os.mkfifo(os.path.join(stack.path, "go"))
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("di"), 200)
        with open(os.path.join(stack.path, "go"), "w", encoding="ascii") as go:  # opened by both: it has written
            self.assertEqual(stack.services()["six"]["state"], "starting")
            go.write("\n")
        self.assertEqual(stack.wait("six"), 200)
        self.assert_clean_end(stack)

    def test_the_descriptor_stands_alone_and_blocks(self):
        """Nothing but 0, 1, 2 and the one that was asked for: a pipe's writing end, which waits when it is full."""
        look = ("import fcntl, os; fds = [int(n) for n in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + n)]; "
                "print(sorted(fds), os.readlink('/proc/self/fd/7')[:4], "
                "fcntl.fcntl(7, fcntl.F_GETFL) == os.O_WRONLY, flush=True); "
                "os.write(7, bytes([10])); os.execlp('sleep', 'sleep', '1000')")
        stack = self.stack(f"""
  db: {{command: [/usr/bin/python3, -c, "{look}"], ready: {{fd: 7}}}}
""")
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        stack.output.index_of("db | [0, 1, 2, 7] pipe True")
        self.assert_clean_end(stack)

    def test_s6_closed_early_stays_unready_and_says_so(self):
        stack = self.stack("""
  db: {command: [/bin/sh, -c, "exec 3>&-; exec $SAMPLE --name db"], ready: {fd: 3}, isolate: true}
  api: {command: $SAMPLE --name api, depends_on: [db]}
""")
        stack.start()
        stack.event("db", "main")
        service = stack.services()["db"]
        self.assertEqual(service["state"], "starting")
        self.assertEqual(service["last_error"],
                         "cannot become ready: it closed descriptor 3 before it wrote a newline")
        self.assertEqual(stack.services()["api"]["state"], "waiting")
        self.assertIn("closed descriptor 3", stack.cli("status").stdout)
        self.assert_clean_end(stack)

    def test_dinit_closed_early_is_a_failed_start_and_a_restart(self):
        stack = self.stack("""
  db:
    command: [/bin/sh, -c, "exec 3>&-; exec $SAMPLE --name db"]
    ready: {fd: 3, dialect: dinit}
    restart: no
""")
        stack.start()
        stack.output.index_of("db failed: db did not start: cannot become ready: it closed descriptor 3 before it wrote a byte")
        self.assertEqual(stack.exit_code(), 69)

    def test_an_exit_before_the_byte_is_told_by_its_code_and_not_by_the_descriptor(self):
        for dialect, isolate in (("s6", "false"), ("dinit", "false"), ("dinit", "true")):
            stack = self.stack(f"""
  db:
    command: [/bin/sh, -c, "exit 7"]
    ready: {{fd: 3, dialect: {dialect}}}
    restart: no
    isolate: {isolate}
""")
            stack.start()
            stack.output.index_of("db exited with code 7 before it was ready")
            self.assertEqual(stack.exit_code(), 69)

    def test_ready_in_the_same_breath_as_the_exit_counts(self):
        """The newline was written before the end: a oneshot that is ready for a moment, then done."""
        stack = self.stack("""
  db: {command: [/bin/sh, -c, "echo >&3"], ready: {fd: 3}, restart: no}
  api: {command: $SAMPLE --name api, depends_on: {db: {condition: ready, required: false}}}
""")
        stack.start()
        stack.output.index_of("db is ready after")
        stack.event("api", "main")
        self.assert_clean_end(stack)

    def test_a_flood_on_the_descriptor_is_given_up_and_holds_nobody(self):
        stack = self.stack("""
  db: {command: [/bin/sh, -c, "trap '' PIPE; tr '\\\\0' x </dev/zero >&3; exec $SAMPLE --name db"], ready: {fd: 3}}
  api: {command: $SAMPLE --name api}
""")
        stack.start()
        stack.event("api", "main")
        stack.event("db", "main")  # its writer has met the closed pipe
        self.assertIn("bytes to descriptor 3 and no newline", stack.services()["db"]["last_error"])
        self.assert_clean_end(stack)

    def test_a_process_that_forks_its_worker_with_the_descriptor_is_heard(self):
        stack = self.stack("""
  db: {command: [/bin/sh, -c, "(read _ <$DIR/go; echo >&3) & exec 3>&-; exec sleep 1000"], ready: {fd: 3}}
""")
        os.mkfifo(os.path.join(stack.path, "go"))
        stack.start().wait_for_control()
        with open(os.path.join(stack.path, "go"), "w", encoding="ascii") as go:
            go.write("\n")
        self.assertEqual(stack.wait("db"), 200)
        self.assert_clean_end(stack)

    def test_s6_notifyoncheck_is_heard(self):
        """The real one. It looks for a running s6-supervise, whose lock this test holds."""
        stack = self.stack("""
  db:
    command: [s6-notifyoncheck, -s, "10", -w, "10", -n, "0", $SAMPLE, --name, db]
    working_dir: $DIR/service
    ready: {fd: 5}
  api: {command: $SAMPLE --name api, depends_on: [db]}
""".replace("$SAMPLE, --name, db", "/bin/sh, -c, exec $SAMPLE --name db"))
        service = os.path.join(stack.path, "service")
        for folder in ("supervise", "event", "data"):
            os.makedirs(os.path.join(service, folder))
        with open(os.path.join(service, "notification-fd"), "w", encoding="ascii") as out:
            out.write("5\n")
        check = os.path.join(service, "data", "check")
        with open(check, "w", encoding="ascii") as out:
            out.write(f"#!/bin/sh\ntest -e {stack.path}/up && exit 0\necho asked >{stack.path}/asked\nexit 1\n")
        os.chmod(check, 0o755)
        os.mkfifo(os.path.join(stack.path, "asked"))
        lock = os.open(os.path.join(service, "supervise", "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        self.addCleanup(os.close, lock)
        fcntl.lockf(lock, fcntl.LOCK_EX)
        stack.start()
        stack.event("db", "main")
        with open(os.path.join(stack.path, "asked"), encoding="ascii") as asked:  # its check has said no
            self.assertEqual(asked.readline(), "asked\n")
            self.assertEqual(stack.services()["db"]["state"], "starting")
            with open(os.path.join(stack.path, "up"), "w", encoding="ascii"):
                pass
        stack.event("api", "main")
        self.assertEqual(stack.services()["db"]["state"], "ready")
        self.assert_clean_end(stack)
