"""A catalogue of broken stacks: the first line that `belfry why` says of each names the culprit, and not what followed from it."""
import contextlib
import http.client
import json
import os
import re
import select
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from harness import PATIENCE, Scenario, UnixConnection, belfry, free_port

IS_ROOT = os.geteuid() == 0
SPAN = r"(\d+ ms|\d+\.\d s|\d+ min \d+ s|\d+ h \d+ min)"
NEARLY_AN_HOUR = r"(59 min \d+ s|1 h 0 min)"


class Server:
    """Somebody who answers on a port of this host, and is no service."""

    def __init__(self, answer=None, context=None):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.answer, self.context = answer, context
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                with contextlib.suppress(OSError, struct.error), client:
                    self.speak(client)

    def speak(self, client):
        client.settimeout(PATIENCE)
        if self.context:
            with self.context.wrap_socket(client, server_side=True) as stream:
                stream.recv(100)
        elif self.answer:
            self.answer(client)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(PATIENCE)


def refuses_password(stream):
    """As PostgreSQL does (protocol 3.0): asks for a password, and does not like it."""
    def message(kind, body):
        return kind + struct.pack("!I", len(body) + 4) + body
    while True:
        request = stream.recv(struct.unpack("!I", stream.recv(4))[0] - 4)
        if struct.unpack("!I", request[:4])[0] not in (80877103, 80877104):
            break
        stream.sendall(b"N")
    stream.sendall(message(b"R", struct.pack("!I", 3)))
    stream.recv(1000)
    stream.sendall(message(b"E", b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"app\"\0\0"))


def says_503(stream):
    stream.recv(4000)
    stream.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 17\r\nConnection: close\r\n\r\nno database today")


class Case:
    """One broken stack. `services`: YAML without what every stack has; `ask`: of whom; `at`: the state from which on it is broken
    (of `of`), or nothing where what is said comes with the first attempt of a probe; `says`: what the first line matches."""

    def __init__(self, services, says, ask="api", at=None, of=None, top="", do=None, root=False):
        self.services, self.says, self.ask, self.at, self.of = services, says, ask, at, of or ask
        self.top, self.do, self.root = top, do, root


