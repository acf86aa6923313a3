"""Redis, memcached, RabbitMQ, a name server and a gRPC server as services: the bell rings when clients are served."""
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from harness import PATIENCE, Scenario, free_port, free_ports, with_clients

CLEAN_STARTS = 50
LOADING_STARTS = 10
KEYS = 1_050_000  # of 200 bytes each: more than 200 MB to load
MISSING = [tool for tool in ("redis-server", "redis-cli", "memcached", "dnsmasq", "openssl")
           if not shutil.which(tool, path="/usr/bin:/usr/sbin")]

# It answers what the file `health` says, for itself and for `shop`, and knows no other service.
GRPC_SERVER = """import sys
from concurrent import futures
import grpc

def check(request, context):
    if request not in (b"", b"\\n\\x04shop"):
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service \\u00e4")
    with open(sys.argv[2] + "/health", "rb") as file:
        return b"\\x08" + file.read()

health = grpc.method_handlers_generic_handler("grpc.health.v1.Health",
                                              {"Check": grpc.unary_unary_rpc_method_handler(check)})
server = grpc.server(futures.ThreadPoolExecutor(2))
if "healthy" in sys.argv:
    server.add_generic_rpc_handlers((health,))
if "tls" in sys.argv:
    key, certificate = (open(sys.argv[2] + "/" + name, "rb").read() for name in ("key.pem", "cert.pem"))
    server.add_secure_port(sys.argv[1], grpc.ssl_server_credentials([(key, certificate)]))
else:
    server.add_insecure_port(sys.argv[1])
server.start()
server.wait_for_termination()
"""


