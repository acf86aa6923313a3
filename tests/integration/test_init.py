"""`belfry run -- CMD`: an init for one command."""
import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from harness import BELFRY, PATIENCE, ROOT, belfry
from test_wait import commands_of, tables_of

AS_PID_1 = ["unshare", "--pid", "--fork", "--mount-proc"]
PLACES = [[], AS_PID_1] if os.geteuid() == 0 else [[]]  # a PID namespace needs root
LOOP = "while ((SECONDS < 100)); do :; done"  # looks at its traps all the time


# Every option of the tools that are replaced, as of tini 0.19, dumb-init 1.2.5 and catatonit 0.2.
THEIRS = {"tini": "-s -g -e -p -v -w -h -l --version TINI_SUBREAPER TINI_KILL_PROCESS_GROUP TINI_VERBOSITY",
          "dumb-init": "-c --single-child -r --rewrite -v --verbose -h --help -V --version DUMB_INIT_DEBUG DUMB_INIT_SETSID",
          "catatonit": "-g -P -h -L -V"}


class Page(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(ROOT, "docs/how-to/init.md"), encoding="utf-8") as page:
            self.page = page.read()
        self.folder = tempfile.mkdtemp(prefix="belfry-init-")
        self.addCleanup(shutil.rmtree, self.folder)
        with open(os.path.join(self.folder, "server"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\necho served\n")
        os.chmod(os.path.join(self.folder, "server"), 0o755)
        os.symlink(BELFRY, os.path.join(self.folder, "belfry"))

    def test_every_option_of_the_three_tools_has_a_row(self):
        tables = tables_of(self.page)
        for tool, options in THEIRS.items():
            words = set(re.findall(r"[\w-]+", " ".join(row[0] for row in tables[tool])))
            self.assertEqual(set(), set(options.split()) - words, tool)
            for theirs, ours in tables[tool]:
                self.assertRegex(ours, r"`belfry |^no\b|^not needed: ", f"{tool}: {theirs}")

    def test_every_command_on_the_page_is_understood(self):
        commands = [command for command in commands_of(self.page) if command.startswith("belfry ") and "infinity" not in command]
        self.assertGreater(len(commands), 10)
        for command in commands:
            with self.subTest(command=command):
                ran = subprocess.run(["sh", "-c", command], cwd=self.folder, env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
                                     timeout=PATIENCE, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
                self.assertEqual((0, ""), (ran.returncode, ran.stderr))
                self.assertEqual("./server" in command, ran.stdout == "served\n")


class Init(unittest.TestCase):
    def test_the_exit_code_is_that_of_the_command(self):
        for script, code in (("exit 0", 0), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)):
            self.assertEqual(code, belfry("run", "--", "sh", "-c", script).returncode, script)

    def test_what_cannot_be_run_is_127_or_126(self):
        for command, code, why in (("/no/such", 127, "/no/such does not exist"), ("no-such", 127, "it is not in PATH"),
                                   ("/etc/passwd", 126, "/etc/passwd is not executable"), ("/etc", 126, "/etc is a directory")):
            # Of a directory in PATH that its user may not enter nobody knows what is in it: then it is 126.
            ran = belfry("run", "--", command, env={"PATH": "/usr/bin:/bin"})
            self.assertEqual((code, ""), (ran.returncode, ran.stdout))
            self.assertIn(f"belfry: cannot run {command}: {why}", ran.stderr)

    def test_a_missing_interpreter_is_named(self):
        folder = tempfile.mkdtemp(prefix="belfry-init-")
        self.addCleanup(shutil.rmtree, folder)
        script = os.path.join(folder, "script")
        with open(script, "w", encoding="ascii") as file:
            file.write("#!/no/such/shell\n")
        os.chmod(script, 0o755)
        for words in (["run"], ["wait", "file:/"]):
            ran = belfry(*words, "--", script)
            self.assertEqual(127, ran.returncode, words)
            self.assertIn("/no/such/shell does not exist", ran.stderr)

    def test_a_remapped_code_is_0(self):
        self.assertEqual(0, belfry("run", "--remap-exit", "143", "--", "sh", "-c", "kill -TERM $$").returncode)

    def begin(self, script, *options):
        run = subprocess.Popen([BELFRY, "run", *options, "--", "bash", "-c", script], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        self.assertEqual("up\n", run.stdout.readline())
        return run

    def signalled(self, numbers, *options):
        run = self.begin(f"trap 'echo heard; exit 3' {int(numbers[-1])}; trap 'exit 4' QUIT; echo up; {LOOP}", *options)
        for number in numbers:
            run.send_signal(number)
        return run.wait(PATIENCE)

    def test_signals_are_passed_on_those_of_faults_too(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGRTMIN, signal.SIGABRT, signal.SIGTRAP):
            self.assertEqual(3, self.signalled([number]), number)

    def test_a_signal_is_rewritten(self):
        self.assertEqual(4, self.signalled([signal.SIGTERM], "--rewrite", "SIGTERM:SIGQUIT"))

    def test_a_signal_that_is_rewritten_to_0_is_passed_on_to_nobody(self):
        # Of two that wait the one with the lower number is heard first.
        self.assertEqual(4, self.signalled([signal.SIGQUIT, signal.SIGTERM]))
        self.assertEqual(3, self.signalled([signal.SIGQUIT, signal.SIGTERM], "--rewrite", "SIGQUIT:0"))

    def test_a_single_child_is_signalled_alone_and_its_group_is_not(self):
        # The first signal that kills is the one that a process has died of.
        # Who says that it is up is the one below: a bash that has forked and not yet executed holds signals back, and
        # of two that were held back the lower number kills.
        script = f"""trap 'kill -USR1 $!; wait $!; exit' TERM; sh -c 'echo up; exec sleep 1000' & {LOOP}"""
        for options, of in (([], signal.SIGTERM), (["--single-child"], signal.SIGUSR1)):
            run = self.begin(script, *options)
            run.send_signal(signal.SIGTERM)
            self.assertEqual(128 + of, run.wait(PATIENCE), options)

    def test_the_death_of_the_parent_is_heard(self):
        parent = subprocess.Popen(["bash", "-c", f"""{BELFRY} run --parent-death-signal SIGUSR1 -- bash -c 'trap "echo alone; exit" USR1
            echo up; {LOOP}' & read line"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(parent.stdout.close)
        self.assertEqual("up\n", parent.stdout.readline())
        parent.stdin.close()
        self.assertEqual("alone\n", parent.stdout.readline())
        parent.wait(PATIENCE)

    def test_when_it_is_killed_the_command_goes_with_it(self):
        told, tell = os.pipe()  # ends with the command
        self.addCleanup(os.close, told)
        run = subprocess.Popen([BELFRY, "run", "--", "sh", "-c", "echo up >&2; exec sleep 1000"], stdin=subprocess.DEVNULL, stdout=tell,
                               stderr=subprocess.PIPE, text=True)
        os.close(tell)
        self.addCleanup(run.stderr.close)
        self.assertEqual("up\n", run.stderr.readline())
        run.kill()
        self.assertEqual(-signal.SIGKILL, run.wait(PATIENCE))
        self.assertTrue(select.select([told], [], [], PATIENCE)[0], "the command goes on")

    def test_what_the_command_leaves_behind_is_ended_as_pid_1_and_not(self):
        for before in PLACES:
            done = subprocess.run([*before, BELFRY, "run", "--", "sh", "-c", "setsid sleep 1000 & exit 5"],
                                  timeout=30, capture_output=True, check=False)  # its end is the pipe's
            self.assertEqual(5, done.returncode, before)

    def test_what_does_not_heed_sigterm_is_killed_after_a_while(self):
        for before in PLACES:
            began = time.monotonic()
            done = subprocess.run([*before, BELFRY, "run", "--kill-after", "100ms", "--", "bash", "-c",
                                   f"exec 3< <(trap '' TERM; echo up; {LOOP}); read -r up <&3; exit 5"], timeout=PATIENCE, check=False,
                                  stdin=subprocess.DEVNULL, capture_output=True)
            self.assertEqual(5, done.returncode, before)
            self.assertLess(time.monotonic() - began, 9, before)

    @unittest.skipIf(os.geteuid() != 0, "hiding /proc needs root")
    def test_without_proc_it_does_not_wait_for_whom_it_cannot_name(self):
        began = time.monotonic()
        done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc; exec "$@"', "sh", BELFRY, "run", "--",
                               "bash", "-c", "sleep 5 & exit 5"], timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertEqual(5, done.returncode)
        self.assertLess(time.monotonic() - began, 4)


class Terminal:
    """A terminal with a program as the leader of its session."""

    def __init__(self, *argv):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvp(argv[0], argv)
        self.seen = ""

    def type(self, text):
        os.write(self.terminal, text.encode())

    def until(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"nobody wrote {text!r}: {self.seen!r}")
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        before, self.seen = self.seen.split(text, 1)
        return before

    def exit_code(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.terminal)


class OnATerminal(unittest.TestCase):
    COMMAND = f"""trap "echo heard; exit 3" INT; trap "echo again $((6 * 7))" CONT; read -r line && echo "got $line"; {LOOP}"""

    def open(self, *argv):
        terminal = Terminal(*argv)
        self.addCleanup(terminal.close)
        return terminal

    def test_the_command_reads_it_and_ctrl_c_is_its_own(self):
        terminal = self.open(BELFRY, "run", "--", "bash", "-c", self.COMMAND)
        terminal.type("hello\n")
        terminal.until("got hello")
        terminal.type("\x03")
        terminal.until("heard")
        self.assertEqual(3, terminal.exit_code())

    def test_the_command_hears_that_the_terminal_has_gone(self):
        folder = tempfile.mkdtemp(prefix="belfry-init-")
        self.addCleanup(shutil.rmtree, folder)
        heard = os.path.join(folder, "heard")
        terminal = Terminal(BELFRY, "run", "--", "bash", "-c", f"trap 'echo hung up > {heard}; exit 3' HUP; echo up; {LOOP}")
        terminal.until("up")
        os.close(terminal.terminal)  # as a terminal emulator or sshd does
        self.assertEqual(3, terminal.exit_code())
        with open(heard, encoding="ascii") as file:
            self.assertEqual("hung up\n", file.read())

    def test_ctrl_z_stops_both_for_the_shell_above_and_fg_continues_both(self):
        terminal = self.open("bash", "-c", f"""set -m; {BELFRY} run -- bash -c '{self.COMMAND}'; echo "left: $?"; fg; echo "end: $?" """)
        terminal.type("hello\n")
        terminal.until("got hello")
        terminal.type("\x1a")
        terminal.until(f"left: {128 + signal.SIGTSTP}")
        terminal.until("again 42")
        terminal.type("\x03")
        terminal.until("end: 3")

    def test_ctrl_z_stops_nobody_where_no_shell_could_continue_it(self):
        for before in PLACES:
            terminal = self.open(*before, BELFRY, "run", "--", "bash", "-c", self.COMMAND)
            terminal.type("hello\n")
            terminal.until("got hello")
            terminal.type("\x1a")
            terminal.until("again 42")
            terminal.type("\x03")
            terminal.until("heard")
            self.assertEqual(3, terminal.exit_code(), before)


if __name__ == "__main__":
    unittest.main()
