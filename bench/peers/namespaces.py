"""Where a systemd can run as a manager of a user on a machine that has not booted with it.

A mount namespace of its own, with what systemd looks for in /run, no generators and no accounting, and a cgroup of its
own that it takes for the whole tree. It is made once; each run enters it.
"""
import os
import shutil
import subprocess

PREPARE = r"""
set -e
mount --make-rprivate /
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/system
for folder in /usr/lib/systemd/user-generators /usr/lib/systemd/user-environment-generators; do
  [ ! -d "$folder" ] || mount -t tmpfs -o mode=755 tmpfs "$folder"
done
mount -t tmpfs -o mode=755 tmpfs /etc/systemd
printf '[Manager]\nDefaultCPUAccounting=no\nDefaultMemoryAccounting=no\nDefaultTasksAccounting=no\n' >/etc/systemd/user.conf
echo ready
exec cat
"""


def cgroup_of(text):
    """Of /proc/self/cgroup: one's place in the tree of version 2, if there is one."""
    return next((line[3:] for line in text.splitlines() if line.startswith("0::")), None)


def own_cgroup():
    """The folder of the cgroup (version 2) that this process is in, if it may make others in it."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        place = cgroup_of(file.read())
    if place is None:
        return None
    mounted = "/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup"
    folder = mounted + place.rstrip("/")
    return folder if os.access(folder, os.W_OK) else None


class Namespaces:
    @staticmethod
    def why_not():
        if os.geteuid() != 0:
            return "systemd needs root here: it gets namespaces and a cgroup of its own"
        if not shutil.which("unshare") or not shutil.which("nsenter") or own_cgroup() is None:
            return "systemd needs unshare, nsenter and a writable cgroup of version 2"
        return None

    def __init__(self):
        self.cgroup = os.path.join(own_cgroup(), f"belfry-peers-{os.getpid()}")
        os.mkdir(self.cgroup)
        enter = 'echo $$ >"$0/cgroup.procs"; exec unshare --mount --cgroup sh -c "$1"'
        holder = subprocess.Popen(["sh", "-c", enter, self.cgroup, PREPARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if holder.stdout.readline() != "ready\n":
            raise SystemExit("cannot make a namespace for systemd")
        # The namespaces live as long as these are open; whoever made them is not needed any more.
        self.open = [os.open(f"/proc/{holder.pid}/ns/{kind}", os.O_RDONLY) for kind in ("mnt", "cgroup")]
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
        for fd in self.open:
            os.set_inheritable(fd, True)

    def enter(self, argv):
        """The command that runs argv there. A user's manager believes that all its services are the user; with this mask,
        PostgreSQL, who is not root, can tell it that he is ready, as he can tell the one of the system."""
        mount, cgroup = self.open
        script = (f'umask 0; echo $$ >"$0/cgroup.procs"; exec nsenter --mount=/proc/self/fd/{mount} --cgroup=/proc/self/fd/{cgroup} '
                  '--wd=/ -- "$@"')
        return ["/bin/sh", "-c", script, self.cgroup, *argv]

    def close(self):
        for fd in self.open:
            os.close(fd)
        for folder, _, _ in os.walk(self.cgroup, topdown=False):
            os.rmdir(folder)
