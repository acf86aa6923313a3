"""belfry is killed, and nothing that it has started is left (`on_daemon_death: kill`).

BELFRY_GUARD_TRIES: how often the random moments are tried (default 20).
"""
import contextlib
import os
import pathlib
import random
import select
import signal
import sys
import time
import unittest

from harness import PATIENCE, Scenario, Stack, alive, descendants, until

TRIES = int(os.environ.get("BELFRY_GUARD_TRIES", "20"))
WITHIN = 1  # second, after belfry's end
# Its first thread ends; the other one says so beside the program, and goes on. proc_pid_stat(5) calls that a zombie.
WITHOUT_FIRST_THREAD = """
import ctypes, os, threading, time

def go_on():
    while open(f"/proc/{os.getpid()}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
        time.sleep(0.01)
    open(os.path.join(os.path.dirname(__file__), "alone"), "w").close()
    threading.Event().wait()  # to be killed

threading.Thread(target=go_on).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def pipes_of(pid):
    """The inodes of its pipes, by descriptor."""
    found = {}
    with contextlib.suppress(OSError):
        for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if os.readlink(link).startswith("pipe:"):
                    found[int(link.name)] = os.readlink(link)
    return found


def guard_of(belfry):
    """The process at the other end of one of belfry's pipes that is called so; None: there is none."""
    own = set(pipes_of(belfry).values())
    for folder in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and (folder / "comm").read_text() == "bell-guard\n" and \
                    pipes_of(folder.name).get(0) in own:
                return int(folder.name)
    return None


def marked(word):
    """Living processes with `word` in their command line."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and word in (folder / "cmdline").read_bytes().decode(errors="replace") and \
                    int(folder.name) != os.getpid() and (folder / "stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX":
                found.append(int(folder.name))
    return found


def wait_for_end(processes, seconds):
    """True when all of them have ended in time: children by their number, others as pairs of `descendants`."""
    for process in processes:
        pid = process[0] if isinstance(process, tuple) else process
        try:
            ended = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if isinstance(process, tuple) and not alive([process]):  # its number may be somebody else's by now
            os.close(ended)
            continue
        gone = bool(select.select([ended], [], [], seconds)[0])
        os.close(ended)
        if not gone:
            return False
    return True


class Killed(Scenario):
    """kill -9."""

    def kill(self, stack):
        """Kills belfry and waits for what ran below it, and for the guard, to end."""
        guard = guard_of(stack.process.pid)
        below = descendants(stack.process.pid)
        stack.process.kill()
        stack.process.wait()
        self.assertTrue(wait_for_end(below, WITHIN), f"left: {below}")
        if guard is not None:
            self.assertTrue(wait_for_end([guard], PATIENCE), "the guard goes on")

    def test_nobody_is_left(self):
        word = f"8{os.getpid()}{random.randrange(10**6)}"
        stack = self.stack(f"""
  plain: {{command: [sh, -c, "sleep {word}1 & wait; true"], ready: {{exec: "true"}}}}
  setsid: {{command: [sh, -c, "setsid sleep {word}2 & wait; true"]}}
  twice: {{command: [sh, -c, "(setsid sh -c 'sleep {word}3 & true' &) ; exec sleep {word}4"]}}
  erased: {{command: [sh, -c, "(env -i sleep {word}5 &) ; exec sleep {word}6"]}}
  isolated: {{command: [sh, -c, "setsid sleep {word}7 & wait; true"], isolate: true}}
  hooked: {{command: sleep {word}8, pre_start: [sh, -c, "(setsid sleep {word}9 &) ; true"]}}
""").start().wait_for_control()
        self.assertEqual(stack.wait("plain", "setsid", "twice", "erased", "isolated", "hooked"), 200)
        self.assertGreaterEqual(len(marked(word)), 6)
        self.kill(stack)
        self.assertEqual(marked(word), [])

    def test_the_command_of_exec_leaves_nobody_either(self):
        word = f"7{os.getpid()}{random.randrange(10**6)}"
        stack = self.stack("  a: {command: sleep 1000}")
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in marked(word)])  # they hold belfry's output
        stack.start("--", "sh", "-c", f"(setsid sh -c 'sleep {word}1; true' &) ; sleep {word}2 & echo begun; wait", command="exec")
        stack.output.index_of("begun")
        self.kill(stack)
        self.assertEqual(marked(word), [])

    def test_who_goes_on_without_its_first_thread_is_no_zombie_and_not_left(self):
        stack = self.stack("""
  threads: {command: [sh, -c, "setsid /usr/bin/python3 $DIR/threads.py & wait; true"], ready: {file: $DIR/alone}}
""")
        with open(os.path.join(stack.path, "threads.py"), "w", encoding="ascii") as file:
            file.write(WITHOUT_FIRST_THREAD)
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("threads"), 200)
        self.kill(stack)

    def test_nobody_is_left_whenever_it_happens(self):
        # Each service forks all the time, in sessions of its own, and ends all the time.
        left, late, slowest = {}, {}, 0
        for attempt in range(TRIES):
            word = f"9{os.getpid()}{random.randrange(10**6)}"
            fork = f"while true; do (setsid sleep {word} &); sleep 0.01; done"
            short = f"(setsid sh -c 'sleep {word}' &) ; sleep 0.0{random.randrange(1, 9)}; exit 1"
            stack = Stack("".join(f"""
  forks{i}: {{command: [sh, -c, "{fork}"], stop: {{timeout: 1s}}}}
  short{i}: {{command: [sh, -c, "{short}"], restart: {{delay: 10ms, max_delay: 20ms}}}}
