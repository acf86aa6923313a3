"""What belfry must bear as PID 1, as anybody, and from its own services: crowds of orphans, numbers that go round, an init that is shot at,
a /proc that hides, streams that are closed, a root that is read-only, no capabilities.
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

from harness import BELFRY, PATIENCE, ROOT, Scenario, alive, descendants, until
from test_guard import guard_of, wait_for_end
from test_init import Terminal
from test_init_suites import AS_PID_1, NO_STREAMS, WITHOUT_RIGHTS, state_of

WITHIN = 1  # second
ROOT_ONLY = unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare") and shutil.which("setpriv"), "needs root, unshare and setpriv")

def with_crowd(stack):
    """Puts tests/support/crowd.c beside the stack's file."""
    subprocess.run(["clang-19", "-D_GNU_SOURCE", "-O1", "-o", os.path.join(stack.path, "crowd"), os.path.join(ROOT, "tests/support/crowd.c")], check=True)
    return stack


def belfry_of(stack):
    """The number of the belfry of a stack behind `unshare`, as it is here."""
    def look():
        found = []
        for pid, _ in descendants(stack.process.pid) | {(stack.process.pid, 0)}:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if file.read() == "belfry\n":
                    found.append(pid)
        # Who is about to become a service is called belfry as well, and is below it.
        return max(found, key=lambda pid: len(descendants(pid)), default=None)
    return until(look)


def processor_time(pid):
    """Seconds: what a busy machine does not lengthen."""
    return time.clock_gettime((~pid << 3) | 2)  # the clock of clock_getcpuclockid(3)


