"""The lines of services over HTTP, and `belfry logs`."""
import http.client
import json
import os
import pty
import signal
import socket
import subprocess
import threading
import unittest
from urllib.parse import quote

from harness import BELFRY, PATIENCE, Scenario, free_port
from test_events import Follower

QUIET = "exec sleep 1000"
STACK = f"""
  db: {{command: [/bin/sh, -c, "echo one; echo two; {QUIET}"], ready: {{log: two}}}}
  api: {{command: [/bin/sh, -c, "echo out; echo err >&2; {QUIET}"], depends_on: [db], log: {{format: json}}, ready: {{log: out}}}}
  worker: {{command: [/bin/sh, -c, "echo works; {QUIET}"], replicas: 2, depends_on: [api], ready: {{log: works}}}}
"""


def line_of(message):
    return json.loads(message["data"]).get("line") if "id" in message else None


class Logs(Scenario):
    def up(self, services=STACK, **options):
        stack = self.stack(services, **options).start()
        stack.wait_for_control()
        for name in ("db", "api", "worker") if services is STACK else ():
            self.assertEqual(stack.wait(name), 200)
        return stack

    def logs(self, stack, *arguments, code=0):
        done = subprocess.run([BELFRY, "logs", "-c", stack.file, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              env=stack.environment(XDG_RUNTIME_DIR=stack.path), check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def asked(self, stack, target, accept="application/json", **headers):
        status, body = stack.request("GET", target, headers={"Accept": accept, **headers})
        self.assertEqual(status, 200, body)
        return json.loads(body) if accept == "application/json" else body

    def test_lines_of_all_come_in_the_order_in_which_they_were_read(self):
        stack = self.up()
        lines = self.asked(stack, "/v1/logs")["lines"]
        self.assertEqual([one["sequence"] for one in lines], list(range(1, len(lines) + 1)))
        self.assertEqual(sorted(lines, key=lambda one: one["time"]), lines)
        said = [(one["service"], one["line"]) for one in lines if one["service"] != "belfry"]
        self.assertEqual(said[:2], [("db", "one"), ("db", "two")])
        # The two streams of api, and the workers behind it, are several writers at once.
        self.assertEqual(sorted(said[2:]), [("api", "err"), ("api", "out"), ("worker-1", "works"), ("worker-2", "works")])
        self.assertIn("db is ready", " ".join(one["line"] for one in lines if one["service"] == "belfry"))
        streams = {one["line"]: one["stream"] for one in lines if one["service"] == "api"}
        self.assertEqual(streams, {"out": "stdout", "err": "stderr"})

    def test_the_command_chooses_aligns_and_merges(self):
        stack = self.up()
        self.assertEqual(self.logs(stack, "db"), "db | one\ndb | two\n")
        self.assertEqual(self.logs(stack, "db", "-n", "1"), "db | two\n")
        self.assertEqual(sorted(self.logs(stack, "worker", "db", "--grep", "^(one|works)$").splitlines()),
                         ["db       | one", "worker-1 | works", "worker-2 | works"])
        self.assertEqual(self.logs(stack, "api", "--stream", "stderr"), "api | err\n")
        self.assertIn("belfry | ready after", self.logs(stack, "belfry"))
        self.assertEqual(self.logs(stack, "--since", "2100-01-01"), "")
        self.assertRegex(self.logs(stack, "db", "-t", "-n1"), r"^db \| 20\d\d-\d\d-\d\dT[\d:.]+Z two\n$")
        one = json.loads(self.logs(stack, "--json", "-n", "1", "db"))
        self.assertEqual((one["service"], one["incarnation"], one["stream"], one["line"]), ("db", 1, "output", "two"))

    def test_what_is_wrong_is_said_in_words(self):
        stack = self.up()
        self.assertIn("cannot find a service named nobody", self.logs(stack, "nobody", code=64))
        self.assertIn("missing )", self.logs(stack, "--grep", "(", code=64))
        self.assertIn("neither a duration nor a time", self.logs(stack, "--since", "soon", code=64))
        self.assertIn("not a number of lines", self.logs(stack, "-n", "many", code=64))
        self.assert_clean_end(stack)
        self.assertIn("cannot reach belfry", self.logs(stack, code=69))

    def test_a_stream_goes_on_and_can_be_taken_up_again(self):
        stack = self.stack(f"""
  db: {{command: [/bin/sh, -c, "while read -r line; do echo $$line; done <$DIR/say"]}}
  other: {{command: [/bin/sh, -c, "echo nobody asked; {QUIET}"]}}
""")
        os.mkfifo(os.path.join(stack.path, "say"))
        stack.start().wait_for_control()
        with open(os.path.join(stack.path, "say"), "w", encoding="ascii", buffering=1) as say:
            follower = Follower(stack.control, "/v1/services/db/logs?follow=1")
            self.assertEqual(follower.answer.getheader("Content-Type"), "text/event-stream")
            say.write("one\n")
            seen = follower.until(lambda m: line_of(m) == "one")
            say.write("two\n")
            follower.until(lambda m: line_of(m) == "two")
            again = Follower(stack.control, "/v1/services/db/logs?follow=1&n=0", {"Last-Event-ID": seen["id"]})
            again.until(lambda m: line_of(m) == "two")
            self.assertNotIn("one", [line_of(m) for m in again.messages])
            say.write("three\n")
            again.until(lambda m: line_of(m) == "three")
            self.assertNotIn("nobody asked", [line_of(m) for m in again.messages])
            self.assertEqual(self.asked(stack, "/v1/services/db/logs", **{"Last-Event-ID": seen["id"]})["lines"][0]["line"], "two")
        stack.send(signal.SIGTERM)
        again.until_over()
        self.assertEqual(stack.process.wait(PATIENCE), 0)

    def test_the_command_follows_to_the_last_words(self):
        stack = self.up("""
  db: {command: [/bin/sh, -c, "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 1000 & wait; done"], ready: {log: hello}}
""")
        with subprocess.Popen([BELFRY, "logs", "-f", "-c", stack.file], stdout=subprocess.PIPE, text=True,
                              env=stack.environment(XDG_RUNTIME_DIR=stack.path)) as logs:
            while logs.stdout.readline() != "db     | hello\n":
                pass
            stack.send(signal.SIGTERM)
            rest = logs.stdout.read()
            self.assertEqual(logs.wait(PATIENCE), 0)
        self.assertIn("db     | bye\n", rest)
        self.assertIn("belfry | db stopped", rest)

    def test_what_a_terminal_would_obey_does_not_reach_it(self):
        stack = self.up("""
  rude: {command: [/usr/bin/printf, '\\033[31mred\\033[0m \\033]0;title\\007 \\233 \\000 nul\\npartial']}
  keeper: {command: [/bin/sleep, "1000"]}
""")
        self.assertEqual(stack.wait("rude", condition="stopped"), 200)
        plain = self.logs(stack, "rude")
        self.assertEqual(plain, "rude | red \ufffd]0;title\ufffd \ufffd \ufffd nul\nrude | partial\n")
        self.assertEqual(self.asked(stack, "/v1/logs?service=rude", "text/plain"), plain)
        parent, child = pty.openpty()
        try:
            subprocess.run([BELFRY, "logs", "rude", "-c", stack.file], stdout=child, timeout=PATIENCE, check=True,
                           env=stack.environment(XDG_RUNTIME_DIR=stack.path, TERM="xterm", NO_COLOR=""))
            shown = os.read(parent, 65536).decode()
            self.assertIn("\033[36mrude |\033[0m \033[31mred\033[0m \ufffd]0;title\ufffd", shown)
            subprocess.run([BELFRY, "logs", "rude", "-c", stack.file], stdout=child, timeout=PATIENCE, check=True,
                           env=stack.environment(XDG_RUNTIME_DIR=stack.path, TERM="xterm", NO_COLOR="1"))
            self.assertNotIn("\033", os.read(parent, 65536).decode())
        finally:
            os.close(parent)
            os.close(child)

    def test_lines_of_earlier_runs_stay(self):
        stack = self.up("""
  app: {command: [/bin/sh, -c, "echo hello; exit 3"], ready: notify, restart: {delay: 1ms, limit: 2}}
  keeper: {command: [/bin/sleep, "1000"]}
""")
        self.assertEqual(stack.wait("app"), 424)
        lines = self.asked(stack, "/v1/services/app/logs")["lines"]
        self.assertEqual([(one["incarnation"], one["line"]) for one in lines], [(n, "hello") for n in (1, 2, 3)])

    def test_a_reader_that_stops_reading_holds_up_nobody(self):
        stack = self.up(f"""
  flood: {{command: [/bin/sh, -c, "yes"], log: {{stdout: false}}}}
  web: {{command: $SAMPLE --name web --notify, ready: notify}}
""")
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.connect(stack.control)
            deaf.sendall(b"GET /v1/logs?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")
            for _ in range(10):
                self.assertEqual(stack.request("POST", "/v1/services/web/restart")[0], 200)
            self.assertEqual(stack.get("/livez")[0], 200)

    def test_whoever_is_slow_is_told_in_the_place_where_lines_are_missing(self):
        stack = self.up("  flood: {command: [/bin/sh, -c, 'yes'], log: {stdout: false}}\n")
        with subprocess.Popen([BELFRY, "logs", "-f", "flood", "-c", stack.file], stdout=subprocess.PIPE, text=True,
                              env=stack.environment(XDG_RUNTIME_DIR=stack.path)) as logs:
            threading.Timer(PATIENCE, logs.kill).start()
            for line in logs.stdout:
                if "[belfry: " in line:
                    break
            else:
                self.fail("nothing was said of what is missing")
            self.assertRegex(line, r"^(flood|belfry) +\| \[belfry: (\d+ )?lines? (is|are) missing here: ")
            logs.terminate()

    def test_over_tcp_they_are_shown_on_loopback_under_this_hosts_name(self):
        port = free_port()
        self.up(top=f"http: {{listen: 127.0.0.1:{port}}}")

        def status(target, **headers):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            self.addCleanup(connection.close)
            connection.request("GET", target, headers=headers)
            return connection.getresponse().status
        self.assertEqual(status("/v1/services/db/logs"), 200)
        self.assertEqual(status("/v1/services/db/logs", Host="evil.example"), 403)
        self.assertEqual(status("/v1/services/db/logs", Origin="http://evil.example"), 403)
        self.assertEqual(status("/v1/logs?grep=" + quote("o(ne")), 400)


if __name__ == "__main__":
    unittest.main()
