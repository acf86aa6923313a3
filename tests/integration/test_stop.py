"""A stop that proves itself: what nasty services leave behind is found, named and gone when `stopped` rings.

The same scenarios run for each way of knowing whose a process is: groups and attributed orphans (no cgroup),
a cgroup per service, and a subreaper shim (`isolate` without a cgroup).
"""
import contextlib
import os
import select
import shutil
import signal
import time
import unittest

from harness import PATIENCE, SAMPLE, Scenario, alive, descendants, free_port, until

# Forks for ever, each child in a session of its own; bounded by the limit of processes of its user.
BOMB = """import os
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
"""


def own_cgroup():
    """The directory of this process's cgroup v2 when it may make others below it."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        path = next((line[3:].strip() for line in file if line.startswith("0::")), None)
    for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        place = mount + (path or "/")
        if path and os.path.exists(os.path.join(place, "cgroup.procs")) and os.access(place, os.W_OK):
            return place.rstrip("/")
    return None


def leave_a_stray(stack):
    """Writes leave.sh: it leaves a process in a session of its own, without its environment, output and parent.

    Returns a function that gives the pid, once there is one.
    """
    ready, pid = os.path.join(stack.path, "ready.fifo"), os.path.join(stack.path, "pid.fifo")
    os.mkfifo(ready)
    os.mkfifo(pid)
    with open(os.path.join(stack.path, "leave.sh"), "w", encoding="ascii") as file:
        file.write(f"(env -i setsid /bin/sh {stack.path}/stray.sh </dev/null >/dev/null 2>&1 &)\nread go < {ready}\n")
    with open(os.path.join(stack.path, "stray.sh"), "w", encoding="ascii") as file:
        file.write(f"echo $$ > {pid}\necho go > {ready}\nexec sleep 1000\n")

    def given():
        with open(pid, encoding="ascii") as source:
            return int(source.read())
    return given


def end(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class Nasty:
    """The scenarios; `top` and `extra` say how belfry knows whose a process is."""

    top, extra = "", ""
    shims = 0  # processes that belfry adds to an isolated service

    def up(self, services, *names):
        stack = self.stack(services.replace("$EXTRA", self.extra), top=self.top).start()
        for name in names:
            stack.event(name, "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait(*names), 200)
        return stack

    def stopped(self, stack, name):
        """Stops one service by command; what ran below belfry before and is left now."""
        before = descendants(stack.process.pid)
        told = stack.cli("stop", name)
        self.assertEqual(told.returncode, 0, told.stderr)
        return alive(before)

    def test_double_forked_children_in_sessions_of_their_own_that_ignore_sigterm_are_gone(self):
        stack = self.up("""
  nasty:
    command: $SAMPLE --name nasty --fork 4 --double-fork --setsid --ignore TERM --notify
    ready: notify
    stop: {timeout: 300ms}
    $EXTRA
""", "nasty")
        self.assertGreaterEqual(len(descendants(stack.process.pid)), 5)
        self.assertEqual(self.stopped(stack, "nasty"), set())
        stack.output.index_of("nasty did not stop within")
        self.assert_clean_end(stack)

    def test_a_stopped_process_hears_that_it_should_end(self):
        stack = self.up("  still: {command: $SAMPLE --name still --fork 2 --notify, ready: notify, $EXTRA}".replace(
            ", $EXTRA", ", " + self.extra if self.extra else ""), "still")
        for pid, _ in descendants(stack.process.pid):
            os.kill(pid, signal.SIGSTOP)
        self.assertEqual(self.stopped(stack, "still"), set())
        self.assertTrue(stack.all_events("still", "term"))
        self.assert_clean_end(stack)

    def test_a_tree_of_100_processes_is_killed_whole(self):
        stack = self.up("""
  tree:
    command: $SAMPLE --name tree --fork 100 --setsid --ignore TERM --notify
    ready: notify
    stop: {timeout: 100ms}
    $EXTRA
  calm: {command: $SAMPLE --name calm --notify, ready: notify}
""", "tree", "calm")
        self.assertGreaterEqual(len(descendants(stack.process.pid)), 102)
        calm = stack.services()["calm"]["pid"]
        self.assertEqual(self.stopped(stack, "tree"), {calm})
        self.assert_clean_end(stack)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_fork_bomb_is_ended(self):
        stack = self.stack(f"""
  bomb:
    command: [python3, $DIR/bomb.py]
    user: "64321"
    rlimits: {{nproc: 60}}
    stop: {{timeout: 50ms}}
    {self.extra}
  calm: {{command: $SAMPLE --name calm --notify, ready: notify, depends_on: {{bomb: started}}}}
