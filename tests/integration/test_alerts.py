"""deploy/prometheus and deploy/grafana: what promtool and the published schemas say, and a real Prometheus that asks a real belfry in trouble."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import yaml
from harness import ROOT, Scenario, free_port
from prometheus_server import PrometheusServer
from schemas import definitions, problems

RULES = os.path.join(ROOT, "deploy/prometheus/belfry.rules.yaml")
CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "alert_cases.yaml")
DASHBOARD = os.path.join(ROOT, "deploy/grafana/belfry.json")
MONITOR = os.path.join(ROOT, "deploy/kubernetes/monitoring/servicemonitor.yaml")
PROMTOOL = shutil.which("promtool")
PANELS = {"timeseries": "TimeSeries", "state-timeline": "StateTimeline", "table": "Table", "stat": "Stat"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def alerts():
    return [rule for group in read(RULES)["groups"] for rule in group["rules"]]


def dashboard():
    with open(DASHBOARD, encoding="utf-8") as file:
        return json.load(file)


def queries():
    """What the dashboard asks, as (panel, question), with every service chosen."""
    found = []
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            question = target["expr"]
            for variable, value in (("$__rate_interval", "30s"), ("$__range", "1h"), ("$job", ".*"), ("$instance", ".*"), ("$service", ".*")):
                question = question.replace(variable, value)
            found.append((panel["title"], question))
    return found


class Rules(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.assertIsNotNone(PROMTOOL, "there is no promtool: run deploy/install-deps test")
        self.folder = tempfile.TemporaryDirectory(prefix="belfry-it-")
        self.addCleanup(self.folder.cleanup)

    def promtool(self, *arguments):
        done = subprocess.run([PROMTOOL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    def tried(self, rules, cases):
        return self.promtool("test", "rules", self.written(rules, cases))

    def written(self, rules, cases, name=""):
        paths = [os.path.join(self.folder.name, name + kind) for kind in ("rules.yaml", "cases.yaml")]
        for path, content in zip(paths, (rules, cases | {"rule_files": [paths[0]]})):
            with open(path, "w", encoding="utf-8") as file:
                yaml.safe_dump(content, file)
        return paths[1]

    def without_words(self):
        """The rules and cases as they are about who fires."""
        rules, cases = read(RULES), read(CASES)
        for rule in rules["groups"][0]["rules"]:
            del rule["annotations"]
        for alert in (alert for test in cases["tests"] for case in test["alert_rule_test"] for alert in case["exp_alerts"]):
            alert.pop("exp_annotations", None)
        return rules, cases

    def test_promtool_finds_nothing_wrong_with_them(self):
        code, said = self.promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
        self.assertEqual(code, 0, said)
        self.assertIn(f"SUCCESS: {len(alerts())} rules found", said)

    def test_each_alert_fires_when_it_should_and_not_when_it_should_not(self):
        rules, cases = self.without_words()
        code, said = self.tried(rules, cases)
        self.assertEqual(code, 0, said)
        fires = {(case["alertname"], bool(case["exp_alerts"])) for test in cases["tests"] for case in test["alert_rule_test"]}
        self.assertEqual(fires, {(rule["alert"], fires) for rule in alerts() for fires in (True, False)})

    def test_the_cases_notice_when_a_condition_or_a_time_is_another(self):
        rules, cases = self.without_words()
        tried = {}  # file of cases: what was changed
        for rule in rules["groups"][0]["rules"]:
            own = {"evaluation_interval": "1m", "tests": []}
            for test in cases["tests"]:
                if about := [case for case in test["alert_rule_test"] if case["alertname"] == rule["alert"]]:
                    own["tests"].append({**test, "alert_rule_test": about})
            for key, value in [("expr", f"{rule['expr']} or vector(1)"), ("expr", f"({rule['expr']}) and on () vector(1) == 2"),
                               *((("for", "0s"), ("for", "10d")) if "for" in rule else ())]:
                broken = {"groups": [{"name": "one", "rules": [rule | {key: value}]}]}
                tried[self.written(broken, own, f"{len(tried)}-")] = f"{rule['alert']}, {key}: {value}"
        self.assertGreater(len(tried), 40)
        said = self.promtool("test", "rules", *tried)[1]
        results = {part.split("\n")[0].strip(): part for part in said.split("Unit Testing:")[1:]}
        self.assertEqual(set(results), set(tried))
        self.assertEqual([change for file, change in tried.items() if "FAILED" not in results[file]], [])

    def test_what_they_say_is_a_sentence_about_whom_it_concerns(self):
        cases = read(CASES)
        for test in cases["tests"]:
            test["alert_rule_test"] = [case for case in test["alert_rule_test"] if any("exp_annotations" in alert for alert in case["exp_alerts"])]
        cases["tests"] = [test for test in cases["tests"] if test["alert_rule_test"]]
        self.assertEqual(len(cases["tests"]), 2)
        code, said = self.tried(read(RULES), cases)
        self.assertEqual(code, 0, said)
        for rule in alerts():
            self.assertEqual(set(rule["annotations"]), {"summary", "description"})
            self.assertIn("$labels.instance", rule["annotations"]["summary"])
            self.assertIn(rule["labels"]["severity"], ("critical", "warning"))

    def test_the_file_is_the_spec_of_a_prometheus_rule(self):
        known = definitions("monitoring")
        self.assertEqual(problems(read(RULES), {"$ref": "#/definitions/IPrometheusRuleSpec"}, known), [])
        broken = read(RULES)
        broken["groups"][0]["rules"][0]["fore"] = "1m"
        self.assertNotEqual(problems(broken, {"$ref": "#/definitions/IPrometheusRuleSpec"}, known), [])

    def test_the_page_says_what_to_do_about_each(self):
        with open(os.path.join(ROOT, "docs/how-to/metrics.md"), encoding="utf-8") as page:
            rows = re.findall(r"^\| `(Belfry\w+)` \|", page.read(), re.M)
        self.assertEqual(rows, [rule["alert"] for rule in alerts()])


class Dashboard(unittest.TestCase):
    maxDiff = None
    known = definitions("grafana")

    def problems_of(self, one):
        found = problems(one, {"$ref": "#/definitions/Dashboard"}, self.known)
        for panel in one["panels"]:
            if kind := PANELS.get(panel["type"]):
                found += problems(panel["options"], {"$ref": f"#/definitions/{kind}Options"}, self.known)
                custom = panel["fieldConfig"]["defaults"].get("custom", {})
                fields = {"$ref": f"#/definitions/{kind}FieldConfig"} if f"{kind}FieldConfig" in self.known else {"maxProperties": 0}
                found += problems(custom, fields, self.known)
            elif panel["type"] != "row":
                found.append(f"{panel['type']}: a kind of panel without a schema")
        return found

    def test_is_one_that_grafanas_own_schema_knows(self):
        self.assertEqual(self.problems_of(dashboard()), [])

    def test_what_is_misspelt_or_of_another_type_is_refused(self):
        for change in (lambda d: d.update(tittle="x"), lambda d: d["panels"][0].update(gridPos={"x": "0", "y": 0, "w": 1, "h": 1}),
                       lambda d: d["panels"][0]["options"].update(colourMode="value"),
                       lambda d: next(p for p in d["panels"] if p["type"] == "timeseries")["fieldConfig"]["defaults"]["custom"].update(fill=1),
                       lambda d: d["panels"][1].update(type="piechart")):
            broken = dashboard()
            change(broken)
            self.assertNotEqual(self.problems_of(broken), [])

    def test_no_panel_lies_on_another_and_none_is_without_a_question(self):
        panels = dashboard()["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24)
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells
            self.assertTrue(panel["type"] == "row" or (panel["targets"] and panel["description"]), panel["title"])

    def test_shows_every_state_in_the_order_in_which_its_question_numbers_them(self):
        [timeline] = [panel for panel in dashboard()["panels"] if panel["type"] == "state-timeline"]
        asked = {int(number): state for state, number in re.findall(r'state="(\w+)"} \* (\d+)', timeline["targets"][0]["expr"])}
        shown = {int(number): value["text"] for number, value in timeline["fieldConfig"]["defaults"]["mappings"][0]["options"].items()}
        self.assertEqual(asked, shown)
        self.assertEqual(list(asked.values()), "inactive waiting starting ready unready stopping backoff completed failed blocked".split())

    def test_shows_what_one_wants_to_know_of_a_stack(self):
        asked = " ".join(question for _, question in queries())
        for name in ("service_state", "service_ready_seconds", "dependency_wait_seconds", "service_restarts_total", "startup_critical_path_seconds",
                     "probe_duration_seconds", "service_log_lines_dropped_total", "log_lines_unwritten_total"):
            self.assertIn(f"belfry_{name}", asked)


class Asked(Scenario):
    """A stack with every kind of trouble, a belfry that goes down and one that is gone, and a Prometheus that looks at them as the operator's would."""

    # What nobody can bring about here at will; their cases are promtool's.
    NOT_TRIED = {"BelfryServiceKilledForMemory", "BelfryLogLinesDropped", "BelfryLoopHeldUp"}

    def troubled(self, port):
        tls, listening = free_port(), free_port()
        stack = self.stack(f"""
  db: {{command: $SAMPLE --name db --port {listening}, ready: {{port: {listening}}}, live: {{tcp: "127.0.0.1:{listening}", period: 100ms}}}}
  api: {{command: $SAMPLE --name api --notify, ready: notify, depends_on: [db]}}
  again: {{command: $SAMPLE --name again, ready: notify, restart: {{delay: 100ms}}, profiles: [never]}}
  failing: {{command: "false", restart: "no"}}
  blocked: {{type: gate, depends_on: [failing]}}
  looping: {{command: "false", ready: {{file: $DIR/never}}, restart: {{delay: 100ms, max_delay: 100ms}}}}
  waiting: {{command: $SAMPLE --name waiting, depends_on: [looping]}}
  unready: {{command: $SAMPLE --name unready, ready: {{file: $DIR/there, recheck: 50ms}}}}
  slow: {{type: external, ready: {{exec: [sleep, "1.2"], recheck: 1ms}}}}
  unwritten: {{command: [sh, -c, "echo a line; exec sleep 1000"], ready: {{log: a line}}, log: {{file: /dev/full}}}}
  tls: {{command: [openssl, s_server, -accept, "{tls}", -cert, $DIR/cert.pem, -key, $DIR/key.pem, -www, -quiet], ready: {{port: {tls}}}}}
  certificate: {{type: external, ready: {{http: "https://127.0.0.1:{tls}/", tls: {{ca: $DIR/cert.pem}}}}, depends_on: [tls]}}
""", top=f"http: {{listen: 127.0.0.1:{port}}}")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=x",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{stack.path}/key.pem", "-out", f"{stack.path}/cert.pem"],
                       check=True, capture_output=True)
        with open(os.path.join(stack.path, "there"), "w", encoding="ascii"):
            pass
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("api", "unready", "slow", "unwritten", "certificate"), 200, stack.output.text())
        os.remove(os.path.join(stack.path, "there"))
        self.assertEqual(stack.request("POST", "/v1/services/api/restart")[0], 200)
        return stack

    def up(self, port, name):
        """A small stack that is ready, its belfry at `port`."""
        stack = self.stack("  a: {type: gate}", name=name, top=f"http: {{listen: 127.0.0.1:{port}}}\nshutdown: {{delay: 10m}}").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("a"), 200)
        return stack

    def test_every_question_has_an_answer_and_trouble_is_told_of(self):
        troubled, going, gone = free_port(), free_port(), free_port()
        folder = tempfile.TemporaryDirectory(prefix="belfry-it-")
        self.addCleanup(folder.cleanup)
        endpoint = read(MONITOR)["spec"]["endpoints"][0]
        # First, since it takes five seconds until it looks at its first target.
        server = PrometheusServer(self, folder.name, [troubled, going, gone], RULES, metrics_path=endpoint["path"], honor_labels=endpoint["honorLabels"],
                                  relabel_configs=[{"target_label": "service", "replacement": "shop"}])  # as the operator labels a target
        ends = self.up(gone, "gone")
        stops = self.up(going, "going")
        stack = self.troubled(troubled)
        for port in (troubled, going, gone):
            server.until(f'belfry_stack_ready{{instance="127.0.0.1:{port}"}}')
        stops.send(signal.SIGTERM)
        ends.send(signal.SIGKILL)
        ends.exit_code()

        wanted = {rule["alert"] for rule in alerts()} - self.NOT_TRIED
        for name in sorted(wanted):
            server.until(f'ALERTS{{alertname="{name}"}}')
        told = [one["metric"] for one in server.ask("present_over_time(ALERTS[1h])")]
        self.assertEqual({one["alertname"] for one in told}, wanted)
        about = {(one["alertname"], one.get("service")) for one in told}
        for one in (("BelfryServiceFailed", "failing"), ("BelfryServiceBlocked", "blocked"), ("BelfryServiceCrashLooping", "looping"),
                    ("BelfryServiceNotUp", "waiting"), ("BelfryServiceUnready", "unready"), ("BelfryProbeSlow", "slow"),
                    ("BelfryCertificateExpires", "certificate")):
            self.assertIn(one, about)
        self.assertEqual({rule["health"] for group in server.get("rules")["groups"] for rule in group["rules"]}, {"ok"})
        served = stack.get("/metrics")[1]
        for rule in alerts():
            for name in re.findall(r"belfry_\w+?(?=_bucket|\b)", rule["expr"]):
                # A family without a series is not declared: turns that took long may not have been.
                if name != "belfry_loop_long_turns_total":
                    self.assertIn(f"# TYPE {name} ", served, rule["alert"])
        for panel, question in queries():
            with self.subTest(panel=panel, question=question):
                self.assertTrue(server.until(question))
        for variable in dashboard()["templating"]["list"][1:]:  # label_values(METRIC, LABEL) is Grafana's own; this is what it asks
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            self.assertTrue(server.get(f"label/{label}/values", **{"match[]": re.sub(r"\$\w+", ".*", metric)}), variable["name"])
        [timeline] = [question for panel, question in queries() if panel == "States"]
        states = {one["metric"]["service"]: int(one["value"][1]) for one in server.until(timeline.replace('instance=~".*"', f'instance="127.0.0.1:{troubled}"'))}
        self.assertEqual({name: states[name] for name in ("api", "failing", "blocked", "waiting", "unready")},
                         {"api": 3, "failing": 8, "blocked": 9, "waiting": 1, "unready": 4})

    def test_a_question_that_is_none_is_refused(self):
        stack = self.stack("  a: {type: gate}")
        server = PrometheusServer(self, stack.path, [])
        with self.assertRaisesRegex(AssertionError, "Prometheus refuses"):
            server.ask("sum by (service")
