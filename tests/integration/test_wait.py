"""belfry wait: every command of docs/how-to/wait.md as it stands there, and what a waiting command does besides."""
import contextlib
import http.server
import os
import pty
import re
import select
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from database_servers import POSTGRES, PostgresCluster, run
from harness import BELFRY, PATIENCE, ROOT, Scenario, belfry, free_port, is_static
from test_wires import GRPC_SERVER

PAGE = os.path.join(ROOT, "docs/how-to/wait.md")
# Every option of the tools that are replaced, as of wait-for-it 2023, dockerize 0.9 and its fork 0.19, wait4x 3,
# wait-on 8 and docker-compose-wait 2.12. The page has to have a word on each.
THEIRS = {
    "wait-for-it": "-h --host -p --port -t --timeout -s --strict -q --quiet -- -c --curl -w --wget -b --busybox",
    "dockerize": "-wait -timeout -wait-retry-interval -wait-http-header -wait-http-status-code -wait-http-skip-redirect "
                 "-wait-http-skip-tls-verify -skip-tls-verify -cacert -exit-code -template -delims -no-overwrite -template-strict "
                 "-env -env-section -env-header -multiline -stdout -stderr -poll -version",
    "wait4x": "tcp http redis mysql postgresql rabbitmq dns mongodb influxdb temporal kafka exec --exit-code -t --timeout -i --interval "
              "--backoff-policy --backoff-exponential-coefficient --backoff-exponential-max-interval -v --invert-check -q --quiet "
              "--no-color --connection-timeout --expect-status-code --expect-body-regex --expect-body-json --expect-body-xpath "
              "--expect-header --request-header --request-body --no-redirect --insecure-skip-tls-verify --ca-file --cert-file "
              "--key-file --expect-table --expect-key --nameserver --expected-ip --expected-domain",
    "wait-on": "file http https http-get https-get tcp socket -r --reverse -t --timeout -i --interval --httpTimeout --tcpTimeout -d "
               "--delay -w --window -s --simultaneous -l --log -v --verbose -c --config",
    "docker-compose-wait": "WAIT_HOSTS WAIT_PATHS WAIT_TIMEOUT WAIT_HOST_CONNECT_TIMEOUT WAIT_SLEEP_INTERVAL WAIT_BEFORE WAIT_AFTER "
                           "WAIT_COMMAND WAIT_LOGGER_LEVEL WAIT_HOSTS_TIMEOUT WAIT_PATHS_TIMEOUT WAIT_BEFORE_HOSTS WAIT_AFTER_HOSTS",
}
STACK = ("  db: {command: $SAMPLE --notify, ready: notify}\n"
         "  api: {command: $SAMPLE --notify, ready: notify, depends_on: [db]}\n"
         "  migrate: {type: oneshot, command: ['true']}")


