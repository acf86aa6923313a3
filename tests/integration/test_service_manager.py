"""Sockets between belfry and its service manager: what it passes is handed on by name, what it stores is there again at the next start.

A real systemd is asked the same in tests/packages/test_systemd.py; here the test plays it.
"""
import errno
import os
import signal
import socket
import sys

from harness import BELFRY, PATIENCE, Scenario, free_port, until
from test_activation import ACTIVATED, answer, refused

# Takes descriptors from a socket, and becomes the program with them as a service manager would have it.
PASS = """
import fcntl, os, socket, sys
with socket.socket(socket.AF_UNIX) as way:
    way.connect(sys.argv[1])
    names, given, _, _ = socket.recv_fds(way, 65536, 200)
high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 500) for fd in given]
os.closerange(3, 500)
for number, fd in enumerate(high, 3):
    os.dup2(fd, number)
os.closerange(3 + len(high), 800)
os.environ.update(LISTEN_PID=str(os.getpid() + int(os.environ.pop("OFF_BY", "0"))), LISTEN_FDS=str(len(high)), LISTEN_FDNAMES=names.decode())
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """The store of a service manager, and what it passes."""

    def __init__(self, test, room=64):
        self.test, self.room = test, room
        self.address = f"belfry-manager-{os.getpid()}-{id(self)}"
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        test.addCleanup(self.notify.close)
        self.notify.bind("\0" + self.address)
        self.notify.settimeout(PATIENCE)
        self.store = []  # (name, descriptor)
        test.addCleanup(self.empty)

    def empty(self):
        for _, fd in self.store:
            os.close(fd)
        self.store = []

    def names(self):
        return sorted(name for name, _ in self.store)

    def hear(self):
        """One message, done as systemd would."""
        text, given, _, _ = socket.recv_fds(self.notify, 4096, 10)
        said = dict(line.split("=", 1) for line in text.decode().splitlines())
        if said.get("FDSTORE") == "1":
            self.store += [(said["FDNAME"], fd) for fd in given]
        elif said.get("FDSTOREREMOVE") == "1":
            for name, fd in [one for one in self.store if one[0] == said["FDNAME"]]:
                self.store.remove((name, fd))
                os.close(fd)
        if said.get("FDSTORE") != "1":
            for fd in given:  # of a barrier: what came before it has been done
                os.close(fd)
        return said

    def hear_until(self, holds):
        while not holds(self.hear()):
            pass

    def start(self, stack, *passed, **environment):
        """Belfry with these (name, descriptor), and with what is stored."""
        path = os.path.join(stack.path, "way")
        everything = [*passed, *self.store]
        with socket.socket(socket.AF_UNIX) as way:
            way.bind(path)
            way.listen()
            way.settimeout(PATIENCE)
            stack.start(wrapper=[sys.executable, "-c", PASS, path], NOTIFY_SOCKET="@" + self.address, FDSTORE=str(self.room), **environment)
            client = way.accept()[0]
            with client:
                socket.send_fds(client, [":".join(name for name, _ in everything).encode()], [fd for _, fd in everything])
        os.unlink(path)
        return stack


def listener(address, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(address)
    if kind == socket.SOCK_STREAM:
        made.listen()
    return made


def web(listen, more=""):
    return f"\n  web: {{command: {ACTIVATED}, listen: {listen}, ready: listen{more}}}\n"


class SocketScenario(Scenario):
    def run_out(self, stack):
        stack.stop()
        self.assertEqual(stack.exit_code(), 0, stack.output.text())


class Passed(SocketScenario):
    """Sockets of a socket unit."""

    def passed(self, name, made):
        self.addCleanup(made.close)
        return name, made.fileno()

    def pid_of(self, stack, name="web"):
        return str(stack.services()[name]["pid"])

    def test_they_are_handed_on_by_name_whatever_their_order_and_kind(self):
        http, dns = free_port(), free_port()
        manager, stack = Manager(self), self.stack("")
        path = os.path.join(stack.path, "app.sock")
        stack.write(web(f"{{http: '127.0.0.1:{http}', dns: 'udp:127.0.0.1:{dns}', app: 'unix:{path}', hidden: 'unix:@belfry-passed-{os.getpid()}'}}"))
        manager.start(stack, self.passed("app", listener(path, socket.AF_UNIX)), self.passed("hidden", listener(f"\0belfry-passed-{os.getpid()}", socket.AF_UNIX)),
                      self.passed("dns", listener(("127.0.0.1", dns), kind=socket.SOCK_DGRAM)), self.passed("http", listener(("127.0.0.1", http))))
        stack.wait_for_control()
        stack.output.index_of("all told")
        told = [line.split("| ", 1)[1] for line in stack.output.lines if "| fd" in line]
        self.assertEqual(told, ["fds 4", "fd 3 http inet stream listening cloexec", "fd 4 dns inet dgram cloexec", "fd 5 app unix stream listening cloexec",
                                "fd 6 hidden unix stream listening cloexec"])
        self.assertEqual(answer(("127.0.0.1", http)), self.pid_of(stack))
        self.assertEqual(answer(path, socket.AF_UNIX), self.pid_of(stack))
        self.run_out(stack)
        self.assertTrue(os.path.exists(path), "its file is the manager's")
        self.assertEqual(manager.store, [], "nor is it stored: the manager has it")

    def test_a_stop_and_a_start_find_it_again(self):
        port = free_port()
        manager, stack = Manager(self), self.stack(web(f"'127.0.0.1:{port}'"))
        manager.start(stack, self.passed("web", listener(("127.0.0.1", port)))).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        for _ in range(2):
            self.assertEqual(stack.request("POST", "/v1/services/web/stop")[0], 200)
            self.assertFalse(refused(("127.0.0.1", port)), "the manager listens on")
            self.assertEqual(stack.request("POST", "/v1/services/web/start")[0], 200)
            self.assertEqual(answer(("127.0.0.1", port)), self.pid_of(stack))
        self.run_out(stack)

    def assert_refused(self, stack, *texts):
        stack.wait_for_control()
        self.assertEqual(stack.wait("web"), 424)
        for text in texts:
            self.assertIn(text, stack.services()["web"]["last_error"])
        stack.stop()
        stack.exit_code()

    def test_one_at_another_address_is_an_error_that_names_both(self):
        theirs, ours = free_port(), free_port()
        stack = Manager(self).start(self.stack(web(f"'127.0.0.1:{ours}'") + "  other: {command: $SAMPLE --name other}\n"),
                                    self.passed("web", listener(("127.0.0.1", theirs))))
        self.assert_refused(stack, f"cannot listen on 127.0.0.1:{ours}: the service manager has passed the socket `web` as 127.0.0.1:{theirs}", "ListenStream=")

    def test_one_of_another_kind_is_an_error_that_says_what_it_is(self):
        port = free_port()
        for made, what in ((listener(("127.0.0.1", port), kind=socket.SOCK_DGRAM), f"as udp:127.0.0.1:{port}"),
                           (listener(f"\0belfry-kind-{os.getpid()}", socket.AF_UNIX, socket.SOCK_DGRAM), f"as a datagram unix socket at @belfry-kind-{os.getpid()}")):
            with self.subTest(what=what):
                stack = Manager(self).start(self.stack(web(f"'127.0.0.1:{port}'") + "  other: {command: $SAMPLE --name other}\n"), self.passed("web", made))
                self.assert_refused(stack, what)
        read_end, write_end = os.pipe()
        self.addCleanup(os.close, read_end)
        self.addCleanup(os.close, write_end)
        stack = Manager(self).start(self.stack(web(f"'127.0.0.1:{port}'") + "  other: {command: $SAMPLE --name other}\n"), ("web", read_end))
        self.assert_refused(stack, "as something that is no socket")

    def test_one_by_another_name_is_an_error_that_names_both(self):
        port = free_port()
        stack = Manager(self).start(self.stack(web(f"'127.0.0.1:{port}'") + "  other: {command: $SAMPLE --name other}\n"),
                                    self.passed("belfry.socket", listener(("127.0.0.1", port))))
        stack.output.index_of("leaves alone what the service manager has passed and no `listen` names: `belfry.socket` (127.0.0.1:")
        self.assert_refused(stack, f"cannot listen on 127.0.0.1:{port} as `web`: the service manager listens there and has passed it as `belfry.socket`",
                            "FileDescriptorName=")

    def test_a_name_that_is_not_passed_is_bound_by_belfry_itself(self):
        port = free_port()
        stack = Manager(self).start(self.stack(web(f"'127.0.0.1:{port}'")), self.passed("other", listener(("127.0.0.1", free_port()))))
        stack.wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        self.assertEqual(answer(("127.0.0.1", port)), self.pid_of(stack))
        self.run_out(stack)

    def test_what_is_meant_for_another_process_is_not_touched(self):
        port = free_port()
        made = listener(("127.0.0.1", port))
        self.addCleanup(made.close)
        stack = Manager(self).start(self.stack(web(f"'127.0.0.1:{free_port()}'")), ("web", made.fileno()), OFF_BY="1")
        stack.wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        self.run_out(stack)

    def test_services_hear_nothing_of_what_is_said_to_belfry(self):
        stack = self.stack("\n  one: {type: oneshot, command: [sh, -c, 'env | grep -E ^LISTEN_\\|^FDSTORE; echo done']}\n")
        Manager(self).start(stack, self.passed("web", listener(("127.0.0.1", free_port()))), LISTEN_PIDFDID="")
        stack.output.index_of("one | done")
        self.assertEqual(stack.exit_code(), 0)
        self.assertEqual([line for line in stack.output.lines if line.startswith("one | ")], ["one | done"])


class Stored(SocketScenario):
    """Sockets of `listen:`, in the store of the manager while there is no belfry."""

    def test_clients_wait_while_belfry_is_started_again_and_nobody_is_refused(self):
        port, manager = free_port(), Manager(self)
        stack = self.stack(web(f"{{http: '127.0.0.1:{port}', app: {{address: 'unix:app.sock', mode: '0640'}}}}"))
        path = os.path.join(stack.path, "app.sock")
        manager.start(stack).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        first = answer(("127.0.0.1", port))
        manager.hear_until(lambda said: len(manager.store) == 2)
        self.assertEqual(manager.names(), [f"belfry/app/unix,{path}", f"belfry/http/127.0.0.1,{port}"])
        for end in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(end=end):
                stack.send(end)
                stack.exit_code()
                waiting = [socket.create_connection(("127.0.0.1", port), PATIENCE), socket.socket(socket.AF_UNIX)]
                waiting[1].connect(path)
                manager.start(stack).wait_for_control()
                self.assertEqual(stack.wait("web"), 200)
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
                for client in waiting:
                    with client:
                        client.settimeout(PATIENCE)
                        said = client.makefile().readline().strip()
                        self.assertEqual(said, str(stack.services()["web"]["pid"]))
                        self.assertNotEqual(said, first)
                self.assertEqual(len(manager.store), 2)
        self.run_out(stack)
        manager.hear_until(lambda said: said.get("STOPPING") == "1")
        self.assertEqual(len(manager.store), 2, "what it has left stays there for the next")

    def test_a_socket_of_every_kind_is_the_same_one_after_a_restart(self):
        manager = Manager(self)
        addresses = [f"127.0.0.1:{free_port()}", f"[::1]:{free_port()}", f"*:{free_port()}", f"udp:127.0.0.1:{free_port()}", f"udp:[::1]:{free_port()}", f"localhost:{free_port()}",
                     "unix:app.sock", f"unix:@belfry-stored-{os.getpid()}"]
        stack = self.stack(web("[" + ", ".join(f"'{one}'" for one in addresses) + "]"))
        inodes = []
        for _ in range(2):
            manager.start(stack).wait_for_control()
            self.assertEqual(stack.wait("web"), 200)
            inodes.append([os.readlink(f"/proc/{stack.services()['web']['pid']}/fd/{fd}") for fd in range(3, 3 + len(addresses))])
            self.run_out(stack)
            manager.hear_until(lambda said: said.get("STOPPING") == "1")
        self.assertEqual(inodes[0], inodes[1])
        self.assertEqual(len(manager.store), len(addresses))

    def test_what_no_service_wants_any_more_is_closed_and_taken_out(self):
        old, new, manager = free_port(), free_port(), Manager(self)
        stack = self.stack(web(f"['127.0.0.1:{old}', 'unix:old.sock']"))
        manager.start(stack).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        self.run_out(stack)
        manager.hear_until(lambda said: said.get("STOPPING") == "1")
        self.assertFalse(refused(("127.0.0.1", old)), "it is stored")
        stack.write(web(f"'127.0.0.1:{new}'"))
        manager.start(stack).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        manager.hear_until(lambda said: manager.names() == [f"belfry/web/127.0.0.1,{new}"])
        self.assertTrue(refused(("127.0.0.1", old)))
        self.assertFalse(os.path.exists(os.path.join(stack.path, "old.sock")))
        self.run_out(stack)

    def test_the_same_port_in_another_way_is_bound_anew(self):
        port, manager = free_port(), Manager(self)
        stack = self.stack(web(f"'127.0.0.1:{port}'"))
        for listen in (f"'127.0.0.1:{port}'", f"'*:{port}'", f"{{address: '127.0.0.1:{port}', reuse_port: true}}"):
            with self.subTest(listen=listen):
                stack.write(web(listen))
                is_another = bool(manager.store)
                manager.start(stack)
                if is_another:
                    manager.hear_until(lambda said: said.get("BARRIER") == "1")
                stack.wait_for_control()
                self.assertEqual(stack.wait("web"), 200)
                self.assertEqual(answer(("127.0.0.1", port)), str(stack.services()["web"]["pid"]))
                self.run_out(stack)
                manager.hear_until(lambda said: said.get("STOPPING") == "1")
                self.assertEqual(len(manager.store), 1)

    def test_one_that_is_called_otherwise_now_is_the_same_socket(self):
        port, manager = free_port(), Manager(self)
        stack = self.stack(web(f"{{old: '127.0.0.1:{port}'}}"))
        manager.start(stack).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        self.run_out(stack)
        manager.hear_until(lambda said: said.get("STOPPING") == "1")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            stack.write(web(f"{{new: '127.0.0.1:{port}'}}"))
            manager.start(stack).wait_for_control()
            self.assertEqual(stack.wait("web"), 200)
            self.assertEqual(client.makefile().readline().strip(), answer(("127.0.0.1", port)))
        stack.output.index_of("fd 3 new inet")
        self.run_out(stack)

    def test_a_service_that_is_stopped_by_command_leaves_nothing_there(self):
        port, manager = free_port(), Manager(self)
        stack = self.stack(web(f"'127.0.0.1:{port}'") + "  other: {command: $SAMPLE --name other}\n")
        manager.start(stack).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        manager.hear_until(lambda said: len(manager.store) == 1)
        self.assertEqual(stack.request("POST", "/v1/services/web/stop")[0], 200)
        manager.hear_until(lambda said: not manager.store)
        self.assertTrue(refused(("127.0.0.1", port)))
        self.assertEqual(stack.request("POST", "/v1/services/web/start")[0], 200)
        manager.hear_until(lambda said: len(manager.store) == 1)
        self.run_out(stack)

    def test_sockets_that_share_a_port_are_all_there_again(self):
        port, manager = free_port(), Manager(self)
        listen = f"{{http: {{address: '127.0.0.1:{port}', reuse_port: true}}}}"
        stack = self.stack(web(listen, ", replicas: 3"))
        manager.start(stack).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        manager.hear_until(lambda said: len(manager.store) == 3)
        self.assertEqual(stack.request("POST", "/v1/services/web-2/stop")[0], 200)
        manager.hear_until(lambda said: said.get("FDSTOREREMOVE") == "1")
        manager.hear_until(lambda said: len(manager.store) == 2)
        self.run_out(stack)
        manager.start(stack).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        manager.hear_until(lambda said: len(manager.store) == 3)
        self.run_out(stack)

    def test_more_than_the_store_takes_is_said_once(self):
        manager = Manager(self, room=1)
        stack = self.stack(web(f"['127.0.0.1:{free_port()}', '127.0.0.1:{free_port()}', '127.0.0.1:{free_port()}']"))
        manager.start(stack).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        self.run_out(stack)
        manager.hear_until(lambda said: said.get("STOPPING") == "1")
        self.assertEqual(len(manager.store), 1)
        self.assertEqual(stack.output.text().count("the service manager stores 1 (raise FileDescriptorStoreMax="), 1)

    def test_without_a_store_nothing_is_sent_there(self):
        port, manager = free_port(), Manager(self, room=0)
        stack = self.stack(web(f"'127.0.0.1:{port}'"))
        manager.start(stack).wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        self.run_out(stack)
        manager.hear_until(lambda said: said.get("STOPPING") == "1" or self.assertNotIn("FDSTORE", said))
        with socket.socket() as client:
            self.assertEqual(client.connect_ex(("127.0.0.1", port)), errno.ECONNREFUSED)

    def reaches(self, port):
        """Fails where a client is refused, whatever runs."""
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        return True

    def test_a_belfry_above_is_such_a_manager(self):
        """`fd_store: N` of the outer one is where the inner one's sockets stay while it is restarted."""
        port = free_port()
        inner = self.stack(web(f"'127.0.0.1:{port}'"), name="inner")
        outer = self.stack(f"\n  inner: {{command: '{BELFRY} run -c {inner.file}', ready: notify, fd_store: 8}}\n", name="outer")
        outer.start().wait_for_control()
        self.assertEqual(outer.wait("inner"), 200)
        first = answer(("127.0.0.1", port))
        for restarts in range(1, 4):
            os.kill(outer.services()["inner"]["pid"], signal.SIGKILL)
            until(lambda: self.reaches(port) and outer.services()["inner"]["restarts"] == restarts and outer.services()["inner"]["state"] == "ready")
        self.assertNotEqual(answer(("127.0.0.1", port)), first)
        self.run_out(outer)
        self.assertTrue(refused(("127.0.0.1", port)))
