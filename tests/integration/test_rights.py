"""Without a capability, /proc, descriptors or threads nothing hangs and nothing lies: it runs and stops, or says why not."""
import itertools
import os
import signal
import time
import unittest

from harness import PATIENCE, ROOT, Scenario, descendants

ROOT_ONLY = unittest.skipUnless(os.geteuid() == 0, "needs root")
CAPABILITIES = ("chown", "kill", "setgid", "setuid", "sys_admin", "sys_ptrace", "net_admin")
BOUND = 12  # seconds for any of it, with a budget of two: more is a hang

SERVICES = """
  plain:
    command: [sh, -c, "sleep 1000 & wait"]
    stop: {timeout: 1s}
  other:
    command: [sleep, "1000"]
    user: nobody
    stop: {timeout: 1s}
    ready: {exec: ["true"]}
"""
TOP = "shutdown: {timeout: 2s}"


def without(*names):
    """Runs what follows as root without these capabilities."""
    return ("setpriv", "--bounding-set", ",".join(f"-{name}" for name in names)) if names else ()


class Rights(Scenario):
    def up_and_down(self, wrapper, services=SERVICES):
        """Starts the stack, waits until every service is ready or has failed, stops it. The exit code, and what was said."""
        stack = self.stack(services, TOP)
        stack.start(wrapper=wrapper)
        began = time.monotonic()
        for name in ("plain", "other"):
            stack.output.index_of(f"belfry | {name} ")
        code = stack.stop()
        self.assertLess(time.monotonic() - began, BOUND)
        self.assertEqual(stack.survivors(), set(), stack.output.text())
        text = stack.output.text()
        self.doCleanups()  # a hundred folders are watched otherwise
        return code, text

    def check_without(self, missing):
        code, text = self.up_and_down(without(*missing))
        needed = [name for name in ("setuid", "setgid", "kill") if name in missing]
        if needed:
            self.assertIn("other failed: cannot run other as nobody: belfry lacks CAP_", text)
            for name in needed:
                self.assertIn(f"CAP_{name.upper()}", text)
        else:
            self.assertIn("other is ready", text)
        self.assertIn("plain is ready", text)
        self.assertEqual(code, 0, text)
        self.assertNotIn("bug", text)

    @ROOT_ONLY
    def test_without_any_of_the_capabilities_it_runs_or_says_why_not(self):
        for count in range(len(CAPABILITIES) + 1):
            for missing in itertools.combinations(CAPABILITIES, count):
                with self.subTest(missing=missing):
                    self.check_without(missing)

    @ROOT_ONLY
    def test_a_service_that_speaks_as_another_user_needs_the_right_to_be_given_a_socket(self):
        services = """
  plain: {command: [sleep, "1000"]}
  other: {command: [sleep, "1000"], user: nobody, ready: notify}
"""
        _, text = self.up_and_down(without("chown"), services)
        self.assertIn("other failed: cannot run other as nobody: belfry lacks CAP_CHOWN", text)

    @ROOT_ONLY
    def test_a_process_that_may_not_be_signalled_is_named_and_ends_no_shutdown(self):
        # It becomes another user by itself: what the file says does not show it.
        services = """
  plain: {command: [sleep, "1000"]}
  other: {command: [setpriv, --reuid=nobody, --clear-groups, sleep, "1000"], stop: {timeout: 500ms}}
"""
        stack = self.stack(services, TOP).start(wrapper=without("kill"))
        stack.output.index_of("services ready")
        self.wait_for_user(stack.services()["other"]["pid"], 65534)
        began = time.monotonic()
        code = stack.stop()
        self.assertLess(time.monotonic() - began, 6)
        self.assertEqual(code, 71, stack.output.text())
        text = stack.output.text()
        self.assertIn("other failed: cannot be killed: ", text)
        self.assertIn("sleep (Operation not permitted: belfry lacks CAP_KILL)", text)

    def wait_for_user(self, pid, uid):
        """Until the process has become this user, and sleep(1)."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                text = file.read()
            if f"\nUid:\t{uid}\t{uid}" in text and text.startswith("Name:\tsleep"):
                return
            os.sched_yield()
        self.fail(text)

    @ROOT_ONLY
    def test_a_request_to_kill_ends_it_at_once_whoever_may_not_be_signalled(self):
        services = """
  plain: {command: [sleep, "1000"]}
  other: {command: [setpriv, --reuid=nobody, --clear-groups, sleep, "1000"], stop: {timeout: 60s}}