def children_of(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            found += file.read().split()
    return found


@ROOT_ONLY
class Crowds(Scenario):
    def test_ten_thousand_orphans_at_once_are_reaped_and_it_answers_meanwhile(self):
        for before in ((), tuple(AS_PID_1)):
            with self.subTest(before=before):
                stack = self.stack("""
  crowd: {command: [$DIR/crowd, together, "10000"], stdin: $DIR/go, restart: "no"}
  calm: {command: $SAMPLE --name calm --notify, ready: notify}
""", top="cgroups: off\nhttp: {listen: [unix:$DIR/http.sock]}")
                with_crowd(stack)
                os.mkfifo(os.path.join(stack.path, "go"))
                go = os.open(os.path.join(stack.path, "go"), os.O_RDWR | os.O_CLOEXEC)
                self.addCleanup(os.close, go)
                stack.start(wrapper=before)
                stack.output.index_of("crowd | all are here")
                belfry = belfry_of(stack)
                self.assertGreater(len(descendants(belfry)), 10000)
                between = next(int(child) for crowd in children_of(belfry) for child in children_of(crowd))
                os.write(go, b"go\n")
                dearest = 0.0

                def is_over():
                    nonlocal dearest
                    began = processor_time(belfry)
                    self.assertEqual(stack.get("/livez")[0], 200)
                    dearest = max(dearest, processor_time(belfry) - began)
                    return len(children_of(belfry)) == 2 and not os.path.exists(f"/proc/{between}")
                until(is_over)
                # The kernel makes all of them 0.1 s to 1 s on the same machine; whoever looked at each for each
                # would take many. That a turn takes a part of them is shown by reaper_test.cpp.
                self.assertLess(dearest, 2.5)
                self.assertEqual(stack.services()["calm"]["restarts"], 0)
                os.kill(belfry, signal.SIGTERM)
                self.assertEqual(stack.exit_code(), 0, stack.output.text())

    def test_numbers_that_go_round_reach_nobody_else(self):
        # A namespace with 400 numbers: each of them is given away hundreds of times while belfry starts, signals and reaps.
        stack = self.stack("""
  round: {command: [$DIR/crowd, round, "30"], type: oneshot}
  short: {command: ["true"], restart: {policy: always, delay: 1ms, max_delay: 1ms}, stop: {timeout: 1s}}
  stopped: {command: $SAMPLE --name stopped --fork 2 --setsid --notify, ready: notify}
  calm: {command: $SAMPLE --name calm --fork 3 --setsid --notify, ready: notify}
""", top="cgroups: off")
        with_crowd(stack)
        few = ["sh", "-c", 'echo 400 > /proc/sys/kernel/pid_max && [ "$(cat /proc/sys/kernel/pid_max)" = 400 ] && exec "$@" || exit 99', "sh"]
        before = 0
        with open("/proc/sys/kernel/pid_max", encoding="ascii") as file:
            before = file.read()
        stack.start(wrapper=(*AS_PID_1, *few))
        with self.subTest("the machine's own limit is left alone"), open("/proc/sys/kernel/pid_max", encoding="ascii") as file:
            if file.read() != before:  # before Linux 6.14 it is one for all
                with open("/proc/sys/kernel/pid_max", "w", encoding="ascii") as back:
                    back.write(before)
                self.skipTest("this kernel has one pid_max for all namespaces")
        stack.event("calm", "ready")
        stack.wait_for_control()
        belfry = belfry_of(stack)
        bystanders = descendants(belfry)
        calm = {stack.services()["calm"]["pid"]}
        for _ in range(20):
            self.assertEqual(stack.cli("restart", "stopped").returncode, 0)
        self.assertEqual(stack.wait("round", condition="completed"), 200, stack.output.text())
        self.assertGreater(len(alive(bystanders)), 3)
        self.assertEqual({stack.services()["calm"]["pid"]}, calm)
        self.assertEqual([], stack.all_events("calm", "term"))
        os.kill(belfry, signal.SIGTERM)
        self.assertEqual(stack.exit_code(), 0, stack.output.text())

    def test_a_fork_bomb_is_ended_when_belfry_is_killed_beside_it(self):
        stack = self.stack("""
  bomb: {command: [$DIR/crowd, bomb], user: "64322", rlimits: {nproc: 20}}
""", top="cgroups: off")
        with_crowd(stack)
        stack.start().wait_for_control()
        until(lambda: len(descendants(stack.process.pid)) >= 20)
        guard = guard_of(stack.process.pid)
        below = {pid for pid, _ in descendants(stack.process.pid)}
        stack.process.kill()
        stack.process.wait()
        self.assertTrue(wait_for_end(below, PATIENCE))  # the bomb takes the processors that the guard needs
        self.assertTrue(wait_for_end([guard], PATIENCE))
        self.assertEqual([], [pid for pid in filter(str.isdigit, os.listdir("/proc")) if self.is_of_the_bomb(pid)])

    @staticmethod
    def is_of_the_bomb(pid):
        """Zombies are not: somebody else reaps them."""
        with contextlib.suppress(OSError):
            return os.stat(f"/proc/{pid}").st_uid == 64322 and state_of(pid) not in "ZX"
        return False


class Shots(Scenario):
    """A service that signals belfry."""

    SERVICES = """
  calm: {command: $SAMPLE --name calm --notify, ready: notify}
  rude: {command: [sh, -c, "WHAT; sleep 1000"], depends_on: [calm], restart: "no"}
"""

    def rude(self, what, wrapper=(), top=""):
        stack = self.stack(self.SERVICES.replace("WHAT", what), top)
        return stack.start(wrapper=wrapper)

    def test_at_its_own_group_hits_nobody_else(self):
        stack = self.rude("kill -KILL 0")
        stack.output.index_of("rude failed: rude killed by SIGKILL")
        self.assertEqual(stack.get("/livez")[0], 200)
        self.assertEqual(stack.services()["calm"]["state"], "ready")
        self.assert_clean_end(stack)

    def test_at_its_parent_or_its_group_with_sigterm_is_a_graceful_stop(self):
        for what in ("kill -TERM $$PPID", "kill -TERM -$$(cut -d' ' -f5 /proc/$$PPID/stat)"):
            with self.subTest(what=what):
                # A group of belfry's own: that of the tests is not to be hit.
                stack = self.rude(what, wrapper=(sys.executable, "-S", "-c", "import os, sys; os.setpgid(0, 0); os.execvp(sys.argv[1], sys.argv[1:])"))
                self.assertEqual(stack.exit_code(), 0, stack.output.text())
                self.assertTrue(stack.all_events("calm", "term"), stack.output.text())

    def test_at_its_parent_or_its_group_with_sigkill_leaves_nobody(self):
        for what in ("kill -KILL $$PPID", "kill -KILL -$$(cut -d' ' -f5 /proc/$$PPID/stat)"):
            with self.subTest(what=what):
                stack = self.stack(self.SERVICES.replace("WHAT", "setsid sleep 1000 & read go < $DIR/go; " + what))
                os.mkfifo(os.path.join(stack.path, "go"))
                stack.start(wrapper=(sys.executable, "-S", "-c", "import os, sys; os.setpgid(0, 0); os.execvp(sys.argv[1], sys.argv[1:])"))
                stack.event("calm", "ready")
                stack.wait_for_control()
                self.assertEqual(stack.wait("rude"), 200)
                below = descendants(stack.process.pid)
                with open(os.path.join(stack.path, "go"), "w", encoding="ascii") as go:
                    go.write("go\n")
                self.assertEqual(stack.process.wait(PATIENCE), -signal.SIGKILL)
                self.assertTrue(wait_for_end(below, WITHIN), below)

    @ROOT_ONLY
    def test_at_pid_1_with_sigkill_is_nothing(self):
        # The kernel takes no SIGKILL for an init from within its namespace, and kill -1 spares it.
        for what in ("kill -KILL 1", "kill -STOP 1", "kill -SEGV 1", "kill -KILL -1"):
            with self.subTest(what=what):
                stack = self.rude(what, wrapper=AS_PID_1, top="cgroups: off")
                stack.wait_for_control()
                self.assertEqual(stack.wait("rude", condition="started"), 200) if "-1" not in what else stack.output.index_of("calm failed")
                self.assertEqual(stack.get("/livez")[0], 200)
                self.assertEqual(stack.wait("calm"), 200)  # again, where it was hit
                os.kill(belfry_of(stack), signal.SIGTERM)
                self.assertEqual(stack.exit_code(), 0, stack.output.text())

    @ROOT_ONLY
    def test_without_the_right_to_it_is_nothing(self):
        stack = self.stack(self.SERVICES.replace("WHAT", "kill -KILL $$PPID").replace("restart:", 'user: "64323", restart:'))
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("rude"), 200)
        self.assertEqual(stack.get("/livez")[0], 200)
        self.assert_clean_end(stack)


