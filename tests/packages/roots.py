"""Roots of Debian 12 to install packages in, and a real systemd that is PID 1 of one.

A root is an overlay: below, what debootstrap has made; above, what a test writes, which is gone afterwards. Nothing of this machine's
package database or systemd is asked or changed.
"""
import contextlib
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "tests/integration"))

from harness import PATIENCE, descendants, until  # noqa: E402: the folder has to be known first
from test_guard import wait_for_end  # noqa: E402
from test_stop import own_cgroup  # noqa: E402

MIRROR = os.environ.get("BELFRY_DEBIAN_MIRROR", "http://deb.debian.org/debian")
INCLUDED = "systemd,dbus,dbus-user-session,libpam-systemd"
OUT = os.environ.get("BELFRY_PACKAGES", os.path.join(ROOT, "build/packages"))
PATHS = {"HOME": "/root", "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
LONG = 600  # seconds for what fetches packages


def package(pattern):
    """The one file of the packages that are tested that is called so."""
    found, = glob.glob(os.path.join(OUT, pattern))
    return found


def base():
    """Debian 12's smallest system, and systemd: made once, kept in build/."""
    folder = os.environ.get("BELFRY_ROOT", os.path.join(ROOT, "build/debian-12"))
    if not os.path.exists(folder + "/etc/debian_version"):
        subprocess.run(["debootstrap", "--variant=minbase", "--include=" + INCLUDED, "bookworm", folder + ".new", MIRROR], check=True,
                       stdout=subprocess.DEVNULL)
        os.rename(folder + ".new", folder)
    return folder


class Tree:
    """An overlay over `below`, the topmost first."""

    def __init__(self, test, *below):
        self.place = tempfile.mkdtemp(prefix="belfry-tree-", dir="/var/tmp")
        test.addClassCleanup(self.close) if isinstance(test, type) else test.addCleanup(self.close)
        self.upper, self.root = self.place + "/upper", self.place + "/root"
        for folder in (self.upper, self.root, self.place + "/work"):
            os.mkdir(folder)
        below = below or (base(),)
        self.layers = (self.upper, *below)
        subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={':'.join(below)},upperdir={self.upper},workdir={self.place}/work", "overlay", self.root], check=True)
        for kind in ("proc", "dev"):
            os.makedirs(f"{self.root}/{kind}", exist_ok=True)
        subprocess.run(["mount", "-t", "proc", "proc", self.root + "/proc"], check=True)
        subprocess.run(["mount", "--rbind", "/dev", self.root + "/dev"], check=True)
        subprocess.run(["mount", "--make-rslave", self.root + "/dev"], check=True)
        self.write("/etc/apt/sources.list", f"deb {MIRROR} bookworm main\n")
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
        os.chmod(self.root + "/usr/sbin/policy-rc.d", 0o755)
        for name in ("/etc/resolv.conf", "/etc/hosts"):
            with contextlib.suppress(OSError):
                shutil.copy(name, self.root + name)
        for path in glob.glob("/etc/apt/apt.conf.d/*prox*"):
            shutil.copy(path, self.root + path)

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w", encoding="utf-8") as file:
            file.write(text)

    def bring(self, path, name=None):
        """A file of this machine, into /root of that one."""
        there = "/root/" + (name or os.path.basename(path))
        shutil.copy(path, self.root + there)
        return there

    def run(self, *words, check=True):
        done = subprocess.run(["chroot", self.root, "/usr/bin/env", "-i", *(f"{name}={value}" for name, value in PATHS.items()), *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=LONG, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def apt(self, *words):
        return self.run("apt-get", "-y", "-q", "--no-install-recommends", "-o", "Acquire::Retries=3", *words)

    def paths(self):
        """Every path, but for what apt, dpkg and the loader keep for themselves."""
        own = ("/proc", "/dev", "/sys", "/run", "/tmp", "/root", "/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/var/log", "/etc/ld.so.cache")
        found = set()
        for folder, folders, names in os.walk(self.root):
            inside = folder[len(self.root):] or "/"
            folders[:] = [name for name in folders if os.path.join(inside, name) not in own]
            found |= {os.path.join(inside, name) for name in (*folders, *names) if os.path.join(inside, name) not in own}
        return found

    def close(self):
        for name in ("/dev", "/proc", ""):
            subprocess.run(["umount", "--recursive", "--lazy", self.root + name], check=False, capture_output=True)
        shutil.rmtree(self.place)


# Arguments: the root, the folder that is /host there.
BOOT = r"""
set -e
root=$1; host=$2
mount --make-rprivate /
umount -R "$root/dev" "$root/proc" 2>/dev/null || true
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
umount -R "$root/sys/fs/cgroup" 2>/dev/null || true
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do : >"$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts" && ln -s pts/ptmx "$root/dev/ptmx"
ln -sf /dev/null "$root/etc/systemd/system/console-getty.service"
ln -s /proc/self/fd "$root/dev/fd"
mkdir -p "$root/host" && mount --bind "$host" "$root/host"
: >"$root/dev/console" && mount --bind "$host/console" "$root/dev/console"
ip link set lo up
cd "$root" && mkdir -p mnt && pivot_root . mnt && umount -l /mnt
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal --log-level=info
"""


def why_no_machine():
    """Why there can be no systemd of its own here, said loudly once; nothing where there can."""
    namespaces = ("unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--net", "--cgroup")
    done = subprocess.run([*namespaces, "mount", "-t", "proc", "proc", "/proc"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    why = f"namespaces are forbidden here: {done.stderr.strip()}"
    print(f"\n{'!' * 100}\nNOT TESTED, a real systemd: {why}\n{'!' * 100}", file=sys.stderr, flush=True)
    return why


class Machine:
    """A systemd as PID 1 of a tree, in namespaces and a cgroup of its own. `host` is a folder that is /host there."""

    def __init__(self, test, tree):
        self.host = tempfile.mkdtemp(prefix="belfry-host-")
        os.chmod(self.host, 0o777)
        open(self.host + "/console", "w", encoding="ascii").close()
        tree.run("rm", "-f", "/usr/sbin/policy-rc.d")
        self.cgroup = os.path.join(own_cgroup(), f"belfry-machine-{os.getpid()}-{os.path.basename(tree.place)}")
        os.mkdir(self.cgroup)
        enter = 'echo $$ > "$0/cgroup.procs"; exec unshare --pid --fork --kill-child --mount --uts --ipc --net --cgroup sh -c "$@"'
        self.output = open(self.host + "/boot", "w", encoding="utf-8")
        self.process = subprocess.Popen(["sh", "-c", enter, self.cgroup, BOOT, "boot", tree.root, self.host],
                                        stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output)
        test.addClassCleanup(self.close) if isinstance(test, type) else test.addCleanup(self.close)
        until(lambda: self.process.poll() is not None or self.run("test", "-S", "/run/systemd/private", check=False).returncode == 0)
        self.run("systemctl", "is-system-running", "--wait", check=False)  # `degraded`, where a namespace may not do all that a machine may

    def first(self):
        """systemd's own number here; none, before it is there."""
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
                return (file.read().split() or ["0"])[0]
        except OSError:
            return "0"

    def words(self, *words, user=None):
        """What runs these words there."""
        becoming = ["runuser", "-u", user, "--", "env", "XDG_RUNTIME_DIR=/run/user/" + self.uid(user)] if user else []
        return ["nsenter", "-t", self.first(), "--all", "/usr/bin/env", "-i", *(f"{name}={value}" for name, value in PATHS.items()), *becoming, *words]

    def run(self, *words, check=True, user=None):
        done = subprocess.run(self.words(*words, user=user),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=2 * PATIENCE, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.journal()[-6000:]}")
        return done

    def uid(self, user):
        return self.run("id", "-u", user).stdout.strip()

    def show(self, unit, name, user=None):
        return self.run("systemctl", *(["--user"] if user else []), "show", "--value", "-p", name, unit, user=user).stdout.strip()

    def journal(self):
        """What systemd and the units have said; what there is of it when it is asked before there is a journal."""
        with open(self.host + "/console", encoding="utf-8", errors="replace") as file:
            return file.read() + self.run("journalctl", "--quiet", "--no-pager", "--lines=200", check=False).stdout

    def close(self):
        everybody = [pid for pid, _ in descendants(self.process.pid)]
        self.process.kill()  # and the kernel the rest, with the first process of their namespace
        self.process.wait()
        self.output.close()
        wait_for_end(everybody, PATIENCE)
        for folder, _, _ in os.walk(self.cgroup, topdown=False):
            os.rmdir(folder)
        shutil.rmtree(self.host)
