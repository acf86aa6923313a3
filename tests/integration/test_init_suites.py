"""`belfry run -- CMD` before the questions that the test suites of tini and dumb-init ask those, and where an init has to live.

What each of the three promises stands beside the test: tini 0.19 (its inner and outer tests), dumb-init 1.2.5 (its folder of
tests). catatonit 0.2 has no suite; what its README promises (zombies, signals, exit codes, also when it is not PID 1) is asked in the
same tests. Where belfry answers otherwise on purpose, the test says so and docs/how-to/init.md too.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from harness import BELFRY, PATIENCE, Scenario, alive, belfry, descendants, until
from test_init import Terminal

ROOT_ONLY = unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare") and shutil.which("setpriv"), "needs root, unshare and setpriv")
PYTHON = [sys.executable, "-S", "-E"]
AS_PID_1 = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]  # root's number, and none of its capabilities
READ_ONLY = ["unshare", "--mount", "sh", "-c", 'mount -o remount,bind,ro / && ! touch /belfry-was-here 2>/dev/null && exec "$@"', "sh"]
NO_STREAMS = ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh"]
A_USER = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
OWN_USERS = [*A_USER, "unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]
# Where a container's init finds itself.
PLACES = {
    "beside others": [],
    "as PID 1": AS_PID_1,
    "without capabilities": WITHOUT_RIGHTS,
    "as PID 1 without capabilities": [*AS_PID_1, *WITHOUT_RIGHTS],
    "as a user": A_USER,
    "as PID 1 of a user namespace that a user has made": OWN_USERS,
    "with a root that is read-only": READ_ONLY,
    "as PID 1 with a root that is read-only and no capabilities": [*AS_PID_1, *READ_ONLY, *WITHOUT_RIGHTS],
}

# Says which signals it gets; none of them does anything to it, stops included.
RECORDER = """
import os, signal
mine = set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}
signal.pthread_sigmask(signal.SIG_BLOCK, mine)
print("up", flush=True)
while True: print(signal.sigwaitinfo(mine).si_signo, flush=True)
"""
# Makes COUNT orphans at once, half of them dead already, and ends when its parent has reaped them all: the parent's threads then have one
# child, which is this program.
ORPHANS = """
import glob, os, sys, time
told, tell = os.pipe()
middle = os.fork()
if middle == 0:
    os.close(tell)
    for number in range(int(sys.argv[1])):
        if os.fork() == 0:
            if number % 2: os.setsid(), os.read(told, 1)
            os._exit(0)
    os._exit(0)
os.waitpid(middle, 0)
os.close(tell)
def children():
    return sum((open(f).read().split() for f in glob.glob(f"/proc/{os.getppid()}/task/*/children")), [])
late = time.monotonic() + 25
while children() != [str(os.getpid())] and time.monotonic() < late: os.sched_yield()
print("left:", len(children()) - 1)
"""
# Its grandchild becomes its parent's child.
ADOPTED = """
import os
told, tell = os.pipe()
child = os.fork()
if child == 0:
    middle = os.getpid()
    if os.fork() == 0:
        while os.getppid() == middle: os.sched_yield()
        os.write(tell, str(os.getppid()).encode())
    os._exit(0)
os.waitpid(child, 0)
print("adopted" if int(os.read(told, 20)) == os.getppid() else "lost", flush=True)
"""
# Stops as anybody does, and says when it goes on.
STOPS = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})
print("up", flush=True)
while signal.sigwaitinfo({signal.SIGCONT}): print("on", flush=True)
"""


def init_of(process):
    """The belfry that runs behind `unshare` and its like, as it is numbered here."""
    def look():
        pid = process.pid
        while True:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                name = file.read().strip()
            if name == "belfry":
                return pid
            if name != "unshare":
                return None
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                below = file.read().split()
            if not below:
                return None
            pid = int(below[0])
    return until(look)


class Case(unittest.TestCase):
    def begin(self, *command, before=(), options=(), **more):
        """A belfry whose command has said "up"."""
        run = subprocess.Popen([*before, BELFRY, "run", *options, "--", *command], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True, **more)
        self.addCleanup(run.stdout.close)
        self.addCleanup(self.end, run)
        self.assertEqual("up\n", run.stdout.readline())
        return run

    @staticmethod
    def end(run):
        """With everybody below it: an init that is killed takes its command along, and nobody else."""
        below = descendants(run.pid)
        run.kill()
        run.wait()
        for pid in alive(below):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def recorder(self, *options, **more):
        return self.begin(*PYTHON, "-c", RECORDER, options=options, **more)


