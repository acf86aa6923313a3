"""What a service's process is given, and what is proven about it when it stops: seen from /proc."""
import os
import resource
import signal
import unittest

from harness import Scenario

ROOT_ONLY = unittest.skipUnless(os.geteuid() == 0, "needs root")


def status_of(pid):
    """/proc/PID/status as a dictionary."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return {key: value.strip() for key, value in (line.split(":", 1) for line in file)}


def text_of(pid, name):
    with open(f"/proc/{pid}/{name}", encoding="ascii", errors="replace") as file:
        return file.read()


def limits_of(pid):
    """/proc/PID/limits: name -> (soft, hard)."""
    lines = text_of(pid, "limits").splitlines()[1:]
    return {line[:26].strip(): tuple(line[26:].split()[:2]) for line in lines}


class Attributes(Scenario):
    """Each key of the file that changes a process, as the kernel tells it."""

    def pid_of(self, stack, name):
        stack.event(name, "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait(name), 200)
        return stack.services()[name]["pid"]

    @ROOT_ONLY
    def test_limits_priority_umask_and_user_arrive_in_the_process(self):
        stack = self.stack("""
  limited:
    command: $SAMPLE --name limited --notify
    ready: notify
    user: nobody
    group: daemon
    umask: "0027"
    nice: 7
    oom_score_adj: 321
    no_new_privileges: true
    rlimits: {nofile: {soft: 123, hard: 456}, core: 0, nproc: 77}
""").start()
        pid = self.pid_of(stack, "limited")
        status = status_of(pid)
        self.assertEqual(status["Umask"], "0027")
        self.assertEqual(status["Uid"].split(), ["65534"] * 4)
        self.assertEqual(status["Gid"].split(), ["1"] * 4)
        self.assertIn("1", status["Groups"].split())
        self.assertNotIn("0", status["Groups"].split())
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(text_of(pid, "stat").rsplit(")", 1)[1].split()[16], "7")
        self.assertEqual(text_of(pid, "oom_score_adj").strip(), "321")
        limits = limits_of(pid)
        self.assertEqual(limits["Max open files"], ("123", "456"))
        self.assertEqual(limits["Max core file size"], ("0", "0"))
        self.assertEqual(limits["Max processes"], ("77", "77"))
        self.assert_clean_end(stack)

    @ROOT_ONLY
    def test_a_group_without_a_user_changes_the_group_alone(self):
        stack = self.stack("  a: {command: $SAMPLE --name a --notify, ready: notify, group: daemon}").start()
        status = status_of(self.pid_of(stack, "a"))
        self.assertEqual(status["Uid"].split(), ["0"] * 4)
        self.assertEqual(status["Gid"].split(), ["1"] * 4)
        self.assert_clean_end(stack)

    def test_the_descriptor_limit_is_raised_for_belfry_and_restored_for_services(self):
        stack = self.stack("  a: {command: $SAMPLE --name a --notify, ready: notify}")
        hard = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20000)
        stack.start(wrapper=("sh", "-c", f'ulimit -Hn {hard}; ulimit -Sn 256; exec "$0" "$@"'))
        pid = self.pid_of(stack, "a")
        self.assertEqual(limits_of(stack.process.pid)["Max open files"], (str(hard), str(hard)))
        self.assertEqual(limits_of(pid)["Max open files"], ("256", str(hard)))
        self.assert_clean_end(stack)

    def test_belfry_is_killed_for_memory_after_its_services_which_keep_their_score(self):
        stack = self.stack("  a: {command: $SAMPLE --name a --notify, ready: notify, restart: {delay: 1ms}}")
        stack.start(wrapper=("sh", "-c", 'echo 300 > /proc/self/oom_score_adj; exec "$0" "$@"'))
        first = self.pid_of(stack, "a")
        stack.output.index_of("services ready")
        self.assertIn(text_of(stack.process.pid, "oom_score_adj"), ("-900\n", "0\n"))  # with CAP_SYS_RESOURCE; without
        self.assertEqual(text_of(first, "oom_score_adj"), "300\n")
        after = len(stack.events)
        os.kill(first, signal.SIGKILL)
        stack.event("a", "ready", after)
        self.assertEqual(stack.wait("a"), 200)
        self.assertEqual(text_of(stack.services()["a"]["pid"], "oom_score_adj"), "300\n")
        self.assert_clean_end(stack)

    def test_masks_and_dispositions_are_clean_whatever_belfry_was_started_with(self):
        stack = self.stack("""
  plain: {command: [sleep, "1000"]}
  told: {command: $SAMPLE --name told --notify, ready: notify, depends_on: [plain]}
""")
        stack.start(wrapper=("env", "--ignore-signal=INT,QUIT,USR1,PIPE", "--block-signal=TERM,USR2"))
        self.pid_of(stack, "told")
        status = status_of(stack.services()["plain"]["pid"])
        for mask in ("SigBlk", "SigIgn", "SigPnd", "ShdPnd"):
            self.assertEqual(int(status[mask], 16), 0, mask)
        self.assert_clean_end(stack)
