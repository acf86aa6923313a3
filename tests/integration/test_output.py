"""belfry's own output: who reads it late, slowly or never, and what belongs on which stream."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

from harness import BELFRY, PATIENCE, Scenario, UnixConnection

LAST = "FATAL: the reason"


def talker(lines, code=3):
    """A main service that says so many lines and why it ends, and ends."""
    return f"""
  app: {{main: true, command: [/usr/bin/python3, -S, -c, "import sys; sys.stdout.write('line\\\\n' * {lines} + '{LAST}\\\\n');
         sys.stdout.flush(); sys.exit({code})"]}}
"""


def read_all(fd):
    with open(fd, "rb", closefd=False) as stream:
        return stream.read().decode(errors="replace")


class OwnOutput(Scenario):
    def begin(self, stack, *, output, errors=subprocess.DEVNULL, command="run", arguments=(), **options):
        """belfry with an output that the scenario reads, or does not."""
        stack.process = subprocess.Popen([BELFRY, command, "-c", stack.file, *arguments], cwd=stack.path, env=stack.environment(),
                                         stdin=subprocess.DEVNULL, stdout=output, stderr=errors, **options)
        return stack.process

    def answers(self, stack):
        """Whether /livez answers, as soon as somebody listens."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            connection = UnixConnection(stack.control, PATIENCE)
            try:
                connection.request("GET", "/livez")
                return connection.getresponse().status == 200
            except (FileNotFoundError, ConnectionRefusedError):
                select.select([stack.inotify], [], [], 0.1)
                with contextlib.suppress(BlockingIOError):
                    os.read(stack.inotify, 65536)
            finally:
                connection.close()
        return False


class LateReaders(OwnOutput):
    def test_who_reads_only_when_belfry_has_gone_gets_every_line_of_a_pipe(self):
        stack = self.stack(talker(40_000))
        reader, writer = os.pipe()
        process = self.begin(stack, output=writer)
        os.close(writer)
        self.assertEqual(process.wait(PATIENCE), 3)
        lines = read_all(reader).splitlines()
        os.close(reader)
        self.assertEqual(lines.count("app | line"), 40_000)
        self.assertIn(f"app | {LAST}", lines)
        self.assertRegex(lines[-1], r"^belfry \| stopped after ")

    def test_of_more_than_a_pipe_holds_the_last_lines_come_behind_a_marker(self):
        stack = self.stack(talker(250_000))
        reader, writer = os.pipe()
        process = self.begin(stack, output=writer)
        os.close(writer)
        self.assertEqual(process.wait(PATIENCE), 3)
        lines = read_all(reader).splitlines()
        os.close(reader)
        self.assertIn(f"app | {LAST}", lines)
        lost = sum(int(number) for number in re.findall(r"\| \[belfry: (\d+) lines? lost here", "\n".join(lines)))
        # A line that is torn right before its end has been lost for belfry, and is whole for who reads it.
        self.assertIn(lines.count("app | line") + lost, (250_000, 250_001))

    def test_a_slow_reader_gets_everything_as_long_as_he_reads(self):
        stack = self.stack(talker(100_000))
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        process = self.begin(stack, output=writer)
        os.close(writer)
        text = b""
        while block := os.read(reader, 4096):
            text += block
        os.close(reader)
        self.assertEqual(process.wait(PATIENCE), 3)
        self.assertIn(LAST.encode(), text)

    def test_the_flags_of_the_shared_description_are_left_alone(self):
        stack = self.stack(talker(10))
        reader, writer = os.pipe()
        flags = fcntl.fcntl(writer, fcntl.F_GETFL)
        process = self.begin(stack, output=writer)
        self.assertEqual(process.wait(PATIENCE), 3)
        self.assertEqual(fcntl.fcntl(writer, fcntl.F_GETFL), flags)
        os.close(reader)
        os.close(writer)


class NobodyReads(OwnOutput):
    FLOOD = """
  flood: {command: [yes, a line that nobody reads], stop: {timeout: 2s}}
  much: {type: oneshot, command: [sh, -c, "yes more than a pipe and its buffers hold | head -c 8000000"]}
"""

    def assert_unread_output_blocks_nothing(self, reader, writer):
        stack = self.stack(self.FLOOD)
        process = self.begin(stack, output=writer)
        self.assertTrue(self.answers(stack))
        self.assertEqual(stack.wait("much", condition="completed"), 200)
        self.assertTrue(self.answers(stack))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)
        os.close(reader)
        os.close(writer)

    def test_a_terminal_that_nobody_reads_blocks_nothing(self):
        self.assert_unread_output_blocks_nothing(*pty.openpty())

    def test_a_pipe_that_nobody_reads_blocks_nothing(self):
        self.assert_unread_output_blocks_nothing(*os.pipe())

    def test_a_standard_error_that_nobody_reads_holds_up_no_refusal(self):
        stack = self.stack("  a: {command: [sleep, 1], nonsense: 1}")
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.set_blocking(writer, True)
        process = self.begin(stack, output=subprocess.DEVNULL, errors=writer)
        self.assertEqual(process.wait(PATIENCE), 65)
        os.close(reader)
        os.close(writer)

    def test_the_second_signal_waits_for_no_reader(self):
        stack = self.stack(self.FLOOD)
        master, terminal = pty.openpty()
        process = self.begin(stack, output=terminal)
        self.assertTrue(self.answers(stack))
        process.send_signal(signal.SIGQUIT)
        self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGQUIT)
        os.close(master)
        os.close(terminal)


class Refused(OwnOutput):
    def test_a_full_disk_and_a_closed_pipe_are_said_once_and_stop_nobody(self):
        gone, writer = os.pipe()
        os.close(gone)
        with open("/dev/full", "wb") as full:
            for output, why in ((full.fileno(), "No space left on device"), (writer, "Broken pipe")):
                with self.subTest(why=why):
                    stack = self.stack("  chatty: {command: [sh, -c, 'echo one; echo two; exec sleep 100']}")
                    process = self.begin(stack, output=output, errors=subprocess.PIPE, text=True)
                    self.assertTrue(self.answers(stack))
                    self.assertEqual(stack.wait("chatty"), 200)
                    process.send_signal(signal.SIGTERM)
                    _, errors = process.communicate(timeout=PATIENCE)
                    self.assertEqual(process.returncode, 0)
                    self.assertEqual(errors.count("cannot write its output: " + why), 1, errors)
        os.close(writer)

    def test_a_command_whose_output_cannot_be_written_fails_and_says_why(self):
        stack = self.stack("  a: {command: [sleep, 1]}")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BELFRY, "graph", stack.file], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                  timeout=PATIENCE)
        self.assertEqual(done.returncode, 71)
        self.assertEqual(done.stderr, "belfry: cannot write to standard output: No space left on device\n")

    def test_a_command_whose_reader_has_gone_ends_without_a_word(self):
        stack = self.stack("  a: {command: [sleep, 1]}")
        for restore in (True, False):
            gone, writer = os.pipe()
            os.close(gone)
            done = subprocess.run([BELFRY, "graph", stack.file], stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
                                  timeout=PATIENCE, restore_signals=restore)
            os.close(writer)
            self.assertIn(done.returncode, (-signal.SIGPIPE, 128 + signal.SIGPIPE))
            self.assertEqual(done.stderr, "")