""" for i in range(4))).start()
            stack.wait_for_control()
            # At a random moment, sometimes in the middle of a stop.
            if random.random() < 0.3:
                stack.process.send_signal(signal.SIGTERM)
            select.select([], [], [], random.random() * 0.3)
            guard, below = guard_of(stack.process.pid), descendants(stack.process.pid)
            began = time.monotonic()
            stack.process.kill()
            stack.process.wait()
            wait_for_end(below, PATIENCE)
            took = time.monotonic() - began
            slowest = max(slowest, took)
            if took > WITHIN:
                late[attempt] = round(took, 2)
            if guard is not None:
                self.assertTrue(wait_for_end([guard], PATIENCE), "the guard goes on")
            if found := marked(word):
                left[attempt] = found
                for pid in found:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            stack.close()
        self.assertEqual((left, late), ({}, {}), f"left, and seconds of those that took too long, by try; of {TRIES}; the slowest took {slowest:.2f} s")

    def test_kept_services_have_no_guard(self):
        stack = self.stack("  a: {command: sleep 1000, log: inherit}", "on_daemon_death: keep").start().wait_for_control()
        self.assertEqual(stack.wait("a"), 200)
        self.assertIsNone(guard_of(stack.process.pid))
        self.assert_clean_end(stack)


class Guard(Scenario):
    """What it costs, and what it survives."""

    def test_it_ends_with_an_orderly_stop(self):
        stack = self.stack("  a: {command: sleep 1000}").start().wait_for_control()
        self.assertEqual(stack.wait("a"), 200)
        guard = guard_of(stack.process.pid)
        self.assertIsNotNone(guard)
        self.assert_clean_end(stack)
        self.assertTrue(wait_for_end([guard], PATIENCE))

    def test_what_is_sent_to_belfry_by_name_group_or_terminal_does_not_reach_it(self):
        stack = self.stack("  a: {command: [sh, -c, 'setsid sleep 1000 & echo up; wait; true'], ready: {log: up}}").start().wait_for_control()
        self.assertEqual(stack.wait("a"), 200)
        guard = guard_of(stack.process.pid)
        for name in ("comm", "cmdline"):
            with open(f"/proc/{guard}/{name}", encoding="ascii") as file:
                self.assertNotIn("belfry", file.read())
        self.assertNotEqual(os.getsid(guard), os.getsid(stack.process.pid))
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1):
            os.kill(guard, number)
        below = descendants(stack.process.pid)
        stack.process.kill()
        stack.process.wait()
        self.assertTrue(wait_for_end(below, PATIENCE), f"nobody was there to end them: {below}")
        self.assertTrue(wait_for_end([guard], PATIENCE))

    def test_it_sleeps_and_is_small(self):
        stack = self.stack("  a: {command: 'true', type: oneshot}\n  b: {command: sleep 1000}").start().wait_for_control()
        self.assertEqual(stack.wait("b"), 200)
        guard = guard_of(stack.process.pid)

        def sleeps():
            with open(f"/proc/{guard}/stat", encoding="ascii") as file:
                return file.read().rsplit(")", 1)[1].split()[0] == "S"
        until(sleeps)  # on a busy machine it may not have come to its first wait yet, which would count as one

        def woken():
            with open(f"/proc/{guard}/status", encoding="ascii") as file:
                return [line for line in file if line.startswith("voluntary")]
        before = woken()
        for _ in range(10):
            self.assertEqual(stack.cli("restart", "b").returncode, 0)
        self.assertEqual(woken(), before)
        with open(f"/proc/{guard}/smaps_rollup", encoding="ascii") as file:
            sizes = {line.split()[0]: int(line.split()[1]) for line in file if line.endswith("kB\n")}
        with open(f"/proc/{guard}/status", encoding="ascii") as file:
            sizes |= {line.split()[0]: int(line.split()[1]) for line in file if line.startswith("VmPTE:")}
        # What would be free without it. Its proportional share (Pss) also counts pages that belfry has anyway, and
        # says more about how many programs of this machine map libcrypto at the moment than about the guard.
        cost = sizes["Private_Clean:"] + sizes["Private_Dirty:"] + sizes["VmPTE:"]
        self.assertLessEqual(cost, 1024, sizes)
        self.assert_clean_end(stack)

    @unittest.skipIf(os.geteuid() != 0, "making a PID namespace needs root")
    def test_there_is_none_where_the_kernel_does_its_work(self):
        stack = self.stack("  a: {type: oneshot, command: [sh, -c, 'cat /proc/*/comm > $DIR/names']}\n  b: {command: sleep 1000}").start(
            wrapper=("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")).wait_for_control()
        self.assertEqual(stack.wait("a", condition="completed"), 200)
        with open(os.path.join(stack.path, "names"), encoding="ascii") as file:
            self.assertNotIn("bell-guard", file.read())


if __name__ == "__main__":
    sys.exit(unittest.main())
