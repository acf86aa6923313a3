"""The control socket's path: one daemon at a time, and nobody believed there who is a stranger."""
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
import unittest

from harness import BELFRY, PATIENCE, Scenario, Stack

SLEEPER = "  a: {command: [sleep, '600']}"


class OneOwner(Scenario):
    def another(self, stack):
        """A second belfry of the same file."""
        other = Stack(SLEEPER)
        self.addCleanup(other.close)
        other.file, other.control = stack.file, stack.control
        return other

    def test_of_several_that_start_at_once_over_a_stale_socket_one_runs(self):
        stack = self.stack(SLEEPER)
        for _ in range(10):
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(stack.control)
            processes = [subprocess.Popen([BELFRY, "run", "-c", stack.file], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                          text=True) for _ in range(4)]
            endings = {os.pidfd_open(p.pid): p for p in processes}
            losers = []
            while len(losers) < 3:  # the winner runs on: exactly three end by themselves
                ready, _, _ = select.select(list(endings), [], [], PATIENCE)
                self.assertTrue(ready, f"{len(endings)} of them run")
                for fd in ready:
                    loser = endings.pop(fd)
                    os.close(fd)
                    losers.append((loser.wait(), loser.stderr.read()))
            self.assertEqual(len(endings), 1, losers)
            (fd, winner), = endings.items()
            os.close(fd)
            self.assertIsNone(winner.poll(), "one of them runs")
            for code, words in losers:
                self.assertEqual(code, 71, words)
                self.assertIn(f"(pid {winner.pid}; ", words)
            winner.send_signal(signal.SIGTERM)
            self.assertEqual(winner.wait(PATIENCE), 0)
            for process in processes:
                process.stderr.close()
            self.assertFalse(os.path.exists(stack.control))
            self.assertFalse(os.path.exists(stack.control + ".lock"))

    def test_a_daemon_whose_socket_was_removed_leaves_its_successors_alone(self):
        first = self.stack(SLEEPER).start().wait_for_control()
        os.unlink(first.control)
        second = self.another(first)
        second.start()
        second.output.index_of(f"from pid {first.process.pid}, whose socket was removed")
        second.output.index_of("ready after")
        self.assertEqual(first.stop(), 0)
        self.assertEqual(first.cli("status", "--socket", first.control).returncode, 0, "the second one answers")
        self.assertEqual(second.stop(), 0)

    def test_a_socket_that_another_file_replaced_is_not_removed_at_the_end(self):
        stack = self.stack(SLEEPER).start().wait_for_control()
        os.unlink(stack.control)
        with open(stack.control, "w", encoding="ascii") as file:
            file.write("precious")
        self.assertEqual(stack.stop(), 0)
        with open(stack.control, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")


@unittest.skipUnless(os.geteuid() == 0, "takes root to be somebody else")
class Impostor(Scenario):
    def answer_as_nobody(self, path):
        """A process of another user that answers everything with success and an escape sequence."""
        code = ("import os, socket, sys\n"
                "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(9); os.chmod(sys.argv[1], 0o777)\n"
                "print('here', flush=True)\n"
                "body = b'{\"stack\": \"x\", \"ready\": true, \"message\": \"\\x1b[31mdone\", \"services\": []}'\n"
                "while True:\n"
                "    c, _ = s.accept()\n"
                "    if c.recv(4096): c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(body) + body)\n"
                "    c.close()\n")
        impostor = subprocess.Popen(["/usr/bin/python3", "-c", code, path], user="nobody", stdout=subprocess.PIPE, cwd="/")
        self.addCleanup(impostor.stdout.close)
        self.addCleanup(impostor.wait)
        self.addCleanup(impostor.kill)
        self.assertEqual(impostor.stdout.readline(), b"here\n")

    def test_nobody_believes_a_stranger_at_the_socket_however_it_was_named(self):
        stack = self.stack("  db: {command: [sleep, '600']}")
        os.chmod(stack.path, 0o1777)
        self.answer_as_nobody(stack.control)
        for where in (["-c", stack.file], ["--socket", stack.control], []):  # the last one by $BELFRY_SOCKET
            for command in (["wait", "db"], ["stop", "db"], ["start", "db"], ["status"], ["status", "--json"], ["shutdown"]):
                ran = stack.cli(*command, *where)
                self.assertEqual(ran.returncode, 77, (command, where, ran.stdout, ran.stderr))
                self.assertIn("neither root nor you", ran.stderr)
                self.assertNotIn("\x1b", ran.stdout + ran.stderr)


HOSTILE = "\x1b[31m\x1b]0;owned\x07\x9b\x7f\r\b\u202e\u2066\u200f\u061c\u2028x"


class HostileAnswers(Scenario):
    """Every field of every answer is hostile: nothing of it may be obeyed by a terminal."""

    SERVICE = {"name": HOSTILE, "type": HOSTILE, "state": HOSTILE, "ready": False, "wanted": True, "pid": 1, "since": HOSTILE,
               "since_monotonic_ns": 1, "incarnation": 1, "restarts": 1, "bells": {HOSTILE: True, HOSTILE + "2": False},
               "waiting_for": [HOSTILE], "last_error": HOSTILE, "status_text": HOSTILE, "readiness_method": HOSTILE,
               "readiness_polling": HOSTILE, "waiting_for_services": [HOSTILE],
               "notify": {"refused": {HOSTILE: 3}, "descriptors_stored": 0, "descriptors_refused": 0}}
    BODIES = {
        "an object": json.dumps({"stack": HOSTILE, "ready": False, "now_monotonic_ns": 2, "message": HOSTILE, "detail": HOSTILE,
                                 "services": [SERVICE]}, ensure_ascii=False),
        "no object": HOSTILE,
        "nothing": "",
    }

    def answer(self, listener, status, body):
        """Answers everything, until the listener is closed."""
        content = body.encode("utf-8", "surrogateescape")
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client:
                    if client.recv(65536):
                        client.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(content)) + content)

    def test_no_command_shows_a_terminal_what_it_would_obey(self):
        stack = self.stack(SLEEPER)
        commands = [["status"], ["status", "--json"], ["status", HOSTILE], ["status", "--json", HOSTILE], ["wait", "a"],
                    ["wait", "--timeout", "1s", HOSTILE], ["start", "a"], ["stop", "a"], ["restart", HOSTILE], ["kill", "a"],
                    ["reload", "a"], ["shutdown", "--no-wait"]]
        for what, body in self.BODIES.items():
            for status in (200, 404, 409, 424, 503, 504):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(stack.control)
                with socket.socket(socket.AF_UNIX) as listener:
                    listener.bind(stack.control)
                    listener.listen(16)
                    answering = threading.Thread(target=self.answer, args=(listener, status, body))
                    answering.start()
                    for command in commands:
                        ran = stack.cli(*command)
                        self.assert_harmless(ran.stdout + ran.stderr, (what, status, command))
                    listener.shutdown(socket.SHUT_RDWR)
                    answering.join()

    def test_no_file_shows_a_terminal_what_it_would_obey(self):
        stack = self.stack(SLEEPER)
        name = os.path.join(stack.path, HOSTILE.replace("/", "_"))
        with open(name, "w", encoding="utf-8") as file:
            file.write(json.dumps({"name": HOSTILE, "services": {HOSTILE: {"command": HOSTILE, HOSTILE: HOSTILE},
                                                                "b": {"command": "x", "depends_on": [HOSTILE]}}}))
        commands = [["check", name], ["check", "--format", "json", name], ["check", "--format", "sarif", name], ["graph", name],
                    ["run", "-c", name], ["exec", "-c", name, "--", "true"], ["check", name + "2"], ["run", "-c", name + "2"],
                    [HOSTILE], ["status", "--" + HOSTILE], ["help", HOSTILE], ["wait", HOSTILE + "://x"], ["status", "--socket", name],
                    ["import", "compose", name], ["import", "procfile", name], ["import", "process-compose", name],
                    ["import", "supervisord", name],
                    ["import", "systemd", name], ["init", "-o", "-", name], ["import", HOSTILE, name]]
        commands += [["graph", "--format", kind, name] for kind in ("text", "dot", "mermaid", "json")]
        for command in commands:
            ran = stack.cli(*command)
            self.assert_harmless(ran.stdout + ran.stderr, command)

    def assert_harmless(self, text, context):
        for character in text:
            code = ord(character)
            obeyed = (code < 0x20 and character not in "\t\n") or 0x7F <= code < 0xA0 or code in (0x61C, 0x200E, 0x200F) \
                or 0x2028 <= code <= 0x202E or 0x2066 <= code <= 0x2069
            self.assertFalse(obeyed, (hex(code), context, text))
