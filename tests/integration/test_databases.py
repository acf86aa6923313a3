"""`postgres` and `mysql` against PostgreSQL and MariaDB from Debian's packages: whether the bell tells the truth, how
late it is, and what is said meanwhile. bench/probes/databases does the same starts 50 times."""
import contextlib
import json
import os
import socket
import subprocess
import threading
import time
import unittest

from database_servers import MARIADB, POSTGRES, MariadbFolder, PostgresCluster, ask_postgres, read_packet, run
from database_starts import SCENARIOS
from harness import PATIENCE, Scenario, free_port, is_static, with_clients

WORDS = "cannot ask PostgreSQL at "


def becomes(stack, name, true):
    """Looks again and again whether what /v1 says of the service is as it should be."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if true(stack.services()[name]):
            return True
    return False


class Starts(Scenario):
    """A bell that rings before a client's first query succeeds is wrong, once is enough; one that is late is measured
    by the bench, where nothing else runs: here it may be late by what other tests take."""

    def started(self, name, times):
        scenario = SCENARIOS[name]()
        self.addCleanup(scenario.remove)
        for _ in range(times):
            start = scenario.once()
            self.assertEqual(start.early, [], str(start))
            self.assertLess(start.late, 10 * start.allowed, str(start))
        return start

    def test_postgres_rings_when_a_query_succeeds(self):
        self.started("postgres", 3)

    def test_postgres_rings_when_the_crash_is_recovered(self):
        start = self.started("postgres-recovery", 1)
        self.assertGreater(start.start, 500, "there was nothing to recover")
        self.assertIn("automatic recovery in progress", start.output)

    def test_a_standby_rings_when_it_takes_queries(self):
        start = self.started("postgres-standby", 1)
        self.assertIn("entering standby mode", start.output)

    def test_postgres_does_not_ring_for_the_temporary_server_of_its_image(self):
        start = self.started("postgres-two-phase", 1)
        self.assertEqual(start.output.count("database system is ready to accept connections"), 1,
                         "the first phase writes into no log of belfry's")
        self.assertGreater(start.start, 100)

    @with_clients
    def test_mariadb_rings_when_a_query_succeeds(self):
        self.started("mariadb", 3)

    @with_clients
    def test_mariadb_rings_when_the_crash_is_recovered(self):
        start = self.started("mariadb-recovery", 1)
        self.assertIn("Starting crash recovery", start.output)

    @with_clients
    def test_mariadb_does_not_ring_for_the_temporary_server_of_its_image(self):
        start = self.started("mariadb-two-phase", 2)
        self.assertEqual(start.output.count("ready for connections"), 2)

    @with_clients
    def test_queries_ring_in_time_too(self):
        self.started("postgres-query", 3)
        self.started("mariadb-query", 3)


class Externals(Scenario):
    """Servers that are there, asked as externals."""

    def asked(self, **probes):
        """Starts a belfry that asks for each of `probes` (name: YAML of the probe) until it is stopped."""
        services = "".join(f"  {name}: {{type: external, ready: {{{probe}, period: 20ms, attempt_timeout: 2s}}}}\n"
                           for name, probe in probes.items())
        self.unasked = [name for name, probe in probes.items() if "query:" in probe and is_static()]
        stack = self.stack(services).start()
        stack.wait_for_control()
        return stack

    def assert_ready(self, stack, name):
        if name in self.unasked:
            return self.assert_refused(stack, name, "")
        return self.assertEqual(stack.wait(name), 200, stack.services()[name])

    def assert_refused(self, stack, name, words):
        if name in self.unasked:
            words = "this belfry is linked statically and cannot load lib"
        refused = becomes(stack, name, lambda s: not s["ready"] and words in (s["last_error"] or ""))
        self.assertTrue(refused, f"{words}\n{stack.services()[name]}")


def make_certificates(folder):
    """A certificate for another name than the one that is asked for, its own authority; and another authority."""
    for name, more in (("server", ["-addext", "subjectAltName=DNS:db.internal"]), ("other", [])):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", f"{folder}/{name}.key", "-out",
            f"{folder}/{name}.pem", "-subj", "/CN=db.internal", *more)
        for kind in ("key", "pem"):
            os.chmod(f"{folder}/{name}.{kind}", 0o600)
            if os.geteuid() == 0:
                owner = os.stat(folder)
                os.chown(f"{folder}/{name}.{kind}", owner.st_uid, owner.st_gid)


class PostgresServers(Externals):
    @classmethod
    def setUpClass(cls):
        if POSTGRES is None:
            raise AssertionError("cannot run: PostgreSQL is missing; run deploy/install-deps test")
        cls.port = free_port()
        cls.cluster = PostgresCluster(cls.port)
        cls.addClassCleanup(cls.cluster.remove)
        make_certificates(cls.cluster.folder)
        with open(os.path.join(cls.cluster.data, "pg_hba.conf"), "w", encoding="ascii") as rules:
            rules.write("host all guarded 127.0.0.1/32 scram-sha-256\nlocal all all trust\nhost all all 127.0.0.1/32 trust\n")
        cls.cluster.start("-c", "ssl=on", "-c", f"ssl_cert_file={cls.cluster.folder}/server.pem", "-c",
                          f"ssl_key_file={cls.cluster.folder}/server.key")
        cls.cluster.psql("set password_encryption = 'scram-sha-256'; create role guarded login password 'bells'")
        cls.at = f"127.0.0.1:{cls.port}"

    def test_that_are_there_are_ready_in_every_way_of_asking(self):
        at, folder = self.at, self.cluster.folder
        probes = {
            "url": f'postgres: "postgres://{at}/"',
            "socket": f'postgres: "host={folder} port={self.port}"',
            "several": f'postgres: "host=127.0.0.1,127.0.0.1 port={free_port()},{self.port}"',
            "password": f'postgres: "postgres://guarded@{at}/postgres"',
            "queried": f'postgres: "postgres://guarded:bells@{at}/postgres", query: select 1',
            "false": f'postgres: "postgres://{at}/", query: select false where false',
            "socket_query": f'postgres: "host={folder} port={self.port}", query: select 1',
            "named": f'postgres: "postgres://localhost:{self.port}/", query: select 1',
            "tls": f'postgres: "postgres://{at}/?sslmode=require"',
            "preferred": f'postgres: "postgres://{at}/?sslmode=prefer"',
            "signed": f'postgres: "postgres://{at}/?sslmode=verify-ca&sslrootcert={folder}/server.pem"',
            "checked": f'postgres: "postgres://{at}/", tls: {{ca: {folder}/server.pem, server_name: db.internal}}',
            "checked_query": f'postgres: "postgres://{at}/", query: select 1, '
                             f'tls: {{ca: {folder}/server.pem, server_name: db.internal}}',
        }
        stack = self.asked(**probes)
        for name in probes:
            self.assert_ready(stack, name)
        self.assert_clean_end(stack)

    def test_say_in_their_own_words_why_they_are_not_ready(self):
        at, folder = self.at, self.cluster.folder
        stack = self.asked(
            missing=f'postgres: "postgres://{at}/nowhere"',
            wrong=f'postgres: "postgres://guarded:geheim@{at}/postgres", query: select 1',
            failing=f'postgres: "postgres://{at}/", query: select 1 / 0',
            other_name=f'postgres: "postgres://{at}/?sslmode=verify-full&sslrootcert={folder}/server.pem"',
            other_authority=f'postgres: "postgres://{at}/?sslmode=verify-ca&sslrootcert={folder}/other.pem"')
        self.assert_refused(stack, "missing", WORDS + at + ': database "nowhere" does not exist')
        self.assert_refused(stack, "wrong", WORDS + at + ': password authentication failed for user "guarded"')
        self.assert_refused(stack, "failing", WORDS + at + ": division by zero")
        self.assert_refused(stack, "other_name", "its certificate is not to be believed")
        self.assert_refused(stack, "other_authority", "its certificate is not to be believed")
        self.assertNotIn("geheim", stack.output.text() + json.dumps(stack.services()))
        self.assert_clean_end(stack)

    def test_that_are_full_are_not_ready_until_somebody_leaves(self):
        held = []
        self.addCleanup(lambda: [process.kill() or process.wait() for process in held])
        for _ in range(20):
            held.append(subprocess.Popen([f"{POSTGRES}/psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
            held[-1].stdin.write("\\echo in\n")
            held[-1].stdin.flush()
            held[-1].stdout.readline()
        stack = self.asked(full=f'postgres: "postgres://{self.at}/"', full_query=f'postgres: "postgres://{self.at}/", query: select 1')
        self.assert_refused(stack, "full", "too many clients already")
        self.assert_refused(stack, "full_query", "too many clients already")
        for process in held:
            process.stdin.close()
            process.wait()
            process.stdout.close()
        self.assert_ready(stack, "full")
        self.assert_ready(stack, "full_query")
        self.assert_clean_end(stack)

    @unittest.skipIf(is_static(), "a static belfry asks no query")
    def test_a_query_that_takes_too_long_is_not_left_to_the_server(self):
        services = (f'  slow: {{type: external, ready: {{postgres: "postgres://{self.at}/", '
                    f'query: "select pg_sleep(100)", period: 10ms, attempt_timeout: 200ms}}}}\n')
        stack = self.stack(services).start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("slow", timeout="3s"), 504)
        sleeping = int(self.cluster.psql("select count(*) from pg_stat_activity where query like '%pg_sleep%'"))
        self.assertLess(sleeping, 5)  # that of now, this question, and one or two that are about to end
        self.assert_clean_end(stack)


class Strangers(Externals):
    def serve(self, answer, speaks_first=False):
        """Answers each connection with the same bytes and closes it; its address."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def work():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        if not speaks_first:
                            connection.recv(4096)
                        connection.sendall(answer)
                    except OSError:
                        pass

        threading.Thread(target=work, daemon=True).start()
        return "127.0.0.1:%d" % listener.getsockname()[1]

    def test_are_named_as_what_they_are_not(self):
        web = self.serve(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html>")
        shell = self.serve(b"SSH-2.0-OpenSSH_9.2\r\n", speaks_first=True)
        silent, silent_at_once = self.serve(b""), self.serve(b"", speaks_first=True)
        stack = self.asked(web=f'postgres: "postgres://{web}/"', tls=f'postgres: "postgres://{web}/?sslmode=require"',
                           shell=f'mysql: "{shell}"', silent=f'postgres: "postgres://{silent}/"',
                           silent_mysql=f'mysql: "{silent_at_once}"', web_query=f'postgres: "postgres://{web}/", query: select 1')
        self.assert_refused(stack, "web", WORDS + web + ": it does not speak PostgreSQL")
        self.assert_refused(stack, "tls", WORDS + web + ": it does not speak PostgreSQL")
        self.assert_refused(stack, "shell", f"cannot ask MySQL at {shell}: it does not speak MySQL")
        self.assert_refused(stack, "silent", WORDS + silent + ": it closed the connection without an answer")
        self.assert_refused(stack, "silent_mysql", f"cannot ask MySQL at {silent_at_once}: ")
        self.assert_refused(stack, "web_query", WORDS + web + ": ")
        self.assert_clean_end(stack)


class LyingMysql:
    """Lets everybody in without TLS, and keeps what it is told. It answers a query with OK; one that loads data with a
    request for `file`, one from `endless` with a packet without end, one from `rows` with rows without end."""

    GREETING = (b"\x0a5.5.5-10.11.19-MariaDB\0\x2a\0\0\x0012345678\0\xfe\xf7\x2d\2\0\xff\x81\x15" + bytes(10) +
                b"123456789012\0mysql_native_password\0")
    OK = b"\0\0\0\2\0\0\0"

    @staticmethod
    def packet(number, payload):
        return len(payload).to_bytes(3, "little") + bytes([number]) + payload

    def __init__(self, file):
        self.file = file
        self.told = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.at = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_one, args=(connection,), daemon=True).start()

    def serve_one(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            self.talk(connection)

    def talk(self, connection):
        def say(number, payload):
            connection.sendall(self.packet(number, payload))

        say(0, self.GREETING)
        say(read_packet(connection)[1] + 1, self.OK)
        while True:
            told, number = read_packet(connection)
            self.told.append(told)
            if told.startswith(b"\3load"):
                say(number + 1, b"\xfb" + self.file.encode())
                while told:
                    told, number = read_packet(connection)
                    self.told.append(told)
            if told == b"\3select * from endless":
                while True:
                    number = (number + 1) % 256
                    say(number, bytes(0xffffff))  # as large as a packet may be: the next one goes on with it
            if told == b"\3select * from rows":
                column = b"\3def\0\0\0\0011\0\x0c\x3f\0\1\0\0\0\3\x81\0\0\0\0"
                say(1, b"\1")
                say(2, column)
                say(3, b"\xfe\0\0\2\0")
                rows = [self.packet(number, b"\0011") for number in range(256)]
                connection.sendall(b"".join(rows[4:]))
                while True:
                    connection.sendall(b"".join(rows) * 100)
            say(number + 1, self.OK)


class MysqlStrangers(Externals):
    @with_clients
    def test_get_no_file_no_memory_and_no_time_and_are_not_ready_without_the_tls_that_was_wanted(self):
        server = LyingMysql(os.path.abspath(__file__))
        self.addCleanup(server.listener.close)
        stack = self.asked(
            plain=f'mysql: "mysql://app:geheim@{server.at}/", query: select 1',
            preferred=f'mysql: "mysql://app:geheim@{server.at}/?ssl-mode=PREFERRED", query: select 1',
            required=f'mysql: "mysql://app:geheim@{server.at}/?ssl-mode=REQUIRED", query: select 1',
            mapping=f'mysql: "mysql://app:geheim@{server.at}/", query: select 1, tls: {{verify: false}}',
            rows=f'mysql: "mysql://app:geheim@{server.at}/", query: select * from rows',
            endless=f'mysql: "mysql://app:geheim@{server.at}/", query: select * from endless',
            loading=f'mysql: "mysql://app:geheim@{server.at}/", query: "load data local infile \'/x\' into table t"')
        for name in ("plain", "preferred", "rows"):
            self.assert_ready(stack, name)
        for name in ("required", "mapping"):
            self.assert_refused(stack, name, f"cannot ask MySQL at {server.at}: it does not speak TLS")
        self.assert_refused(stack, "endless", f"cannot ask MySQL at {server.at}: Lost connection to server during query")
        with open(f"/proc/{stack.process.pid}/status", encoding="ascii") as status:
            most = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
        self.assertLess(most, 200 << 10, "KiB of memory for a packet without end")
        self.assert_refused(stack, "loading", f"cannot ask MySQL at {server.at}: ")
        self.assertIn(b"\3load data local infile '/x' into table t", server.told)
        self.assertNotIn(b"class LyingMysql", b"".join(server.told))
        self.assert_clean_end(stack)


class GoingAway(Scenario):
    def test_a_server_that_goes_away_makes_its_service_unready(self):
        port = free_port()
        cluster = PostgresCluster(port)
        self.addCleanup(cluster.remove)
        cluster.start()
        names = ("db",) if is_static() else ("db", "q")
        stack = self.stack(f'  db: {{type: external, ready: {{postgres: "host=127.0.0.1 port={port}", period: 20ms, recheck: 20ms}}}}\n'
                           f'  q: {{type: external, ready: {{postgres: "host=127.0.0.1 port={port}", query: select 1, period: 20ms, '
                           'recheck: 20ms}}\n').start()
        stack.wait_for_control()
        self.assertEqual(stack.wait(*names), 200, stack.services())
        cluster.stop()
        for name in names:
            self.assertTrue(becomes(stack, name, lambda s: not s["ready"] and "Connection refused" in (s["last_error"] or "")),
                            stack.services()[name])
        cluster.start()
        self.assertEqual(stack.wait(*names), 200, stack.services())
        self.assertEqual(ask_postgres(port), 1)
        self.assert_clean_end(stack)


# A client that reads the greeting and leaves, as often as the argument says, and then says how it is greeted.
RUDE = """
import socket, sys
for number in range(int(sys.argv[2]) + 1):
    with socket.create_connection(("10.99.0.1", int(sys.argv[1])), 5) as connection:
        greeting = connection.recv(4096)
print("greeted with", greeting[5:200].decode(errors="replace").replace(chr(0), " "))
"""


class MariadbServers(Externals):
    @with_clients
    def test_do_not_block_the_host_that_asks_them(self):
        """Loopback addresses are never blocked: another address, in a network of its own. No login succeeds here: one that
        does would let the server forget what it has counted."""
        port = free_port()
        folder = MariadbFolder(port)
        self.addCleanup(folder.remove)
        arguments = [word for word in folder.arguments("--max-connect-errors=10") if word != "--skip-name-resolve"]
        arguments = [word.replace("--bind-address=127.0.0.1", "--bind-address=10.99.0.1") for word in arguments]
        user = "user: mysql" if os.geteuid() == 0 else ""
        stack = self.stack(f"""
  db: {{command: {json.dumps(arguments)}, {user + ', ' if user else ''}ready: {{mysql: "10.99.0.1:{port}", recheck: 5ms}}}}
  denied: {{type: external, ready: {{mysql: "mysql://probe:wrong@10.99.0.1:{port}/shop", period: 5ms, recheck: 5ms}}}}
  polite: {{type: oneshot, command: [/usr/bin/python3, -c, {json.dumps(RUDE)}, "{port}", "0"], depends_on: [db], profiles: [later]}}
  rude: {{type: oneshot, command: [/usr/bin/python3, -c, {json.dumps(RUDE)}, "{port}", "12"], depends_on: [db], profiles: [later]}}
""")
        with open(os.path.join(stack.path, "hosts"), "w", encoding="ascii") as hosts:
            hosts.write("127.0.0.1 localhost\n10.99.0.1 client.test\n")  # without a name an address is not counted
        network = f'ip link set lo up && ip addr add 10.99.0.1/32 dev lo && mount --bind {stack.path}/hosts /etc/hosts && exec "$@"'
        stack.start(wrapper=["unshare", "-n", "-m", "sh", "-c", network, "-"])
        stack.wait_for_control()
        self.assertEqual(stack.wait("db", "denied"), 200, stack.output.text())
        while min(self.attempts(stack, name) for name in ("db", "denied")) < 220:
            self.assertTrue(stack.services()["db"]["ready"], stack.services()["db"])
        stack.cli("start", "polite")
        place = stack.output.index_of("polite | greeted with")
        self.assertIn("mysql_native_password", stack.output.lines[place])
        stack.cli("start", "rude")  # the same server blocks who is not polite
        place = stack.output.index_of("rude | greeted with")
        self.assertIn("is blocked because of many connection errors", stack.output.lines[place])
        words = "is blocked because of many connection errors"
        self.assertTrue(becomes(stack, "denied", lambda s: words in (s["last_error"] or "")), stack.services()["denied"])
        self.assert_clean_end(stack)

    def attempts(self, stack, name):
        lines = stack.get("/metrics")[1].splitlines()
        return sum(int(line.rsplit(" ", 1)[1]) for line in lines if
                   line.startswith(f'belfry_probe_attempts_total{{service="{name}"') and 'result="success"' in line)

    @with_clients
    def test_are_asked_in_every_way_and_say_why_not(self):
        port = free_port()
        folder = MariadbFolder(port)
        self.addCleanup(folder.remove)
        make_certificates(folder.folder)
        folder.start("--max-connections=10", f"--ssl-cert={folder.folder}/server.pem", f"--ssl-key={folder.folder}/server.key")
        pem = f"{folder.folder}/server.pem"
        at = f"127.0.0.1:{port}"
        stack = self.asked(
            plain=f'mysql: "{at}"', socket=f'mysql: {folder.socket}', several=f'mysql: "mysql://127.0.0.1:{free_port()},{at}/"',
            queried=f'mysql: "mysql://probe:bells@localhost:{port}/shop", query: select 1',
            socket_query=f'mysql: "mysql://probe:bells@/shop?socket={folder.socket}", query: do 1',
            many=f'mysql: "mysql://probe:bells@{at}/shop", query: select * from seq_1_to_300000',
            wrong=f'mysql: "mysql://probe:geheim@{at}/shop", query: select 1',
            failing=f'mysql: "mysql://probe:bells@{at}/shop", query: select * from nowhere',
            tls=f'mysql: "mysql://{at}/?ssl-mode=REQUIRED"',
            signed=f'mysql: "mysql://{at}/?ssl-mode=VERIFY_CA&ssl-ca={pem}"',
            checked=f'mysql: "{at}", tls: {{ca: {pem}, server_name: db.internal}}',
            tls_query=f'mysql: "mysql://probe:bells@{at}/?ssl-mode=REQUIRED", query: select 1',
            other_name=f'mysql: "mysql://{at}/?ssl-mode=VERIFY_IDENTITY&ssl-ca={pem}"',
            other_query=f'mysql: "mysql://probe:bells@{at}/?ssl-mode=VERIFY_IDENTITY&ssl-ca={pem}", query: select 1')
        for name in ("plain", "socket", "several", "queried", "socket_query", "many", "tls", "signed", "checked", "tls_query"):
            self.assert_ready(stack, name)
        self.assert_refused(stack, "wrong", f"cannot ask MySQL at {at}: Access denied for user 'probe'@'127.0.0.1'")
        self.assert_refused(stack, "failing", f"cannot ask MySQL at {at}: Table 'shop.nowhere' doesn't exist")
        self.assert_refused(stack, "other_name", "its certificate is not to be believed")
        self.assert_refused(stack, "other_query", f"cannot ask MySQL at {at}: ")
        self.assertNotIn("geheim", stack.output.text() + json.dumps(stack.services()))
        self.assert_clean_end(stack)
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(11)]
        self.addCleanup(lambda: [connection.close() for connection in held])
        for connection in held:
            connection.recv(4096)
        full = self.asked(full=f'mysql: "{at}"', full_query=f'mysql: "mysql://probe:bells@{at}/shop", query: select 1')
        self.assert_refused(full, "full", "Too many connections")
        self.assert_refused(full, "full_query", "Too many connections")
        for connection in held:
            connection.close()
        self.assert_ready(full, "full")
        self.assert_ready(full, "full_query")
        self.assert_clean_end(full)


assert MARIADB or os.environ.get("BELFRY_CLIENTS") != "1", "MariaDB is missing: run deploy/install-deps clients"