""", top=self.top)
        with open(os.path.join(stack.path, "bomb.py"), "w", encoding="ascii") as file:
            file.write(BOMB)
        stack.start()
        stack.event("calm", "ready")
        stack.wait_for_control()
        calm = stack.services()["calm"]["pid"]
        until(lambda: len(descendants(stack.process.pid)) >= 60)
        self.assertEqual(stack.cli("stop", "--only", "bomb").returncode, 0)
        self.assertEqual(alive(descendants(stack.process.pid)), {calm})
        self.assert_clean_end(stack)

    def test_two_that_daemonise_side_by_side_are_kept_apart(self):
        stack = self.up("""
  one: {command: $SAMPLE --name one --fork 2 --double-fork --setsid --notify, ready: notify}
  two: {command: $SAMPLE --name two --fork 2 --double-fork --setsid --notify, ready: notify}
""".replace("ready: notify}", "ready: notify" + (", " + self.extra if self.extra else "") + "}"), "one", "two")
        everybody = alive(descendants(stack.process.pid))
        left = self.stopped(stack, "one")
        self.assertEqual(len(everybody) - len(left), 3 + self.shims)
        self.assertIn(stack.services()["two"]["pid"], left)
        self.assert_clean_end(stack)


class ByGroupsAndOrphans(Nasty, Scenario):
    top = "cgroups: off"

    def test_what_nobody_can_attribute_is_named_at_the_end_and_not_killed(self):
        stack = self.stack("""
  shy: {command: $SAMPLE --name shy --notify, ready: notify}
  leaves: {type: oneshot, command: [sh, $DIR/leave.sh], depends_on: [shy]}
""", top=self.top)
        stray = leave_a_stray(stack)
        stack.start()
        pid = stray()
        self.addCleanup(end, pid)
        stack.event("shy", "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait("leaves", condition="completed"), 200)
        self.assertEqual(stack.stop(), 0)
        self.assertIn("belong to nobody", stack.output.text())
        self.assertRegex(stack.output.text(), rf"\b{pid} (sleep|sh)\b")  # a moment before its exec it is still called sh
        self.assertIn(pid, alive(stack.seen))


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root and unshare")
class AsFirstProcess(Scenario):
    def test_what_nobody_can_attribute_is_named_and_ends_with_belfry(self):
        stack = self.stack("""
  shy: {command: $SAMPLE --name shy --notify, ready: notify}
  leaves: {type: oneshot, command: [sh, $DIR/leave.sh], depends_on: [shy]}
""", top="cgroups: off")
        stray = leave_a_stray(stack)
        stack.start(wrapper=("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"))
        pid = stray()  # as it is numbered in there
        stack.event("shy", "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait("leaves", condition="completed"), 200)
        stack.seen |= descendants(stack.process.pid)
        with open(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children", encoding="ascii") as file:
            os.kill(int(file.read().split()[0]), signal.SIGTERM)
        self.assertEqual(stack.exit_code(), 0)
        self.assertIn(f"and end with belfry: {pid} sleep", stack.output.text())
        self.assertGreaterEqual(len(stack.seen), 3)
        self.assertEqual(stack.survivors(), set())


class Exact:
    """What groups and orphans cannot do: a process that left no trace at all is its service's, and goes with it."""

    def test_what_left_session_environment_output_and_parent_behind_is_stopped_with_its_service(self):
        stack = self.stack(f"""
  nasty: {{command: [sh, $DIR/leave.sh], stop: {{timeout: 5s}}, restart: "no", {self.extra or "essential: false"}}}
  calm: {{command: $SAMPLE --name calm --notify, ready: notify, depends_on: {{nosy: ready}}}}
  nosy: {{command: $SAMPLE --name nosy --notify, ready: notify}}
""", top=self.top)
        stray = leave_a_stray(stack)
        stack.start()
        pid = stray()
        self.addCleanup(end, pid)
        stack.event("calm", "ready")
        stack.wait_for_control()
        self.assertEqual(stack.wait("nasty", condition="stopped"), 200)  # its process has exited: the rest is asked
        self.assertNotIn(pid, alive(descendants(stack.process.pid)))
        self.assert_clean_end(stack)
        self.assertNotIn("belong to nobody", stack.output.text())