"""
        stack = self.stack(services, "shutdown: {timeout: 100s}").start(wrapper=without("kill"))
        stack.output.index_of("services ready")
        self.wait_for_user(stack.services()["other"]["pid"], 65534)
        stack.send(signal.SIGTERM)
        stack.output.index_of("stopping: ")
        began = time.monotonic()
        stack.send(signal.SIGQUIT)
        stack.exit_code()
        self.assertLess(time.monotonic() - began, 3)

    @ROOT_ONLY
    def test_without_proc_what_a_service_leaves_in_its_group_is_killed(self):
        services = """
  plain: {command: [sh, -c, "trap '' TERM; sleep 1000 & trap - TERM; wait"], stop: {timeout: 500ms}}
  other: {command: [sleep, "1000"]}
"""
        no_proc = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc; exec "$@"', "sh")
        code, _ = self.up_and_down(no_proc, services)
        self.assertEqual(code, 0)

    @ROOT_ONLY
    def test_with_a_proc_of_another_namespace_nobody_is_taken_for_somebody_else(self):
        services = """
  plain: {command: [sh, -c, "sleep 1000 & wait"], stop: {timeout: 500ms}}
  other: {command: [sleep, "1000"]}
"""
        stack = self.stack(services, TOP).start(wrapper=("unshare", "--pid", "--fork", "--kill-child"))
        stack.output.index_of("services ready")
        stack.seen |= descendants(stack.process.pid)
        self.assertEqual(stack.cli("shutdown").returncode, 0)  # unshare(1) passes no signal on
        self.assertEqual(stack.exit_code(), 0, stack.output.text())
        self.assertEqual(stack.survivors(), set())

    @ROOT_ONLY
    def test_with_a_folder_that_cannot_be_written_to_it_runs_or_says_why_not(self):
        for folder in ("/run", "/dev/shm", "/tmp"):
            with self.subTest(folder=folder):
                stack = self.stack(SERVICES, TOP)
                script = f'mount -t tmpfs -o ro none {folder} 2>/dev/null || exit 99; exec "$@"'
                kept = []
                if folder == "/tmp":  # the stack's own folder stays, and belfry's, where that is below it as well
                    kept = [stack.path]
                    if os.path.realpath(ROOT).startswith("/tmp/"):
                        kept.append(os.path.realpath(ROOT))
                    script = ('for k; do [ "$k" != -- ] || break; mkdir -p /var/tmp/kept"$k" && mount --bind "$k" /var/tmp/kept"$k"; done; '
                              'mount -t tmpfs none /tmp; '
                              'while [ "$1" != -- ]; do mkdir -p "$1" && mount --bind /var/tmp/kept"$1" "$1"; shift; done; shift; '
                              'mount -o remount,ro,bind /tmp; exec "$@"')
                    kept.append("--")
                stack.start(wrapper=("unshare", "-m", "sh", "-c", script, "sh", *kept), XDG_RUNTIME_DIR="")
                began = time.monotonic()
                first = stack.output.lines[stack.output.index_of("belfry")]
                if "belfry | " in first:
                    stack.output.index_of("services ready")
                    stack.stop()
                else:
                    stack.exit_code()
                self.assertLess(time.monotonic() - began, BOUND)
                text = stack.output.text()
                self.assertTrue("services ready" in text or "cannot " in text, text)
                self.assertNotIn("bug", text)


class Limits(Scenario):
    def test_too_few_descriptors_are_named_with_their_limit(self):
        stack = self.stack(SERVICES, TOP)
        for limit in (6, 12, 24, 40):
            with self.subTest(limit=limit):
                stack.start(wrapper=("prlimit", f"--nofile={limit}:{limit}"))
                self.assertEqual(stack.exit_code(), 71)
                text = stack.output.text()
                self.assertIn("Too many open files (RLIMIT_NOFILE)", text)
                self.assertNotIn("bug", text)
                self.assertNotIn("no such user", text)

    @ROOT_ONLY
    def test_too_few_threads_are_named_with_their_limit(self):
        stack = self.stack("  a: {command: [sleep, '1000']}")
        os.chmod(stack.path, 0o777)
        for limit in (0, 1):
            with self.subTest(limit=limit):
                wrapper = ("setpriv", "--reuid", "54321", "--clear-groups", "prlimit", f"--nproc={limit}")
                stack.start(wrapper=wrapper)
                self.assertEqual(stack.exit_code(), 71)
                self.assertIn("cannot make a second thread: Resource temporarily unavailable", stack.output.text())
                self.assertIn("RLIMIT_NPROC", stack.output.text())

    @ROOT_ONLY
    def test_a_service_for_which_there_is_no_process_names_the_limit(self):
        stack = self.stack("  a: {command: [sleep, '1000']}")
        os.chmod(stack.path, 0o777)
        stack.start(wrapper=("setpriv", "--reuid", "54322", "--clear-groups", "prlimit", "--nproc=2"))
        stack.output.index_of("clone: Resource temporarily unavailable: sleep (the limit of processes and threads")
        self.assertEqual(stack.stop(), 0)
