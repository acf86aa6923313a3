"""Replicas are replaced one after the other: `restart --rolling`, and a reload of a file with `update`."""
import json
import os
import socket
import threading

from harness import SAMPLE, Scenario, free_port, until

ACTIVATED = os.path.join(os.path.dirname(SAMPLE), "belfry_activated_service")
NAMES = ["api-1", "api-2", "api-3"]


class Client:
    """Connects a thousand times a second, for as long as it is told to; every answer is a pid."""

    def __init__(self, port):
        self.port, self.over = port, threading.Event()
        self.asked, self.failures, self.pids = 0, [], set()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over.wait(0.001):
            self.asked += 1
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                    self.pids.add(int(connection.makefile().readline()))
            except (OSError, ValueError) as error:
                self.failures.append(repr(error))

    def stop(self):
        self.over.set()
        self.thread.join()


class Rolling(Scenario):
    def running(self, services, *names, top=""):
        stack = self.stack(services, top).start().wait_for_control()
        self.assertEqual(stack.wait(*names), 200, stack.output.text())
        return stack

    def pids(self, stack, *names):
        services = stack.services()
        return [services[name]["pid"] for name in names]

    def test_nobody_who_connects_is_refused_and_nobody_above_notices(self):
        port = free_port()
        stack = self.running(f"""
  api:
    command: {ACTIVATED}
    replicas: 3
    listen: {{web: {{address: "127.0.0.1:{port}", reuse_port: true}}}}
  web: {{command: [sleep, "1000"], depends_on: {{api: {{condition: ready, require: 2, on_loss: restart}}}}}}""", "web")
        before, web = self.pids(stack, *NAMES), self.pids(stack, "web")
        client = Client(port)
        self.addCleanup(client.stop)
        until(lambda: client.pids == set(before))
        ran = stack.cli("restart", "--rolling", "api")
        self.assertEqual((ran.returncode, ran.stdout), (0, "api is restarted, one replica after the other\n"), ran.stderr)
        after = self.pids(stack, *NAMES)
        until(lambda: client.pids >= set(after))
        client.stop()
        self.assertFalse(set(before) & set(after))
        self.assertEqual(client.failures, [], f"of {client.asked}")
        self.assertEqual(self.pids(stack, "web"), web)
        self.assert_clean_end(stack)

    def test_what_cannot_be_rolled_is_refused(self):
        stack = self.running("  a: {command: [sleep, '1000']}", "a")
        ran = stack.cli("restart", "--rolling", "--only", "a")
        self.assertEqual(ran.returncode, 64, ran.stderr)
        ran = stack.cli("restart", "--rolling", "a")
        self.assertEqual(ran.returncode, 69)
        self.assertIn("cannot restart a rolling: it has no replicas (replicas: 3)", ran.stderr)
        self.assert_clean_end(stack)

    def sleepers(self, seconds, update="{parallel: 1}", more=""):
        return f"""
  api:
    command: [sh, -c, "[ {seconds} -lt 2000 ] && exec sleep {seconds}; exit 3"]
    replicas: 3
    ready: {{exec: [test, "{seconds}", -lt, "2000"]}}
    restart: {{delay: 60s}}
    update: {update}
  web: {{command: [sleep, "1000"], depends_on: {{api: {{condition: ready, require: 2, on_loss: restart}}}}}}
{more}"""

    def test_a_reload_replaces_them_in_turn_and_says_so_before(self):
        stack = self.running(self.sleepers(1000), "web")
        before, web = self.pids(stack, *NAMES), self.pids(stack, "web")
        stack.write(self.sleepers(1001))
        said = stack.cli("reload", "--dry-run")
        self.assertIn("would replace one after the other: api-1, api-2, api-3\n", said.stdout)
        self.assertEqual(self.pids(stack, *NAMES), before)
        ran = stack.cli("reload")
        self.assertEqual((ran.returncode, ran.stdout),
                         (0, "changed api-1, api-2, api-3; replaced in turn api-1, api-2, api-3\n"), ran.stderr)
        self.assertFalse(set(before) & set(self.pids(stack, *NAMES)))
        self.assertEqual(self.pids(stack, "web"), web)
        self.assertEqual(stack.cli("reload").stdout, "nothing has changed\n")
        self.assert_clean_end(stack)

    def test_a_bad_file_costs_one_replica_or_none(self):
        for on_failure, left in (("stop", 2), ("roll_back", 3)):
            with self.subTest(on_failure):
                stack = self.running(self.sleepers(1000), "web")
                web = self.pids(stack, "web")
                stack.write(self.sleepers(2000, f"{{on_failure: {on_failure}}}"))
                ran = stack.cli("reload")
                self.assertEqual(ran.returncode, 69, ran.stdout)
                self.assertIn("cannot replace all replicas: api-1 ", ran.stderr)
                self.assertIn("(api-2, api-3: as before)", ran.stderr)
                self.assertEqual("(api-1: rolled back)" in ran.stderr, on_failure == "roll_back")
                until(lambda: sum(one["state"] == "ready" for name, one in stack.services().items() if name in NAMES) == left)
                self.assertEqual(self.pids(stack, "web"), web)
                # The file is repaired, and the next reload sees who lacks it.
                stack.write(self.sleepers(1002))
                self.assertEqual(stack.cli("reload").returncode, 0)
                until(lambda: all(stack.services()[name]["state"] == "ready" for name in NAMES))
                for pid in self.pids(stack, *NAMES):
                    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as line:
                        self.assertEqual(line.read(), "sleep\0001002\0")
                self.assert_clean_end(stack)

    def test_the_query_is_for_restart_alone(self):
        stack = self.running("  a: {command: [sleep, '1000']}", "a")
        status, body = stack.request("POST", "/v1/services/a/stop?rolling=1")
        self.assertEqual((status, json.loads(body)["detail"]), (400, "cannot understand the query: `rolling` is for restart"))
        self.assert_clean_end(stack)