def catalogue(ports, files):
    """Every name is a broken stack; `ports` are those of servers that are not the stack's."""
    sleeps = "command: sleep infinity"
    api = "  api: {command: sleep infinity, depends_on: [db]}\n"
    return {
        # What cannot be started.
        "no such command": Case(api + "  db: {command: ./dbb}", r"api waits for db: db cannot be started: .*No such file or directory: ./dbb", at="blocked"),
        "not executable": Case(f"  api: {{command: {files}/plain}}", r"api cannot be started: .*Permission denied: .*not executable \(chmod \+x\)", at="failed"),
        "missing interpreter": Case(f"  api: {{command: {files}/no-interpreter}}", r'api cannot be started: .*interpreter "/opt/no/such/zsh" does not exist', at="failed"),
        "no such user": Case("  api: {command: sleep infinity, user: no-such-user}", r"api cannot be started: .*no-such-user", at="failed"),
        "no such directory": Case("  api: {command: sleep infinity, working_dir: /no/such/directory}", r"api cannot be started: .*/no/such/directory", at="failed"),
        # What ends by itself.
        "port taken by a stranger": Case(
            api + f"  db: {{command: [sh, -c, 'echo bind: Address already in use; exit 1'], ready: {{port: {ports['plain']}}}, restart: no}}",
            rf"api waits for db: db does not start: port {ports['plain']} is taken by (pid {os.getpid()} \(|a process of user \S+ \(`ss)", at="blocked"),
        "exit code": Case("  api: {command: [sh, -c, 'echo no licence found; exit 3'], ready: notify, restart: no}",
                          r'api does not start: .*exited with code 3 before it was ready.*"no licence found"', at="failed"),
        "missing command of a shell": Case("  api: {command: [sh, -c, no-such-thing], ready: notify, restart: no}",
                                           r"api does not start: the shell finds no command no-such-thing", at="failed"),
        "signal": Case("  api: {command: [sh, -c, 'kill -SEGV $$$$'], ready: notify, restart: no}", r"api does not start: it was killed by SIGSEGV before it was ready: ", at="failed"),
        "killed by somebody": Case("  api: {command: [sh, -c, 'kill -KILL $$$$'], ready: notify, restart: no}",
                                   r"api does not start: it was killed by SIGKILL before it was ready: belfry has not sent it", at="failed"),
        "processor time": Case("  api: {command: [sh, -c, 'while :; do :; done'], ready: notify, restart: no, rlimits: {cpu: {soft: 1, hard: 9}}}",
                               r"api does not start: it was killed by SIGXCPU before it was ready: its limit of processor time is reached", at="failed"),
        "too few descriptors": Case("  api: {command: [sh, -c, 'echo accept: Too many open files; exit 1'], ready: notify, restart: no, rlimits: {nofile: 32}}",
                                    r"api does not start: it had too many files open", at="failed"),
        "no memory": Case("  api: {command: [python3, -c, 'x = bytearray(10**12)'], ready: notify, restart: no, rlimits: {as: 1GiB}}",
                          r"api does not start: it got no more memory", at="failed"),
        "background before it is ready": Case("  api: {command: [sh, -c, 'sleep 1000 & exit 0'], restart: no}",
                                              r"api (has failed|does not start): it daemonised: it forked, left", at="failed"),
        "ends with 0": Case("  api: {command: [sh, -c, 'exit 0'], ready: notify, restart: no}",
                            r"api does not start: a daemon has to go on in the foreground", at="failed"),
        "one-shot": Case("  api: {command: sleep infinity, depends_on: [migrate]}\n"
                         "  migrate: {type: oneshot, command: [sh, -c, 'echo relation users does not exist >&2; exit 1']}",
                         r'api waits for migrate: migrate has failed: it exited with code 1; its last line: "relation users does not exist"', at="blocked"),
        "back-off": Case(api + "  db: {command: [sh, -c, 'echo disk on fire; exit 7'], ready: notify, restart: {delay: 1h, max_delay: 1h, jitter: 0}}",
                         r'api waits for db: db does not start: it exited with code 7.*"disk on fire"; retry in ' + NEARLY_AN_HOUR, at="backoff", of="db"),
        "limit reached": Case("  api: {command: [sh, -c, 'exit 4'], ready: notify, restart: {delay: 1ms, limit: 2 per 1m}}",
                              r"api does not start: it exited with code 4 before it was ready; gave up after 2 restarts", at="failed"),
        "dies again and again": Case("  api: {command: [sh, -c, 'echo it goes; exit 9'], restart: {delay: 1h, max_delay: 1h, jitter: 0}}",
                                     r"api .*exited with code 9.*retry in", at="backoff"),
        # What does not become ready.
        "port never": Case("  api: {command: sleep infinity, ready: {port: %d}}" % ports["free"], r"api is not ready: nobody listens on port %d" % ports["free"]),
        "port of a stranger": Case("  api: {command: sleep infinity, ready: {tcp: '127.0.0.1:%d'}}" % ports["plain"], r"api is not ready: .*%d" % ports["plain"]),
        "wrong password": Case(api + "  db: {command: sleep infinity, ready: {postgres: 'host=127.0.0.1 port=%d user=app password=secret dbname=shop', query: select 1, owner: any}}" % ports["postgres"],
                               # A static belfry cannot load what would log in, and that is what it says.
                               r'api waits for db: db is not ready: (.*password authentication failed for user "app"|.*this belfry is linked statically)'),
        "answer 503": Case("  api: {command: sleep infinity, ready: {http: 'http://127.0.0.1:%d/health', owner: any, body: ok}}" % ports["http"], r"api is not ready: .*503"),
        "certificate of nobody": Case("  api: {command: sleep infinity, ready: {http: 'https://localhost:%d/', owner: any}}" % ports["tls"], r"api is not ready: .*certificate"),
        "certificate that is over": Case("  api: {command: sleep infinity, ready: {http: 'https://localhost:%d/', owner: any, tls: {ca: %s/old.pem}}}" % (ports["old"], files), r"api is not ready: .*expired"),
        "name that does not resolve": Case("  api: {command: sleep infinity, ready: {tcp: 'no-such-host.invalid:80'}}", r"api is not ready: .*no-such-host.invalid"),
        "line that never comes": Case("  api: {command: [sh, -c, 'echo listening on 80; exec sleep infinity'], ready: {log: 'ready to accept'}}", r"api is not ready: .*ready to accept"),
        "file that never comes": Case("  api: {command: sleep infinity, ready: {file: run/ready}}", r"api is not ready: .*run/ready"),
        "notify that never comes": Case("  api: {command: sleep infinity, ready: notify}", r"api is not ready: it has not sent READY=1", at="starting"),
        "newline that is none": Case("  api: {command: [sh, -c, 'printf x >&3; exec sleep infinity'], ready: {fd: 3}}", r"api is not ready: .*descriptor 3", at="starting"),
        "command that fails": Case("  api: {command: sleep infinity, ready: {exec: [sh, -c, 'echo not yet >&2; exit 1']}}", r"api is not ready: .*exited with code 1"),
        "start timeout": Case("  api: {command: sleep infinity, ready: {notify: true, timeout: 50ms}, restart: no}", r"api does not start: .*not ready in time", at="failed"),
        "unready again": Case("  db: {command: [sh, -c, 'touch up; exec sleep infinity'], ready: {file: up, recheck: 10ms}}",
                              r"db is not ready any more: cannot find .*/up: No such file", ask="db", at="unready", do=[("remove", "up")]),
        "live fails": Case("  api: {command: $SAMPLE --name api --http --port %d --unhealthy-after 1ms, ready: {port: %d}, live: {http: 'http://127.0.0.1:%d/health', period: 10ms, failure_threshold: 1}, restart: {delay: 1h, max_delay: 1h, jitter: 0}}" % ((ports["live"],) * 3),
                           r"api .*503.*retry in", at="backoff"),
        "two-phase server": Case("  api: {command: [sh, -c, 'echo ready; exec sleep infinity'], ready: {log: {regex: ready, times: 2}}}", r"api is not ready: .*ready"),
        # Hooks.
        "pre_start fails": Case("  api: {command: sleep infinity, pre_start: [sh, -c, 'echo no schema; exit 5'], restart: no}", r"api does not start: .*pre_start.*code 5", at="failed"),
        "pre_start hangs": Case("  api: {command: sleep infinity, pre_start: sleep infinity}", r"api is not ready: .*pre_start", at="starting"),
        # Edges.
        "chain of four": Case("  api: {command: sleep infinity, depends_on: [b]}\n  b: {command: sleep infinity, depends_on: [c]}\n  c: {command: sleep infinity, depends_on: [d]}\n  d: {command: ./d}",
                              r"api waits for b → c → d: d cannot be started: .*No such file", at="blocked"),
        "edge timeout": Case("  api: {command: sleep infinity, depends_on: {db: {condition: ready, timeout: 50ms}}}\n  db: {command: sleep infinity, ready: notify}",
                             r"api has failed: it waited too long for db ready.*db is not ready: it has not sent READY=1", at="failed"),
        "circle by stopped": Case("  api: {command: sleep infinity, depends_on: {db: stopped}}\n  db: {command: sleep infinity}",
                                  r"api waits for db: db has to stop first, and it is ready", at="waiting"),
        "stopped by command": Case("  api: {command: sleep infinity, depends_on: [db]}\n  db: {command: sleep infinity}", r"api waits for db: db was stopped by command",
                                   at="blocked", do=[("stop", "db"), ("start-only", "api")]),
        "inactive by command": Case("  api: {command: sleep infinity}", r"api was stopped by command", at="inactive", do=[("stop", "api")]),
        "optional dependency": Case("  api: {command: sleep infinity, depends_on: {db: {required: false}}}\n  db: {command: sleep infinity, ready: notify}",
                                    r"api waits for db: db is not ready: it has not sent READY=1", at="starting", of="db"),
        "completed and gone": Case("  api: {command: sleep infinity, depends_on: {late: ready, db: started}}\n  late: {command: sleep infinity, ready: notify}\n"
                                   "  db: {type: oneshot, command: 'true'}",
                                   r"api waits for db: db has completed", at="blocked"),
        "quorum short": Case("  api: {command: sleep infinity, depends_on: [quorum]}\n  quorum: {type: gate, require: 2, depends_on: [a, b, c]}\n  a: {command: sleep infinity}\n  b: {command: ./b}\n  c: {command: ./c}",
                             r"api waits for quorum → b: b cannot be started: .*No such file.*; quorum has 1 of the 2 that it needs", at="blocked"),
        "gate waits": Case("  api: {command: sleep infinity, depends_on: [gate]}\n  gate: {type: gate, depends_on: [a, b]}\n  a: {command: sleep infinity}\n  b: {command: sleep infinity, ready: notify}",
                           r"api waits for gate → b: b is not ready: it has not sent READY=1", at="starting", of="b"),
        "external is down": Case("  api: {command: sleep infinity, depends_on: [pg]}\n  pg: {type: external, ready: {tcp: '127.0.0.1:%d'}}" % ports["free"],
                                 r"api waits for pg: pg is not there: .*refused"),
        "disabled": Case("  api: {command: sleep infinity, depends_on: {dbg: {required: false}}}\n  dbg: {command: sleep infinity, profiles: [debug]}",
                         r"dbg was not started", ask="dbg", at="ready", of="api"),
        # Stops.
        "stuck stop": Case("  api: {command: $SAMPLE --name api --notify --ignore TERM, ready: notify, stop: {timeout: 1h}}", r"api is stopping, and does not end: .*killed in " + NEARLY_AN_HOUR,
                           at="stopping", do=[("stop-no-wait", "api")]),
        "stop behind others": Case("  api: {command: $SAMPLE --name api --notify --ignore TERM, ready: notify, depends_on: [db], stop: {timeout: 1h}}\n  db: {command: sleep infinity}",
                                   r"db .*waits for api.*killed in " + NEARLY_AN_HOUR, ask="db", at="stopping", of="api", do=[("stop-no-wait", "db")]),
        # Limits.
        "start slots": Case("  slow: {command: sleep infinity, ready: notify}\n  api: {command: sleep infinity}",
                            r"api waits for slow: slow has its place, of those that may start at once, and is not ready: it has not sent READY=1", ask="api", at="starting",
                            of="slow", top="limits: {parallel_starts: 1}"),
        # More of what a run may meet.
        "watchdog": Case("  api: {command: $SAMPLE --name api --notify, ready: notify, watchdog: 20ms, restart: {delay: 1h, max_delay: 1h, jitter: 0}}",
                         r"api has failed: .*WATCHDOG=1.*retry in " + NEARLY_AN_HOUR, at="backoff"),
        "post_start fails": Case("  api: {command: sleep infinity, post_start: [sh, -c, 'exit 5'], restart: no}", r"api .*post_start of api exited with code 5", at="failed"),
        "own bell": Case("  api: {command: sleep infinity, depends_on: {db: warm}}\n  db: {command: sleep infinity, bells: {warm: {file: run/warm}}}",
                         r"api waits for db: db is ready, and its bell 'warm' has not rung", at="ready", of="db"),
        "lost for good": Case("  api: {command: sleep infinity, depends_on: {db: {on_loss: stop}}}\n  db: {command: $SAMPLE --name db --notify --exit-after 100ms, ready: notify, restart: no}",
                              r"api was stopped: lost db ready", at="inactive"),
    }


