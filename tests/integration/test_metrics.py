"""/metrics as Prometheus and its own tool read it."""
import gzip
import os
import re
import shutil
import subprocess

from harness import Scenario, UnixConnection, free_port
from prometheus_server import PrometheusServer

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROMTOOL = shutil.which("promtool")


class Metrics(Scenario):
    def test_prometheus_own_tool_finds_nothing_to_mend(self):
        self.assertIsNotNone(PROMTOOL, "there is no promtool: run deploy/install-deps test")
        stack = self.stack("""
  db: {command: $SAMPLE --name db --notify, ready: notify}
  web: {command: $SAMPLE --name web, ready: {file: $DIR/never}, depends_on: {db: ready}}
""").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        self.assertEqual(stack.request("POST", "/v1/services/db/restart")[0], 200)
        status, text = stack.get("/metrics")[:2]
        self.assertEqual(status, 200)
        for name in ("belfry_build_info", "belfry_service_state", "belfry_loop_turn_seconds_count", "belfry_http_requests_total",
                     'belfry_commands_total{command="restart",outcome="done"} 1', "process_cpu_seconds_total"):
            self.assertIn(name, text)
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

    def test_open_metrics_and_gzip_are_there_for_who_asks(self):
        stack = self.stack("".join(f"  s{i}: {{type: gate}}\n" for i in range(200))).start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("s199"), 200)
        text = stack.get("/metrics")[1]
        self.assertNotIn("# EOF", text)
        plain = stack.get("/metrics", Accept="application/openmetrics-text")[1]
        self.assertTrue(plain.endswith("\n# EOF\n"), plain[-200:])
        self.assertIn("# TYPE belfry_service_restarts counter\n", plain)
        connection = UnixConnection(stack.control, 30)
        self.addCleanup(connection.close)
        for _ in range(2):  # on one connection: the compressed answer has a length like any other
            connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            packed = answer.read()
            self.assertEqual((answer.status, answer.headers["Content-Encoding"], answer.headers["Content-Type"]),
                             (200, "gzip", "application/openmetrics-text; version=1.0.0; charset=utf-8"))
            self.assertLess(len(packed), len(plain) / 5)
            unpacked = gzip.decompress(packed).decode()
            names = [line.split(" ")[2] for line in unpacked.splitlines() if line.startswith("# TYPE")]
            self.assertEqual(names, [line.split(" ")[2] for line in plain.splitlines() if line.startswith("# TYPE")])
        self.assert_clean_end(stack)


class Prometheus(Scenario):
    """A real one scrapes belfry and answers what docs/how-to/metrics.md asks."""

    def test_a_real_prometheus_answers_the_three_questions_of_the_page(self):
        web = free_port()
        stack = self.stack("""
  db: {command: $SAMPLE --name db --notify --ready-delay 100ms, ready: notify}
  cache: {command: $SAMPLE --name cache, ready: {file: $DIR/never}}
  api: {command: $SAMPLE --name api --notify, ready: notify, depends_on: [db]}
  web: {command: $SAMPLE --name web, depends_on: [cache]}
""", top=f"http: {{listen: 127.0.0.1:{web}}}").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("api"), 200)
        server = PrometheusServer(self, stack.path, [web])
        server.until('up{job="belfry"} == 1')
        with open(os.path.join(ROOT, "docs/how-to/metrics.md"), encoding="utf-8") as page:
            questions = re.findall(r"```promql[^\n]*\n(.*?)\n```", page.read(), re.S)
        not_ready, waited_for, time_to_ready = (server.ask(question) for question in questions)
        self.assertEqual({one["metric"]["service"] for one in not_ready}, {"cache", "web"})
        waits = {one["metric"]["dependency"]: float(one["value"][1]) for one in waited_for}
        self.assertEqual(set(waits), {"db", "cache"})
        self.assertGreater(waits["db"], 0.05)
        self.assertGreater(waits["cache"], waits["db"])
        self.assertLess({"db", "api"}, {one["metric"]["service"] for one in time_to_ready} | {""})
