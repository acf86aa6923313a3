"""Several hosts whose etcd, or what stands in it, is not as it should be: the words of `why`, nothing lost, nothing started."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import test_cluster
from harness import PATIENCE, Scenario, free_port, until


class Etcd(test_cluster.Etcd):
    """One that is asked in another way: over TLS, with options of its own, or where another one has been."""

    def __init__(self, arguments=(), tls=None, port=None):
        self.arguments, self.tls, self.wished_port = list(arguments), tls, port
        super().__init__()

    def start(self):
        self.port = self.wished_port or self.port
        scheme = "https" if self.tls else "http"
        client, peer = f"{scheme}://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer}"
        self.process = subprocess.Popen(
            ["etcd", f"--data-dir={self.path}/data", f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
             f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}", f"--initial-cluster-token={self.path}", *self.arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers(self):
        if not self.tls:
            return super().answers()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def control(self, *arguments, stdin=None):
        end = subprocess.run(["etcdctl", f"--endpoints=127.0.0.1:{self.port}", *arguments], env={**os.environ, "ETCDCTL_API": "3"}, input=stdin,
                             capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert end.returncode == 0, f"{arguments}: {end.stdout}{end.stderr}"
        return end.stdout

    def put_under_a_lease(self, key, value):
        lease = re.search(r"lease (\w+) granted", self.control("lease", "grant", "600"))[1]
        self.control("put", f"--lease={lease}", key, value)

    def ask_for_passwords(self):
        for line in ("user add root:s3cret", "user add shop:geheim", "role add shop", "role grant-permission shop readwrite belfry/shop/ --prefix=true",
                     "user grant-role shop shop", "user grant-role root root", "auth enable"):
            self.control(*line.split())


class Certificates:
    """Of one authority: some that are good, and some whose time is over."""

    CONFIG = """[ca]
