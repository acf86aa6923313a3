"""Sockets that belfry listens on for its services: passed on, kept over restarts, closed at the stop."""
import contextlib
import errno
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import BELFRY, PATIENCE, SAMPLE, Scenario, free_port

ACTIVATED = os.path.join(os.path.dirname(SAMPLE), "belfry_activated_service")


def answer(address, family=socket.AF_INET):
    """What the service says to a client that has just connected: its pid."""
    with socket.socket(family) as client:
        client.settimeout(PATIENCE)
        client.connect(address)
        return client.makefile().readline().strip()


def refused(address, family=socket.AF_INET):
    with socket.socket(family) as client:
        client.settimeout(PATIENCE)
        return client.connect_ex(address) == errno.ECONNREFUSED


class Client(threading.Thread):
    """Connects a thousand times a second, whatever happens, and collects the answers as they come."""

    RATE = 1000

    def __init__(self, address):
        super().__init__()
        self.address = address
        self.made = self.answered = self.lost = 0
        self.failures, self.slowest = [], 0.0
        self.enough = threading.Event()
        self.progress = threading.Condition()

    def run(self):
        waiting = select.epoll()
        clients = {}
        begun = time.monotonic()
        while not self.enough.is_set() or clients:
            due = begun + self.made / self.RATE
            if not self.enough.is_set() and time.monotonic() >= due:
                self._connect(waiting, clients)
                continue
            patience = 1 if self.enough.is_set() else max(0.0, due - time.monotonic())
            ready = waiting.poll(patience)
            if not ready and self.enough.is_set() and time.monotonic() > due + PATIENCE:
                break
            for fd, _ in ready:
                self._take_answer(waiting, clients.pop(fd))
        self.unanswered = len(clients)
        for client in clients.values():
            client.close()
        waiting.close()

    def _connect(self, waiting, clients):
        client = socket.socket()
        client.settimeout(PATIENCE)
        began = time.monotonic()
        try:
            client.connect(self.address)
        except OSError as error:
            self.failures.append(error)
            client.close()
        else:
            clients[client.fileno()] = client
            waiting.register(client.fileno(), select.EPOLLIN)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.made += 1
        if self.made % 50 == 0:
            with self.progress:
                self.progress.notify_all()

    def _take_answer(self, waiting, client):
        waiting.unregister(client.fileno())
        try:
            said = client.recv(64)
        except OSError:
            said = b""
        if said:
            self.answered += 1
        else:
            self.lost += 1  # accepted by a process that was killed before it answered
        client.close()

    def wait_for(self, made):
        with self.progress:
            self.progress.wait_for(lambda: self.made >= made or not self.is_alive(), PATIENCE)