class Places(Case):
    """Of each place: the code, the orphans, the signals."""

    def run_in(self, place, *command, options=()):
        return subprocess.run([*PLACES[place], BELFRY, "run", *options, "--", *command], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE, check=False)

    @ROOT_ONLY
    def test_the_exit_code_is_that_of_the_command(self):
        for place in PLACES:
            with self.subTest(place=place):
                for script, code in (("exit 0", 0), ("exit 70", 70), ("kill -USR2 $$", 128 + signal.SIGUSR2)):
                    ran = self.run_in(place, "sh", "-c", script)
                    self.assertEqual((code, "", ""), (ran.returncode, ran.stdout, ran.stderr), script)

    @ROOT_ONLY
    def test_hundreds_of_orphans_are_reaped_while_the_command_runs(self):
        # tini: "reaping", with -s and with TINI_SUBREAPER; dumb-init: zombies.
        for place in PLACES:
            with self.subTest(place=place):
                count = "300" if place in ("beside others", "as PID 1") else "20"
                ran = self.run_in(place, *PYTHON, "-c", ORPHANS, count)
                self.assertEqual((0, "left: 0\n", ""), (ran.returncode, ran.stdout, ran.stderr))

    @ROOT_ONLY
    def test_signals_arrive(self):
        for place, before in PLACES.items():
            with self.subTest(place=place):
                run = self.recorder(before=before, stderr=subprocess.DEVNULL)
                init = init_of(run)
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGRTMAX):
                    os.kill(init, number)
                    self.assertEqual(f"{number}\n", run.stdout.readline())
                if "PID 1" in place:  # the kernel ends its namespace with it
                    below = descendants(init)
                    os.kill(init, signal.SIGKILL)
                    until(lambda below=below: not alive(below))

    @ROOT_ONLY
    def test_what_is_left_behind_is_ended(self):
        for place in PLACES:
            with self.subTest(place=place):
                ran = self.run_in(place, "sh", "-c", "setsid sleep 1000 & sleep 1000 & exit 5")  # they hold the pipe
                self.assertEqual((5, "", ""), (ran.returncode, ran.stdout, ran.stderr))


class ClosedStreams(Case):
    """fds 0 to 2 closed at the entry: whatever opens next must not become the command's standard output."""

    def test_the_command_has_all_three_and_nothing_else(self):
        folder = tempfile.mkdtemp(prefix="belfry-init-")
        self.addCleanup(shutil.rmtree, folder)
        for before in ([], AS_PID_1) if os.geteuid() == 0 else ([],):
            for missing in ("0<&-", "1>&-", "2>&-", "0<&- 1>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"):
                with self.subTest(missing=missing, before=before):
                    script = f'exec "$@" {missing}'
                    done = subprocess.run([*before, "sh", "-c", script, "sh", BELFRY, "run", "--", "sh", "-c",
                                           f"ls -l /proc/self/fd > {folder}/seen; exit 7"], timeout=PATIENCE, check=False,
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    self.assertEqual(7, done.returncode)
                    with open(f"{folder}/seen", encoding="ascii") as file:
                        seen = dict(re.findall(r" (\d+) -> (\S+)", file.read()))
                    # ls has its own output, the redirected one, and the directory that it lists.
                    self.assertEqual({"0", "1", "2", "3"}, set(seen), seen)
                    self.assertEqual(("/dev/null", "/dev/null"), (seen["0"], seen["2"]))


class ExitCodes(Case):
    def test_every_code_is_handed_on_and_every_code_can_be_remapped(self):
        # tini: each code with -e of all others is itself, and with -e of itself is 0.
        for code in range(256):
            others = [word for other in range(256) if other != code for word in ("--remap-exit", str(other))]
            self.assertEqual(code, belfry("run", *others, "--", "sh", "-c", f"exit {code}").returncode)
        every = [word for code in range(256) for word in ("--remap-exit", str(code))]
        for code in (0, 1, 2, 64, 126, 127, 128, 143, 254, 255):
            for remapped in (["--remap-exit", str(code)], every):
                self.assertEqual(0, belfry("run", *remapped, "--", "sh", "-c", f"exit {code}").returncode, code)

    def test_the_death_by_a_signal_is_128_and_its_number(self):
        # dumb-init: HUP, QUIT, TERM, KILL; tini: TERM, USR1, USR2, sent to the init.
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGRTMIN):
            self.assertEqual(128 + number, belfry("run", "--", "sh", "-c", f"ulimit -c 0; kill -{int(number)} $$").returncode, number)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            run = self.begin("sh", "-c", "echo up; exec sleep 1000")
            run.send_signal(number)
            self.assertEqual(128 + number, run.wait(PATIENCE))

    def test_a_command_that_is_not_there_is_127_whatever_the_options(self):
        # dumb-init: nonzero, with the reason.
        for options in ([], ["--single-child"]):
            ran = belfry("run", *options, "--", "/doesnotexist")
            self.assertEqual((127, ""), (ran.returncode, ran.stdout))
            self.assertIn("/doesnotexist does not exist", ran.stderr)