class Streams(OwnOutput):
    STACK = """
  loud: {command: [sh, -c, "echo to out; echo to err >&2; exec sleep 100"], ready: {log: to err}}
  inherits: {command: [sh, -c, "echo raw; exec sleep 100"], log: inherit}
  prepared: {type: oneshot, command: ["true"], pre_start: [sh, -c, echo hook]}
"""

    def exec(self, stack, *arguments):
        return stack.cli("exec", "-c", stack.file, *arguments, "--", "echo", "42")

    def test_the_standard_output_of_exec_is_the_commands(self):
        done = self.exec(self.stack(self.STACK))
        self.assertEqual(done.stdout, "42\n")
        for text in ("loud | to out", "loud | to err", "raw", "prepared | hook", "belfry | ready after"):
            self.assertIn(text, done.stderr)

    def test_the_lines_of_exec_go_where_logs_says(self):
        stack = self.stack(self.STACK)
        path = os.path.join(stack.path, "stack.log")
        done = self.exec(stack, "--logs", path)
        self.assertEqual((done.stdout, done.stderr), ("42\n", ""))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("loud | to out\n", text)
        self.assertIn("raw\n", text)
        self.assertIn("loud | to out\n", self.exec(stack, "--logs", "-").stdout)
        refused = self.exec(stack, "--logs", stack.path)
        self.assertEqual(refused.returncode, 71)
        self.assertIn(f"belfry: cannot write the logs to {stack.path}: Is a directory", refused.stderr)

    def test_a_service_without_standard_output_is_heard_all_the_same(self):
        stack = self.stack("""
  quiet: {command: [sh, -c, "echo I am up; exec sleep 100"], ready: {log: I am up}, log: {stdout: false}}
""").start().wait_for_control()
        self.assertEqual(stack.wait("quiet"), 200)
        self.assert_clean_end(stack)
        self.assertNotIn("I am up", stack.output.text())

    def test_what_a_probe_says_is_its_reason_and_no_line_of_the_log(self):
        stack = self.stack("""
  web: {command: [sleep, 100], ready: {exec: [sh, -c, "echo no route to db; exit 1"], period: 10ms}}
""").start().wait_for_control()
        deadline = time.monotonic() + PATIENCE
        while "no route to db" not in str(stack.services()["web"]["last_error"]) and time.monotonic() < deadline:
            self.assertEqual(stack.wait("web", timeout="20ms"), 504)
        self.assertIn("exited with code 1: no route to db", stack.services()["web"]["last_error"])
        self.assert_clean_end(stack)
        self.assertEqual([line for line in stack.output.lines if " | " not in line], [])

    def test_a_long_line_is_one_line_and_a_longer_one_says_where_it_is_cut(self):
        stack = self.stack("""
  long: {type: oneshot, command: [/usr/bin/python3, -c, "print('x' * 900_000)"]}
  longer: {type: oneshot, command: [/usr/bin/python3, -c, "print('z' * 5000)"], log: {max_line: 2KiB}}
""").start()
        self.assertEqual(stack.exit_code(), 0)
        self.assertEqual([len(line) for line in stack.output.lines if line.startswith("long | ")], [900_007])
        pieces = [line for line in stack.output.lines if line.startswith("longer | ")]
        self.assertEqual([(p.count("z"), "[belfry: line continued] z" in p, "z [belfry: line cut here" in p) for p in pieces],
                         [(2048, False, True), (2048, True, True), (904, True, False)])