AUTHORITY = """[ca]
default_ca = here
[here]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = DNS:localhost
"""


def make_files(folder):
    """The programs that cannot be run, and a certificate that is over and one that nobody knows."""
    for name, text, mode in (("plain", "#!/bin/sh\n", 0o644), ("no-interpreter", "#!/opt/no/such/zsh\n", 0o755)):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(os.path.join(folder, name), mode)
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", "new.key", "-out", "new.pem",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    # Only a certificate authority may choose both dates.
    for name, text in (("index", ""), ("serial", "01\n"), ("ca.conf", AUTHORITY)):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)
    shutil.copy(os.path.join(folder, "new.key"), os.path.join(folder, "old.key"))
    openssl("req", "-new", "-key", "old.key", "-subj", "/CN=localhost", "-out", "old.csr")
    openssl("ca", "-batch", "-config", "ca.conf", "-selfsign", "-keyfile", "old.key", "-in", "old.csr", "-startdate", "20200101000000Z",
            "-enddate", "20200102000000Z", "-notext", "-out", "old.pem")


def tls(folder, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key"))
    return context


class Why(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.mkdtemp(prefix="belfry-why-")
        cls.addClassCleanup(shutil.rmtree, cls.files, ignore_errors=True)
        os.chmod(cls.files, 0o755)
        make_files(cls.files)
        servers = {"plain": Server(), "postgres": Server(refuses_password), "http": Server(says_503),
                   "tls": Server(context=tls(cls.files, "new")), "old": Server(context=tls(cls.files, "old"))}
        for server in servers.values():
            cls.addClassCleanup(server.close)
        cls.ports = {name: server.port for name, server in servers.items()}
        cls.ports.update(free=free_port(), live=free_port())

    def run_stack(self, services, top=""):
        return self.stack(services + "\n  keep: {command: sleep infinity}", top).start().wait_for_control()

    def until_event(self, stack, wanted):
        """Until the journal holds an event of which `wanted` is true; it says so itself."""
        connection = UnixConnection(stack.control, PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/v1/events?since=0", headers={"Accept": "text/event-stream"})
        deadline = time.monotonic() + PATIENCE
        for line in connection.getresponse():
            if time.monotonic() > deadline:
                break  # a comment comes every 15 s
            if line.startswith(b"data: ") and wanted(json.loads(line[6:])):
                return
        self.fail("it never came to that:\n" + stack.output.text())

    def until_state(self, stack, name, state):
        self.until_event(stack, lambda event: event.get("service") == name and event.get("state") == state)

    def why(self, stack, name=""):
        status, text = stack.get(f"/v1/why/{name}?format=text" if name else "/v1/why?format=text")
        self.assertEqual(status, 200, text)
        return text

    def first_line_of(self, case):
        """Waits for what is said with the first attempt of a probe, which no event tells of."""
        stack = self.run_stack(case.services, case.top)
        for what, name in case.do or []:
            if what == "remove":
                self.until_state(stack, case.of, "ready")
                os.remove(os.path.join(stack.path, name))
                continue
            self.until_state(stack, "api", "ready") if what == "stop-no-wait" else None
            query = {"stop": "", "stop-no-wait": "?wait=0", "start-only": "?only=1&wait=0"}[what]
            stack.request("POST", f"/v1/services/{name}/{what.split('-', maxsplit=1)[0]}{query}")
        if case.at:
            self.until_state(stack, case.of, case.at)
        deadline = time.monotonic() + (2 if case.at else PATIENCE)
        while not re.search(case.says, line := self.why(stack, case.ask).split("\n", maxsplit=1)[0]) and time.monotonic() < deadline:
            select.select([], [], [], 0.02)
        return line

    def test_the_first_line_names_the_culprit(self):
        """Of every stack of the catalogue; a few at a time."""
        cases = {name: case for name, case in catalogue(self.ports, self.files).items() if IS_ROOT or not case.root}
        only = os.environ.get("BELFRY_CASE", "")
        cases = {name: case for name, case in cases.items() if only in name}
        said, slots = {}, threading.Semaphore(4)

        def look(name, case):
            with slots:
                try:
                    said[name] = self.first_line_of(case)
                except Exception as error:  # pylint: disable=broad-exception-caught
                    said[name] = f"{type(error).__name__}: {error}"
        threads = [threading.Thread(target=look, args=one) for one in cases.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if os.environ.get("BELFRY_SHOW"):
            print("".join(f"{name:32} {line}\n" for name, line in said.items()))
        for name, case in cases.items():
            with self.subTest(name):
                self.assertRegex(said[name], "^" + case.says)
        self.assertTrue(only or len(cases) >= 45, len(cases))

    def test_an_explanation_has_all_its_parts(self):
        stack = self.run_stack("  api: {command: sleep infinity, depends_on: [db]}\n"
                               "  db: {command: [sh, -c, 'echo one; echo two; exit 7'], ready: notify, restart: {delay: 1h, max_delay: 1h, jitter: 0}}")
        self.until_state(stack, "db", "backoff")
        text = self.why(stack, "api")
        self.assertRegex(text, rf"▶ +└ db +backoff +{SPAN}")
        self.assertIn("waits for db ready", text)
        self.assertRegex(text, rf"last run: +#1 exited with code 7 after {SPAN}, never ready")
        self.assertIn("its last lines:\n  one\n  two\n", text)
        self.assertRegex(text, f"db starts again in {NEARLY_AN_HOUR}")
        self.assertIn("once nothing is missing, api starts by itself", text)
        self.assertIn("`belfry start db` tries it at once", text)

    def test_what_a_program_reads_is_the_same(self):
        stack = self.run_stack("  api: {command: sleep infinity, depends_on: [db]}\n  db: {command: ./db}")
        self.until_state(stack, "api", "blocked")
        status, body = stack.get("/v1/why/api")
        self.assertEqual(status, 200)
        why = json.loads(body)
        self.assertEqual((why["stack"], why["service"], why["ready"], why["culprit"]), ("test", "api", False, "db"))
        self.assertEqual([(one["service"], one["depth"], one["state"], one["is_culprit"]) for one in why["chain"]],
                         [("api", 0, "blocked", False), ("db", 1, "failed", True)])
        self.assertEqual(why["headline"], self.why(stack, "api").split("\n", maxsplit=1)[0])
        self.assertEqual(stack.get("/v1/why/nobody")[0], 404)
        self.assertEqual(stack.get("/v1/why?format=xml")[0], 400)
        whole = json.loads(stack.get("/v1/why")[1])
        self.assertEqual((whole["service"], whole["culprit"]), (None, "db"))
        self.assertRegex(whole["headline"], "^test is not ready: db cannot be started: ")

    def test_the_command_line_says_it(self):
        stack = self.run_stack("  api: {command: sleep infinity, depends_on: [db]}\n  db: {command: ./db}")
        self.until_state(stack, "api", "blocked")
        asked = stack.cli("why", "api")
        self.assertEqual((asked.returncode, asked.stderr), (0, ""))
        self.assertTrue(asked.stdout.startswith("api waits for db: db cannot be started: "), asked.stdout)
        both = stack.cli("why", "api", "keep").stdout
        self.assertRegex(both, r"\n\nkeep is ready, for ")
        self.assertTrue(stack.cli("why").stdout.startswith("test is not ready: db cannot be started: "))
        self.assertEqual(json.loads(stack.cli("why", "db", "--json").stdout)["culprit"], "db")
        wrong = stack.cli("why", "dbb")
        self.assertEqual(wrong.returncode, 64)
        self.assertIn("cannot find a service named dbb; did you mean db?", wrong.stderr)

    def test_a_stack_that_is_ready_has_no_culprit(self):
        stack = self.run_stack("  api: {command: sleep infinity}")
        stack.output.index_of("belfry | ready after")
        self.assertEqual(self.why(stack), "test is ready: nothing is missing\n")
        self.assertRegex(self.why(stack, "api"), "^api is ready, for ")

    def test_exec_that_cannot_get_ready_explains_it(self):
        stack = self.stack("  api: {command: sleep infinity, depends_on: [db]}\n  db: {command: [sh, -c, 'echo no licence; exit 3'], ready: notify, restart: no}")
        ended = belfry("exec", "-c", stack.file, "--", "true", env=stack.environment())
        self.assertEqual((ended.returncode, ended.stdout), (69, ""))
        said = [line for line in ended.stderr.splitlines() if line.startswith("belfry: ")]
        self.assertRegex(said[0], r'^belfry: cannot run the command: the stack will not be ready: db does not start: .*code 3.*"no licence"')
        self.assertIn("its last lines:\n  no licence\n", ended.stderr)
        self.assertNotIn("what comes next", ended.stderr)

    def test_run_says_who_has_ended_it(self):
        stack = self.stack("  db: {command: ./db, essential: true}\n  keep: {command: sleep infinity}").start()
        self.assertEqual(stack.exit_code(), 69)
        self.assert_before(stack.output, "test is not ready: db cannot be started: ", "stopping: ")

    def test_over_tcp_nobody_is_shown_words_without_a_token(self):
        port = free_port()
        stack = self.run_stack("  db: {command: [sh, -c, 'echo password is hunter2; exit 3'], ready: notify, restart: no}", f"http: {{listen: 127.0.0.1:{port}}}")
        self.until_state(stack, "db", "failed")
        status, body = self.ask(port, "/v1/why/db")
        self.assertEqual(status, 200)
        why = json.loads(body)
        self.assertEqual((why["headline"], why["log"]), ("db is failed", []))
        self.assertNotIn("hunter2", body)
        self.assertEqual(self.ask(port, "/v1/why/db", host="evil.example")[0], 403)

    @staticmethod
    def ask(port, path, host="localhost"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


if __name__ == "__main__":
    unittest.main()
