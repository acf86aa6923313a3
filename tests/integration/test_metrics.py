"""/metrics as Prometheus' own tool reads it."""
import shutil
import subprocess

from harness import Scenario

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