@unittest.skipUnless(own_cgroup(), "needs a writable cgroup v2")
class ByCgroup(Nasty, Exact, Scenario):
    top = "cgroups: all"

    def leaf(self, stack, service):
        return f"{own_cgroup()}/belfry-test-{stack.process.pid}/service-{service}"

    def test_a_service_is_in_its_leaf_and_the_leaf_is_gone_with_it(self):
        stack = self.up("  a: {command: $SAMPLE --name a --fork 1 --notify, ready: notify}", "a")
        with open(self.leaf(stack, "a") + "/cgroup.procs", encoding="ascii") as file:
            inside = {int(pid) for pid in file}
        self.assertEqual(inside, {pid for pid, _ in descendants(stack.process.pid)})
        self.assertEqual(self.stopped(stack, "a"), set())
        self.assertFalse(os.path.exists(self.leaf(stack, "a")))
        self.assert_clean_end(stack)
        self.assertFalse(os.path.exists(os.path.dirname(self.leaf(stack, "a"))))

    def test_a_restart_takes_the_same_leaf_again(self):
        stack = self.up("  a: {command: $SAMPLE --name a --notify, ready: notify, restart: {delay: 1ms}}", "a")
        first = stack.services()["a"]["pid"]
        after = len(stack.events)
        os.kill(first, signal.SIGKILL)
        stack.event("a", "ready", after)
        self.assertEqual(stack.wait("a"), 200)
        with open(self.leaf(stack, "a") + "/cgroup.procs", encoding="ascii") as file:
            self.assertEqual(file.read().split(), [str(stack.services()["a"]["pid"])])
        self.assert_clean_end(stack)

    def test_limits_that_cannot_be_applied_are_said_and_the_service_runs(self):
        with open(own_cgroup() + "/cgroup.controllers", encoding="ascii") as file:
            if "memory" in file.read():
                self.skipTest("the memory controller is here")
        stack = self.up("  a: {command: $SAMPLE --name a --notify, ready: notify, cgroup: {memory_max: 64MiB}}", "a")
        stack.output.index_of("cannot apply `cgroup` of a, running without: the memory controller")
        self.assert_clean_end(stack)


class ByShim(Nasty, Exact, Scenario):
    top, extra, shims = "cgroups: off", "isolate: true", 1

    @staticmethod
    def is_named(pid, name):
        """Asks until it is so: the service may run before its shim has come to its own main()."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if file.read() == name + "\n":
                    return True
        return False

    def test_status_restart_and_logs_are_those_of_the_service_itself(self):
        stack = self.up("""
  a: {command: $SAMPLE --name a --notify --log-lines 2, ready: notify, restart: {delay: 1ms}, isolate: true}
  failing: {type: oneshot, command: [sh, -c, "exit 9"], isolate: true}
""", "a")
        stack.output.index_of("a | line 2 of 2")
        pid = stack.services()["a"]["pid"]
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            shim = int(file.read().rsplit(")", 1)[1].split()[1])
        self.assertTrue(self.is_named(shim, "belfry-shim"))
        self.assertEqual(stack.wait("failing", condition="completed"), 424)
        self.assertIn("exited with code 9", stack.services()["failing"]["last_error"])
        after = len(stack.events)
        os.kill(pid, signal.SIGKILL)
        stack.event("a", "ready", after)
        self.assertEqual(stack.wait("a"), 200)
        self.assertNotEqual(stack.services()["a"]["pid"], pid)
        self.assertFalse(alive({(shim, 0)}))
        self.assert_clean_end(stack)

    def test_a_port_that_a_daemonised_child_listens_on_rings_the_bell(self):
        port = free_port()
        stack = self.stack(f"""
  a:
    command: [sh, -c, "(env -i PATH=$PATH setsid {SAMPLE} --name b --trace $TRACE --port {port} &); exec sleep 1000"]
    ready: {{port: {port}}}
    isolate: true
""", top=self.top).start()
        stack.event("b", "listening")
        stack.wait_for_control()
        self.assertEqual(stack.wait("a"), 200)
        self.assert_clean_end(stack)

    def test_nobody_is_left_when_belfry_itself_is_killed(self):
        stack = self.stack(f"""
  nasty: {{command: [sh, -c, "sh $DIR/leave.sh; exec sleep 1000"], isolate: true}}
""", top=self.top)
        stray = leave_a_stray(stack)
        stack.start()
        pid = stray()
        self.addCleanup(end, pid)
        waited = os.pidfd_open(pid)
        stack.process.kill()
        self.assertTrue(select.select([waited], [], [], PATIENCE)[0])
        os.close(waited)