class Signals(Case):
    def test_every_signal_that_can_be_heard_is_passed_on(self):
        # dumb-init: all but KILL, STOP, CHLD and those that suspend; here those of faults and of real time as well.
        numbers = sorted(set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD})
        for options in ([], ["--single-child"]):
            run = self.recorder(*options)
            for number in numbers:
                run.send_signal(number)
                self.assertEqual(f"{int(number)}\n", run.stdout.readline(), options)

    def test_signals_are_rewritten_each_by_its_rule_and_once(self):
        # dumb-init: one rule; two that cross, and one to itself; the lowest and the highest; none.
        term, quit_, cont, int_, hup = (int(s) for s in (signal.SIGTERM, signal.SIGQUIT, signal.SIGCONT, signal.SIGINT, signal.SIGHUP))
        for rules, sent, heard in (
                ({}, [term, quit_, cont, int_], [term, quit_, cont, int_]),
                ({term: int_}, [term, quit_, cont, int_], [int_, quit_, cont, int_]),
                ({term: int_, int_: term, quit_: quit_}, [term, quit_, cont, int_], [int_, quit_, cont, term]),
                ({1: 31, 31: 1}, [1, 31], [31, 1]),
                ({signal.SIGTTIN: term, signal.SIGTTOU: int_, signal.SIGTSTP: hup},
                 [signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP], [term, int_, hup])):
            run = self.recorder(*(word for of, to in rules.items() for word in ("--rewrite", f"{int(of)}:{int(to)}")))
            for number, expected in zip(sent, heard):
                run.send_signal(number)
                self.assertEqual(f"{expected}\n", run.stdout.readline(), rules)

    def test_a_signal_that_is_rewritten_to_0_reaches_nobody_and_the_others_do(self):
        run = self.recorder("--rewrite", "SIGTERM:SIGQUIT", "--rewrite", "SIGINT:0", "--rewrite", "SIGWINCH:0")
        for number, expected in ((signal.SIGTERM, signal.SIGQUIT), (signal.SIGINT, None), (signal.SIGWINCH, None),
                                 (signal.SIGHUP, signal.SIGHUP)):
            run.send_signal(number)
            if expected:
                self.assertEqual(f"{int(expected)}\n", run.stdout.readline())

    def test_dispositions_are_those_of_the_entry_and_no_signal_is_blocked(self):
        # tini: what was ignored stays so. It restores what was blocked as well: belfry blocks nothing for the command.
        started = subprocess.run(["env", "--ignore-signal=TTOU,SEGV,INT,USR1", "--default-signal=PIPE", "--block-signal=TTIN,ILL,TERM",
                                  BELFRY, "run", "--", "cat", "/proc/self/status"], capture_output=True, text=True, timeout=PATIENCE, check=True)
        status = dict(line.split(":\t", 1) for line in started.stdout.splitlines() if ":\t" in line)
        ignored = {n for n in range(1, 65) if int(status["SigIgn"], 16) >> (n - 1) & 1}
        self.assertEqual({signal.SIGTTOU, signal.SIGSEGV, signal.SIGINT, signal.SIGUSR1}, ignored)
        self.assertEqual(0, int(status["SigBlk"], 16))

    def test_a_signal_reaches_the_child_of_a_command_that_ignores_it(self):
        # tini -g: the command waits for a child that dies of the signal.
        run = self.begin("bash", "-c", "trap '' USR1; (trap - USR1; exec env --default-signal=USR1 sleep 1000) & echo up; wait $!; exit 9")
        until(lambda: any("sleep" in name for name in self.names_below(run.pid)))
        run.send_signal(signal.SIGUSR1)
        self.assertEqual(9, run.wait(PATIENCE))

    @staticmethod
    def names_below(pid):
        names = []
        for below, _ in descendants(pid):
            with contextlib.suppress(OSError), open(f"/proc/{below}/comm", encoding="ascii") as file:
                names.append(file.read())
        return names