class Client(threading.Thread):
    """Asks for a key again and again, as a client would that does not know better; says when it was answered first."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.answered_at, self.over = port, None, threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            if self.ask():
                self.answered_at = time.monotonic_ns()
                return
            self.over.wait(0.001)

    def ask(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
                connection.sendall(b"*2\r\n$3\r\nGET\r\n$5\r\nkey:0\r\n")
                return connection.recv(100).startswith(b"$")
        except OSError:
            return False


def spread(values):
    ordered = sorted(values)
    return " ".join(f"{name} {ordered[min(len(ordered) - 1, int(len(ordered) * share))]:.1f}"
                    for name, share in (("least", 0), ("median", 0.5), ("p90", 0.9), ("most", 1)))


class Wires(Scenario):
    @classmethod
    def setUpClass(cls):
        if MISSING:
            raise AssertionError(f"cannot run: {MISSING} is missing; run deploy/install-deps test")

    def certificate(self, folder):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, capture_output=True)
        os.chmod(f"{folder}/key.pem", 0o644)

    def run_services(self, services):
        return self.stack(services).start().wait_for_control()

    def refusal(self, service, command, ready):
        """Why it is not ready when its start has no more time."""
        stack = self.stack(f"  {service}: {{command: {command}, restart: no, ready: {{{ready}, timeout: 4s}}}}").start()
        self.assertEqual(stack.exit_code(), 69, stack.output.text())
        return stack.output.text()

    # Redis.

    @staticmethod
    def redis(port, *more):
        return "[" + ", ".join(f'"{word}"' for word in (
            "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", "$DIR", *more)) + "]"

    def timed_starts(self, count, folder, before):
        """(milliseconds of the start, milliseconds from a client's first answer to the bell) of each start."""
        measured = []
        for attempt in range(count):
            port = free_port()
            stack = self.stack(f"""
  cache: {{command: [redis-server, --port, "{port}", --bind, 127.0.0.1, --save, "", --dir, {folder}], ready: {{redis: "127.0.0.1:{port}"}}}}
  app: {{type: oneshot, command: [redis-cli, -e, -p, "{port}", get, "key:0"], depends_on: [cache], restart: no}}
""")
            client = Client(port)
            self.addCleanup(client.over.set)
            stack.start().wait_for_control()
            self.assertEqual(stack.wait("cache"), 200, stack.output.text())
            self.assertEqual(stack.wait("app", condition="completed"), 200, f"start {attempt}: {stack.output.text()}")
            if before:
                stack.output.index_of(f"app | {before}")
            self.assertNotIn("LOADING", stack.output.text())
            client.join(PATIENCE)
            cache = stack.services()["cache"]
            measured.append((cache["time_to_ready_ns"] / 1e6, (cache["since_monotonic_ns"] - client.answered_at) / 1e6))
            self.assert_clean_end(stack)
        return measured

    def assert_in_time(self, what, measured):
        starts, lags = zip(*measured)
        print(f"         {what}: {len(measured)} starts, ms to ready: {spread(starts)}; "
              f"ms from a client's first answer to the bell: {spread(lags)}", flush=True)
        late = [one for one in measured if one[1] > max(25, 0.02 * one[0])]
        self.assertLessEqual(len(late), len(measured) // 50, late)  # one of fifty may fall into somebody else's turn

    def test_redis_rings_when_the_first_client_is_served(self):
        folder = tempfile.mkdtemp(prefix="belfry-redis-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.assert_in_time("redis, empty", self.timed_starts(CLEAN_STARTS, folder, ""))

    def test_redis_that_loads_200_megabytes_rings_when_it_has_loaded_them(self):
        folder = tempfile.mkdtemp(prefix="belfry-redis-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        port = free_port()
        filler = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder,
                                   "--rdbcompression", "no", "--enable-debug-command", "yes"], stdout=subprocess.DEVNULL)
        try:
            client = Client(port)
            client.join(PATIENCE)
            for command in (("debug", "populate", str(KEYS), "key", "200"), ("save",)):
                done = subprocess.run(["redis-cli", "-e", "-p", str(port), *command], capture_output=True, text=True,
                                      timeout=120, check=True)
                self.assertIn("OK", done.stdout)
        finally:
            filler.kill()
            filler.wait()
        self.assertGreater(os.path.getsize(os.path.join(folder, "dump.rdb")), 200_000_000)
        # While it loads, Redis answers every 2 MB.
        self.assert_in_time("redis, loading", self.timed_starts(LOADING_STARTS, folder, "value:0"))

    def test_redis_with_a_password_teaches_and_then_serves(self):
        port = free_port()
        command = self.redis(port, "--requirepass", "s3cret")
        self.assertIn(f"cannot ping redis at 127.0.0.1:{port}: it asks for a password: give it in the URL, as "
                      "redis://:PASSWORD@HOST:PORT", self.refusal("cache", command, f'redis: "127.0.0.1:{port}"'))
        wrong = self.refusal("cache", command, f'redis: "redis://:wr0ng@127.0.0.1:{port}"')
        self.assertIn("it refuses the user or the password", wrong)
        self.assertNotIn("wr0ng", wrong)
        stack = self.run_services(f"""
  cache: {{command: {command}, ready: {{redis: "redis://:s3cret@127.0.0.1:{port}/2"}}}}
  none: {{type: external, ready: {{redis: "redis://:s3cret@127.0.0.1:{port}/99"}}, depends_on: [cache]}}
""")
        self.assertEqual(stack.wait("cache"), 200, stack.output.text())
        self.assertNotIn("s3cret", stack.get("/v1/services")[1] + stack.output.text())
        self.assert_clean_end(stack)

    def test_redis_within_tls_and_at_a_socket(self):
        port = free_port()
        stack = self.stack(f"""
  secure:
    command: {self.redis(0, "--tls-port", port, "--tls-cert-file", "$DIR/cert.pem", "--tls-key-file", "$DIR/key.pem",
                         "--tls-ca-cert-file", "$DIR/cert.pem", "--tls-auth-clients", "no")}
    ready: {{redis: "rediss://127.0.0.1:{port}", tls: {{ca: cert.pem}}}}
  local:
    command: {self.redis(0, "--unixsocket", "$DIR/redis.sock")}
    ready: {{redis: "unix:$DIR/redis.sock"}}
""")
        self.certificate(stack.path)
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("secure", "local"), 200, stack.output.text())
        self.assert_clean_end(stack)

    def test_a_replica_is_ready_when_its_master_is_there(self):
        master, port = free_ports(2)
        command = self.redis(port, "--replicaof", f"127.0.0.1 {master}", "--replica-serve-stale-data", "no")
        self.assertIn("it is a replica without a link to its master, and serves no stale data",
                      self.refusal("replica", command, f'redis: "127.0.0.1:{port}"'))
        stack = self.run_services(f"""
  master: {{command: {self.redis(master, "--repl-diskless-sync-delay", "0")}, ready: {{redis: "127.0.0.1:{master}"}}}}
  replica: {{command: {command}, ready: {{redis: "127.0.0.1:{port}"}}, depends_on: [master]}}
""")
        self.assertEqual(stack.wait("replica"), 200, stack.output.text())
        self.assert_clean_end(stack)

    # The others.

    def test_memcached_and_who_is_none(self):
        port, other = free_ports(2)
        user = "-u, nobody, " if os.geteuid() == 0 else ""
        stack = self.run_services(
            f'  cache: {{command: [memcached, {user}-l, 127.0.0.1, -p, "{port}"], ready: {{memcached: "127.0.0.1:{port}"}}}}')
        self.assertEqual(stack.wait("cache"), 200, stack.output.text())
        self.assert_clean_end(stack)
        self.assertIn(f"cannot ask memcached at 127.0.0.1:{other} for its version: it does not speak memcached's protocol: "
                      "it answered \"-ERR unknown command", self.refusal("cache", self.redis(other), f'memcached: "127.0.0.1:{other}"'))

    def test_a_name_server_is_ready_when_it_knows_the_name(self):
        port = free_port(socket.SOCK_DGRAM)
        user = "--user=root, " if os.geteuid() == 0 else ""
        command = (f'[dnsmasq, {user}--keep-in-foreground, --conf-file=/dev/null, --pid-file=, --no-resolv, --no-hosts, --port={port}, '
                   "--listen-address=127.0.0.1, --bind-interfaces, --address=/db.internal/10.0.0.1]")
        path = '{PATH: "/usr/sbin:/usr/bin:/sbin:/bin"}'
        stack = self.run_services(
            f'  names: {{command: {command}, environment: {path}, ready: {{dns: {{name: db.internal, server: "127.0.0.1:{port}"}}}}}}')
        self.assertEqual(stack.wait("names"), 200, stack.output.text())
        self.assert_clean_end(stack)
        self.assertIn(f"cannot look up db.elsewhere at 127.0.0.1:{port}: no name server gave an answer (REFUSED from 127.0.0.1",
                      self.refusal("names", f"{command}, environment: {path}", f'dns: {{name: db.elsewhere, server: "127.0.0.1:{port}"}}'))

    def grpc_stack(self, port, services, *how):
        stack = self.stack(f"""
  api: {{command: [/usr/bin/python3, $DIR/server.py, "127.0.0.1:{port}", $DIR, {", ".join(how)}], {services[0]}}}
{services[1]}""")
        for name, text in (("server.py", GRPC_SERVER), ("health", "\2")):
            with open(os.path.join(stack.path, name), "w", encoding="utf-8") as file:
                file.write(text)
        if "tls" in how:
            self.certificate(stack.path)
        return stack.start().wait_for_control()

    def say_health(self, stack, status):
        with open(f"{stack.path}/fresh", "w", encoding="ascii") as file:
            file.write(status)
        os.rename(f"{stack.path}/fresh", f"{stack.path}/health")

    def last_error(self, stack, service, text):
        """Waits until an attempt has failed with it."""
        deadline = time.monotonic() + PATIENCE
        while text not in (said := str(stack.services()[service]["last_error"])):
            self.assertLess(time.monotonic(), deadline, said)
        return said

    def test_grpc_rings_when_the_server_says_serving(self):
        for how in (["healthy"], ["healthy", "tls"]):
            port = free_port()
            tls = ", tls: {ca: cert.pem}" if "tls" in how else ""
            stack = self.grpc_stack(port, (f'ready: {{grpc: "127.0.0.1:{port}/shop"{tls}}}', f"""
  other: {{type: external, ready: {{grpc: "127.0.0.1:{port}/other"{tls}, period: 50ms}}, depends_on: {{api: started}}}}
"""), *how)
            self.last_error(stack, "api", f"cannot ask 127.0.0.1:{port} for the health of shop: the service shop is NOT_SERVING")
            self.last_error(stack, "other", "the server's health service knows no service other")
            self.say_health(stack, "\1")
            self.assertEqual(stack.wait("api"), 200, stack.output.text())
            self.assert_clean_end(stack)

    def test_grpc_without_a_health_service_says_so(self):
        port = free_port()
        stack = self.grpc_stack(port, (f'ready: {{grpc: "127.0.0.1:{port}"}}', ""), "bare")
        self.last_error(stack, "api", "the server has no health service (grpc.health.v1)")
        self.assert_clean_end(stack)

    @with_clients
    def test_rabbitmq_rings_when_its_listeners_are_up(self):
        port, distribution, epmd = free_ports(3)
        server = "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"
        stack = self.stack(f"""
  broker:
    command: [sh, -c, "exec {server}"]
    environment: {{HOME: $DIR, RABBITMQ_NODENAME: "belfry{port}@localhost", RABBITMQ_MNESIA_BASE: $DIR/mnesia,
                   RABBITMQ_LOG_BASE: $DIR/log, RABBITMQ_LOGS: "-", RABBITMQ_NODE_IP_ADDRESS: 127.0.0.1,
                   RABBITMQ_NODE_PORT: "{port}", RABBITMQ_DIST_PORT: "{distribution}", ERL_EPMD_PORT: "{epmd}",
                   RABBITMQ_ENABLED_PLUGINS_FILE: $DIR/plugins, RABBITMQ_CONF_ENV_FILE: $DIR/env,
                   RABBITMQ_CONFIG_FILE: $DIR/rabbitmq, RABBITMQ_GENERATED_CONFIG_DIR: $DIR/generated,
                   RABBITMQ_ADVANCED_CONFIG_FILE: $DIR/advanced, RABBITMQ_PID_FILE: $DIR/pid}}
    ready: {{amqp: "amqp://guest:guest@127.0.0.1:{port}"}}
    stop: {{timeout: 30s}}
""")
        stack.start().wait_for_control()
        for _ in range(4):  # it takes its time, and a request has an end
            status = stack.wait("broker")
            if status != 504:
                break
        self.assertEqual(status, 200, stack.output.text()[-4000:])
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.sendall(b"AMQP\0\0\x09\1")
            self.assertTrue(client.recv(100).startswith(b"\1\0\0"))
        self.assert_before(stack.output, "started TCP listener", "broker is ready")
        self.assert_clean_end(stack)
