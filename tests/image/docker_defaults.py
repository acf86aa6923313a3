"""What Docker gives a container unless it is told otherwise, as an OCI runtime wants to hear it.

The list of system calls is not written down here: it is Docker's own file, out of Debian's package of Docker's sources.
"""
import glob
import json
import os
import platform
import subprocess

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CAPABILITIES = ["CAP_" + name for name in (
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE",
    "SYS_CHROOT", "KILL", "AUDIT_WRITE")]
# The same as /proc/PID/status shows them.
CAPABILITY_BITS = 0xa80425fb
MASKED = ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
          "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
INIT = ("/usr/bin/tini-static", "/sbin/docker-init")  # `--init`: Docker brings tini along under this name
SYSCTLS = {"net.ipv4.ip_unprivileged_port_start": "0"}
PACKAGE, PROFILE = "golang-github-docker-docker-dev", "profiles/seccomp/default.json"


def mount(source, where, kind, *options):
    return {"source": source, "destination": where, "type": kind, "options": list(options)}


MOUNTS = [
    mount("proc", "/proc", "proc", "nosuid", "noexec", "nodev"),
    mount("tmpfs", "/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    mount("devpts", "/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
    mount("sysfs", "/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
    mount("cgroup", "/sys/fs/cgroup", "cgroup", "ro", "nosuid", "noexec", "nodev"),
    mount("mqueue", "/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    mount("shm", "/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
]


def tmpfs(where):
    """`docker run --tmpfs WHERE`."""
    return mount("tmpfs", where, "tmpfs", "noexec", "nosuid", "nodev", "mode=1777", "size=65536k")


def fetch_profile(place):
    """The path of Docker's default profile; the first time it comes from Debian's mirror."""
    path = os.path.join(place, "seccomp.json")
    if not os.path.exists(path):
        subprocess.run(["apt-get", "-qq", "download", PACKAGE], cwd=place, check=True)
        [package] = glob.glob(os.path.join(place, f"{PACKAGE}_*.deb"))
        files = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout
        text = subprocess.run(["tar", "-xOf", "-", "--wildcards", f"*/docker/docker/{PROFILE}"], input=files, check=True, capture_output=True).stdout
        os.remove(package)
        with open(path, "wb") as file:
            file.write(text)
    return path


def kernel():
    return tuple(int(number) for number in platform.release().split("-")[0].split(".")[:2])


def applies(rule, capabilities, architecture):
    """Whether a rule of the profile holds for a container with these capabilities on this machine."""
    wants, unless = rule.get("includes", {}), rule.get("excludes", {})
    if "arches" in wants and architecture not in wants["arches"]:
        return False
    if "minKernel" in wants and kernel() < tuple(map(int, wants["minKernel"].split("."))):
        return False
    return (all(one in capabilities for one in wants.get("caps", ())) and architecture not in unless.get("arches", ())
            and not any(one in capabilities for one in unless.get("caps", ())))


def seccomp(profile, capabilities, machine=None):
    """The profile's rules for these capabilities, in the words of the OCI specification."""
    with open(profile, encoding="utf-8") as file:
        told = json.load(file)
    machine = machine or platform.machine()
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[machine]
    [native] = [one for one in told["archMap"] if one["architecture"] == f"SCMP_ARCH_{machine.upper()}"]
    rules = []
    for rule in told["syscalls"]:
        if applies(rule, capabilities, architecture):
            rules.append({"names": rule["names"], "action": rule["action"],
                          **{key: rule[key] for key in ("args", "errnoRet") if rule.get(key)}})
    return {"defaultAction": told["defaultAction"], "defaultErrnoRet": told.get("defaultErrnoRet", 1),
            "architectures": [native["architecture"], *(native.get("subArchitectures") or [])], "syscalls": rules}