@ROOT_ONLY
class FirstProcess(Scenario):
    """The daemon as PID 1, where an image or a runtime has taken something away."""

    SERVICES = """
  db: {command: $SAMPLE --name db --fork 2 --double-fork --setsid --notify, ready: notify}
  api: {command: $SAMPLE --name api --notify, ready: notify, depends_on: [db]}
"""

    def up_and_down(self, *wrapper):
        stack = self.stack(self.SERVICES).start(wrapper=wrapper)
        stack.event("api", "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait("db", "api"), 200)
        belfry = belfry_of(stack)
        root = os.statvfs(f"/proc/{belfry}/root/")
        below = descendants(belfry)
        os.kill(belfry, signal.SIGTERM)
        self.assertEqual(stack.process.wait(PATIENCE), 0)
        self.assertEqual(alive(below), set())
        self.assertLess(stack.event("api", "term"), stack.event("db", "term"))
        return root

    def test_with_everything(self):
        self.up_and_down(*AS_PID_1)

    def test_without_capabilities(self):
        self.up_and_down(*AS_PID_1, *WITHOUT_RIGHTS)

    def test_with_a_root_that_is_read_only(self):
        # The stack's folder stands for the volume in which its control socket is.
        root = self.up_and_down(*AS_PID_1, "unshare", "--mount", "sh", "-c",
                                'mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro / && cd "$PWD" && exec "$@"', "sh")
        self.assertTrue(root.f_flag & os.ST_RDONLY)

    def test_with_standard_input_output_and_error_closed(self):
        stack = self.stack(self.SERVICES)
        stack.process = subprocess.Popen([*AS_PID_1, *NO_STREAMS, BELFRY, "run", "-c", stack.file], env=stack.environment(), cwd=stack.path)
        stack.event("api", "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait("db", "api"), 200)
        belfry = belfry_of(stack)
        for fd in ("0", "1", "2"):
            self.assertEqual(os.readlink(f"/proc/{belfry}/fd/{fd}"), "/dev/null")
            self.assertNotIn("socket", os.readlink(f"/proc/{children_of(belfry)[0]}/fd/{fd}"))
        os.kill(belfry, signal.SIGTERM)
        self.assertEqual(stack.process.wait(PATIENCE), 0)
        self.assertLess(stack.event("api", "term"), stack.event("db", "term"))

    def test_each_signal_that_the_kernel_would_ignore_for_it_is_heard(self):
        # Whoever has no handler as PID 1 never gets a signal whose default is to end.
        for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGQUIT, 128 + signal.SIGQUIT)):
            with self.subTest(signal=number):
                stack = self.stack(self.SERVICES).start(wrapper=AS_PID_1)
                stack.event("api", "ready")
                belfry = belfry_of(stack)
                os.kill(belfry, signal.SIGHUP)
                stack.output.index_of("reloaded: nothing has changed")
                os.kill(belfry, number)
                self.assertEqual(stack.exit_code(), code, stack.output.text())

    def test_no_thread_of_it_has_a_handler_or_is_interrupted(self):
        # What asks it to end waits for the loop, however the child of a clone that shares its memory stands at that moment.
        stack = self.stack(self.SERVICES).start(wrapper=AS_PID_1)
        stack.event("api", "ready")
        belfry = belfry_of(stack)
        # Faults strike where they happen, and Ctrl-Z suspends belfry as anybody: the kernel runs nothing of belfry's for these.
        may_come = {signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS,
                    signal.SIGABRT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGCONT}
        for task in os.listdir(f"/proc/{belfry}/task"):
            with open(f"/proc/{belfry}/task/{task}/status", encoding="ascii") as file:
                status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
            mask = int(status["SigBlk"], 16)
            self.assertLessEqual({n for n in signal.valid_signals() if not mask >> (n - 1) & 1}, may_come, task)
            self.assertEqual(0, int(status["SigCgt"], 16) & ~(1 << 32), task)  # 33: glibc's own, for setuid(2) of all threads
        os.kill(belfry, signal.SIGTERM)
        self.assertEqual(stack.exit_code(), 0, stack.output.text())

    def test_when_it_is_killed_the_kernel_ends_everybody(self):
        stack = self.stack(self.SERVICES).start(wrapper=AS_PID_1)
        stack.event("api", "ready")
        belfry = belfry_of(stack)
        below = descendants(belfry)
        self.assertGreaterEqual(len(below), 4)
        os.kill(belfry, signal.SIGKILL)
        self.assertTrue(wait_for_end(below, WITHIN), below)