class Activation(Scenario):
    def test_every_kind_of_socket_is_passed_on_as_libsystemd_reads_it(self):
        tcp, udp, six = free_port(), free_port(), free_port()
        stack = self.stack(f"""
  web:
    command: {ACTIVATED}
    listen:
      http: 127.0.0.1:{tcp}
      dns: udp:127.0.0.1:{udp}
      six: "[::1]:{six}"
      app: {{address: "unix:run.sock", mode: "0640"}}
      hidden: unix:@belfry-test-{os.getpid()}
    ready: listen
    isolate: true
""")
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        stack.output.index_of("all told")
        told = [line.split("| ", 1)[1] for line in stack.output.lines if "| fd" in line]
        self.assertEqual(told, ["fds 5", "fd 3 http inet stream listening cloexec", "fd 4 dns inet dgram cloexec",
                                "fd 5 six inet6 stream listening cloexec", "fd 6 app unix stream listening cloexec",
                                "fd 7 hidden unix stream listening cloexec"])
        pid = str(stack.services()["web"]["pid"])
        path = os.path.join(stack.path, "run.sock")
        self.assertEqual(answer(("127.0.0.1", tcp)), pid)
        self.assertEqual(answer(("::1", six), socket.AF_INET6), pid)
        self.assertEqual(answer(path, socket.AF_UNIX), pid)
        self.assertEqual(answer(f"\0belfry-test-{os.getpid()}", socket.AF_UNIX), pid)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.sendto(b"ping", ("127.0.0.1", udp))
            self.assertEqual(client.recv(16), b"ping")
        self.assert_clean_end(stack)
        self.assertFalse(os.path.exists(path))

    def test_the_service_is_passed_what_systemd_socket_activate_would_pass(self):
        """The same program under both says the same of its descriptors and of its environment."""
        port, path = free_port(), f"/tmp/belfry-activate-{os.getpid()}.sock"
        script = os.path.join(tempfile.mkdtemp(prefix="belfry-it-"), "show")
        self.addCleanup(shutil.rmtree, os.path.dirname(script))
        with open(script, "w", encoding="utf-8") as out:
            out.write("#!/bin/sh\nenv | grep ^LISTEN_ | sort | sed s/LISTEN_PID=$$/LISTEN_PID=own/\n"
                      f"exec {ACTIVATED} --exit\n")
        os.chmod(script, 0o755)
        theirs = subprocess.Popen(["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-l", path,
                                   "--fdname=http:app", script],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(theirs.kill)
        theirs.stderr.readline()  # "Listening on …": it starts its service when a client comes
        theirs.stderr.readline()
        with socket.create_connection(("127.0.0.1", port), PATIENCE):
            expected = theirs.communicate(timeout=PATIENCE)[0].splitlines()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        stack = self.stack(f"""
  web:
    command: {script}
    listen: {{http: "127.0.0.1:{port}", app: "unix:{path}"}}
    ready: listen
    restart: no
""")
        stack.start()
        stack.output.index_of("| all told")
        ours = [line.split("web | ", 1)[1] for line in stack.output.lines if "web | " in line]
        self.assertIn("LISTEN_FDNAMES=http:app", expected)
        self.assertIn("LISTEN_PID=own", expected)
        self.assertIn("fds 2", expected)
        self.assertEqual(ours, expected)
        self.assertEqual(stack.exit_code(), 0, stack.output.text())

    def test_dependents_start_before_the_service_accepts_anybody_and_their_queries_wait(self):
        port = free_port()
        stack = self.stack(f"""
  web:
    command: {ACTIVATED} --passive
    listen: 127.0.0.1:{port}
    ready: listen
  api:
    command: $SAMPLE --name api --tcp-connect 127.0.0.1:{port}
    depends_on: [web]
""")
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("api"), 200)
        self.assertTrue(stack.event("api", "connected"))
        self.assert_clean_end(stack)

    def test_a_service_that_needs_no_order_finds_the_socket_of_one_that_waits(self):
        """All is bound before anything runs: who only connects needs no depends_on."""
        port = free_port()
        stack = self.stack(f"""
  early:
    command: $SAMPLE --name early --tcp-connect 127.0.0.1:{port}
  never:
    command: $SAMPLE --name never
    ready: notify
  web:
    command: {ACTIVATED}
    depends_on: [never]
    listen: 127.0.0.1:{port}
    ready: listen
""")
        stack.start().wait_for_control()
        self.assertTrue(stack.event("early", "connected"))
        self.assertEqual(stack.services()["web"]["state"], "waiting")
        self.assert_clean_end(stack)

    def test_a_client_that_connects_1000_times_a_second_across_20_restarts_is_never_refused(self):
        port = free_port()
        stack = self.stack(f"""
  web:
    command: {ACTIVATED}
    listen: 127.0.0.1:{port}
    ready: listen
    restart: {{policy: always, delay: 20ms, max_delay: 20ms}}
""")
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        client = Client(("127.0.0.1", port))
        client.start()
        pids, crashes = {stack.services()["web"]["pid"]}, 0
        for i in range(20):
            client.wait_for(client.made + 200)
            if i % 2:
                self.assertEqual(stack.request("POST", "/v1/services/web/restart")[0], 200)
            else:  # a crash, and the back-off after it
                os.kill(stack.services()["web"]["pid"], signal.SIGKILL)
                crashes = stack.output.index_of("will start again", crashes) + 1
                self.assertEqual(stack.wait("web"), 200)
            pids.add(stack.services()["web"]["pid"])
        client.wait_for(client.made + 200)
        client.enough.set()
        client.join(2 * PATIENCE)
        self.assertEqual(len(pids), 21)
        self.assertGreaterEqual(client.made, 4000)
        self.assertEqual(client.failures, [])
        self.assertEqual(client.unanswered, 0)
        self.assertLessEqual(client.lost, 20, "one per restart may have been accepted by the process that ended")
        self.assertEqual(client.answered + client.lost, client.made)
        self.assertLess(client.slowest, 1.0)
        self.assert_clean_end(stack)

    def test_a_stop_closes_the_sockets_after_the_service_has_ended_and_a_start_opens_them_again(self):
        port = free_port()
        stack = self.stack(f"""
  web:
    command: {ACTIVATED}
    listen: {{tcp: "127.0.0.1:{port}", app: "unix:app.sock"}}
    ready: listen
""")
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        path = os.path.join(stack.path, "app.sock")
        self.assertEqual(stack.request("POST", "/v1/services/web/stop")[0], 200)
        self.assertTrue(refused(("127.0.0.1", port)))
        self.assertFalse(os.path.exists(path))
        self.assertEqual(stack.request("POST", "/v1/services/web/start")[0], 200)
        self.assertEqual(answer(path, socket.AF_UNIX), str(stack.services()["web"]["pid"]))
        self.assertEqual(answer(("127.0.0.1", port)), str(stack.services()["web"]["pid"]))
        self.assert_clean_end(stack)
        self.assertTrue(refused(("127.0.0.1", port)))

    def test_sockets_are_blocking_for_each_new_run_and_a_lost_path_is_bound_anew(self):
        stack = self.stack(f"""
  web:
    command: {ACTIVATED} --nonblocking
    listen: unix:app.sock
    ready: listen
""")
        stack.start().wait_for_control()
        first = stack.output.index_of("all told")
        os.unlink(os.path.join(stack.path, "app.sock"))
        self.assertEqual(stack.request("POST", "/v1/services/web/restart")[0], 200)
        stack.output.index_of("all told", first + 1)
        self.assertEqual(answer(os.path.join(stack.path, "app.sock"), socket.AF_UNIX),
                         str(stack.services()["web"]["pid"]))
        self.assertNotIn("nonblocking", stack.output.text())
        self.assert_clean_end(stack)

    def test_a_taken_port_fails_the_service_names_the_holder_and_leaves_the_others_alone(self):
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
            stack = self.stack(f"""
  web:
    command: {ACTIVATED}
    listen: 127.0.0.1:{port}
    ready: listen
  api: {{command: $SAMPLE --name api, depends_on: [web]}}
  other: {{command: $SAMPLE --name other}}
""")
            stack.start().wait_for_control()
            stack.event("other", "main")
            stack.output.index_of("web failed")
            services = stack.services()
            self.assertEqual(services["web"]["state"], "failed")
            self.assertIn(f"cannot listen on 127.0.0.1:{port}: Address already in use by {os.getpid()} python3",
                          services["web"]["last_error"])
            self.assertEqual(services["api"]["state"], "blocked")
            self.assertIn("cannot listen on", services["api"]["last_error"])
            self.assertEqual(services["other"]["state"], "ready")
        self.assertEqual(stack.request("POST", "/v1/services/web/start")[0], 200)
        self.assertEqual(stack.wait("api"), 200)
        self.assert_clean_end(stack)

    def test_a_port_that_a_service_of_the_stack_took_by_itself_is_named_with_that_service(self):
        port = free_port()
        stack = self.stack(f"""
  first: {{command: $SAMPLE --name first --port {port}}}
  web:
    command: {ACTIVATED}
    listen: 127.0.0.1:{port}
    ready: listen
""")
        stack.start("first").wait_for_control()
        stack.event("first", "listening")
        self.assertNotEqual(stack.request("POST", "/v1/services/web/start")[0], 200)
        self.assertRegex(stack.services()["web"]["last_error"],
                         r"Address already in use by \d+ belfry_sample_\w*, which is the service test/first#1")
        self.assert_clean_end(stack)

    def test_free_ports_are_listened_on_by_name(self):
        stack = self.stack(f"""
  web:
    command: {ACTIVATED}
    listen: "127.0.0.1:${{PORT_web}}"
    ready: listen
""", top="ports: {web: free}")
        done = subprocess.run([BELFRY, "exec", "-c", stack.file, "--", "/usr/bin/python3", "-c",
                               "import os, socket; "
                               "print(socket.create_connection(('127.0.0.1', int(os.environ['PORT_web'])))"
                               ".makefile().readline())"],
                              env=stack.environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^\d+$")

    def test_hundreds_of_sockets_are_passed_in_order(self):
        addresses = ", ".join(f'{{address: "unix:s{i}.sock", name: "s{i}"}}' for i in range(400))
        stack = self.stack(f"""
  web:
    command: {ACTIVATED}
    listen: [{addresses}]
    ready: [listen, {{fd: 403}}]
""".replace(ACTIVATED, f"[/bin/bash, -c, 'echo >&403; exec {ACTIVATED}']"))
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        stack.output.index_of("all told")
        self.assertIn("fd 402 s399 unix stream listening", stack.output.text())
        self.assertEqual(answer(os.path.join(stack.path, "s399.sock"), socket.AF_UNIX),
                         str(stack.services()["web"]["pid"]))
        self.assert_clean_end(stack)

    def test_more_sockets_than_descriptors_fail_that_service_alone(self):
        addresses = ", ".join(f'"unix:s{i}.sock"' for i in range(400))
        stack = self.stack(f"""
  web:
    command: {ACTIVATED}
    listen: [{addresses}]
    ready: listen
  other: {{command: $SAMPLE --name other}}
""")
        stack.start(wrapper=["prlimit", "--nofile=256:256"]).wait_for_control()
        self.assertEqual(stack.wait("other"), 200)
        self.assertEqual(stack.services()["web"]["state"], "failed")
        self.assertIn("Too many open files (raise belfry's limit", stack.services()["web"]["last_error"])
        self.assert_clean_end(stack)