class Web(http.server.BaseHTTPRequestHandler):
    """What the page asks of web:8080 and web:8443."""

    protocol_version = "HTTP/1.1"
    answers = {"/": (200, "<h1>Shop</h1>"), "/health": (200, "ok"), "/empty": (204, ""), "/moved": (302, ""),
               "/status.json": (200, '{"status": "ok"}')}

    def do_GET(self):
        status, body = self.answers.get(self.path, (404, "no"))
        if self.path == "/private":
            status, body = (200, "ok") if self.headers["Authorization"] == "Basic b3BlbjpzZXNhbWU=" else (401, "no")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Threads(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = allow_reuse_address = True

    def handle_error(self, *_):
        pass


class UnixWeb(Threads):
    address_family = socket.AF_UNIX

    def get_request(self):
        return self.socket.accept()[0], ("unix", 0)


class Silent:
    """A listener that accepts in the kernel and never says a word."""

    def __init__(self, port=0):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.listen(4096)
        self.port = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


class Says(socketserver.BaseRequestHandler):
    """As much of a server as its first answers: of each a word that is heard, and what is said to it."""

    def handle(self):
        self.server.asked.set()
        self.request.sendall(self.server.greeting)
        while heard := self.request.recv(4096):
            answers = [answer for word, answer in self.server.answers if word in heard]
            if not answers:
                return
            self.request.sendall(answers[0])


def server_that_says(test, answers, greeting=b""):
    """Its port."""
    return said_by(test, answers, greeting).server_address[1]


def said_by(test, answers, greeting=b""):
    server = Threads(("127.0.0.1", 0), Says)
    server.answers, server.greeting, server.asked = answers, greeting, threading.Event()
    return serve(test, server)


def mysql_packet(number, body):
    return len(body).to_bytes(3, "little") + bytes([number]) + body


# https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
MYSQL_GREETING = mysql_packet(0, b"\x0a8.0.0\0" + bytes(4) + b"12345678\0" + b"\xff\xf7\x21\x02\0\x08\0\x15" + bytes(10) +
                              b"123456789012\0mysql_native_password\0")
MYSQL_DENIED = mysql_packet(2, b"\xff\x15\x04#28000Access denied")
AMQP_START = b"\x01\0\0\0\0\0\x1c\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US\xce"


class Names(socketserver.BaseRequestHandler):
    """A name server that knows every name (RFC 1035): its address is 127.0.0.1."""

    def handle(self):
        asked, to = self.request
        end = asked.index(b"\0", 12) + 5
        is_a = asked[end - 4:end - 2] == b"\0\1"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_a else b""
        to.sendto(asked[:2] + b"\x81\x80\0\1\0" + bytes([is_a]) + bytes(4) + asked[12:end] + answer, self.client_address)


class NameServer(socketserver.ThreadingMixIn, socketserver.UDPServer):
    daemon_threads = True


def serve(test, server):
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return server


def commands_of(text):
    """Every command on the page, in its order: the lines of blocks, and what stands in code in a table."""
    found, in_block = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            in_block = not in_block
        elif in_block:
            found.append(line.split("  #")[0].rstrip())
        elif line.startswith("|"):
            found += [code.replace("\\|", "|") for code in re.findall(r"`([^`]+)`", line)
                      if re.search(r"\bbelfry (wait|run|version)", code)]
    return found


def tables_of(text):
    """For each section the rows of its table, as lists of cells."""
    tables, section = {}, ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("| ") and section:
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            tables.setdefault(section, []).append(cells)
    return {section: rows[1:] for section, rows in tables.items()}


class Page(Scenario):
    def setUp(self):
        with open(PAGE, encoding="utf-8") as page:
            self.page = page.read()

    def test_every_option_of_the_five_tools_has_a_row_that_says_how_or_why_not(self):
        tables = tables_of(self.page)
        for tool, options in THEIRS.items():
            rows = tables[tool]
            words = set(re.findall(r"[\w-]+", " ".join(row[0] for row in rows)))
            for option in options.split():
                self.assertIn(option, words, f"{tool} has {option}, and the page does not say what becomes of it")
            for theirs, ours in rows:
                self.assertRegex(ours, r"`[^`]*belfry |^no\b|^not needed: ", f"{tool}: {theirs}")

    def test_every_command_on_the_page_does_what_it_says(self):
        stack = self.stack(STACK).start().wait_for_control()
        self.folder = stack.path
        commands = commands_of(self.page)
        self.assertGreater(len(commands), 80)
        environment = self.world(stack)
        for command in commands:
            with self.subTest(command=command):
                ran = subprocess.run(["sh", "-c", self.here(command)], cwd=stack.path, env=environment, timeout=PATIENCE,
                                     stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
                if "--query" in command and is_static():
                    self.assertIn("this belfry is linked statically and cannot load lib", ran.stderr)
                    continue
                self.assertEqual(ran.returncode, 0, f"{ran.stdout}{ran.stderr}")
                if "./serve" in command:
                    self.assertIn("served", ran.stdout)

    def world(self, stack):
        """The servers and files that the page speaks of."""
        plain, secret = serve(self, Threads(("127.0.0.1", 0), Web)), Threads(("127.0.0.1", 0), Web)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", "client.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=web", "-addext",
                        "subjectAltName=IP:127.0.0.1"], cwd=stack.path, check=True, capture_output=True)
        shutil.copy(os.path.join(stack.path, "ca.pem"), os.path.join(stack.path, "client.pem"))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(os.path.join(stack.path, "ca.pem"), os.path.join(stack.path, "client.key"))
        secret.socket = tls.wrap_socket(secret.socket, server_side=True)
        serve(self, secret)
        database = Silent()
        self.addCleanup(database.close)
        os.mkdir(os.path.join(stack.path, "run"))
        serve(self, UnixWeb(os.path.join(stack.path, "run/app.sock"), Web))
        for name, text in (("run/ready", ""), ("serve", "#!/bin/sh\necho served\n")):
            with open(os.path.join(stack.path, name), "w", encoding="utf-8") as file:
                file.write(text)
        os.chmod(os.path.join(stack.path, "serve"), 0o755)
        programs = os.path.join(stack.path, "bin")
        os.mkdir(programs)
        os.symlink(BELFRY, os.path.join(programs, "belfry"))
        web = plain.server_address[1]
        self.places = {"postgres://app@db:5432": f"postgres://app@127.0.0.1:{self.postgres()}",
                       "mysql://app@db:3306": "mysql://app@127.0.0.1:%d" % server_that_says(
                           self, [(b"app", MYSQL_DENIED)], MYSQL_GREETING),
                       "redis://cache:6379": "redis://127.0.0.1:%d" % server_that_says(self, [(b"PING", b"+PONG\r\n")]),
                       "amqp://broker:5672": "amqp://127.0.0.1:%d" % server_that_says(self, [(b"AMQP", AMQP_START)]),
                       "memcached://cache": "memcached://127.0.0.1:%d" % server_that_says(
                           self, [(b"version", b"VERSION 1.6\r\n")]),
                       "grpc://web:9000": f"grpc://127.0.0.1:{self.grpc(stack)}",
                       "dns://127.0.0.1:5353": f"dns://127.0.0.1:{serve(self, NameServer(('127.0.0.1', 0), Names)).server_address[1]}",
                       "db:5432": f"127.0.0.1:{database.port}", "web:8080": f"127.0.0.1:{web}",
                       "127.0.0.1:8080": f"127.0.0.1:{web}", "localhost:8080": f"localhost:{web}",
                       "web:8443": f"127.0.0.1:{secret.server_address[1]}", "web:9999": f"127.0.0.1:{free_port()}"}
        return stack.environment(PATH=f"{programs}:{stack.path}:{os.environ['PATH']}", BELFRY_SOCKET=stack.control)

    def here(self, command):
        """The command with the places of this test in it. Every address on the page is one of them."""
        run = os.path.join(self.folder, "run")
        command = command.replace("%2Ftmp%2F", run.replace("/", "%2F") + "%2F").replace("/tmp/", run + "/")
        place = r"\b(?:postgres://app@db:5432|mysql://app@db:3306|redis://cache:6379|amqp://broker:5672|memcached://cache" \
                r"|grpc://web:9000|dns://127\.0\.0\.1:5353|(?:db|web|localhost|127\.0\.0\.1):\d+)"
        return re.sub(place, lambda found: self.places.get(found[0], found[0]), command)

    def postgres(self):
        cluster = PostgresCluster(free_port())
        self.addCleanup(cluster.remove)
        cluster.start()
        for statement in ("create role app login", "create database shop owner app"):
            cluster.psql(statement)
        run(f"{POSTGRES}/psql", "-h", cluster.folder, "-p", str(cluster.port), "-U", "app", "-d", "shop", "-c",
            "create table orders ()")
        return cluster.port

    def grpc(self, stack):
        port = free_port()
        for name, text in (("grpc.server.py", GRPC_SERVER), ("health", "\1")):
            with open(os.path.join(stack.path, name), "w", encoding="utf-8") as file:
                file.write(text)
        process = subprocess.Popen(["/usr/bin/python3", f"{stack.path}/grpc.server.py", f"127.0.0.1:{port}", stack.path, "healthy"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return port


class Waits(Scenario):
    def wait(self, *arguments, **options):
        return belfry("wait", *arguments, **options)

    def begin(self, *arguments, **options):
        process = subprocess.Popen([BELFRY, "wait", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def silent(self):
        server = Silent()
        self.addCleanup(server.close)
        return server

    def test_it_returns_when_the_server_comes(self):
        port = free_port()
        process = self.begin("--timeout", f"{PATIENCE}s", f"localhost:{port}")
        late = Silent(port)
        self.addCleanup(late.close)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_not_returns_when_the_server_goes(self):
        server = said_by(self, [(b"PING", b"+PONG\r\n")])
        process = self.begin("--not", f"redis://127.0.0.1:{server.server_address[1]}")
        self.assertTrue(server.asked.wait(PATIENCE), "it never asked")
        self.assertIsNone(process.poll())
        server.shutdown()
        server.server_close()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_not_is_not_so_while_the_server_is_there(self):
        ran = self.wait("--not", f"127.0.0.1:{self.silent().port}", "--timeout", "100ms")
        self.assertEqual(ran.returncode, 124)
        self.assertIn("it is still there", ran.stderr)

    def test_who_gives_up_says_the_last_error_of_each_and_of_nobody_else(self):
        server = self.silent()
        ran = self.wait("--timeout", "200ms", "file:/nowhere/x", "127.0.0.1:1", f"127.0.0.1:{server.port}")
        self.assertEqual(ran.returncode, 124)
        self.assertEqual(ran.stderr, "belfry: cannot wait any longer for 2:\n"
                         "  file:/nowhere/x: cannot find /nowhere/x: No such file or directory\n"
                         "  127.0.0.1:1: cannot connect to 127.0.0.1:1: Connection refused\n")

    def test_any_is_content_with_the_first_one(self):
        self.assertEqual(self.wait("--any", "127.0.0.1:1", f"127.0.0.1:{self.silent().port}").returncode, 0)
        self.assertEqual(self.wait("--any", "127.0.0.1:1", "127.0.0.1:2", "--timeout", "50ms").returncode, 124)

    def test_a_server_that_says_nothing_is_given_up(self):
        server = self.silent()
        for target in (f"http://127.0.0.1:{server.port}/", f"tls://127.0.0.1:{server.port}"):
            began = time.monotonic()
            ran = self.wait(target, "--timeout", "300ms")
            self.assertEqual(ran.returncode, 124, ran.stderr)
            self.assertIn("has had no answer yet", ran.stderr)
            self.assertLess(time.monotonic() - began, 5)
            ran = self.wait(target, "--timeout", "300ms", "--attempt-timeout", "20ms")
            self.assertEqual(ran.returncode, 124)
            self.assertNotIn("has had no answer yet", ran.stderr)

    def test_a_thousand_targets_are_asked_at_once(self):
        servers = [self.silent() for _ in range(40)]
        targets = [f"http://127.0.0.1:{servers[i % 40].port}/{i}" for i in range(1000)]
        began = time.monotonic()
        ran = self.wait(*targets, "--timeout", "1s")
        self.assertEqual(ran.returncode, 124, ran.stderr[-2000:])
        self.assertEqual(ran.stderr.count("\n"), 1001)
        self.assertNotIn("Too many open files", ran.stderr)
        self.assertLess(time.monotonic() - began, 10)

    def test_a_password_is_never_shown(self):
        for target in ("http://me:sesame@127.0.0.1:1/", "postgres://me:sesame@127.0.0.1:1/db", "mongo://me:sesame@h",
                       "http://me:sesame@127.0.0.1:x/", "redis://:sesame@127.0.0.1:1"):
            ran = self.wait(target, "--timeout", "10ms")
            self.assertIn(ran.returncode, (64, 124))
            self.assertNotIn("sesame", ran.stderr)

    def test_what_makes_no_sense_is_said_at_once(self):
        for arguments in ([""], [" "], ["db:5432 "], ["db:"], [":5432"], ["db:0"], ["db:65536"], ["::1:80"], ["foo://x"],
                          ["tcp://db"], ["tcp://db:1/x"], ["http://"], ["file:"], ["file://host/x"], ["unix:"], ["/x"], ["./x"],
                          ["a\nb:1"], ["--status", "700", "http://h"], ["--status", "200", "h:1"], ["--body", "(", "http://h"],
                          ["--header", "nothing", "http://h"], ["--interval", "0", "h:1"], ["--interval", "soon", "h:1"],
                          ["--insecure", "http://h"], ["--key", "k", "https://h"], ["--query", "q", "h:1"], ["--for", "ready", "h:1"],
                          ["--json", "x=1", "http://h"], ["--method", "get", "http://h"], ["h:1", "--"]):
            with self.subTest(arguments=arguments):
                ran = self.wait("--timeout", "10ms", *arguments)
                self.assertEqual(ran.returncode, 64, ran.stderr)
                self.assertTrue(ran.stderr.startswith("belfry: cannot "), ran.stderr)
                self.assertIn("next step: ", ran.stderr)

    def test_a_path_that_cannot_be_is_hopeless(self):
        ran = self.wait("unix:/" + "x" * 200)
        self.assertEqual(ran.returncode, 69, ran.stderr)
        self.assertIn("too long", ran.stderr)

    def test_addresses_of_ipv6_and_the_same_target_twice(self):
        with socket.socket(socket.AF_INET6) as server:
            server.bind(("::1", 0))
            server.listen()
            target = f"[::1]:{server.getsockname()[1]}"
            self.assertEqual(self.wait(target, target, f"tcp://{target}").returncode, 0)

    def test_the_command_takes_its_place_with_signals_and_descriptors_as_they_were(self):
        ran = self.wait("file:/", "--", "sh", "-c", "ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status; ulimit -n; exit 7")
        self.assertEqual(ran.returncode, 7, ran.stderr)
        fds = {word for word in ran.stdout.split() if word.isdigit() and len(word) == 1}
        self.assertEqual(fds, {"0", "1", "2", "3"})  # 3 is the folder that ls reads
        self.assertIn("SigBlk:\t0000000000000000", ran.stdout)
        self.assertIn("SigIgn:\t0000000000000000", ran.stdout)
        self.assertEqual(self.wait("file:/", "--", "/nowhere/x").returncode, 127)
        self.assertEqual(self.wait("file:/", "--", "/etc").returncode, 126)

    def test_a_signal_ends_it_as_that_signal(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            server = said_by(self, [(b"PING", b"+PONG\r\n")])
            process = self.begin("--not", f"redis://127.0.0.1:{server.server_address[1]}")
            self.assertTrue(server.asked.wait(PATIENCE), "it never asked")
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), -number)

    def test_on_a_terminal_one_line_says_who_is_waited_for_and_is_gone_at_the_end(self):
        master, terminal = pty.openpty()
        self.addCleanup(os.close, master)
        process = subprocess.Popen([BELFRY, "wait", "--timeout", "1500ms", "127.0.0.1:1", "file:/nowhere"], stdin=subprocess.DEVNULL,
                                   stderr=terminal, stdout=terminal, env={**os.environ, "TERM": "vt100"})
        os.close(terminal)
        seen = b""
        with contextlib.suppress(OSError):
            while select.select([master], [], [], PATIENCE)[0]:
                block = os.read(master, 65536)
                if not block:
                    break
                seen += block
        self.assertEqual(process.wait(PATIENCE), 124)
        self.assertIn(b"\r\x1b[Kwaiting 1s for 127.0.0.1:1: Connection refused (+1 more)\r\x1b[Kbelfry: cannot wait", seen)

    def test_on_a_dumb_terminal_no_line_is_rewritten(self):
        master, terminal = pty.openpty()
        self.addCleanup(os.close, master)
        ran = subprocess.run([BELFRY, "wait", "--timeout", "1200ms", "file:/nowhere"], stdin=subprocess.DEVNULL, stderr=terminal,
                             stdout=terminal, env={**os.environ, "TERM": "dumb"}, timeout=PATIENCE, check=False)
        os.close(terminal)
        self.assertEqual(ran.returncode, 124)
        self.assertRegex(os.read(master, 65536), rb"^belfry: cannot wait any longer [^\x1b]*$")

    def test_quiet_is_quiet_on_a_pipe_and_says_why_in_the_end(self):
        ran = self.wait("--quiet", "127.0.0.1:1", "--timeout", "50ms")
        self.assertEqual((ran.returncode, ran.stdout), (124, ""))
        self.assertIn("Connection refused", ran.stderr)


class WithServices(Scenario):
    def test_services_and_servers_are_waited_for_together(self):
        stack = self.stack("  db: {command: $SAMPLE --notify --ready-delay 600s, ready: notify}\n"
                           "  api: {command: $SAMPLE --notify, ready: notify}").start().wait_for_control()
        self.assertEqual(stack.cli("wait", "api", "file:/").returncode, 0)
        ran = stack.cli("wait", "db", "api", "127.0.0.1:1", "--timeout", "200ms")
        self.assertEqual(ran.returncode, 124)
        self.assertIn("\n  db (starting", ran.stderr)
        self.assertIn("\n  127.0.0.1:1: ", ran.stderr)
        self.assertEqual(stack.cli("wait", "--any", "db", "api", "--timeout", "10s").returncode, 0)
        self.assertEqual(stack.cli("wait", "--any", "db", "file:/", "--timeout", "10s").returncode, 0)
        self.assertEqual(stack.cli("wait", "--not", "db").returncode, 0)
        self.assertEqual(stack.cli("wait", "--not", "api", "--timeout", "100ms").returncode, 124)

    def test_not_hears_that_a_service_is_ready_no_more(self):
        stack = self.stack("  api: {command: $SAMPLE --notify, ready: notify}").start().wait_for_control()
        self.assertEqual(stack.wait("api"), 200)
        process = subprocess.Popen([BELFRY, "wait", "--not", "api"], env=stack.environment(BELFRY_SOCKET=stack.control))
        self.assertEqual(stack.cli("stop", "api").returncode, 0)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_who_has_failed_for_good_is_not_waited_for(self):
        stack = self.stack("  bad: {command: ['false'], restart: 'no'}\n  api: {command: $SAMPLE}").start().wait_for_control()
        stack.output.index_of("bad failed")  # it was ready for a moment, which is what one may wait for, too
        ran = stack.cli("wait", "bad", "127.0.0.1:1")
        self.assertEqual(ran.returncode, 69, ran.stderr)
        self.assertIn("bad is failed", ran.stderr)
        self.assertEqual(stack.cli("wait", "--any", "bad", "file:/").returncode, 0)
        self.assertEqual(stack.cli("wait", "nobody").returncode, 64)
        self.assertEqual(stack.cli("wait", "api", "--for", "nonsense").returncode, 64)

    def test_many_names_go_into_several_requests(self):
        names = [f"a-service-with-a-name-that-is-rather-long-{i:04}" for i in range(700)]
        stack = self.stack("\n".join(f"  {name}: {{type: external, ready: {{file: /}}}}" for name in names)).start().wait_for_control()
        ran = stack.cli("wait", *names)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(stack.cli("wait", "--any", *names).returncode, 0)


if __name__ == "__main__":
    unittest.main()