class Terminal(OwnOutput):
    def on_terminal(self, stack, *, preexec=None):
        """belfry as the leader of a session on a terminal of its own; the other side of it."""
        master, terminal = pty.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            if preexec is not None:
                preexec()

        self.begin(stack, output=terminal, errors=terminal, preexec_fn=take_terminal)
        os.close(terminal)
        return master

    def read_until(self, master, text):
        seen = ""
        while text not in seen:
            self.assertTrue(select.select([master], [], [], PATIENCE)[0], seen)
            seen += os.read(master, 65536).decode(errors="replace")
        return seen

    def test_what_a_service_writes_is_not_obeyed_but_its_colours(self):
        stack = self.stack(r"""
  evil: {type: oneshot, command: [printf, '\033]0;title\007\033[31mred\n10%%\r\033[2Kover\nend\n']}
""")
        master = self.on_terminal(stack)
        seen = self.read_until(master, "evil | end")
        self.assertNotIn("\x1b]", seen)
        self.assertNotIn("\x1b[2K", seen)
        self.assertIn("\x1b[31mred\x1b[0m", seen)
        self.assertIn("evil | 10%\N{REPLACEMENT CHARACTER}", seen)
        stack.process.wait(PATIENCE)
        os.close(master)

    def test_the_loss_of_the_terminal_is_a_graceful_stop(self):
        stack = self.stack("  db: {command: $SAMPLE --name db --notify, ready: notify}")
        master = self.on_terminal(stack)
        self.read_until(master, "ready after")
        os.close(master)
        self.assertEqual(stack.process.wait(PATIENCE), 0)
        stack.event("db", "term")

    def test_a_hangup_from_a_process_is_no_stop_nor_one_of_a_terminal_that_nohup_has_given_up(self):
        def ignore_it():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        stack = self.stack("  db: {command: $SAMPLE --name db --notify, ready: notify}")
        master = self.on_terminal(stack, preexec=ignore_it)
        self.read_until(master, "ready after")
        stack.process.send_signal(signal.SIGHUP)
        self.read_until(master, "reloaded: nothing has changed")
        os.close(master)
        self.assertEqual(stack.wait("db", condition="stopped", timeout="100ms"), 504)
        stack.process.send_signal(signal.SIGTERM)
        self.assertEqual(stack.process.wait(PATIENCE), 0)
