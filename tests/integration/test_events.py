"""What happened and why: the journal, its stream, `belfry events`, and the history of starts."""
import json
import os
import signal
import socket
import subprocess
import threading

from harness import BELFRY, PATIENCE, Scenario, UnixConnection, free_port

STACK = """
  db: {command: $SAMPLE --name db --notify, ready: notify}
  web: {command: $SAMPLE --name web --ready-line listening, ready: {log: listening}, depends_on: {db: ready}}
  job: {type: oneshot, command: $SAMPLE --name job --exit-after 1ms --exit-code 3, depends_on: {web: ready}}
"""


class Follower:
    """A reader of the stream, in a thread."""

    def __init__(self, path, target, headers=None):
        self.connection = UnixConnection(path, PATIENCE)
        self.connection.request("GET", target, headers=headers or {})
        self.answer = self.connection.getresponse()
        self.messages, self.changed = [], threading.Condition()
        self.over = False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        message = {}
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if line.startswith(("id: ", "data: ", "event: ")):
                    key, message[key] = line.split(": ", 1)[0], line.split(": ", 1)[1]
                elif not line and message:
                    with self.changed:
                        self.messages.append(message)
                        self.changed.notify_all()
                    message = {}
        finally:
            with self.changed:
                self.over = True
                self.changed.notify_all()

    def until(self, wanted):
        with self.changed:
            found = self.changed.wait_for(lambda: self.over or any(wanted(m) for m in self.messages), PATIENCE)
            if not found or not any(wanted(m) for m in self.messages):
                raise AssertionError(f"it never came: {self.messages}")
            return next(m for m in self.messages if wanted(m))

    def until_over(self):
        with self.changed:
            if not self.changed.wait_for(lambda: self.over, PATIENCE):
                raise AssertionError("the stream goes on")


def data_of(message):
    return json.loads(message["data"]) if "id" in message else {}


def is_state(service, state):
    return lambda m: (data_of(m).get("service"), data_of(m).get("state"), data_of(m).get("kind")) == (service, state, "state")


