"""Names in targets: a name server that is silent holds up nobody but those who need it."""
import os
import shutil
import time
import unittest

from harness import Scenario, free_port

# In a network and mount namespace of its own: loopback, and a name server at 127.0.0.1.
INSIDE = """import fcntl, os, socket, struct, subprocess, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh22x", b"lo", 0x1))  # SIOCSIFFLAGS, IFF_UP
for file in ("resolv.conf", "nsswitch.conf"):
    subprocess.run(["mount", "--bind", f"{sys.argv[1]}/{file}", f"/etc/{file}"], check=True)
os.execvp(sys.argv[2], sys.argv[2:])
"""

# Answers 127.0.0.1 for every name below .answered.test, and says nothing to anybody else.
NAME_SERVER = """import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    question, asker = server.recvfrom(1500)
    end = question.index(b"\\0", 12) + 5
    if b"\\x08answered\\x04test\\0" not in question:
        continue
    address = question[end - 3] == 1
    head = question[:2] + b"\\x81\\x80" + b"\\0\\1" + (b"\\0\\1" if address else b"\\0\\0") + b"\\0\\0\\0\\0"
    record = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\0\\0\\4\\x7f\\0\\0\\1" if address else b""
    server.sendto(head + question[12:end] + record, asker)
"""

DNS = """
  dns: {command: [/usr/bin/python3, -S, $DIR/name_server.py], ready: {port: {udp: 53}}}
"""


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root and unshare")
class Names(Scenario):
    def start(self, services, resolv_conf="nameserver 127.0.0.1\n"):
        stack = self.stack(services)
        for name, text in (("inside.py", INSIDE), ("name_server.py", NAME_SERVER), ("resolv.conf", resolv_conf),
                           ("nsswitch.conf", "hosts: files dns\n")):
            with open(os.path.join(stack.path, name), "w", encoding="ascii") as file:
                file.write(text)
        return stack.start(wrapper=("unshare", "-n", "-m", "/usr/bin/python3", "-S", f"{stack.path}/inside.py",
                                    stack.path)).wait_for_control()

    @staticmethod
    def resting_threads(stack):
        """How many are there when all is quiet: what writes the history or removes a directory comes and goes, and a
        resolver's would stay."""
        tasks = f"/proc/{stack.process.pid}/task"
        seen = [len(os.listdir(tasks))]
        end = time.monotonic() + 1
        while time.monotonic() < end:
            seen.append(len(os.listdir(tasks)))
            os.sched_yield()
        return min(seen)

    def test_a_silent_name_server_holds_up_neither_localhost_nor_a_stop_nor_the_shutdown(self):
        port = free_port()
        stack = self.start(f"""{DNS}
  away: {{type: external, ready: {{tcp: "db.silent.test:5432"}}, depends_on: [dns]}}
  page: {{type: external, ready: {{http: "http://web.silent.test/"}}, depends_on: [dns]}}
  app: {{command: $SAMPLE --name app, ready: {{tcp: "mq.silent.test:5672"}}, depends_on: [dns], stop: {{timeout: 1s}}}}
  web: {{command: $SAMPLE --name web --port {port}, ready: {{tcp: "localhost:{port}"}}, depends_on: {{app: started}}}}
""")
        self.assertEqual(stack.wait("app", condition="started"), 200)
        began = time.monotonic()
        self.assertEqual(stack.wait("web"), 200)
        self.assertLess(time.monotonic() - began, 1.5)
        began = time.monotonic()
        self.assertEqual(stack.request("POST", "/v1/services/app/stop")[0], 200)
        self.assertLess(time.monotonic() - began, 1.5)
        began = time.monotonic()
        self.assert_clean_end(stack)
        self.assertLess(time.monotonic() - began, 1.5)

    def test_a_name_is_found_as_resolv_conf_says_and_no_thread_is_made_for_it(self):
        port = free_port()
        web = f"{DNS}\n  web: {{command: $SAMPLE --name web --port {port}, ready: {{tcp: \"%s:{port}\"}}, depends_on: [dns]}}"
        literal = self.start(web % "127.0.0.1")
        self.assertEqual(literal.wait("web"), 200)
        threads = self.resting_threads(literal)
        self.assert_clean_end(literal)
        named = self.start(web % "web", "search answered.test\nnameserver 127.0.0.1\n")
        self.assertEqual(named.wait("web"), 200, named.output.text())
        self.assertEqual(self.resting_threads(named), threads)
        self.assert_clean_end(named)
