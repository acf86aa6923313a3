"""Who is measured: how each manager is told of the same graph, started and stopped.

Each has the configuration that is best for it here: nobody writes logs, nobody starts a shell where it can do without,
and what can be prepared before the start is prepared before the clock runs. What a manager cannot express it is not
asked for: `orders`, `hears_readiness` and `stops_in_order` say so, and the table marks it.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import stacks  # noqa: E402
from namespaces import Namespaces  # noqa: E402

# supervisord wants to be told that it is root on purpose, and cannot become root otherwise.
ROOT_ONLY = "user=root\n" if os.geteuid() == 0 else ""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def which(program):
    return shutil.which(program, path=PATH)


def first_number(text):
    """The version in what a program says of itself, or in the version of a package."""
    found = re.search(r"\d+(?:\.\d+)*", text)
    return found.group(0) if found else "?"


def said_by(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def package_version(package):
    """For programs that do not tell it themselves."""
    return said_by("dpkg-query", "-W", "-f", "${Version}", package) if which("dpkg-query") else ""


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path, mode)


def write_script(path, argv):
    """A script that the kernel turns into the service without an interpreter between."""
    write(path, f"#!{argv[0]} {' '.join(argv[1:])}\n", 0o755)


class Manager:
    """What all have in common. `tick` is the last word of the tick's arguments: how it says that it is ready."""

    name = package = program = ""
    where = ": deploy/install-deps peers"
    orders = hears_readiness = stops_in_order = True
    tick = "notify"

    def __init__(self, program=None):
        self.program = program or which(self.program)

    def why_not(self):
        """Why it is not measured, or nothing."""
        return None if self.program else f"{self.name} is not installed{self.where}"

    def version(self):
        return first_number(package_version(self.package))

    def write(self, folder, graph, argv_of):
        raise NotImplementedError

    def command(self, folder):
        raise NotImplementedError

    def environment(self, folder):
        return {"PATH": PATH, "HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": folder}

    def stop(self, pid, _folder):
        os.kill(pid, signal.SIGTERM)

    def close(self):
        """Gives back what was made for all runs."""


class Floor(Manager):
    """The C program of bench/floor: the least that starts and stops in order."""

    name = "floor"

    def version(self):
        return ""

    def write(self, folder, graph, argv_of):
        stacks.write_floor_graph(f"{folder}/graph", graph, argv_of)

    def command(self, folder):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{folder}/notify")
        return [self.program, f"{folder}/graph", folder]


class Belfry(Manager):
    name = "belfry"

    def version(self):
        return first_number(said_by(self.program, "version"))

    def write(self, folder, graph, argv_of):
        stacks.write_belfry_file(f"{folder}/belfry.yaml", graph, argv_of, f"{folder}/control")

    def command(self, folder):
        return [self.program, "run", "-c", f"{folder}/belfry.yaml"]


class Dinit(Manager):
    """Chains of more than 32 are refused by it."""

    name = program = "dinit"
    where = ", and not in Debian 12"
    tick = "3"

    def version(self):
        return first_number(said_by(self.program, "--version"))

    def write(self, folder, graph, argv_of):
        os.makedirs(f"{folder}/dinit.d", exist_ok=True)
        for i, needs in enumerate(graph):
            write(f"{folder}/dinit.d/s{i}", f"type = process\ncommand = {' '.join(argv_of(i))}\nrestart = no\n"
                  "ready-notification = pipefd:3\n" + "".join(f"depends-on = s{d}\n" for d in needs))
        write(f"{folder}/dinit.d/all", "type = internal\n" + "".join(f"depends-on = s{i}\n" for i in range(len(graph))))

    def command(self, folder):
        return [self.program, "--user", "--quiet", "-d", f"{folder}/dinit.d", "-p", f"{folder}/control", "all"]


