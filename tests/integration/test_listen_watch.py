"""Readiness by `port` and `unix`: the kernel tells when the service itself listens, and how is said."""
import contextlib
import http.server
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import threading

from harness import BELFRY, PATIENCE, Scenario, free_port, free_ports, until, with_clients

LISTENER = f"/usr/bin/python3 {os.path.join(os.path.dirname(os.path.abspath(__file__)), 'listener.py')}"
NOTIFIED = "kernel event (seccomp)"
NO_RIGHT = "asked every 10 ms (no CAP_SYS_ADMIN; add no_new_privileges: true)"
ROOT = os.geteuid() == 0
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def runs_32_bit_calls():
    """Whether this kernel takes int 0x80 at all."""
    with subprocess.Popen([*LISTENER.split(), "in_32_bits", str(free_port())], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as listener:
        said = listener.stdout.readline()
        listener.kill()
    return said == b"listens\n"


def service(name, habit, target, probe, more=""):
    return f"  {name}: {{command: '{LISTENER} {habit} {target}', ready: {{{probe}}}, {more}}}\n"


class Fifo:
    """Words to a listener. One path a word: who has read one may still have its path open when the next is said."""

    def __init__(self, stack, name, words=1):
        self.paths = [os.path.join(stack.path, f"{name}{i or ''}") for i in range(words)]
        self.path, self.said = self.paths[0], 0
        for path in self.paths:
            os.mkfifo(path)
            os.chmod(path, 0o666)

    def say(self, word="go"):
        path = self.paths[min(self.said, len(self.paths) - 1)]
        self.said += 1
        with open(path, "w", encoding="ascii") as out:
            out.write(word + "\n")

    def hear(self):
        """A line that the other side writes; waits for it."""
        fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            if not poll.poll(PATIENCE * 1000):
                raise AssertionError("nothing was said")
            return os.read(fd, 4096).decode()
        finally:
            os.close(fd)


class Watch(Scenario):
    def started(self, services, top="", wrapper=(), name="test"):
        stack = self.stack(services, top, name)
        if wrapper:
            os.chmod(stack.path, 0o777)
        return stack.start(wrapper=wrapper)

    def method(self, stack, name):
        return stack.services()[name]["readiness_method"]

    def error(self, stack, name):
        return stack.services()[name]["last_error"] or ""


def needs_right(test):
    """A notifier without no_new_privileges needs the right to set it; as root in a container there may be none."""
    with open("/proc/self/status", encoding="ascii") as file:
        effective = int(next(line for line in file if line.startswith("CapEff")).split()[1], 16)
    return test if effective >> 21 & 1 else None


class Notified(Watch):
    @needs_right
    def test_however_a_service_comes_to_listen_it_is_heard(self):
        habits = ["tcp", "tcp6", "dual", "every_address", "other_loopback", "thread", "grandchild", "new_session",
                  "double_fork", "shared_port", "other_ports_first", "many_afterwards"]
        if ROOT:
            habits.append("other_user")
        if os.uname().machine == "x86_64" and runs_32_bit_calls():
            habits.append("in_32_bits")
        stack = self.stack("")
        text, expected = "", {}
        for habit, port in zip(habits, free_ports(len(habits))):
            text += service(habit, habit, port, f"port: {port}")
            expected[habit] = f"port {port}: {NOTIFIED}"
        for habit, port in zip(("udp", "udp6", "udp_sloppy"), free_ports(3)):
            text += service(habit, habit, port, f"port: {{udp: {port}}}")
            expected[habit] = f"udp port {port}: {NOTIFIED}"
        for habit in ("stream", "seqpacket", "relative"):
            text += service(habit, habit, f"$DIR/{habit}", f"unix: $DIR/{habit}")
            expected[habit] = f"unix {stack.path}/{habit}: {NOTIFIED}"
        name = f"@belfry-{os.getpid()}"
        text += service("abstract", "abstract", name, f"unix: '{name}'")
        expected["abstract"] = f"unix {name}: {NOTIFIED}"
        stack.write(text)
        stack.start().wait_for_control()
        self.assertEqual(stack.wait(*expected), 200, {n: self.error(stack, n) for n in expected})
        self.assertEqual({n: self.method(stack, n) for n in expected}, expected)
        self.assert_clean_end(stack)

    @needs_right
    def test_what_waits_costs_no_wake_up_and_is_asked_once(self):
        stack = self.stack("")
        words = [Fifo(stack, f"word{i}") for i in range(5)]
        ports = free_ports(len(words))
        stack.write("".join(service(f"s{i}", "bound_long_before", f"{ports[i]} {words[i].path}", f"port: {ports[i]}")
                            for i in range(5)))
        stack.start().wait_for_control()
        for i in range(5):
            stack.output.index_of(f"s{i} | bound")

        def wake_ups():
            total = 0
            for status in pathlib.Path(f"/proc/{stack.process.pid}/task").glob("*/status"):
                total += int(next(l for l in status.read_text().splitlines() if l.startswith("voluntary")).split()[1])
            return total

        def quiet_second():
            before = wake_ups()
            ended = os.pidfd_open(stack.process.pid)
            select.select([ended], [], [], 1)
            os.close(ended)
            return wake_ups() - before

        # What the start left to do may fall into the first seconds; every 10 ms would be hundreds in each.
        until(lambda: quiet_second() == 0)
        self.assertEqual(self.processes_held(stack), 5)
        for word in words:
            word.say()
        self.assertEqual(stack.wait(*(f"s{i}" for i in range(5))), 200)
        self.method(stack, "s0")  # asked in a later turn
        self.assertEqual(self.processes_held(stack), 0)
        self.assert_clean_end(stack)

    @staticmethod
    def processes_held(stack):
        """How many pidfds belfry has open: one for each service whose listen(2) is still to come."""
        return sum("[pidfd]" in os.readlink(fd) for fd in pathlib.Path(f"/proc/{stack.process.pid}/fd").iterdir()
                   if os.path.lexists(fd))

    @needs_right
    def test_a_period_of_its_own_does_not_delay_what_is_heard(self):
        ports = free_ports(5)
        stack = self.started("".join(service(f"s{port}", "tcp", port, f"port: {port}, period: 1h")
                                     for port in ports)).wait_for_control()
        self.assertEqual(stack.wait(*(f"s{port}" for port in ports)), 200)
        self.assert_clean_end(stack)

    @needs_right
    def test_another_process_on_the_port_rings_no_bell_and_is_named(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen(4)
            port = holder.getsockname()[1]
            stack = self.stack("")
            word, again = Fifo(stack, "word"), Fifo(stack, "again")
            for top, method in (("", NOTIFIED), ("on_daemon_death: keep", "asked every 10 ms (on_daemon_death: keep)")):
                stack.write(service("web", "on_word", f"{port} {word.path} {again.path}", f"port: {port}"), top)
                stack.start().wait_for_control()
                word.say()
                stack.output.index_of("web | cannot listen: Address already in use")
                self.assertEqual(self.method(stack, "web"), f"port {port}: {method}")
                self.assertRegex(self.error(stack, "web"), rf"^port {port} is held by pid {os.getpid()} \S+, not by this service$")
                self.assertEqual(stack.wait("web", timeout="50ms"), 504)
                self.assertEqual(stack.stop(), 0)
            stack.write(service("web", "on_word", f"{port} {word.path} {again.path}", f"port: {port}"))
            stack.start().wait_for_control()
            word.say()
            stack.output.index_of("web | cannot listen: Address already in use")
            holder.close()
            again.say()
            stack.output.index_of("web | listens")
            self.assertEqual(stack.wait("web"), 200)
            self.assert_clean_end(stack)

    @needs_right
    def test_a_port_that_another_service_holds_is_not_this_one_s(self):
        port = free_port()
        connects = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
        stack = self.started(f"  first:\n    command: {LISTENER} tcp {port}\n"
                             f"    ready: {{exec: [/usr/bin/python3, -c, \"{connects}\"]}}\n"
                             + service("second", "tcp", port, f"port: {port}", "depends_on: [first], restart: no"))
        stack.wait_for_control()
        self.assertEqual(stack.wait("second"), 424)
        self.assertEqual(stack.wait("first"), 200)
        self.assertEqual(stack.stop(), 0)

    @needs_right
    def test_who_looks_whether_its_port_is_free_finds_it_free(self):
        stack = self.stack("")
        text, names = "", []
        for habit, port in zip(("looks_first", "looks_first_in_shared", "looks_first_in_thread",
                                "looks_first_in_grandchild"), free_ports(4)):
            text += service(habit, habit, port, f"port: {port}", "restart: no")
            names.append(habit)
        udp, name = free_port(socket.SOCK_DGRAM), f"@belfry-free-{os.getpid()}"
        text += service("udp", "looks_first_udp", udp, f"port: {{udp: {udp}}}", "restart: no")
        text += service("abstract", "looks_first_abstract", name, f"unix: '{name}'", "restart: no")
        names += ["udp", "abstract"]
        stack.write(text)
        stack.start().wait_for_control()
        for one in names:
            stack.output.index_of(f"{one} | listens")
        self.assertEqual(stack.wait(*names), 200, {n: self.error(stack, n) for n in names})
        self.assert_clean_end(stack)

    def lost_and_found(self, top, more=""):
        stack = self.stack("")
        words = {name: Fifo(stack, name, 9) for name in ("web", "names")}
        ports = {"web": free_port(), "names": free_port(socket.SOCK_DGRAM)}
        stack.write(service("web", "on_word", f"{ports['web']} {' '.join(words['web'].paths)}", f"port: {ports['web']}{more}")
                    + service("names", "on_word", f"{ports['names']} {' '.join(words['names'].paths)}",
                              f"port: {{udp: {ports['names']}}}{more}"), top)
        stack.start().wait_for_control()
        words["web"].say()
        words["names"].say("udp")
        self.assertEqual(stack.wait("web", "names"), 200)
        for name, word in words.items():
            word.say("close")
            stack.output.index_of(f"{name} is not ready any more")
            word.say("udp" if name == "names" else "go")
            stack.output.index_of(f"{name} is ready again")
        self.assert_clean_end(stack)

    @needs_right
    def test_a_listener_that_goes_away_is_a_lost_level_and_one_that_comes_back_is_heard(self):
        self.lost_and_found("")
        self.lost_and_found("on_daemon_death: keep")
        self.lost_and_found("", ", recheck: 50ms")

    @needs_right
    def test_that_a_unix_socket_is_gone_is_seen_at_the_next_sign_of_the_service(self):
        stack = self.stack("")
        word = Fifo(stack, "word", 9)
        stack.write(service("door", "on_word", f"$DIR/door {' '.join(word.paths)}", "unix: $DIR/door"))
        stack.start().wait_for_control()
        word.say("stream")
        self.assertEqual(stack.wait("door"), 200)
        word.say("close")
        word.say("say")
        stack.output.index_of("door is not ready any more")
        word.say("stream")
        stack.output.index_of("door is ready again")
        self.assert_clean_end(stack)

    @needs_right
    def test_a_listener_that_another_process_of_the_service_has_too_has_not_gone_away(self):
        port = free_port()
        script = ("import os, signal, socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
                  "r, w = os.pipe(); child = os.fork(); (os.close(w), os.read(r, 1), os._exit(0)) if child == 0 else None;"
                  "os.close(r); s.close(); print('closed', flush=True); signal.pause()")
        stack = self.stack(f"  web: {{command: [/usr/bin/python3, -S, -c, \"{script}\", '{port}'], ready: {{port: {port}}}}}\n")
        stack.start().wait_for_control()
        stack.output.index_of("web | closed")
        self.assertEqual(stack.wait("web"), 200)
        self.assertNotIn("not ready any more", stack.output.text())
        self.assertEqual(stack.stop(), 0)

    if ROOT:
        def in_a_network_of_its_own(self, top):
            port = free_port()
            stack = self.stack("")
            stack.write(f"  web: {{command: 'unshare -n {LISTENER} every_address {port}', ready: {{port: {port}}}}}\n"
                        f"  door: {{command: 'unshare -n {LISTENER} stream $DIR/door', ready: {{unix: $DIR/door}}}}\n", top)
            stack.start().wait_for_control()
            self.assertEqual(stack.wait("door"), 200, self.error(stack, "door"))
            self.assertEqual(stack.wait("web", timeout="1500ms"), 504)
            why = self.error(stack, "web")
            self.assertEqual(stack.stop(), 0)
            return why.replace(str(port), "PORT")

        @needs_right
        def test_a_listener_in_a_network_namespace_of_its_own_is_none_whichever_way_it_is_known(self):
            self.assertIn(self.in_a_network_of_its_own(""),
                          [f"nobody listens on port PORT: the service {does} in a network namespace of its own"
                           for does in ("listens", "runs")])
            self.assertEqual(self.in_a_network_of_its_own("on_daemon_death: keep"),
                             "nobody listens on port PORT: the service runs in a network namespace of its own")

    @needs_right
    def test_a_restarted_service_is_heard_again(self):
        port = free_port()
        stack = self.started(service("web", "tcp", port, f"port: {port}", "restart: {delay: 1ms}")).wait_for_control()
        heard = 0
        for run in range(3):
            heard = stack.output.index_of("web is ready", heard) + 1
            self.assertEqual(stack.wait("web"), 200)
            self.assertEqual(stack.services()["web"]["restarts"], run)
            os.kill(stack.services()["web"]["pid"], signal.SIGKILL)
        stack.output.index_of("web is ready", heard)
        self.assertIn(NOTIFIED, self.method(stack, "web"))
        self.assert_clean_end(stack)

    @needs_right
    def test_io_uring_gets_a_slow_net(self):
        stack = self.stack("")
        word, port = Fifo(stack, "word"), free_port()
        stack.write(service("ring", "io_uring", f"{port} {word.path}", f"port: {port}"))
        stack.start().wait_for_control()
        word.say()
        self.assertEqual(stack.wait("ring"), 200)
        self.assertEqual(self.method(stack, "ring"),
                         f"port {port}: {NOTIFIED}, asked every 250 ms as well (it uses io_uring)")
        self.assert_clean_end(stack)

    @needs_right
    def test_a_service_that_calls_without_end_delays_nobody(self):
        stack = self.stack("")
        word, ports = Fifo(stack, "word"), free_ports(11)
        stack.write(service("busy", "busy", f"{ports[0]} {word.path} {word.path}", f"port: {ports[0]}")
                    + "".join(f"  s{i}: {{command: $SAMPLE --name s{i} --port {ports[i]} --bind-delay 300ms, "
                              f"ready: {{port: {ports[i]}}}}}\n" for i in range(1, 11)))
        stack.start().wait_for_control()
        self.assertEqual(stack.wait(*(f"s{i}" for i in range(1, 11))), 200)
        late = [stack.services()[f"s{i}"]["since_monotonic_ns"] - stack.event(f"s{i}", "listening") for i in range(1, 11)]
        self.assertLess(sorted(late)[5], 50e6, late)
        self.assertEqual(stack.services()["busy"]["state"], "starting")
        word.say()
        self.assertEqual(stack.wait("busy"), 200)
        word.say()
        self.assert_clean_end(stack)

    @needs_right
    def test_a_descriptor_for_each_notifier_and_none_is_left(self):
        ports = free_ports(20)
        stack = self.started("".join(f"  s{i}: {{command: $SAMPLE --name s{i} --port {p}, ready: {{port: {p}}}, "
                                     "restart: {delay: 1ms}}\n" for i, p in enumerate(ports))).wait_for_control()
        names = [f"s{i}" for i in range(20)]
        self.assertEqual(stack.wait(*names), 200)

        def descriptors(kind):
            found = 0
            for link in pathlib.Path(f"/proc/{stack.process.pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):  # the request before this one is being closed
                    found += kind in os.readlink(link)
            return found

        self.assertEqual(descriptors("seccomp"), 20)
        before = descriptors("socket")
        for _ in range(3):
            self.assertEqual(stack.cli("restart", *names).returncode, 0)
        self.assertEqual(descriptors("seccomp"), 20)
        # 60 copies were made and closed; the connection of the last request may be on its way out.
        self.assertLessEqual(min(descriptors("socket") for _ in range(50)), before + 1)
        self.assert_clean_end(stack)

    @needs_right
    def test_below_another_belfry_the_inner_one_asks(self):
        inner = self.stack("")
        outer_port, port = free_ports(2)
        inner.write(service("web", "tcp", port, f"port: {port}"), f"http: {{listen: '127.0.0.1:{outer_port}'}}", "inner")
        outer = self.started(f"  below: {{command: '{BELFRY} run -c {inner.file}', ready: {{port: {outer_port}}}}}\n",
                             name="outer").wait_for_control()
        self.assertEqual(outer.wait("below"), 200)
        self.assertIn(NOTIFIED, self.method(outer, "below"))
        self.assertEqual(inner.wait("web"), 200)
        self.assertEqual(self.method(inner, "web"),
                         f"port {port}: asked every 10 ms (another listener is set above belfry)")
        self.assert_clean_end(outer)


class WhenBelfryDies(Watch):
    """docs/explanation/listen-watch.md says what these show."""

    @needs_right
    def test_kept_services_can_still_listen(self):
        stack = self.stack("")
        word, answer, port = Fifo(stack, "word"), Fifo(stack, "answer"), free_port()
        stack.write(service("web", "left_alone", f"{port} {word.path} {answer.path}", f"port: {port}"),
                    "on_daemon_death: keep")
        stack.start()
        listener = os.open(answer.path, os.O_RDWR)  # so that the grandchild's open does not wait
        self.addCleanup(os.close, listener)
        stack.output.index_of("web | waits")
        stack.send(signal.SIGKILL)
        stack.process.wait(PATIENCE)
        word.say()
        self.assertEqual(answer.hear(), "listens\n")


class Asked(Watch):
    """Where no notifier may be installed."""

    def test_without_rights_the_kernel_is_asked_and_no_new_privileges_helps(self):
        stack = self.stack("")
        ports = free_ports(2)
        udp = free_port(socket.SOCK_DGRAM)
        stack.write(service("plain", "tcp", ports[0], f"port: {ports[0]}")
                    + service("plain-udp", "udp", udp, f"port: {{udp: {udp}}}")
                    + service("plain-unix", "stream", "$DIR/socket", "unix: $DIR/socket")
                    + service("bare", "tcp", ports[1], f"port: {ports[1]}", "no_new_privileges: true"))
        os.chmod(stack.path, 0o777)
        stack.start(wrapper=AS_NOBODY if ROOT else ()).wait_for_control()
        names = "plain", "plain-udp", "plain-unix", "bare"
        self.assertEqual(stack.wait(*names), 200)
        self.assertEqual([self.method(stack, name) for name in names],
                         [f"port {ports[0]}: {NO_RIGHT}", f"udp port {udp}: {NO_RIGHT}",
                          f"unix {stack.path}/socket: {NO_RIGHT}", f"port {ports[1]}: {NOTIFIED}"])
        self.assert_clean_end(stack)

    def test_a_port_that_the_service_chose_is_found_and_published(self):
        stack = self.stack("")
        stack.write(service("asked", "tcp", 0, "port: any") + service("heard", "tcp", 0, "port: any", "no_new_privileges: true")
                    + "  user: {type: oneshot, command: [echo, '${asked.PORT} ${heard.PORT}'], depends_on: [asked, heard]}\n")
        os.chmod(stack.path, 0o777)
        stack.start(wrapper=AS_NOBODY if ROOT else ()).wait_for_control()
        self.assertEqual(stack.wait("asked", "heard"), 200)
        ports = [stack.services()[name]["outputs"]["PORT"] for name in ("asked", "heard")]
        self.assertEqual([self.method(stack, name) for name in ("asked", "heard")],
                         [f"port {ports[0]}: {NO_RIGHT}", f"port {ports[1]}: {NOTIFIED}"])
        for port in ports:
            socket.create_connection(("127.0.0.1", int(port))).close()
        stack.output.index_of(f"user | {ports[0]} {ports[1]}")
        self.assert_clean_end(stack)

    if ROOT:
        def test_root_without_the_capability_as_in_a_container(self):
            port = free_port()
            stack = self.started(service("web", "tcp", port, f"port: {port}"),
                                 wrapper=["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"])
            stack.wait_for_control()
            self.assertEqual(stack.wait("web"), 200)
            self.assertEqual(self.method(stack, "web"), f"port {port}: {NO_RIGHT}")
            self.assert_clean_end(stack)

        def test_a_service_whose_descriptors_are_hidden_is_known_by_its_user(self):
            port, udp = free_port(), free_port(socket.SOCK_DGRAM)
            caps = "-sys_admin,-sys_ptrace"
            stack = self.stack("")
            stack.write(service("web", "tcp", port, f"port: {port}", "user: '64017'")
                        + service("names", "udp", udp, f"port: {{udp: {udp}}}", "user: '64017'")
                        + service("door", "stream", "$DIR/socket", "unix: $DIR/socket", "user: '64017'"))
            os.chmod(stack.path, 0o777)
            stack.start(wrapper=["setpriv", f"--bounding-set={caps}", f"--inh-caps={caps}"]).wait_for_control()
            self.assertEqual(stack.wait("web", "names", "door"), 200, self.error(stack, "web"))
            self.assert_clean_end(stack)

    def test_an_address_of_loopback_that_nobody_thinks_of_is_found(self):
        ports = free_port(), free_port(socket.SOCK_DGRAM)
        stack = self.started(service("web", "other_loopback", ports[0], f"port: {ports[0]}")
                             + service("names", "udp_other", ports[1], f"port: {{udp: {ports[1]}}}"),
                             "on_daemon_death: keep").wait_for_control()
        self.assertEqual(stack.wait("web", "names"), 200)
        self.assert_clean_end(stack)

    def test_each_of_those_who_share_a_port_is_found(self):
        port = free_port()
        stack = self.started(service("web", "shared_port", port, f"port: {port}", "replicas: 3"),
                             "on_daemon_death: keep").wait_for_control()
        self.assertEqual(stack.wait("web-1", "web-2", "web-3"), 200, self.error(stack, "web-3"))
        self.assert_clean_end(stack)

    def test_somebody_else_at_a_nearer_address_of_the_port_is_no_hindrance(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen(4)
            port = holder.getsockname()[1]
            stack = self.started(service("web", "other_loopback", port, f"port: {port}"), "on_daemon_death: keep").wait_for_control()
            self.assertEqual(stack.wait("web"), 200, self.error(stack, "web"))
            self.assert_clean_end(stack)

    def test_status_says_how(self):
        port = free_port()
        stack = self.started(service("web", "tcp", port, f"port: {port}"), "on_daemon_death: keep").wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        how = f"port {port}: asked every 10 ms (on_daemon_death: keep)"
        shown = json.loads(stack.cli("status", "--json").stdout)
        self.assertEqual(shown["services"][0]["readiness_method"], how)
        self.assertIn(f"web: {how}", stack.cli("status", "web").stdout)
        self.assertIn("asked every 10 ms (on_daemon_death: keep): web", stack.cli("status").stdout)
        self.assert_clean_end(stack)


class Strangers(Watch):
    """Somebody else's server where `tcp` or `http` look for the service's."""

    def setUp(self):
        super().setUp()
        self.foreign = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        self.foreign.RequestHandlerClass.log_message = lambda *_: None
        self.foreign.RequestHandlerClass.do_GET = lambda handler: (handler.send_response(204), handler.end_headers())
        self.port = self.foreign.server_address[1]
        thread = threading.Thread(target=self.foreign.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.foreign.server_close)
        self.addCleanup(self.foreign.shutdown)

    def probes(self):
        return {"tcp": f"tcp: '127.0.0.1:{self.port}'", "http": f"http: 'http://127.0.0.1:{self.port}/'"}

    def test_a_server_that_was_there_before_does_not_make_a_service_ready(self):
        stack = self.stack("".join(service(name, "tcp", self.port, probe, "restart: {delay: 1ms, max_delay: 20ms}")
                                   for name, probe in self.probes().items())
                           + "".join(f"  calm-{name}: {{command: [sleep, '60'], ready: {{{probe}}}}}\n"
                                     f"  on-{name}: {{command: [sleep, '60'], depends_on: [{name}]}}\n"
                                     for name, probe in self.probes().items()))
        stack.start().wait_for_control()
        for name in self.probes():
            self.assertEqual(stack.wait(f"calm-{name}", timeout="500ms"), 504)
            until(lambda name=name: re.search(rf"port {self.port} is held by pid {os.getpid()} \S+, not by this service",
                                              self.error(stack, f"calm-{name}")))
            self.assertNotIn(f" {name} is ready", stack.output.text())
            self.assertEqual(stack.services()[f"on-{name}"]["state"], "waiting")
        self.assertEqual(stack.stop(), 0)

    def test_where_any_owner_may_it_does(self):
        stack = self.stack("".join(f"  {name}: {{command: [sleep, '60'], ready: {{{probe}, owner: any}}}}\n"
                                   f"  outside-{name}: {{type: external, ready: {{{probe}}}}}\n"
                                   for name, probe in self.probes().items())
                           + f"  port: {{command: [sleep, '60'], ready: {{port: {self.port}, owner: any}}}}\n")
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("tcp", "http", "outside-tcp", "outside-http", "port"), 200)
        self.assert_clean_end(stack)

    def test_a_service_s_own_server_counts_however_it_came_to_listen(self):
        stack = self.stack("")
        habits = "tcp", "dual", "every_address", "shared_port", "grandchild", "new_session", "double_fork"
        ports = free_ports(len(habits))
        stack.write("".join(service(habit, habit, port, f"tcp: '127.0.0.1:{port}'") for habit, port in zip(habits, ports)))
        stack.start().wait_for_control()
        self.assertEqual(stack.wait(*habits), 200, {n: self.error(stack, n) for n in habits})
        self.assert_clean_end(stack)


NODE = "require('http').createServer((q, a) => a.end('ok')).listen({port}, '127.0.0.1')"
JAVA = """
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class Server {
  public static void main(String[] words) throws Exception {
    HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 16).start();
  }
}
"""
GO = """
package main

import (
	"net/http"
	"os"
)

func main() { panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)) }
"""


class Runtimes(Watch):
    """Servers of other languages, whose run times have their own ways to a socket."""

    def tried(self, command):
        port = free_port()
        stack = self.started(f"  web:\n    command: {json.dumps([*command, str(port)])}\n    ready: {{port: {port}}}\n")
        stack.wait_for_control()
        self.assertEqual(stack.wait("web"), 200, stack.output.text())
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        method = self.method(stack, "web")
        self.assert_clean_end(stack)
        return method

    def folder(self):
        stack = self.stack("")
        return stack.path

    @needs_right
    @with_clients
    def test_node(self):
        port_from_words = NODE.replace("{port}", "Number(process.argv[1])")
        self.assertIn(NOTIFIED, self.tried(["node", "-e", port_from_words, "--"]))

    @needs_right
    @with_clients
    def test_java(self):
        folder = self.folder()
        pathlib.Path(folder, "Server.java").write_text(JAVA, encoding="ascii")
        subprocess.run(["javac", "Server.java"], cwd=folder, check=True, timeout=300)
        self.assertIn(NOTIFIED, self.tried(["java", "-cp", folder, "Server"]))

    @needs_right
    @with_clients
    def test_go(self):
        folder = self.folder()
        pathlib.Path(folder, "server.go").write_text(GO, encoding="ascii")
        environment = {**os.environ, "GOCACHE": f"{folder}/cache", "GOPATH": f"{folder}/path", "GO111MODULE": "off"}
        subprocess.run(["go", "build", "-o", "server", "server.go"], cwd=folder, env=environment, check=True, timeout=600)
        self.assertIn(NOTIFIED, self.tried([f"{folder}/server"]))