class Trees(Case):
    PIPELINE = "yes hi | tail & yes error | tail >&2 & echo up; wait"

    def test_a_pipeline_goes_with_its_shell(self):
        # dumb-init signals the whole session, and with --single-child leaves four behind; belfry ends them either way.
        for options in ([], ["--single-child"]):
            run = self.begin("sh", "-c", self.PIPELINE, options=options, stderr=subprocess.DEVNULL)
            until(lambda run=run: len(descendants(run.pid)) == 5)
            everybody = descendants(run.pid)
            run.send_signal(signal.SIGTERM)
            self.assertEqual(128 + signal.SIGTERM, run.wait(PATIENCE), options)
            self.assertEqual(set(), alive(everybody), options)

    def test_who_outlives_the_command_hears_sigterm(self):
        # dumb-init: only without --single-child.
        for options in ([], ["--single-child"]):
            script = 'exec 3< <("$@" 3<&- & wait); read -r up <&3; echo "$up"; cat <&3 & exec 3<&-; exit 0'
            ran = belfry("run", "--kill-after", "100ms", *options, "--", "bash", "-c", script, "bash", *PYTHON, "-c", RECORDER)
            self.assertEqual((0, "up"), (ran.returncode, ran.stdout.split("\n")[0]))

    def test_it_is_the_subreaper_without_being_told(self):
        # tini -s and TINI_SUBREAPER.
        ran = belfry("run", "--", *PYTHON, "-c", ADOPTED)
        self.assertEqual((0, "adopted\n"), (ran.returncode, ran.stdout))


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


class Suspension(Case):
    def test_what_suspends_is_passed_on_and_belfry_stops_with_its_command(self):
        # dumb-init: SIGTSTP, SIGTTIN and SIGTTOU suspend it and its child; SIGCONT continues both.
        for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
            # Below a shell with a group of its own: nobody's process group is orphaned, so the kernel stops it.
            run = self.begin(*PYTHON, "-c", STOPS, process_group=0)
            command = next(pid for pid, _ in descendants(run.pid))
            run.send_signal(number)
            until(lambda run=run, command=command: state_of(run.pid) == "T" and state_of(command) == "T")
            run.send_signal(signal.SIGCONT)
            self.assertEqual("on\n", run.stdout.readline(), number)
            self.assertNotEqual("T", state_of(run.pid))

    def test_a_command_that_handles_what_would_suspend_it_suspends_nobody(self):
        # dumb-init suspends itself then, too: belfry does as the shell would see it without an init.
        run = self.recorder(process_group=0)
        for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGTERM):
            run.send_signal(number)
            self.assertEqual(f"{int(number)}\n", run.stdout.readline())
        self.assertNotEqual("T", state_of(run.pid))


class OnATerminal(unittest.TestCase):
    def open(self, *argv):
        terminal = Terminal(*argv)
        self.addCleanup(terminal.close)
        return terminal

    def test_the_command_writes_and_reads_the_terminal(self):
        # dumb-init: tac below it; tini: `docker run -it`.
        for options in ([], ["--single-child"]):
            terminal = self.open(BELFRY, "run", *options, "--", "tac")
            terminal.type("1\n2\n3\n\x04")
            terminal.until("3\r\n2\r\n1\r\n")
            self.assertEqual(0, terminal.exit_code())

    @ROOT_ONLY
    def test_a_shell_below_it_has_job_control(self):
        # dumb-init gives its terminal away, or the shell has none.
        for before in ([], AS_PID_1):
            for options in ([], ["--single-child"]):
                terminal = self.open(*before, BELFRY, "run", *options, "--", "bash", "--norc", "-i")
                terminal.type("sleep 1000 & jobs; kill %1; wait; echo w$((6 * 7))w\n")
                before_end = terminal.until("w42w")
                self.assertNotIn("no job control", before_end)
                self.assertIn("sleep 1000 &", before_end)
                terminal.type("exit 6\n")
                self.assertEqual(6, terminal.exit_code(), (before, options))

    def test_the_terminals_hangup_is_passed_on_and_none_comes_at_the_start(self):
        # dumb-init as the leader of a session ignores the first SIGHUP and SIGCONT, which its own hand-over of the terminal makes.
        terminal = self.open(BELFRY, "run", "--", *PYTHON, "-c", RECORDER)
        terminal.until("up\r\n")
        os.kill(terminal.pid, signal.SIGWINCH)
        self.assertEqual("", terminal.until(f"{int(signal.SIGWINCH)}\r\n"))
        os.kill(terminal.pid, signal.SIGHUP)
        self.assertEqual("", terminal.until(f"{int(signal.SIGHUP)}\r\n"))


if __name__ == "__main__":
    unittest.main()
