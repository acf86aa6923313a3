"""belfry report, and --report and --trace of run and exec: a run as a page and as a trace, whatever its services say."""
import base64
import hashlib
import html.parser
import json
import os
import re
import subprocess

import otlp
from harness import BELFRY, PATIENCE, Scenario

SHOP = """  db: {command: $SAMPLE --name db --notify --ready-delay 100ms, ready: notify, stop: {timeout: 20s}}
  migrate: {type: oneshot, command: $SAMPLE --name migrate --exit-after 20ms, depends_on: [db]}
  api: {command: $SAMPLE --name api --notify, ready: notify, depends_on: [migrate]}"""
BROKEN = """  db: {command: $SAMPLE --name db --notify, ready: notify}
  api: {command: [sh, -c, 'echo no luck; exit 3'], ready: notify, depends_on: [db], restart: {limit: 1 per 5m, delay: 10ms}}
  web: {command: [sleep, '1000'], depends_on: [api]}"""
HOSTILE = "</script></style><img src=x onerror=alert(1)><a href=javascript:alert(1)>"


class Page(html.parser.HTMLParser):
    """What a browser would make of a page, as far as it matters here."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.words, self.scripts, self.policy = [], [], [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"]

    def handle_data(self, data):
        (self.scripts if self.lasttag == "script" and self.cdata_elem == "script" else self.words).append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    def has(self, tag, **attributes):
        return any(tag == name and attributes.items() <= found.items() for name, found in self.elements)


class Reports(Scenario):
    def up(self, services=SHOP, *arguments):
        stack = self.stack(services, name="shop").start(*arguments)
        stack.output.index_of("belfry | ready after")
        return stack

    def exec(self, stack, *arguments, command=("true",), **environment):
        return subprocess.run([BELFRY, "exec", "-c", stack.file, *arguments, "--", *command], cwd=stack.path, env=stack.environment(**environment),
                              capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=PATIENCE * 2,
                              check=False)

    def read(self, stack, name):
        with open(os.path.join(stack.path, name), encoding="utf-8") as file:
            return file.read()


class Pages(Reports):
    def page_of(self, stack, name="run.html"):
        text = self.read(stack, name)
        page = Page(text)
        self.assert_harmless(page, text)
        return page

    def assert_harmless(self, page, text):
        """No element that could load or run anything, the script that the policy names and no other, nothing for a terminal to obey."""
        self.assertLess(len(text.encode()), 4 << 20)
        allowed = {"html", "meta", "title", "style", "h1", "h2", "span", "p", "dl", "div", "dt", "dd", "nav", "a", "table", "thead", "tbody", "tr", "th", "td",
                   "details", "summary", "pre", "b", "input", "script", "svg", "g", "text", "rect", "line", "path", "defs", "marker"}
        self.assertLessEqual({tag for tag, _ in page.elements}, allowed)
        for tag, attributes in page.elements:
            self.assertFalse([name for name in attributes if name.startswith("on") or name in ("src", "style", "srcdoc", "action")], (tag, attributes))
            self.assertTrue(attributes.get("href", "#").startswith("#"), attributes)
        self.assertEqual(len(page.scripts), 1)
        digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
        self.assertEqual(page.policy, f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
        self.assertIsNone(re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text))

    def test_a_daemon_that_runs_is_asked_for_all_that_it_knows(self):
        stack = self.up()
        ended = stack.cli("report", "--html", os.path.join(stack.path, "run.html"))
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))
        page = self.page_of(stack)
        self.assertIn("shop ready Everything that is wanted is ready.", page.text)
        self.assertIn("3 of 3 ready", page.text)
        self.assertRegex(page.text, r"\+0\.\d{3} api ready notify from pid \d+")  # the journal
        self.assertRegex(page.text, r"belfry ready after \d+ ms: 3 of 3 services ready")  # the log
        self.assertIn("api waits for migrate completed", page.text)  # the graph
        self.assertIn("api: begins at", page.text)  # the start
        self.assertIn("Nothing of it is known: the stack was not stopped", page.text)
        self.assertFalse(page.has("details"))  # nobody asks why
        printed = stack.cli("report", "--html", "-").stdout
        self.assertTrue(printed.startswith("<!doctype html>"))
        self.assert_clean_end(stack)

    def test_exec_writes_the_page_when_everything_is_down(self):
        stack = self.stack(SHOP, name="shop")
        ran = self.exec(stack, "--quiet", "--report", "run.html", command=("sh", "-c", "exit 3"))
        self.assertEqual(ran.returncode, 3)
        page = self.page_of(stack)
        self.assertIn("shop exit 3 Ended: sh exited with code 3", page.text)
        self.assertIn("shop: stop of", page.text)
        self.assertRegex(page.text, r"all stopped after \d")
        self.assertRegex(page.text, r"belfry stopped after \d+ ms")
        self.assertIn("● ready api", page.text)  # as it was while the command ran

    def test_a_failure_of_the_stack_is_in_the_verdict(self):
        stack = self.stack("  db: {command: [sleep, '1000'], restart: {delay: 30s}}", name="shop")
        kill = f"kill -9 $({BELFRY} status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"services\"][0][\"pid\"])'); "
        ran = self.exec(stack, "-q", "--report", "run.html", command=("sh", "-c", kill + f"{BELFRY} wait --not db; exit 3"))
        self.assertEqual(ran.returncode, 3, ran.stderr)
        page = self.page_of(stack)
        self.assertRegex(page.text, r"shop exit 3 Ended: sh exited with code 3; .*db died")

    def test_a_stack_that_never_got_ready_is_explained(self):
        stack = self.stack(BROKEN, name="shop")
        ran = self.exec(stack, "--quiet", "--report", "run.html")
        self.assertEqual(ran.returncode, 69)
        page = self.page_of(stack)
        self.assertRegex(page.text, r"shop exit 69 Ended: not ready; shop is not ready: api does not start: it exited with code 3")
        self.assertIn("✘ failed api", page.text)
        self.assertIn("■ blocked web", page.text)
        self.assertIn("what would help:", page.text)
        self.assertIn("web waits for api", page.text)
        self.assertIn("not ready, and so not part of it: api, web", page.text)
        self.assertGreaterEqual(len([1 for tag, _ in page.elements if tag == "details"]), 3)

    def test_run_writes_it_at_its_end(self):
        stack = self.up(SHOP, "--report", "run.html")
        self.assertFalse(os.path.exists(os.path.join(stack.path, "run.html")))
        self.assert_clean_end(stack)
        self.assertIn("shop exit 0 Ended: SIGTERM", self.page_of(stack).text)

    def test_of_a_run_that_is_over_the_history_knows_the_times(self):
        stack = self.up()
        self.assert_clean_end(stack)
        ended = stack.cli("report", "-c", stack.file, "--html", os.path.join(stack.path, "run.html"))
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        page = self.page_of(stack)
        self.assertIn("No daemon answers: this is what the history knows of its last run", page.text)
        self.assertIn("Ended: SIGTERM", page.text)
        self.assertIn("api: begins at", page.text)
        self.assertIn("shop: stop of", page.text)

    def test_nothing_that_a_service_says_is_markup_or_obeyed(self):
        say = f"printf '%s\\n' '{HOSTILE}'; printf '\\033]0;owned\\007\\033[2J\\302\\233\\342\\200\\256\\377\\n'; echo '{HOSTILE}' >&2; "
        # Written to a file, so that neither YAML nor a shell has a word in it.
        stack = self.stack("  db: {command: [sh, ./say], ready: {log: onerror}}\n"
                           "  api: {command: [sh, ./fail], ready: notify, depends_on: [db], restart: no}", name="shop")
        for name, end in (("say", "exec sleep 1000"), ("fail", "exit 1")):
            with open(os.path.join(stack.path, name), "w", encoding="utf-8") as script:
                script.write(say + end + "\n")
        ran = self.exec(stack, "--quiet", "--report", "run.html", "--trace", "start.json")
        self.assertEqual(ran.returncode, 69, ran.stderr)
        page = self.page_of(stack)
        self.assertIn(HOSTILE, page.text)
        otlp.spans_of(json.loads(self.read(stack, "start.json")))

    def test_no_secret_output_no_environment_and_no_command_line_is_in_it(self):
        stack = self.stack("  db: {command: [sh, -c, 'echo KEY=s3cr3t-key > out; echo port=7777; exec sleep 1000', arg-of-the-command], "
                           "ready: {log: 'port=(?P<PORT>[0-9]+)'}, outputs: {file: out, secret: [KEY]}, environment: {TOKEN: t0k3n}}", name="shop")
        ran = self.exec(stack, "--quiet", "--report", "run.html")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        page = self.page_of(stack)
        self.assertIn("KEY=***", page.text)
        for hidden in ("s3cr3t-key", "t0k3n", "arg-of-the-command"):
            self.assertNotIn(hidden, self.read(stack, "run.html"))

    def test_what_cannot_be_written_is_said_and_changes_no_exit_code(self):
        stack = self.stack(SHOP, name="shop")
        ran = self.exec(stack, "-q", "--report", "/no/such/folder/run.html", command=("sh", "-c", "exit 5"))
        self.assertEqual(ran.returncode, 5)
        self.assertIn("cannot write /no/such/folder/run.html: No such file or directory", ran.stderr)
        stack.start()
        stack.output.index_of("belfry | ready after")
        self.assertEqual(stack.cli("report", "--html", "/no/such/folder/run.html").returncode, 71)
        missing = stack.cli("report")
        self.assertEqual((missing.returncode, "--html FILE or --dashboard FILE is missing" in missing.stderr), (64, True))

    def test_a_run_that_cannot_begin_leaves_no_page(self):
        stack = self.stack("  db: {command: [sleep, '1'], nonsense: 1}")
        ran = self.exec(stack, "--report", "run.html", "--trace", "start.json")
        self.assertEqual(ran.returncode, 65)
        self.assertEqual([name for name in os.listdir(stack.path) if name in ("run.html", "start.json")], [])
        refused = subprocess.run([BELFRY, "run", "--report", "x", "--", "true"], capture_output=True, text=True, check=False)
        self.assertEqual(refused.returncode, 64)
        self.assertIn("`run --` runs no stack", refused.stderr)


class Traces(Reports):
    def test_the_start_has_a_span_for_each_incarnation_and_links_for_its_edges(self):
        stack = self.stack(SHOP, name="shop")
        ran = self.exec(stack, "-q", "--trace", "start.json")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        spans = otlp.spans_of(json.loads(self.read(stack, "start.json")))
        whole = spans[0]
        self.assertEqual((whole["name"], whole["status"], [one["name"] for one in whole["events"]]), ("start of shop", {"code": otlp.STATUS_OK}, ["up"]))
        services = {span["name"]: span for span in spans if span.get("parentSpanId") == whole["spanId"]}
        self.assertEqual(set(services), {"db", "migrate", "api"})
        self.assertEqual([otlp.attributes_of(services[name])["belfry.result"] for name in ("db", "migrate", "api")], ["ready", "completed", "ready"])
        link = services["api"]["links"][0]
        self.assertEqual((link["spanId"], otlp.attributes_of(link)), (services["migrate"]["spanId"], {"belfry.condition": "completed"}))
        phases = [span["name"] for span in spans if span.get("parentSpanId") == services["api"]["spanId"]]
        self.assertEqual(phases, ["waiting for dependencies", "starting", "until ready"])
        took = int(services["db"]["endTimeUnixNano"]) - int(services["db"]["startTimeUnixNano"])
        self.assertGreater(took, 100_000_000)

    def test_an_attempt_that_failed_is_a_span_with_its_cause(self):
        stack = self.stack(BROKEN, name="shop")
        self.exec(stack, "-q", "--trace", "start.json")
        spans = otlp.spans_of(json.loads(self.read(stack, "start.json")))
        attempts = [span for span in spans if span["name"] == "api"]
        self.assertEqual([otlp.attributes_of(span)["belfry.result"] for span in attempts], ["backoff", "failed"])
        self.assertEqual([span["status"]["code"] for span in attempts], [otlp.STATUS_ERROR] * 2)
        self.assertIn("exited with code 3", attempts[0]["status"]["message"])
        self.assertEqual(spans[0]["status"]["code"], otlp.STATUS_ERROR)

    def test_a_daemon_that_runs_is_traced_again_as_the_same(self):
        stack = self.up()
        first, second = (stack.cli("analyze", "--trace", "-").stdout for _ in range(2))
        self.assertEqual(first, second)
        before = otlp.spans_of(json.loads(first))
        self.assertEqual(stack.cli("restart", "api").returncode, 0)
        after = otlp.spans_of(json.loads(stack.cli("analyze", "--trace", "-").stdout))
        self.assertEqual(after[0], before[0])  # the start is as long as it was
        restarted = [span for span in after if span["name"] == "api"]
        self.assertEqual(len({span["traceId"] for span in restarted}), 2)
        path = os.path.join(stack.path, "start.json")
        told = stack.cli("analyze", "--trace", path).stdout
        self.assertIn("critical chain:", told)
        self.assert_clean_end(stack)
        past = stack.cli("analyze", "-c", stack.file, "--trace", "-")
        self.assertEqual({span["name"] for span in otlp.spans_of(json.loads(past.stdout))} & {"db", "migrate", "api"}, {"db", "migrate", "api"})

    def test_the_trace_of_whoever_runs_belfry_goes_on(self):
        stack = self.stack(SHOP, name="shop")
        trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
        self.exec(stack, "-q", "--trace", "start.json", TRACEPARENT=f"00-{trace}-{span}-01")
        spans = otlp.spans_of(json.loads(self.read(stack, "start.json")), outside=(span,))
        self.assertEqual({one["traceId"] for one in spans}, {trace})
        self.assertEqual(spans[0]["parentSpanId"], span)
        for wrong in ("nonsense", f"00-{'0' * 32}-{span}-01", f"00-{trace}-{span.upper()}-01"):
            self.exec(stack, "-q", "--trace", "start.json", TRACEPARENT=wrong)
            self.assertNotIn("parentSpanId", otlp.spans_of(json.loads(self.read(stack, "start.json")))[0])