@ROOT_ONLY
class HiddenProc(Scenario):
    """hidepid=2: the processes of other users are not in /proc for who has no CAP_SYS_PTRACE and is not in the group `gid` (0 if not given)."""

    HIDING = ("unshare", "--mount", "sh", "-c", 'mount -t proc -o hidepid=2,gid=54399 proc /proc && exec "$@"', "sh")
    SERVICES = """
  plain: {command: [sh, -c, "setsid sleep 1000 & sleep 1000 & wait; true"], stop: {timeout: 1s}}
  other: {command: [sh, -c, "trap '' TERM; sleep 1000 & sleep 1000 & echo up; read x <> $DIR/never"], user: "64324", stop: {timeout: 300ms}, ready: {log: up}}
"""

    def begin(self, *wrapper):
        stack = self.stack(self.SERVICES, top="cgroups: off\nshutdown: {timeout: 3s}")
        os.mkfifo(os.path.join(stack.path, "never"))
        os.chmod(os.path.join(stack.path, "never"), 0o666)
        stack.start(wrapper=(*self.HIDING, *wrapper)).wait_for_control()
        self.assertEqual(stack.wait("plain", "other"), 200, stack.output.text())
        return stack

    def test_it_stops_whom_it_cannot_see(self):
        for wrapper in ((), ("setpriv", "--bounding-set", "-sys_ptrace")):
            with self.subTest(wrapper=wrapper):
                stack = self.begin(*wrapper)
                began = time.monotonic()
                self.assertEqual(stack.stop(), 0, stack.output.text())
                self.assertLess(time.monotonic() - began, 4)
                self.assertEqual(stack.survivors(), set(), stack.output.text())

    def test_what_it_can_neither_see_nor_attribute_is_said_before_and_named_at_the_end(self):
        stack = self.stack("""
  other: {command: [sh, -c, "setsid sh -c 'echo up; exec sleep 1000' & wait"], user: "64325", ready: {log: up}}
""", top="cgroups: off")
        stack.start(wrapper=(*self.HIDING, "setpriv", "--bounding-set", "-sys_ptrace")).wait_for_control()
        self.assertEqual(stack.wait("other"), 200)
        stack.output.index_of("/proc hides other users' processes (hidepid) and belfry lacks CAP_SYS_PTRACE")
        left = [pid for pid, _ in descendants(stack.process.pid) if os.getsid(pid) == pid and state_of(pid) != "Z"]
        self.assertEqual(stack.stop(), 0, stack.output.text())
        (stray,) = stack.survivors()
        self.assertIn(stray, left)
        self.assertRegex(stack.output.text(), rf"belong to nobody .*: {stray} \(hidden by /proc\)")

    def test_an_isolated_service_is_ended_to_the_last_that_cannot_be_seen(self):
        stack = self.stack("""
  other: {command: [sh, -c, "setsid sleep 1000 & echo up; wait"], user: "64325", ready: {log: up}, isolate: true}
""", top="cgroups: off")
        stack.start(wrapper=(*self.HIDING, "setpriv", "--bounding-set", "-sys_ptrace")).wait_for_control()
        self.assertEqual(stack.wait("other"), 200)
        self.assert_clean_end(stack)

    def test_the_guard_ends_whom_it_cannot_see(self):
        for wrapper in ((), ("setpriv", "--bounding-set", "-sys_ptrace")):
            with self.subTest(wrapper=wrapper):
                stack = self.begin(*wrapper)
                below = descendants(stack.process.pid)
                stack.process.kill()
                stack.process.wait()
                self.assertTrue(wait_for_end(below, WITHIN), below)


