"""Real PostgreSQL and MariaDB for the scenarios of databases, and clients that measure them.

The clients speak the wire themselves and as little of it as `select 1` needs, so that they are quick and depend on
nothing that belfry uses.
"""
import contextlib
import glob
import hashlib
import os
import pwd
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from harness import PATIENCE, watch_folder

POSTGRES = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), None)
MARIADB = shutil.which("mariadbd", path="/usr/sbin:/usr/bin")
ROOT = os.geteuid() == 0


def as_user(name, *command):
    """`command` as somebody who may run a server: neither of both lets root do it."""
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups", *command] if ROOT else list(command)


def folder_of(name):
    """A folder for a server, which its user owns."""
    path = tempfile.mkdtemp(prefix="belfry-db-")
    os.chmod(path, 0o755)
    if ROOT:
        owner = pwd.getpwnam(name)
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return path


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}, **options)
    if done.returncode:
        raise AssertionError(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


def open_tcp(port, path=None):
    connection = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    try:
        connection.settimeout(5)
        connection.connect(path or ("127.0.0.1", port))
        if not path:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        connection.close()
        raise
    return connection


def ask_postgres(port, query="select 1", path=None, user="postgres"):
    """Logs in (trust) and asks once; raises what went wrong."""
    with open_tcp(port, path) as connection:
        body = struct.pack("!i", 196608) + f"user\0{user}\0database\0postgres\0\0".encode()
        connection.sendall(struct.pack("!i", len(body) + 4) + body)
        rows = 0
        asked = False
        while True:
            kind, length = struct.unpack("!ci", read_exactly(connection, 5))
            body = read_exactly(connection, length - 4)
            if kind == b"E":
                raise ConnectionError(body.replace(b"\0", b" ").decode(errors="replace"))
            if kind == b"D":
                rows += 1
            if kind == b"Z":
                if asked:
                    connection.sendall(b"X\0\0\0\4")
                    return rows
                text = query.encode() + b"\0"
                connection.sendall(b"Q" + struct.pack("!i", len(text) + 4) + text)
                asked = True


def read_packet(connection):
    head = read_exactly(connection, 4)
    return read_exactly(connection, int.from_bytes(head[:3], "little")), head[3]


def ask_mariadb(port, query="select 1", user="probe", password="bells"):
    """Logs in (mysql_native_password) and asks once; raises what went wrong."""
    with open_tcp(port) as connection:
        greeting, _ = read_packet(connection)
        if greeting[0] == 0xFF:
            raise ConnectionError(greeting[3:].decode(errors="replace"))
        rest = greeting[greeting.index(b"\0") + 1:]
        challenge = rest[4:12] + rest[31:43]
        once = hashlib.sha1(password.encode()).digest()
        mask = hashlib.sha1(challenge + hashlib.sha1(once).digest()).digest()
        token = bytes(a ^ b for a, b in zip(once, mask)) if password else b""
        login = struct.pack("<IIB23x", 1 | 512 | 0x8000 | 0x80000, 1 << 24, 33) + user.encode() + b"\0"
        login += bytes([len(token)]) + token + b"mysql_native_password\0"
        connection.sendall(len(login).to_bytes(3, "little") + b"\1" + login)
        answer, _ = read_packet(connection)
        if answer[0] != 0:
            raise ConnectionError(answer[3:].decode(errors="replace"))
        text = b"\3" + query.encode()
        connection.sendall(len(text).to_bytes(3, "little") + b"\0" + text)
        answer, _ = read_packet(connection)
        if answer[0] == 0xFF:
            raise ConnectionError(answer[3:].decode(errors="replace"))
        connection.sendall(b"\1\0\0\0\1")


class Measuring:
    """Asks until it succeeds for the first time, as fast as it is answered, on a connection of its own each time.

    Where nobody listens it leaves the processor to others until something is created in `folder`: a server listens on
    its port first, and creates its unix socket there then.
    """

    def __init__(self, ask, folder):
        self.ask = ask
        self.failures = []  # when attempts that failed had begun, and why
        self.first_success = None
        self.created = watch_folder(folder)
        self.ended = os.eventfd(0)
        self.is_ended = False
        self.thread = threading.Thread(target=self._measure, daemon=True)
        self.thread.start()

    def attempt(self):
        """Asks once; what went wrong."""
        began = time.monotonic_ns()
        try:
            self.ask()
        except OSError as why:
            self.failures.append((began, str(why)))
            return why
        return None

    def _measure(self):
        while not self.is_ended:
            why = self.attempt()
            if why is None:
                self.first_success = time.monotonic_ns()
                return
            if isinstance(why, (ConnectionRefusedError, FileNotFoundError)):
                select.select([self.created, self.ended], [], [])
                with contextlib.suppress(BlockingIOError):
                    os.read(self.created, 65536)

    def succeeded(self):
        """Waits for the first success."""
        self.thread.join(PATIENCE)
        return self.first_success is not None

    def stop(self):
        self.is_ended = True
        os.eventfd_write(self.ended, 1)
        self.thread.join(PATIENCE)
        os.close(self.created)
        os.close(self.ended)

    def failures_after(self, moment):
        return [why for began, why in self.failures if began > moment]


class PostgresCluster:
    """A data folder, and how a server for it is started."""

    def __init__(self, port):
        self.port = port
        self.folder = folder_of("postgres")
        self.data = os.path.join(self.folder, "data")
        self.server = None
        self.initdb(self.data)

    def initdb(self, data):
        run(*as_user("postgres", f"{POSTGRES}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
                     "--no-sync"), cwd=self.folder)

    def arguments(self, data=None, port=None):
        return [f"{POSTGRES}/postgres", "-D", data or self.data, "-p", str(port or self.port), "-c",
                "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off", "-c",
                "shared_buffers=64MB", "-c", "max_wal_size=8GB", "-c", "checkpoint_timeout=1h", "-c",
                "max_connections=20"]

    def start(self, *more):
        """Outside belfry: to fill it."""
        self.server = subprocess.Popen(as_user("postgres", *self.arguments(), *more), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, cwd=self.folder)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return ask_postgres(self.port)
            except (OSError, ConnectionError):
                if time.monotonic() > deadline or self.server.poll() is not None:
                    raise

    def psql(self, query):
        return run(f"{POSTGRES}/psql", "-X", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-At", "-v",
                   "ON_ERROR_STOP=1", "-c", query)

    def stop(self, number=signal.SIGINT):
        if self.server is not None:
            self.server.send_signal(number)
            self.server.wait(PATIENCE)
            self.server = None

    def crash_under_load(self, megabytes):
        """kill -9 while it writes, after so much has been written since its last checkpoint."""
        self.start()
        self.psql("create table load (id int, filler text)")
        self.psql("checkpoint")
        writing = ("insert into load select g, repeat(md5(g::text), 4) from generate_series(1, 20000) g; "
                   "update load set id = id + 1; truncate load")
        loads = [threading.Thread(target=self._write, args=(writing,), daemon=True) for _ in range(2)]
        self.loaded = threading.Event()
        for load in loads:
            load.start()
        deadline = time.monotonic() + PATIENCE
        while int(float(self.psql("select pg_current_wal_lsn() - '0/0'"))) < megabytes << 20:
            assert time.monotonic() < deadline, "nothing is written"
        processes = self._processes()
        self.server.kill()
        for pid in processes:  # a kill -9 of the machine, as far as PostgreSQL can tell
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.server.wait(PATIENCE)
        self.server = None
        self.loaded.set()
        for load in loads:
            load.join(PATIENCE)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.data, "postmaster.pid"))

    def _write(self, writing):
        while not self.loaded.is_set():
            with contextlib.suppress(AssertionError):
                self.psql(writing)

    def _processes(self):
        found = []
        for stat in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError):
                with open(stat, encoding="ascii", errors="replace") as file:
                    text = file.read()
                if int(text.rsplit(")", 1)[1].split()[1]) == self.server.pid:
                    found.append(int(text.split(" ", 1)[0]))
        return found

    def standby(self, name, port):
        """A copy of the running server that follows it; its data folder."""
        data = os.path.join(self.folder, name)
        run(*as_user("postgres", f"{POSTGRES}/pg_basebackup", "-D", data, "-h", "127.0.0.1", "-p", str(self.port), "-U",
                     "postgres", "-R", "--no-sync", "-c", "fast"), cwd=self.folder)
        return data

    def copy(self, name):
        data = os.path.join(self.folder, name)
        run(*as_user("postgres", "cp", "-a", "--reflink=auto", self.data, data))
        return data

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)


