"""belfry as a unit of a real systemd, which is PID 1 of namespaces of its own over this machine's own files.

What is written there goes to memory; the folder of a stack and the programs that are tested are shared. Nothing of this machine's
systemd, if it has one, is asked or changed: there is a cgroup for it all, which the other systemd takes for the whole tree.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import BELFRY, PATIENCE, SAMPLE, Output, Scenario, alive, descendants, until
from test_guard import guard_of, wait_for_end
from test_stop import own_cgroup

SYSTEMD = "/lib/systemd/systemd"
WITHIN = 1  # second
KILL_MODES = ("control-group", "mixed", "process", "none")

# Arguments: a folder for the new root, then the folders that are shared. The units are in the first of these.
BOOT = r"""
set -e
place=$1; shift
mount --make-rprivate /
mount -t tmpfs tmpfs "$place"
mkdir "$place/up" "$place/work" "$place/root"
root=$place/root
mount -t overlay -o lowerdir=/,upperdir="$place/up",workdir="$place/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
umount -R "$root/sys/fs/cgroup" 2>/dev/null || true
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do : >"$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
mkdir "$root/dev/pts" "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
for folder in "$@"; do mkdir -p "$root$folder"; mount --rbind "$folder" "$root$folder"; done
rm -rf "$root/etc/systemd/system" && mkdir -p "$root/etc/systemd/system"
cp "$1"/*.service "$root/etc/systemd/system"
: >"$root/dev/console" && mount --bind "$1/console" "$root/dev/console"
cd "$root" && mkdir -p mnt && pivot_root . mnt && umount -l /mnt
wants=$(cd /etc/systemd/system && ls *.service | tr '\n' ' ')
printf '[Unit]\nDefaultDependencies=no\nWants=%s\n' "$wants" >/etc/systemd/system/all.target
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console --log-level=warning --unit=all.target
"""


def may_run():
    return os.geteuid() == 0 and os.path.exists(SYSTEMD) and shutil.which("unshare") and own_cgroup()


class Machine:
    """A systemd with one unit for each stack."""

    def __init__(self, test, stacks):
        self.place = tempfile.mkdtemp(prefix="belfry-root-")
        self.folder = tempfile.mkdtemp(prefix="belfry-units-")
        self.cgroup = os.path.join(own_cgroup(), f"belfry-systemd-{os.getpid()}")
        test.addCleanup(self.close)
        with open(os.path.join(self.folder, "console"), "w", encoding="ascii"):
            pass
        for name, (stack, settings) in stacks.items():
            with open(os.path.join(self.folder, name + ".service"), "w", encoding="ascii") as file:
                file.write("[Unit]\nDefaultDependencies=no\n[Service]\nType=notify\nNotifyAccess=main\nDelegate=yes\n"
                           f"ExecStart={BELFRY} run -c {stack.file}\nEnvironment=XDG_STATE_HOME={stack.path} XDG_RUNTIME_DIR={stack.path}\n"
                           f"TimeoutStopSec=30s\nStandardOutput=append:/dev/console\nStandardError=inherit\n{settings}\n")
        shared = [self.folder, os.path.dirname(BELFRY), os.path.dirname(SAMPLE), *(stack.path for stack, _ in stacks.values())]
        os.mkdir(self.cgroup)
        enter = 'echo $$ > "$0/cgroup.procs"; exec unshare --pid --fork --kill-child --mount --uts --ipc --net --cgroup sh -c "$@"'
        self.process = subprocess.Popen(["sh", "-c", enter, self.cgroup, BOOT, "boot", self.place, *shared], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.output = Output(self.process.stdout)

    def first(self):
        """systemd's own number here."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return file.read().split()[0]

    def systemctl(self, *words):
        return subprocess.run(["nsenter", "-t", self.first(), "--all", "systemctl", *words], stdin=subprocess.DEVNULL, timeout=PATIENCE,
                              capture_output=True, text=True, check=False)

    def show(self, unit, name):
        return self.systemctl("show", "--value", "-p", name, unit).stdout.strip()

    def console(self):
        with open(os.path.join(self.folder, "console"), encoding="ascii", errors="replace") as file:
            return file.read() + self.output.text()

    def belfry_of(self, stack):
        """The number of the stack's belfry here."""
        def look():
            for pid, _ in descendants(self.process.pid):
                with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                    words = file.read().split("\0")
                    if stack.file in words and words[0] == BELFRY:
                        return pid
            return None
        return until(look)

    def close(self):
        everybody = descendants(self.process.pid)
        self.process.kill()  # and the kernel the rest, with the first process of their namespace
        self.process.wait()
        wait_for_end(everybody, PATIENCE)
        self.output.thread.join(PATIENCE)
        self.process.stdout.close()
        for folder, _, _ in os.walk(self.cgroup, topdown=False):
            os.rmdir(folder)
        for folder in (self.place, self.folder):
            shutil.rmtree(folder)


@unittest.skipUnless(may_run(), "needs root, systemd, unshare and a writable cgroup v2")
class Unit(Scenario):
    # What a KillMode alone would leave behind: who ignores SIGTERM, who has a session of its own, who is nobody's child.
    SERVICES = """
  db: {command: $SAMPLE --name db --fork 2 --double-fork --setsid --ignore TERM --notify, ready: notify, stop: {timeout: 300ms}}
  api: {command: $SAMPLE --name api --fork 1 --setsid --notify, ready: notify, depends_on: [db]}
"""

    def machine(self, **settings):
        stacks = {name: (self.stack(self.SERVICES, name=name), lines) for name, lines in settings.items()}
        machine = Machine(self, stacks)
        for name, (stack, _) in stacks.items():
            stack.output = machine.output
            self.addCleanup(setattr, stack, "output", None)  # it is not the stack's to close
            stack.event("api", "ready")
            until(lambda name=name: machine.show(name, "ActiveState") == "active")
        return machine, {name: stack for name, (stack, _) in stacks.items()}

    def test_a_killed_belfry_leaves_nobody_whatever_the_kill_mode(self):
        machine, stacks = self.machine(**{mode.replace("-", "_"): f"KillMode={mode}" for mode in KILL_MODES})
        for name, stack in stacks.items():
            with self.subTest(kill_mode=name):
                belfry = machine.belfry_of(stack)
                guard = guard_of(belfry)
                self.assertIsNotNone(guard)
                self.assertEqual(machine.show(name, "MainPID"), self.number_inside(belfry))
                below = descendants(belfry)
                self.assertGreaterEqual(len(below), 5)
                os.kill(belfry, signal.SIGKILL)
                self.assertTrue(wait_for_end([belfry, *below], WITHIN), f"left: {below}")
                self.assertTrue(wait_for_end([guard], PATIENCE))
                until(lambda name=name: machine.show(name, "ActiveState") == "failed")
                self.assertEqual(machine.show(name, "Result"), "signal", machine.console())

    def test_an_orderly_stop_takes_the_guard_along_whatever_the_kill_mode(self):
        machine, stacks = self.machine(**{mode.replace("-", "_"): f"KillMode={mode}" for mode in ("mixed", "process")})
        for name, stack in stacks.items():
            with self.subTest(kill_mode=name):
                belfry = machine.belfry_of(stack)
                everybody = descendants(belfry)
                guard = guard_of(belfry)
                self.assertEqual(machine.systemctl("stop", name).returncode, 0, machine.console())
                self.assertEqual(machine.show(name, "Result"), "success", machine.console())
                self.assertTrue(wait_for_end([guard], WITHIN))
                self.assertEqual(alive(everybody), set())
                stack.event("api", "term")
                self.assertRegex(machine.console(), r"db did not stop within \d+ ms: killed")

    def test_a_unit_that_is_started_again_is_not_hurt_by_the_guard_of_the_first(self):
        machine, stacks = self.machine(again="KillMode=process\nRestart=always\nRestartSec=0")
        stack = stacks["again"]
        first = machine.belfry_of(stack)
        guard, below = guard_of(first), descendants(first)
        after = len(stack.all_events())
        os.kill(first, signal.SIGKILL)
        self.assertTrue(wait_for_end([first, guard, *below], PATIENCE))
        stack.event("api", "ready", after)
        until(lambda: machine.show("again", "ActiveState") == "active")
        second = machine.belfry_of(stack)
        self.assertNotIn(second, (first, guard))
        self.assertGreaterEqual(len(alive(descendants(second))), 5)
        self.assertEqual(machine.show("again", "NRestarts"), "1", machine.console())

    @staticmethod
    def number_inside(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return next(line.split()[-1] for line in file if line.startswith("NSpid:"))


if __name__ == "__main__":
    unittest.main()