class Guarded(Scenario):
    @ROOT_ONLY
    def test_without_proc_the_groups_of_the_services_are_ended(self):
        stack = self.stack("""
  plain: {command: [sh, -c, "sleep 1000 & echo up; wait"], ready: {log: up}}
""", top="cgroups: off")
        stack.start(wrapper=("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc; exec "$@"', "sh")).wait_for_control()
        self.assertEqual(stack.wait("plain"), 200)
        below = descendants(stack.process.pid)
        self.assertGreaterEqual(len(below), 2)
        stack.process.kill()
        stack.process.wait()
        self.assertTrue(wait_for_end(below, WITHIN), below)

    @ROOT_ONLY
    def test_where_there_is_no_process_for_the_guard_it_is_said_and_the_stack_runs(self):
        stack = self.stack("  a: {type: external, ready: {file: $DIR/belfry.yaml}}")
        os.chmod(stack.path, 0o777)
        # Two processes: belfry, and the one that should have made the guard.
        stack.start(wrapper=("setpriv", "--reuid", "54323", "--clear-groups", "prlimit", "--nproc=2")).wait_for_control()
        stack.output.index_of("belfry: cannot make the process that ends the services when belfry is killed: Resource temporarily unavailable (the limit")
        self.assertEqual(stack.wait("a"), 200)
        self.assertIsNone(guard_of(stack.process.pid))
        self.assertEqual(stack.stop(), 0)

    def test_the_main_process_of_a_unit_has_one_too(self):
        # As systemd starts it: SYSTEMD_EXEC_PID is its number.
        stack = self.stack("  a: {command: [sh, -c, 'setsid sleep 1000 & wait; true']}")
        path = os.path.join(stack.path, "manager")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            stack.start(wrapper=("sh", "-c", 'export SYSTEMD_EXEC_PID=$$; exec "$@"', "sh"), NOTIFY_SOCKET=path,
                        INVOCATION_ID="0123456789abcdef0123456789abcdef").wait_for_control()
            self.assertEqual(stack.wait("a"), 200)
            guard = guard_of(stack.process.pid)
            self.assertIsNotNone(guard)
            below = descendants(stack.process.pid)
            stack.process.kill()
            stack.process.wait()
            self.assertTrue(wait_for_end(below, WITHIN), below)
            self.assertTrue(wait_for_end([guard], PATIENCE))


class OnATerminal(Scenario):
    def test_the_first_ctrl_c_is_a_graceful_stop_of_belfry_alone_and_the_second_one_kills(self):
        stack = self.stack("""
  deaf: {command: $SAMPLE --name deaf --ignore TERM --notify, ready: notify, stop: {timeout: 1m}}
  slow: {command: $SAMPLE --name slow --on-stop-delay 700ms --notify, ready: notify}
""", top="shutdown: {timeout: 2m}")
        terminal = Terminal("env", f"XDG_STATE_HOME={stack.path}", BELFRY, "run", "-c", stack.file)
        self.addCleanup(terminal.close)
        terminal.until("ready after")
        for service in ("deaf", "slow"):  # before it hears signals, `slow` would end at once, within the time of an echo
            stack.event(service, "ready")
        terminal.type("\x03")
        terminal.until("stopping: SIGINT")
        self.assertEqual([], stack.all_events("deaf", "int"))  # a session of its own: the terminal is not its
        terminal.until("slow stopped")  # half a second later it is another request
        terminal.type("\x03")
        terminal.until("a second request, SIGINT")
        self.assertEqual(128 + signal.SIGINT, terminal.exit_code())


if __name__ == "__main__":
    unittest.main()