class MariadbFolder:
    """A data folder, and how a server for it is started. Its user is `probe`, with the password `bells`."""

    def __init__(self, port):
        self.port = port
        self.folder = folder_of("mysql")
        self.data = os.path.join(self.folder, "data")
        self.socket = os.path.join(self.folder, "s.sock")
        self.server = None
        run(*as_user("mysql", "mariadb-install-db", "--no-defaults", f"--datadir={self.data}", f"--tmpdir={self.folder}", "--skip-test-db",
                     "--auth-root-authentication-method=normal", "--skip-name-resolve"), cwd=self.folder)
        self.start()
        self.sql("create user probe@'%' identified by 'bells'; grant all on *.* to probe@'%'; "
                 "create user open@'%'; create database shop")
        self.stop()

    def arguments(self, *more, data=None):
        return [MARIADB, "--no-defaults", f"--datadir={data or self.data}", f"--port={self.port}",
                "--bind-address=127.0.0.1", f"--socket={self.socket}", f"--tmpdir={self.folder}", "--skip-name-resolve",
                f"--pid-file={self.folder}/pid", "--innodb-log-file-size=1G", "--innodb-buffer-pool-size=512M", "--innodb-io-capacity=100", "--innodb-io-capacity-max=200", "--innodb-max-dirty-pages-pct=99",
                "--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=2", *more]

    def sql(self, query):
        return run("mariadb", "--no-defaults", f"--socket={self.socket}", "-u", "root", "-N", "-e", query)

    def start(self, *more):
        self.server = subprocess.Popen(as_user("mysql", *self.arguments(*more)), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, cwd=self.folder)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.sql("select 1")
            except AssertionError:
                if time.monotonic() > deadline or self.server.poll() is not None:
                    raise

    def stop(self, number=signal.SIGTERM):
        if self.server is not None:
            self.server.send_signal(number)
            self.server.wait(PATIENCE)
            self.server = None

    def crash_under_load(self, megabytes):
        """kill -9 while it writes, after so much has been written since its last checkpoint."""
        self.start()
        self.sql("create table shop.written (id int auto_increment primary key, filler varchar(200))")
        self.loaded = threading.Event()
        writing = ("use shop; insert into written (filler) select repeat(md5(rand()), 5) from seq_1_to_20000; "
                   "update written set filler = concat(md5(id), md5(rand())); delete from written")
        loads = [threading.Thread(target=self._write, args=(writing,), daemon=True) for _ in range(2)]
        for load in loads:
            load.start()
        deadline = time.monotonic() + PATIENCE
        while self._unsaved() < megabytes << 20:
            assert time.monotonic() < deadline, "nothing is written"
        self.server.kill()
        self.server.wait(PATIENCE)
        self.server = None
        self.loaded.set()
        for load in loads:
            load.join(PATIENCE)

    def _unsaved(self):
        numbers = dict(line.split("\t") for line in self.sql("show global status like 'Innodb_lsn_%'").splitlines())
        return int(numbers["Innodb_lsn_current"]) - int(numbers["Innodb_lsn_last_checkpoint"])

    def _write(self, writing):
        while not self.loaded.is_set():
            with contextlib.suppress(AssertionError):
                self.sql(writing)

    def copy(self, name):
        data = os.path.join(self.folder, name)
        run(*as_user("mysql", "cp", "-a", "--reflink=auto", self.data, data))
        return data

    def remove(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


# The protocol of the official images' entrypoints, without their options: initialise, start a server that listens on
# its socket alone, run an SQL script, stop it, become the real one.
POSTGRES_ENTRYPOINT = """#!/bin/bash
set -e
{bin}/initdb -D {data} -A trust -U postgres -E UTF8 --no-sync >/dev/null
{bin}/pg_ctl -D {data} -o "-c listen_addresses='' -c unix_socket_directories={folder} -p {port} -c fsync=off" -w start >/dev/null
{bin}/psql -X -h {folder} -p {port} -U postgres -v ON_ERROR_STOP=1 -c "create database shop" \\
  -c "create table t as select g from generate_series(1, 200000) g" >/dev/null
{bin}/pg_ctl -D {data} -m fast -w stop >/dev/null
exec {command}
"""
MARIADB_ENTRYPOINT = """#!/bin/bash
set -e
{temporary} &
pid=$!
for i in $(seq 3000); do mariadb --no-defaults --socket={socket} -u root -e 'select 1' >/dev/null 2>&1 && break; sleep 0.01; done
mariadb --no-defaults --socket={socket} -u root -e "create database if not exists shop2"
kill $pid
wait $pid
exec {command}
"""
