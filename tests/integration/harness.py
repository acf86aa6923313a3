"""What every scenario needs: a folder, a running belfry, and ways to wait for what really happened.

Nothing here sleeps. A scenario waits for an event of a sample service (its trace is a FIFO), for a
line of belfry's output, for an answer of /v1/wait, or for the end of a process.
"""
import contextlib
import ctypes
import functools
import http.client
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from api_description import DESCRIPTION

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BELFRY = os.environ.get("BELFRY", os.path.join(ROOT, "build/dev/cli/belfry"))
SAMPLE = os.environ.get("SAMPLE", os.path.join(ROOT, "build/dev/tests/support/belfry_sample_service"))
LONG_TURNS = {}  # culprit: turns, of all stacks that a test has stopped
PATIENCE = 30  # seconds until a wait is a failed test; no wait needs them when belfry is right


def with_clients(test):
    """A test that needs what `deploy/install-deps clients` installs: run by tests/run --full, and only there."""
    return test if os.environ.get("BELFRY_CLIENTS") == "1" else None


@functools.cache
def is_static():
    """Whether this belfry is the static one, which loads no library: it asks databases no query, and says so."""
    return "(static;" in subprocess.run([BELFRY, "version"], capture_output=True, text=True, check=True).stdout


def port_numbers():
    """Below those that the kernel gives to clients, which would take one between two tests; each once in a run."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        end = max(int(file.read().split()[0]), 12000)
    return iter(random.sample(range(10000, end), end - 10000))


PORTS = port_numbers()


def free_port(kind=socket.SOCK_STREAM):
    """A port nobody is bound to, that the kernel gives nobody by itself and that no later caller gets."""
    for port in PORTS:
        with socket.socket(type=kind) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def free_ports(count):
    return [free_port() for _ in range(count)]


def belfry(*arguments, timeout=PATIENCE, **options):
    """Runs belfry to its end."""
    return subprocess.run([BELFRY, *arguments], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                          check=False, **options)


def watch_folder(path):
    """A descriptor that is readable when something is created in `path` or its attributes change."""
    libc = ctypes.CDLL(None, use_errno=True)
    in_attrib, in_create = 0x4, 0x100
    fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if fd < 0 or libc.inotify_add_watch(fd, os.fsencode(path), in_attrib | in_create) < 0:
        raise OSError(ctypes.get_errno(), "cannot watch", path)
    return fd


def descendants(pid):
    """Every process below `pid`, as (pid, start time): a pair that is never used again."""
    children, born = {}, {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            children.setdefault(int(fields[1]), []).append(int(entry))
            born[int(entry)] = int(fields[19])
    found, todo = set(), [pid]
    while todo:
        for child in children.get(todo.pop(), []):
            found.add((child, born[child]))
            todo.append(child)
    return found


def alive(processes):
    """Those of `processes` (pairs of `descendants`) that still run; zombies do not."""
    running = set()
    for pid, born in processes:
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            if int(fields[19]) == born and fields[0] not in "ZX":
                running.add(pid)
    return running


def until(holds):
    """What it gives once that is something: for what nobody tells, such as how many processes there are."""
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise AssertionError("it never came to that")
        os.sched_yield()
    return found


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the control socket."""

    def __init__(self, path, timeout):
        super().__init__("belfry", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Output:
    """The lines of belfry's stdout and stderr, in the order they came; a thread reads, anybody may wait."""

    def __init__(self, stream):
        self.lines, self.ended = [], False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.thread.start()

    def _read(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def index_of(self, text, start=0):
        """The number of the first line from `start` on that contains `text`; waits for it."""
        deadline = time.monotonic() + PATIENCE
        position = start
        with self.changed:
            while True:
                while position < len(self.lines):
                    if text in self.lines[position]:
                        return position
                    position += 1
                if self.ended or not self.changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no line with {text!r} in belfry's output:\n" + "\n".join(self.lines[-60:]))

    def text(self):
        with self.changed:
            return "\n".join(self.lines)


class Stack:
    """A belfry file in a folder of its own, and the belfry that runs it."""

    def __init__(self, services, top="", name="test"):
        self.path = tempfile.mkdtemp(prefix="belfry-it-")
        os.chmod(self.path, 0o755)
        self.file = os.path.join(self.path, "belfry.yaml")
        self.control = os.path.join(self.path, "control.sock")
        self.trace = os.path.join(self.path, "trace")
        os.mkfifo(self.trace)
        os.chmod(self.trace, 0o666)
        self.trace_fd = os.open(self.trace, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.trace_rest, self.events = b"", []
        self.inotify = watch_folder(self.path)
        self.process = self.output = None
        self.seen = set()
        self.write(services, top, name)

    def write(self, services, top="", name="test"):
        """(Re)writes the file. `services` is YAML below `services:`; SAMPLE, TRACE and DIR are put in."""
        text = f"name: {name}\ncontrol: {{socket: {self.control}}}\n{top}\nservices:\n{services}\n"
        for word, value in (("$SAMPLE", f"{SAMPLE} --trace {self.trace}"), ("$TRACE", self.trace), ("$DIR", self.path)):
            text = text.replace(word, value)
        with open(self.file, "w", encoding="utf-8") as out:
            out.write(text)

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items() if k not in ("NOTIFY_SOCKET", "BELFRY_SOCKET")}
        return {**kept, "XDG_STATE_HOME": self.path, "XDG_RUNTIME_DIR": self.path, **more}

    def start(self, *arguments, wrapper=(), command="run", **environment):
        self.process = subprocess.Popen([*wrapper, BELFRY, command, "-c", self.file, *arguments], cwd=self.path,
                                        env=self.environment(**environment), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.output = Output(self.process.stdout)
        return self

    # Waiting.

    def wait_for_control(self):
        """Until the control socket answers. (A service that writes its first event says the same.)"""
        deadline = time.monotonic() + PATIENCE
        while not self._control_answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("belfry gives no answer:\n" + self.output.text())
            # Something appears in the folder, or the process ends; the bound covers bind-then-listen.
            ended = os.pidfd_open(self.process.pid)
            select.select([self.inotify, ended], [], [], 0.1)
            os.close(ended)
            with contextlib.suppress(BlockingIOError):
                os.read(self.inotify, 65536)
        return self

    def _control_answers(self):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.control) == 0

    def event(self, name, what, after=0):
        """The time (monotonic, ns) at which the service `name` wrote the event `what`; waits for it."""
        deadline = time.monotonic() + PATIENCE
        position = after
        while True:
            while position < len(self.events):
                at, who, event, _ = self.events[position]
                if (who, event) == (name, what):
                    return at
                position += 1
            if not select.select([self.trace_fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"{name} never came to {what!r}; events: {self.events}\n" + self.output.text())
            self._read_trace()

    def _read_trace(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                block = os.read(self.trace_fd, 65536)
                *lines, self.trace_rest = (self.trace_rest + block).split(b"\n")
                for line in lines:
                    at, name, event, *detail = line.decode().split(" ", 3)
                    self.events.append((int(at), name, event, detail[0] if detail else ""))

    def all_events(self, name=None, what=None):
        """What has been written so far."""
        self._read_trace()
        return [e for e in self.events if name in (None, e[1]) and what in (None, e[2])]

    def wait(self, *services, condition="ready", timeout=f"{PATIENCE}s"):
        """GET /v1/wait: its status code, the moment there is an answer."""
        query = "&".join(f"service={s}" for s in services)
        return self.get(f"/v1/wait?{query}&condition={condition}&timeout={timeout}")[0]

    # Asking.

    def request(self, method, path, body=None, headers=None):
        connection = UnixConnection(self.control, PATIENCE + 5)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
            DESCRIPTION.check(method, path, answer.status, answer.headers["Content-Type"], text)
            return answer.status, text
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def services(self):
        status, body = self.get("/v1/services")
        assert status == 200, body
        return {s["name"]: s for s in json.loads(body)["services"]}

    def cli(self, *arguments, **options):
        return belfry(*arguments, env=self.environment(BELFRY_SOCKET=self.control), cwd=self.path, **options)

    # Ending.

    def note_long_turns(self):
        """Remembers which turns of belfry's loop took more than 10 ms, for the end of all tests."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            for line in self.get("/metrics")[1].splitlines():
                if line.startswith("belfry_loop_long_turns_total{"):
                    culprit, turns = line.split('"')[1], int(line.rsplit(" ", 1)[1])
                    LONG_TURNS[culprit] = LONG_TURNS.get(culprit, 0) + turns

    def send(self, number):
        self.seen |= descendants(self.process.pid)
        self.process.send_signal(number)

    def pause(self):
        """SIGSTOP; returns when every thread of belfry stands, which the signal alone does not say."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)

    def stop(self, number=signal.SIGTERM):
        """Sends the signal and returns the exit code, -n for death by signal n."""
        self.note_long_turns()
        self.send(number)
        return self.exit_code()

    def exit_code(self):
        code = self.process.wait(PATIENCE)
        self.output.thread.join(PATIENCE)
        self._read_trace()
        return code

    def survivors(self):
        """What belfry has left behind of everything that ran below it when it was signalled."""
        return alive(self.seen)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.seen |= descendants(self.process.pid)
            self.process.kill()
            self.process.wait()
        for pid in self.survivors():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.output is not None:
            self.output.thread.join(PATIENCE)
            self.process.stdout.close()
        os.close(self.trace_fd)
        os.close(self.inotify)
        shutil.rmtree(self.path, ignore_errors=True)


class Scenario(unittest.TestCase):
    """A test with stacks that are taken down with it."""

    maxDiff = None

    def stack(self, services, top="", name="test"):
        stack = Stack(services, top, name)
        self.addCleanup(stack.close)
        return stack

    def assert_before(self, output, *texts):
        """Lines with these texts came in this order (each searched from the beginning)."""
        places = [(output.index_of(text), text) for text in texts]
        self.assertEqual(places, sorted(places), "\n".join(output.lines))

    def assert_clean_end(self, stack, number=signal.SIGTERM):
        self.assertEqual(stack.stop(number), 0, stack.output.text())
        self.assertEqual(stack.survivors(), set())