class Systemd(Manager):
    """A manager of a user, in a mount namespace in which systemd believes to have booted and a cgroup of its own.

    Nothing of this machine's systemd, if it has one, is asked or changed.
    """

    name, program = "systemd", "/lib/systemd/systemd"

    def __init__(self):
        super().__init__()
        self.namespaces = None

    def why_not(self):
        return super().why_not() or Namespaces.why_not()

    def version(self):
        return first_number(said_by(self.program, "--version"))

    def write(self, folder, graph, argv_of):
        os.makedirs(f"{folder}/units", exist_ok=True)
        for i, needs in enumerate(graph):
            names = " ".join(f"s{d}.service" for d in needs)
            edges = f"Requires={names}\nAfter={names}\n" if needs else ""
            write(f"{folder}/units/s{i}.service", "[Unit]\nDefaultDependencies=no\nConflicts=shutdown.target\nBefore=shutdown.target\n"
                  f"{edges}[Service]\nType=notify\nExecStart={' '.join(argv_of(i))}\nStandardOutput=null\nStandardError=null\n")
        wanted = " ".join(f"s{i}.service" for i in range(len(graph)))
        write(f"{folder}/units/all.target", f"[Unit]\nDefaultDependencies=no\nWants={wanted}\n")

    def command(self, folder):
        if self.namespaces is None:
            self.namespaces = Namespaces()
        return self.namespaces.enter([self.program, "--user", "--unit=all.target", "--log-target=null"])

    def environment(self, folder):
        return {**super().environment(folder), "SYSTEMD_UNIT_PATH": f"{folder}/units:/usr/lib/systemd/user"}

    def close(self):
        if self.namespaces is not None:
            self.namespaces.close()


class S6(Manager):
    """s6 without s6-rc, which Debian 12 does not have: a service's script waits for those before it (s6-svwait -U), as an
    event. A stop asks all at once. It can wait only for a service whose supervisor has been there once, so that the first
    start of all is slower than any later one; nobody's first start is counted."""

    name = package = "s6"
    program, tick = "s6-svscan", "3"
    stops_in_order = False

    def write(self, folder, graph, argv_of):
        for i, needs in enumerate(graph):
            place = f"{folder}/scan/s{i}"
            os.makedirs(place, exist_ok=True)
            write(f"{place}/notification-fd", "3\n")
            if needs:
                waiting = " ".join(f"../s{d}" for d in needs)
                write(f"{place}/run", f"#!/bin/sh\ns6-svwait -U {waiting} && exec {' '.join(argv_of(i))}\n", 0o755)
            else:
                write_script(f"{place}/run", argv_of(i))

    def command(self, folder):
        return [self.program, "-c", str(len(os.listdir(f"{folder}/scan")) + 8), f"{folder}/scan"]


class Runit(Manager):
    """It knows no order and no readiness; `sv start` in a script asks again and again, and is not used here."""

    name = package = "runit"
    program, tick = "runsvdir", "none"
    orders = hears_readiness = stops_in_order = False

    def write(self, folder, graph, argv_of):
        for i in range(len(graph)):
            os.makedirs(f"{folder}/service/s{i}", exist_ok=True)
            write_script(f"{folder}/service/s{i}/run", argv_of(i))

    def command(self, folder):
        return [self.program, f"{folder}/service"]

    def stop(self, pid, _folder):
        os.kill(pid, signal.SIGHUP)  # SIGTERM would leave all of them behind


class Supervisord(Manager):
    """It knows no readiness, and an order of starts that waits for nobody: all are one group here, which is its quickest."""

    name, program, package, tick = "supervisord", "supervisord", "supervisor", "none"
    orders = hears_readiness = stops_in_order = False

    def version(self):
        return first_number(said_by(self.program, "--version"))

    def write(self, folder, graph, argv_of):
        argv = ["%(process_num)d" if word == "0" and i == 2 else word for i, word in enumerate(argv_of(0))]
        write(f"{folder}/supervisord.conf", f"""[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={folder}/supervisord.pid
childlogdir={folder}
minfds={4 * len(graph) + 200}
{ROOT_ONLY}
[program:s]
command={' '.join(argv)}
process_name=%(process_num)d
numprocs={len(graph)}
startsecs=0
autorestart=false
stdout_logfile=NONE
stderr_logfile=NONE
""")

    def command(self, folder):
        return [self.program, "-c", f"{folder}/supervisord.conf"]


def everybody(floor, belfry):
    return [Floor(floor), Belfry(belfry), Dinit(), Systemd(), S6(), Supervisord(), Runit()]