class Events(Scenario):
    def listed(self, stack, query=""):
        status, body = stack.get("/v1/events" + query, Accept="application/json")
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def test_every_transition_is_there_with_what_was_the_reason(self):
        stack = self.stack(STACK).start()
        stack.wait_for_control()
        stack.wait("job", condition="completed")
        events = self.listed(stack)["events"]
        self.assertEqual([e["sequence"] for e in events], list(range(1, len(events) + 1)))
        self.assertEqual(events[0]["event"], "begun")
        states = [e["state"] for e in events if e["service"] == "db" and e["kind"] == "state"]
        self.assertEqual(states[:3], ["waiting", "starting", "ready"])
        ready = {e["service"]: e for e in events if e["kind"] == "state" and e["state"] == "ready"}
        pids = {s["name"]: s["pid"] for s in json.loads(stack.get("/v1/services")[1])["services"]}
        self.assertEqual(ready["db"]["evidence"]["probe"], "notify")
        self.assertEqual(ready["db"]["evidence"]["pid"], pids["db"])
        self.assertEqual(ready["web"]["evidence"]["probe"], "log")
        self.assertIn("listening", ready["web"]["evidence"]["words"])
        failed = [e for e in events if e["service"] == "job" and e["state"] == "failed"]
        self.assertIn("3", failed[0]["cause"])
        for one, other in zip(events, events[1:]):
            self.assertLessEqual(one["monotonic_ns"], other["monotonic_ns"])

    def test_the_port_that_was_listened_on_is_named(self):
        port = free_port()
        stack = self.stack(f"  web: {{command: $SAMPLE --name web --port {port}, ready: {{port: {port}}}}}").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("web"), 200)
        ready = [e for e in self.listed(stack, "?service=web")["events"] if e["state"] == "ready" and e["kind"] == "state"]
        self.assertEqual((ready[0]["evidence"]["probe"], ready[0]["evidence"]["port"]), ("port", port))

    def test_the_stream_tells_what_happens_and_goes_on_where_it_was(self):
        stack = self.stack(STACK).start()
        stack.wait_for_control()
        stack.wait("web")
        follower = Follower(stack.control, "/v1/events?since=0")
        self.assertEqual(follower.answer.getheader("Content-Type"), "text/event-stream")
        seen = follower.until(is_state("web", "ready"))
        again = Follower(stack.control, "/v1/events", {"Last-Event-ID": seen["id"]})
        stack.request("POST", "/v1/services/db/restart")
        again.until(is_state("db", "stopping"))
        first = data_of(again.messages[0])
        self.assertEqual(first["sequence"], data_of(seen)["sequence"] + 1)
        # To the very end: how it went down is part of it.
        stack.send(signal.SIGTERM)
        again.until(is_state("db", "inactive"))
        again.until_over()
        self.assertEqual(stack.process.wait(PATIENCE), 0)

    def test_a_reader_that_stops_reading_holds_up_nobody(self):
        stack = self.stack(STACK).start()
        stack.wait_for_control()
        stack.wait("web")
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.connect(stack.control)
            deaf.sendall(b"GET /v1/events?since=0 HTTP/1.1\r\nHost: x\r\n\r\n")
            for _ in range(20):
                self.assertEqual(stack.request("POST", "/v1/services/web/restart")[0], 200)
            self.assertEqual(stack.get("/livez")[0], 200)

    def test_many_readers_hold_up_nobody(self):
        stack = self.stack(STACK).start()
        stack.wait_for_control()
        stack.wait("web")
        readers = []
        try:
            for _ in range(200):
                one = socket.socket(socket.AF_UNIX)
                one.connect(stack.control)
                one.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
                readers.append(one)
            self.assertEqual(stack.request("POST", "/v1/services/web/restart")[0], 200)
            self.assertEqual(stack.get("/livez")[0], 200)
        finally:
            for one in readers:
                one.close()

    def test_the_command_prints_lines_and_json(self):
        stack = self.stack(STACK).start()
        stack.wait_for_control()
        stack.wait("job", condition="completed")
        plain = stack.cli("events")
        self.assertEqual(plain.returncode, 0, plain.stderr)
        self.assertIn("ready: notify from pid", plain.stdout)
        self.assertIn('ready: log "listening"', plain.stdout)
        self.assertNotIn("\x1b", plain.stdout)
        as_json = stack.cli("events", "--json", "--kind", "state", "db")
        lines = [json.loads(line) for line in as_json.stdout.splitlines()]
        self.assertEqual({e["service"] for e in lines}, {"db"})
        self.assertEqual([e["state"] for e in lines][:3], ["waiting", "starting", "ready"])
        self.assertEqual(stack.cli("events", "--since", "1h", "--json").returncode, 0)
        self.assertEqual(stack.cli("events", "--since", "0s", "--json").stdout, "")
        for mistake, code in ((("nobody",), 64), (("--since", "nonsense"), 64), (("--kind", "nonsense"), 64)):
            self.assertEqual(stack.cli("events", *mistake).returncode, code, mistake)

    def test_following_ends_with_the_daemon_and_with_ctrl_c(self):
        stack = self.stack(STACK).start()
        stack.wait_for_control()
        stack.wait("web")
        environment = stack.environment(BELFRY_SOCKET=stack.control)
        both = [subprocess.Popen([BELFRY, "events", "-f"], env=environment, cwd=stack.path, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        for one in both:
            while "ready" not in one.stdout.readline():
                pass
        both[0].send_signal(signal.SIGINT)
        both[0].communicate(timeout=PATIENCE)
        self.assertIn(both[0].returncode, (-signal.SIGINT, 130))
        stack.send(signal.SIGTERM)
        rest, errors = both[1].communicate(timeout=PATIENCE)
        self.assertIn("stopping", rest)
        self.assertEqual((both[1].returncode, errors), (0, ""))
        self.assertEqual(stack.process.wait(PATIENCE), 0)

    def test_following_ends_when_nobody_reads_it_any_more_and_nothing_happens(self):
        stack = self.stack("  db: {command: $SAMPLE --name db --notify, ready: notify}\n").start()
        stack.wait_for_control()
        stack.wait("db")
        for command in (("events", "-f", "--since", "1h"), ("logs", "-f", "belfry")):
            with self.subTest(command=command):
                one = subprocess.Popen([BELFRY, *command], env=stack.environment(BELFRY_SOCKET=stack.control), cwd=stack.path,
                                       text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.addCleanup(one.stderr.close)
                self.addCleanup(one.wait)
                self.addCleanup(one.kill)
                self.assertNotEqual(one.stdout.readline(), "")
                one.stdout.close()
                self.assertEqual((one.wait(PATIENCE), one.stderr.read()), (0, ""))

    def test_without_a_daemon_it_says_so(self):
        stack = self.stack(STACK)
        asked = stack.cli("events")
        self.assertEqual(asked.returncode, 69)
        self.assertIn("cannot reach belfry", asked.stderr)

    def test_the_timeline_says_when_each_edge_came_to_hold(self):
        stack = self.stack(STACK).start()
        stack.wait_for_control()
        stack.wait("web")
        status, body = stack.get("/v1/timeline")
        self.assertEqual(status, 200)
        timeline = json.loads(body)
        services = {s["name"]: s for s in timeline["services"]}
        db, web = services["db"], services["web"]
        self.assertEqual(web["edges"][0]["on"], "db")
        self.assertEqual(web["edges"][0]["holds_since_monotonic_ns"], db["ready_monotonic_ns"])
        self.assertLessEqual(timeline["begun_monotonic_ns"], db["wanted_monotonic_ns"])
        order = [db["wanted_monotonic_ns"], db["starting_monotonic_ns"], db["started_monotonic_ns"], db["ready_monotonic_ns"],
                 web["starting_monotonic_ns"], web["started_monotonic_ns"], web["ready_monotonic_ns"]]
        self.assertEqual(order, sorted(order))


class History(Scenario):
    def lines(self, stack):
        with open(os.path.join(stack.path, "belfry", "test.history"), encoding="utf-8") as file:
            return file.read().splitlines()

    def test_each_start_and_each_stop_is_a_line(self):
        stack = self.stack("  db: {command: $SAMPLE --name db --notify, ready: notify}").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        stack.send(signal.SIGTERM)
        self.assertEqual(stack.process.wait(PATIENCE), 0)
        lines = self.lines(stack)
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r"^belfry1 [0-9a-f]{8} kind=start at=\d+ took=\d+ succeeded=1 exit=0 reason= services=1 db,\d+,\d+,1,ready$")
        self.assertRegex(lines[1], r"^belfry1 [0-9a-f]{8} kind=stop .* succeeded=1 exit=0 reason=SIGTERM services=1 db,-,\d+,0,inactive$")

    def test_a_torn_line_is_told_and_the_next_one_is_whole(self):
        stack = self.stack("  db: {command: $SAMPLE --name db --notify, ready: notify}")
        os.mkdir(os.path.join(stack.path, "belfry"))
        with open(os.path.join(stack.path, "belfry", "test.history"), "w", encoding="utf-8") as file:
            file.write("belfry1 00000000 kind=sta")
        stack.start()
        stack.output.index_of("has no end, and counts for nothing")
        stack.send(signal.SIGTERM)
        self.assertEqual(stack.process.wait(PATIENCE), 0)
        self.assertEqual([line[:8] for line in self.lines(stack)], ["belfry1 "] * 3)

    def test_where_it_cannot_be_kept_that_is_said_once_and_the_stack_runs(self):
        stack = self.stack("  db: {command: $SAMPLE --name db --notify, ready: notify}")
        with open(os.path.join(stack.path, "belfry"), "w", encoding="utf-8"):
            pass  # no directory
        stack.start()
        stack.output.index_of("keeps no history")
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        stack.send(signal.SIGTERM)
        self.assertEqual(stack.process.wait(PATIENCE), 0)
        self.assertEqual(stack.output.text().count("history"), 1)
