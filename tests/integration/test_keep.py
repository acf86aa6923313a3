"""on_daemon_death: keep. Services outlive a killed belfry, and the next run ends them before it starts."""
import os
import signal
import socket
import time

from harness import PATIENCE, Scenario, alive, belfry

KEEP = "on_daemon_death: keep"

# Says who it is and waits, with a child in a session of its own; the environment goes where `erase` is given,
# as with servers that show in the process list what they are busy with.
PROGRAM = r"""
import ctypes, os, signal, sys
if 'erase' in sys.argv:
    with open('/proc/self/stat', encoding='ascii') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    start, end = int(fields[47]), int(fields[48])
    ctypes.memset(start, 0, end - start)
    assert b'BELFRY' not in open('/proc/self/environ', 'rb').read()
def say(*words): os.write(1, (' '.join(map(str, words)) + '\n').encode())  # at once: others write there too
child = os.fork() if 'fork' in sys.argv else 1
if child == 0: os.setsid()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, (lambda n, f: (say('asked', signal.Signals(n).name, os.getpid()), os._exit(0))))
if 'deaf' in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
say('child' if child == 0 else 'here', os.getpid())
while True: signal.pause()
"""


def born(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return int(file.read().rsplit(")", 1)[1].split()[19])


class Keep(Scenario):
    def program(self, *arguments, more=""):
        words = ", ".join(["/usr/bin/python3", "-S", "$DIR/program.py", *arguments])
        return f"{{command: [{words}], log: inherit{more}}}"

    def first_run(self, services, top=KEEP):
        """A stack whose belfry is killed when all of its services have said that they are here; their processes."""
        stack = self.stack(services, top)
        with open(os.path.join(stack.path, "program.py"), "w", encoding="utf-8") as out:
            out.write(PROGRAM)
        stack.start()
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in alive(self.kept)])
        stack.output.index_of("ready after")
        self.kept = set()
        for word in ["here"] * services.count("command:") + ["child"] * services.count("fork"):
            line = next(l for l in self.lines(stack, word) if int(l.split()[-1]) not in {pid for pid, _ in self.kept})
            pid = int(line.split()[-1])
            self.kept.add((pid, born(pid)))
        stack.send(signal.SIGKILL)
        stack.process.wait(PATIENCE)
        return stack

    def lines(self, stack, word):
        at = -1
        while True:
            at = stack.output.index_of(word + " ", at + 1)
            yield stack.output.lines[at]

    def second_run(self, stack):
        first = stack.output
        stack.start()
        stack.output.index_of("ready after")
        return first

    def test_a_killed_belfry_leaves_its_services_alive(self):
        self.first_run(f"  db: {self.program()}")
        self.assertEqual(alive(self.kept), {pid for pid, _ in self.kept})

    def test_the_next_run_ends_them_before_it_starts_and_says_so_in_one_line(self):
        stack = self.first_run(f"  db: {self.program('fork')}")
        pids = {pid for pid, _ in self.kept}
        self.second_run(stack)
        self.assertEqual(alive(self.kept), set())
        said = [line for line in stack.output.lines if "an earlier run left behind" in line]
        self.assertEqual(len(said), 1, stack.output.text())
        self.assertTrue(any(f"db ({pid})" in said[0] for pid in pids), said)
        self.assert_before(stack.output, "an earlier run left behind", "db is ready")
        self.assert_clean_end(stack)
        self.assertFalse(os.path.exists(stack.control + ".kept"))

    def test_who_has_erased_its_environment_is_found_by_the_record(self):
        stack = self.first_run(f"  db: {self.program('erase')}")
        self.second_run(stack)
        self.assertEqual(alive(self.kept), set())
        self.assert_clean_end(stack)

    def test_dependents_are_ended_first_and_each_by_its_own_signal(self):
        api = self.program(more=", depends_on: {db: started}, stop: {signal: SIGINT}")
        stack = self.first_run(f"  db: {self.program()}\n  api: {api}")
        first = self.second_run(stack)
        self.assert_before(first, "asked SIGINT", "asked SIGTERM")
        self.assert_clean_end(stack)

    def test_who_does_not_listen_is_killed_when_its_time_is_over(self):
        stack = self.first_run(f"  db: {self.program('deaf', more=', stop: {timeout: 200ms}')}")
        began = time.monotonic()
        self.second_run(stack)
        self.assertEqual(alive(self.kept), set())
        self.assertGreaterEqual(time.monotonic() - began, 0.2)
        stack.stop()

    def test_also_a_run_that_keeps_nobody_ends_them(self):
        stack = self.first_run(f"  db: {self.program()}")
        stack.write(f"  db: {self.program()}")
        self.second_run(stack)
        self.assertEqual(alive(self.kept), set())
        self.assert_clean_end(stack)

    def test_a_start_that_cannot_be_leaves_them_alone(self):
        stack = self.first_run(f"  db: {self.program()}")
        with socket.create_server(("127.0.0.1", 0)) as holder:
            stack.write(f"  db: {self.program()}", f"{KEEP}\nhttp: {{listen: 127.0.0.1:{holder.getsockname()[1]}}}")
            stack.start()
            self.assertEqual(stack.exit_code(), 71, stack.output.text())
        self.assertEqual(alive(self.kept), {pid for pid, _ in self.kept})

    def test_another_stack_of_the_same_name_is_left_alone(self):
        kept = self.first_run(f"  db: {self.program()}")
        other = self.stack("  db: {command: [sleep, '1000']}", KEEP)
        other.start()
        other.output.index_of("ready after")
        self.assertEqual(alive(self.kept), {pid for pid, _ in self.kept})
        self.assert_clean_end(other)
        self.second_run(kept)
        self.assert_clean_end(kept)

    def start_beside_a_record(self, of, mode):
        """A stack is started that finds a record with a process of another one's; `of` says the line for its number."""
        stack = self.stack("  db: {command: [sleep, '1000']}", KEEP)
        stranger = self.stack("  x: {command: [sleep, '1000']}")
        stranger.start()
        stranger.output.index_of("ready after")
        pid = stranger.services()["x"]["pid"]
        with open(stack.control + ".kept", "w", encoding="ascii") as record:
            record.write(of(pid))
        os.chmod(stack.control + ".kept", mode)
        stack.start()
        stack.output.index_of("ready after")
        self.assertEqual(stranger.services()["x"]["pid"], pid)
        said = stack.output.text()
        self.assert_clean_end(stack)
        self.assert_clean_end(stranger)
        return said

    def test_a_record_that_others_could_have_written_is_not_believed(self):
        self.start_beside_a_record(lambda pid: f"{pid} {born(pid)} db\n", 0o666)

    def test_who_has_been_given_a_recorded_number_since_is_left_alone(self):
        said = self.start_beside_a_record(lambda pid: f"{pid} {born(pid) - 1} db\n", 0o600)
        self.assertNotIn("an earlier run left behind", said)

    def test_exec_keeps_nobody_because_nobody_would_find_them(self):
        stack = self.stack("  db: {command: [sleep, '1000']}", KEEP)
        done = belfry("exec", "-c", stack.file, "--", "sh", "-c", "env; kill -9 $PPID", env=stack.environment())
        self.assertNotIn("BELFRY_STACK", done.stdout)
        self.assertFalse(os.path.exists(stack.control + ".kept"))