default_ca = own
[own]
dir = .
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="belfry-ca-")
        with open(self.path("ca.cnf"), "w", encoding="ascii") as file:
            file.write(self.CONFIG)
        with open(self.path("index"), "w", encoding="ascii"):
            pass
        self.openssl("req", "-x509", *self.new_key("ca"), "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca")

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)

    @staticmethod
    def new_key(name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]

    def issue(self, name, end):
        self.openssl("req", "-new", *self.new_key(name), "-out", f"{name}.csr", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
        self.openssl("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-startdate", "20250101000000Z", "-enddate", end,
                     "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext")

    def of_etcd(self, name, *more):
        return [f"--cert-file={self.path(name + '.pem')}", f"--key-file={self.path(name + '.key')}", f"--trusted-ca-file={self.path('ca.pem')}", *more]


class Proxy:
    """Passes bytes on to `port`, and closes every connection after some time, whatever goes through it."""

    def __init__(self, port, seconds):
        self.to, self.seconds, self.closed = port, seconds, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.changed = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.to))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()
                threading.Timer(self.seconds, self._close, (client, server)).start()
        except OSError:
            return

    @staticmethod
    def _pass_on(source, sink):
        try:
            while block := source.recv(65536):
                sink.sendall(block)
        except OSError:
            pass

    def _close(self, *ends):
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        with self.changed:
            self.closed += 1
            self.changed.notify_all()

    def wait(self, count):
        """Until so many more connections were closed."""
        with self.changed:
            goal = self.closed + count
            assert self.changed.wait_for(lambda: self.closed >= goal, PATIENCE), f"{self.closed} connections were closed"

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class BadInput(Scenario):
    LATE = "\n  late: {command: sleep 1000, depends_on: [quorum], profiles: [later]}"
    shown = test_cluster.Cluster.shown

    def etcd(self, *arguments, **options):
        etcd = Etcd(arguments, **options)
        self.addCleanup(etcd.close)
        return etcd

    def host(self, name, services, port, scheme="http", ttl="2s", cluster=""):
        top = f"cluster: {{etcd: [\"{scheme}://127.0.0.1:{port}\"], name: shop, host: {name}, ttl: {ttl}{cluster}}}"
        return self.stack(services, top=top, name=f"on-{name}").start().wait_for_control()

    def kafka(self, port, name="a", **options):
        own = free_port()
        stack = self.host(name, f"""
  kafka:
    command: {test_cluster.SERVER.format(port=own)}
    ready: {{port: {own}}}
    publish: {{address: "127.0.0.1:{own}"}}""", port, **options)
        self.assertEqual(stack.wait("kafka"), 200, "a local service never waits for etcd")
        return stack

    def follower(self, port, name="z", **options):
        return self.host(name, f"""
  quorum: {{type: external, ready: {{cluster: kafka}}}}
  app: {{command: sleep 1000, depends_on: {{quorum: {{condition: ready, on_loss: restart}}}}}}{self.LATE}""", port, **options)

    def running(self, stack, service="app"):
        """Its process, once it is ready."""
        self.assertEqual(stack.wait(service), 200, stack.output.text())
        return stack.services()[service]["pid"]

    def assert_why(self, stack, words, service="app"):
        """It waits, and `why` says so in these words."""
        try:
            until(lambda: re.search(words, stack.cli("why", service).stdout))
        except AssertionError as never:
            raise AssertionError(f"{words!r} is not in what why says:\n{stack.cli('why', service).stdout}") from never
        self.assertEqual(stack.services()[service]["state"], "waiting")

    def assert_late_waits(self, stack, words):
        """Its edge holds, as far as is known, and nobody can tell whether it still does: that keeps it, and is said."""
        self.assertEqual(stack.cli("start", "late", "--no-wait").returncode, 0)
        try:
            until(lambda: re.search("news of quorum.*" + words, " ".join(stack.services()["late"]["waiting_for"])))
        except AssertionError as never:
            raise AssertionError(f"{words!r} is not in {stack.services()['late']['waiting_for']}") from never
        self.assertEqual(stack.services()["late"]["state"], "waiting")

    def own_generation(self, stack):
        return until(lambda: self.shown(stack)["own"][0]["generation"])

    # --- who answers

    def grpc_proxy(self, etcd, port):
        process = subprocess.Popen(["etcd", "grpc-proxy", "start", f"--endpoints=127.0.0.1:{etcd.port}", f"--listen-addr=127.0.0.1:{port}"],
                                   cwd=etcd.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        return process

    def test_behind_the_grpc_proxy_of_etcd_all_is_as_without(self):
        etcd, port = self.etcd(), free_port()
        proxy = self.grpc_proxy(etcd, port)
        a, z = self.kafka(port, ttl="60s"), self.follower(port, ttl="60s")
        first = self.running(z)
        self.assertEqual(a.cli("restart", "kafka").returncode, 0)
        until(lambda: z.services()["app"]["pid"] not in (None, first))
        second, generation = self.running(z), self.own_generation(a)
        proxy.kill()
        proxy.wait()
        self.assert_late_waits(z, r"cannot (connect to|tell|be asked)|no member of etcd can be used|the connection to etcd")
        self.grpc_proxy(etcd, port)
        self.running(z, "late")
        self.assertEqual(z.services()["app"]["pid"], second, "nothing is lost")
        self.assertGreaterEqual(self.own_generation(a), generation)
        self.assert_clean_end(a)
        self.assertEqual(etcd.keys(), [])
        self.assert_clean_end(z)

    def test_a_proxy_that_closes_every_connection_loses_nothing(self):
        etcd = self.etcd()
        proxy = Proxy(etcd.port, 0.5)
        self.addCleanup(proxy.close)
        a, z = self.kafka(proxy.port, ttl="10s"), self.follower(proxy.port)
        pid, generation = self.running(z), self.own_generation(a)
        proxy.wait(4)
        self.assertEqual(z.cli("start", "late", "--no-wait").returncode, 0)
        self.running(z, "late")
        self.assertEqual(z.services()["app"]["pid"], pid)
        self.assertEqual(self.own_generation(a), generation)
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    def certificates(self):
        made = Certificates()
        self.addCleanup(shutil.rmtree, made.folder)
        for name, end in (("server", "20361231000000Z"), ("shop", "20361231000000Z"), ("old", "20250601000000Z")):
            made.issue(name, end)
        return made

    def tls_of(self, made, name=None):
        own = f", cert: {made.path(name + '.pem')}, key: {made.path(name + '.key')}" if name else ""
        return f", tls: {{ca: {made.path('ca.pem')}{own}}}"

    def test_a_server_whose_certificate_has_expired_is_not_believed(self):
        made = self.certificates()
        etcd = self.etcd(*made.of_etcd("old"), tls=made)
        a = self.kafka(etcd.port, scheme="https", cluster=self.tls_of(made))
        z = self.follower(etcd.port, scheme="https", cluster=self.tls_of(made))
        self.assert_why(z, r"certificate .*(expired|until 2025)")
        self.assertRegex(a.get("/v1/cluster?format=text")[1], r"certificate .*(expired|until 2025)")
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    def test_with_a_client_certificate_that_has_expired_nobody_gets_in(self):
        made = self.certificates()
        etcd = self.etcd(*made.of_etcd("server", "--client-cert-auth"), tls=made)
        a = self.kafka(etcd.port, scheme="https", cluster=self.tls_of(made, "shop"))
        self.own_generation(a)
        old = self.follower(etcd.port, scheme="https", cluster=self.tls_of(made, "old"), name="y")
        self.assert_why(old, r"certificate")
        z = self.follower(etcd.port, scheme="https", cluster=self.tls_of(made, "shop"))
        self.running(z)
        for stack in (old, z, a):
            self.assert_clean_end(stack)

    def test_why_says_that_news_of_another_host_is_missing(self):
        etcd = self.etcd()
        a, z = self.kafka(etcd.port, ttl="60s"), self.follower(etcd.port)
        self.running(z)
        etcd.process.send_signal(signal.SIGSTOP)
        self.assert_late_waits(z, "")
        said = z.cli("why", "late").stdout
        etcd.process.send_signal(signal.SIGCONT)
        self.running(z, "late")
        self.assertIn("news of quorum", said)
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    def test_another_cluster_at_the_same_address_is_never_believed(self):
        etcd = self.etcd()
        a, z = self.kafka(etcd.port, ttl="60s"), self.follower(etcd.port)
        pid, generation = self.running(z), self.own_generation(a)
        etcd.stop()
        other = self.etcd(port=etcd.port)
        self.assert_late_waits(z, r"belongs to another cluster: its id is [0-9a-f]{8,16}, and not [0-9a-f]{8,16}")
        self.assertEqual(z.services()["app"]["pid"], pid, "nothing is lost")
        self.assertEqual(other.keys(), [], "nothing is told to strangers")
        other.stop()
        etcd.start()
        self.running(z, "late")
        self.assertEqual((z.services()["app"]["pid"], self.own_generation(a)), (pid, generation))
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    # --- who may

    def password(self, text):
        with tempfile.NamedTemporaryFile("w", prefix="belfry-password-", delete=False) as file:
            file.write(text + "\n")
        self.addCleanup(os.unlink, file.name)
        return f", user: shop, password_file: {file.name}"

    def test_a_wrong_password_is_said_in_words_that_do_not_repeat_it(self):
        etcd = self.etcd()
        etcd.ask_for_passwords()
        a, z = self.kafka(etcd.port, cluster=self.password("geheim")), self.follower(etcd.port, cluster=self.password("xyzzy"))
        self.assert_why(z, rf"cannot log in to etcd at 127\.0\.0\.1:{etcd.port} as shop")
        self.assertNotIn("xyzzy", z.output.text() + z.cli("why", "app").stdout + z.cli("status", "--cluster").stdout)
        self.assert_clean_end(z)
        self.assert_clean_end(a)

    def test_without_a_password_nothing_is_shown(self):
        etcd = self.etcd()
        etcd.ask_for_passwords()
        a, z = self.kafka(etcd.port, cluster=self.password("geheim")), self.follower(etcd.port)
        self.own_generation(a)
        self.assert_why(z, r"user name is empty")
        self.assert_clean_end(z)
        self.assert_clean_end(a)

    def test_tokens_that_etcd_forgets_are_renewed_and_nothing_is_lost(self):
        etcd = self.etcd("--auth-token-ttl=1")
        etcd.ask_for_passwords()
        a, z = (make(etcd.port, cluster=self.password("geheim"), ttl="10s") for make in (self.kafka, self.follower))
        pid, generation = self.running(z), self.own_generation(a)
        for _ in range(3):
            etcd.control("--user=root:s3cret", "auth", "disable")
            etcd.control("auth", "enable")
        self.assertEqual(z.cli("start", "late", "--no-wait").returncode, 0)
        self.running(z, "late")
        self.assertEqual(z.services()["app"]["pid"], pid)
        self.assertEqual(a.cli("restart", "kafka").returncode, 0)
        until(lambda: self.own_generation(a) > generation)
        until(lambda: z.services()["app"]["pid"] not in (None, pid))
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    def test_a_password_that_is_changed_meanwhile_takes_nothing_away(self):
        etcd = self.etcd()
        etcd.ask_for_passwords()
        a, z = (make(etcd.port, cluster=self.password("geheim"), ttl="60s") for make in (self.kafka, self.follower))
        pid = self.running(z)
        etcd.control("--user=root:s3cret", "user", "passwd", "shop", "--interactive=false", stdin="other\n")
        self.assert_late_waits(z, r"cannot log in to etcd at 127\.0\.0\.1:\d+ as shop")
        self.assertEqual(z.services()["app"]["pid"], pid)
        etcd.control("--user=root:s3cret", "user", "passwd", "shop", "--interactive=false", stdin="geheim\n")
        self.running(z, "late")
        self.assertEqual(z.services()["app"]["pid"], pid)
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    # --- what stands there

    FORGED = json.dumps({"boot_id": "0123456789abcdef", "incarnation": 1, "since_ms": 1, "outputs": {"ADDRESS": "127.0.0.1:1"}})

    def test_a_publication_without_a_lease_is_named_and_not_believed(self):
        etcd = self.etcd()
        z = self.follower(etcd.port)
        etcd.put("belfry/shop/s/kafka/h/b", self.FORGED)
        z.output.index_of("does not believe what stands in etcd at belfry/shop/s/kafka/h/b: it has no lease, and would never go")
        self.assert_why(z, "kafka is ready on no host")
        self.assertIn("it has no lease, and would never go", z.cli("status", "--cluster").stdout)
        self.assert_clean_end(z)

    def test_what_is_under_a_lease_and_is_no_publication_is_named_and_not_believed(self):
        etcd = self.etcd()
        z = self.follower(etcd.port)
        etcd.put_under_a_lease("belfry/shop/s/kafka/h/b", "ready!")
        z.output.index_of("does not believe what stands in etcd at belfry/shop/s/kafka/h/b: it is no JSON object")
        etcd.put_under_a_lease("belfry/shop/s/kafka/h/c", '{"since_ms": 1}')
        z.output.index_of("does not believe what stands in etcd at belfry/shop/s/kafka/h/c: it says of no boot_id")
        self.assert_why(z, "kafka is ready on no host")
        self.assert_clean_end(z)

    def test_a_publication_that_somebody_writes_over_is_not_lost_and_is_put_right(self):
        etcd = self.etcd()
        a, z = self.kafka(etcd.port), self.follower(etcd.port)
        pid = self.running(z)
        etcd.put("belfry/shop/s/kafka/h/a", "nonsense")
        a.output.index_of("somebody who is no belfry has written what stands there")
        self.assertEqual(z.services()["app"]["pid"], pid, "what cannot be read says neither that it is ready nor that it is not")
        etcd.control("del", "belfry/shop/s/kafka/h/a")
        until(lambda: etcd.keys() == ["belfry/shop/s/kafka/h/a"])
        until(lambda: not self.shown(a)["own"][0]["trouble"])
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    def test_of_two_hosts_with_one_name_the_later_one_publishes_when_the_other_has_gone(self):
        etcd = self.etcd()
        a, z = self.kafka(etcd.port), self.follower(etcd.port)
        pid, generation = self.running(z), self.own_generation(a)
        twin = self.kafka(etcd.port)
        words = rf"the belfry of boot id {self.shown(a)['boot_id']} has published it under this name, and this one is {self.shown(twin)['boot_id']}"
        until(lambda: re.search(words, self.shown(twin)["own"][0]["trouble"] or ""))
        self.assertRegex(twin.cli("status", "--cluster").stdout, words)
        self.assertEqual(z.services()["app"]["pid"], pid)
        self.assert_clean_end(a)
        self.assertGreater(self.own_generation(twin), generation)
        self.running(z)
        self.assertEqual([one["boot_id"] for one in self.shown(z)["published"]], [self.shown(twin)["boot_id"]])
        self.assert_clean_end(twin)
        self.assert_clean_end(z)

    # --- sleep

    def test_a_host_that_slept_longer_than_its_lease_is_lost_and_comes_back_as_another_generation(self):
        etcd = self.etcd()
        a, z = self.kafka(etcd.port), self.follower(etcd.port)
        pid, generation = self.running(z), self.own_generation(a)
        kafka = a.services()["kafka"]["pid"]
        a.pause()
        until(lambda: not etcd.keys())
        self.assert_why(z, "kafka is ready on no host")
        a.process.send_signal(signal.SIGCONT)
        self.assertNotEqual(self.running(z), pid)
        self.assertGreater(self.own_generation(a), generation)
        self.assertEqual(a.services()["kafka"]["pid"], kafka, "what ran there runs on")
        self.assert_clean_end(a)
        self.assert_clean_end(z)

    def test_a_host_that_slept_while_others_went_starts_nobody_by_what_it_knew(self):
        etcd = self.etcd()
        a, z = self.kafka(etcd.port), self.follower(etcd.port)
        self.running(z)
        z.pause()
        self.assert_clean_end(a)
        z.process.send_signal(signal.SIGCONT)
        self.assertEqual(z.cli("start", "late", "--no-wait").returncode, 0)
        self.assert_why(z, "kafka is ready on no host", "late")
        until(lambda: z.services()["app"]["state"] == "waiting")
        self.assertEqual(z.services()["late"]["restarts"], 0)
        began = time.monotonic()
        self.assert_clean_end(z)
        self.assertLess(time.monotonic() - began, 10)
