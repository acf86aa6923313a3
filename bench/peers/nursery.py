"""A place in which a manager is started, looked at and taken down, with everything below it.

Whoever starts a manager here becomes the parent of all that the manager leaves behind, so that "stopped" means the
same of everybody: no process of it is left. Processor time is that of the manager, its helpers and its services
together, because managers that are made of many small programs cannot be told from their parts in another way.
"""
import ctypes
import os
import resource
import signal
import time

PR_SET_CHILD_SUBREAPER = 36
NULL = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]


class Hung(Exception):
    """Something does not end."""


def become_subreaper():
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become a subreaper")


def children(pid):
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def descendants(pid):
    found, unseen = [], children(pid)
    while unseen:
        one = unseen.pop()
        found.append(one)
        unseen += children(one)
    return found


def program_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def proportional_kib(text):
    """Of a smaps_rollup: resident memory, each page shared out among those who have it."""
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)


def memory_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return proportional_kib(file.read())
    except OSError:
        return 0


class Nursery:
    def __init__(self):
        become_subreaper()
        self.cpu_before = 0.0

    @staticmethod
    def _cpu():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def start(self, argv, environment):
        """(pid, pidfd, CLOCK_MONOTONIC of the start in ns)"""
        self.cpu_before = self._cpu()
        began = time.monotonic_ns()
        pid = os.posix_spawn(argv[0], argv, environment, file_actions=NULL)
        return pid, os.pidfd_open(pid), began

    @staticmethod
    def memory(service_program):
        """(KiB, processes) of everything but the services."""
        managers = [pid for pid in descendants(os.getpid()) if program_of(pid) != service_program]
        return sum(map(memory_kib, managers)), len(managers)

    def finish(self, patience):
        """Waits until nobody is left; CPU seconds of all since start()."""
        def give_up(*_):
            raise Hung
        before = signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, patience)
        try:
            while True:
                os.waitpid(-1, 0)
        except ChildProcessError:
            return self._cpu() - self.cpu_before
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def clear(self):
        """Kills whoever is left, after something went wrong."""
        while left := descendants(os.getpid()):
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
                os.waitpid(-1, 0)
            except ChildProcessError:
                return
