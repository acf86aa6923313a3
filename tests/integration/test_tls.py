"""Health, API and commands within TLS: certificates made here, Python's own TLS as the client."""
import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess

from harness import PATIENCE, Scenario, free_port

STACK = """  db: {command: $SAMPLE --name db --notify, ready: notify}
  never: {type: external, ready: {file: /nowhere}}
"""


def make_certificates(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    def authority(name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")

    def signed(name, by):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial",
                "-copy_extensions", "copy", "-days", "2", "-out", f"{name}.pem")

    authority("ca")
    authority("other")
    for name, by in (("server", "ca"), ("client", "ca"), ("renewed", "other")):
        signed(name, by)


class Tls(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = os.path.join("/tmp", f"belfry-tls-{os.getpid()}")
        os.mkdir(cls.folder, 0o700)
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        make_certificates(cls.folder)

    def file(self, name):
        return os.path.join(self.folder, name)

    def tls_stack(self, tls="", control=""):
        for end in ("pem", "key"):
            shutil.copy(self.file(f"server.{end}"), self.file(f"tls.{end}"))
        self.port = free_port()
        stack = self.stack(STACK, top=f"http: {{listen: '127.0.0.1:{self.port}', tls: {{cert: {self.file('tls.pem')}, key: {self.file('tls.key')}{tls}}}}}")
        if control:
            with open(stack.file, encoding="ascii") as file:
                text = file.read()
            with open(stack.file, "w", encoding="ascii") as file:
                file.write(text.replace(stack.control + "}", stack.control + ", " + control + "}"))
        stack.start().wait_for_control()
        self.assertEqual(200, stack.wait("db"))
        return stack

    def client(self, ca="ca", certificate=None):
        context = ssl.create_default_context(cafile=self.file(f"{ca}.pem"))
        if certificate:
            context.load_cert_chain(self.file(f"{certificate}.pem"), self.file(f"{certificate}.key"))
        client = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=context)
        self.addCleanup(client.close)
        return client

    def get(self, client, path, **headers):
        client.request("GET", path, headers=headers)
        answer = client.getresponse()
        return answer.status, answer.read()

    def test_everything_is_answered_within_it_on_one_connection(self):
        self.tls_stack()
        client = self.client()
        self.assertEqual((200, b"ok"), (lambda status, body: (status, body[:2]))(*self.get(client, "/livez")))
        self.assertEqual(200, self.get(client, "/v1/wait?service=db")[0])
        self.assertGreater(len(self.get(client, "/openapi.json")[1]), 16384)  # more than a record of TLS
        self.assertEqual("1.3", client.sock.version()[-3:])

    def test_a_stream_of_events_ends_with_the_daemon(self):
        stack = self.tls_stack()
        client = self.client()
        client.request("GET", "/v1/events?since=0")
        answer = client.getresponse()
        self.assertEqual(200, answer.status)
        stack.process.terminate()
        self.assertIn(b"stopping", answer.read())  # to the end, which TLS tells from a cut
        self.assertEqual(0, stack.process.wait(PATIENCE))

    def test_a_wait_ends_when_its_client_says_goodbye(self):
        self.tls_stack()
        client = self.client()
        client.request("GET", "/v1/wait?service=never&timeout=60s")
        with socket.socket(fileno=os.dup(client.sock.fileno())) as wire:
            client.sock.settimeout(0)
            with contextlib.suppress(ssl.SSLError, BlockingIOError):
                client.sock.unwrap()  # for belfry these are bytes that come, and no end of the connection
            wire.settimeout(PATIENCE)
            while wire.recv(4096):
                pass

    def test_the_token_lets_a_client_command(self):
        with open(self.file("token"), "w", encoding="ascii") as token:
            os.chmod(token.fileno(), 0o600)
            token.write("s" * 32)
        self.tls_stack(control=f"token_file: {self.file('token')}")
        client = self.client()
        for words, expected in ({}, 401), ({"Authorization": "Bearer " + "s" * 32}, 200):
            client.request("POST", "/v1/services/db/restart", headers=words)
            answer = client.getresponse()
            self.assertEqual(expected, answer.status, answer.read())
            answer.read()

    def test_only_whom_the_authorities_vouch_for_gets_in(self):
        self.tls_stack(f", client_ca: {self.file('ca.pem')}")
        self.assertEqual(200, self.get(self.client(certificate="client"), "/livez")[0])
        for certificate in (None, "renewed"):
            with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                self.get(self.client(certificate=certificate), "/livez")

    def test_a_renewed_certificate_needs_no_restart(self):
        stack = self.tls_stack()
        for end in ("pem", "key"):
            shutil.copy(self.file(f"renewed.{end}"), self.file(f"tls.{end}"))
        self.assertEqual(200, self.get(self.client(ca="other"), "/livez")[0])
        with open(self.file("tls.pem"), "w", encoding="ascii") as broken:
            broken.write("nothing")
        self.assertEqual(200, self.get(self.client(ca="other"), "/livez")[0])
        stack.output.index_of("cannot use the new certificate of http.tls, and goes on with the old one: cannot read the certificate in")

    def test_plain_http_is_told(self):
        self.tls_stack()
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.addCleanup(client.close)
        status, body = self.get(client, "/livez")
        self.assertEqual((400, b"cannot answer plain HTTP: TLS is spoken here. Use https://\r\n"), (status, body))

    def test_who_says_nothing_or_garbage_keeps_nobody_out(self):
        self.tls_stack()
        silent = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(200)]
        for one in silent[:100]:
            one.sendall(b"\x16\x03\x01\x40\x00" + bytes(64))  # begins a record, and never ends it
        self.assertEqual(200, self.get(self.client(), "/livez")[0])
        for one in silent:
            one.close()

    def test_a_file_that_cannot_be_used_is_named_before_anything_starts(self):
        stack = self.stack(STACK, top=f"http: {{listen: '127.0.0.1:{free_port()}', tls: {{cert: {self.file('server.pem')}, key: {self.file('client.key')}}}}}")
        done = stack.cli("run", "-c", stack.file)
        self.assertEqual(65, done.returncode)
        self.assertIn("cannot use the private key in " + self.file("client.key"), done.stderr)
        checked = stack.cli("check", "-c", stack.file)
        self.assertEqual(0, checked.returncode, checked.stderr)

    def test_the_schema_and_check_know_it(self):
        stack = self.stack(STACK, top="http: {listen: '127.0.0.1:1', tls: {key: nowhere.key}}")
        checked = stack.cli("check", "-c", stack.file)
        self.assertEqual(65, checked.returncode)
        self.assertIn("`tls` of `http` needs a certificate", checked.stderr + checked.stdout)
        self.assertIn("http_tls", json.loads(stack.cli("check", "--schema").stdout)["$defs"])
