"""The stack that users have: PostgreSQL, Redis, a migration and an application (application.py), with its commands."""
import glob
import os
import pwd
import select
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from managers import PATH, which

HERE = os.path.dirname(os.path.abspath(__file__))
POSTGRES = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), None)
PYTHON = "/usr/bin/python3"


def missing():
    """What the stack needs and is not there."""
    found = [] if POSTGRES else ["PostgreSQL"]
    return found + [program for program in ("redis-server", "redis-cli", "curl") if not which(program)]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Timeout(Exception):
    """Nothing was heard in time."""


class Stack:
    """Its folder, ports and commands. The events of application and CMD come through one FIFO."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="belfry-users-")
        os.chmod(self.folder, 0o755)
        self.db, self.cache, self.app = free_ports(3)
        self.data = f"{self.folder}/data"
        self.events_path = f"{self.folder}/events"
        os.mkfifo(self.events_path)
        self.events = os.open(self.events_path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        self.heard = b""
        os.mkdir(self.data, 0o700)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.data, owner.pw_uid, owner.pw_gid)
        made = subprocess.run([*self.as_postgres(), f"{POSTGRES}/initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
                               "--no-sync"], cwd="/", capture_output=True, text=True, check=False, env={"PATH": PATH, "LC_ALL": "C.UTF-8"})
        if made.returncode:
            raise SystemExit(f"cannot make a database:\n{made.stdout}{made.stderr}")

    @staticmethod
    def as_postgres():
        """PostgreSQL refuses to be root."""
        return [which("setpriv"), "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []

    def database(self):
        return [*self.as_postgres(), f"{POSTGRES}/postgres", "-D", self.data, "-p", str(self.db), "-c", "listen_addresses=127.0.0.1",
                "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB"]

    def redis(self, supervised="no"):
        return [which("redis-server"), "--port", str(self.cache), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder,
                "--supervised", supervised]

    def migrate(self):
        return [f"{POSTGRES}/psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.db), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-c",
                "SET client_min_messages = error; CREATE TABLE IF NOT EXISTS greeting AS SELECT 'bells' AS text"]

    def application(self, ready_fd=None):
        return [PYTHON, "-S", "-E", f"{HERE}/application.py", str(self.db), str(self.cache), str(self.app), self.events_path,
                *([str(ready_fd)] if ready_fd else [])]

    def ask_database(self):
        return [f"{POSTGRES}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.db)]

    def cmd(self):
        """CMD's first byte, as words of a shell."""
        return f"echo cmd >{self.events_path}"

    def loops(self, every):
        """A shell's functions that ask until something answers, and its words for the parts."""
        words = shlex.join
        return (f"until_db() {{ until {words(self.ask_database())}; do sleep {every}; done; }}\n"
                f"until_cache() {{ until redis-cli -p {self.cache} ping 2>/dev/null | grep -q PONG; do sleep {every}; done; }}\n"
                f"until_app() {{ until curl -sf -o /dev/null http://127.0.0.1:{self.app}/; do sleep {every}; done; }}\n"
                f"migrate() {{ {words(self.migrate())}; }}\n")

    def forget(self):
        """Whatever an earlier run has said."""
        self.heard = b""
        try:
            while os.read(self.events, 4096):
                pass
        except BlockingIOError:
            pass

    def until(self, word, patience):
        """When (monotonic, seconds) the event came; the events before it are dropped."""
        end = time.monotonic() + patience
        while True:
            lines, _, rest = self.heard.rpartition(b"\n")
            known = lines.decode().split("\n")
            if word in known:
                at = known.index(word)
                later = "".join(f"{line}\n" for line in known[at + 1:])
                self.heard = later.encode() + rest
                return time.monotonic()
            if not select.select([self.events], [], [], max(0, end - time.monotonic()))[0]:
                raise Timeout(word)
            self.heard += os.read(self.events, 4096)

    def all_heard(self):
        try:
            while True:
                self.heard += os.read(self.events, 4096)
        except BlockingIOError:
            return self.heard.decode().split()

    def kill_database(self):
        """As the kernel does when memory runs out."""
        with open(f"{self.data}/postmaster.pid", encoding="ascii") as file:
            os.kill(int(file.readline()), signal.SIGKILL)

    def was_shut_down(self):
        """Whether the database has written its last checkpoint."""
        said = subprocess.run([f"{POSTGRES}/pg_controldata", self.data], capture_output=True, text=True, check=True,
                              env={"PATH": PATH, "LC_ALL": "C"}).stdout
        return state_in(said) == "shut down"

    def close(self):
        os.close(self.events)
        shutil.rmtree(self.folder)


def state_in(controldata):
    return next((line.split(":", 1)[1].strip() for line in controldata.splitlines() if line.startswith("Database cluster state")), None)
