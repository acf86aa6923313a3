"""GET /, and `belfry dashboard`: the page over HTTP, and the way of a browser to the control socket."""
import base64
import gzip
import hashlib
import http.client
import json
import os
import re
import signal
import subprocess
import unittest

from harness import BELFRY, PATIENCE, ROOT, Scenario, UnixConnection, free_port

SHOP = "  db: {command: sleep 1000}\n  api: {command: sleep 1000, depends_on: [db]}"


def ask(connection, method, path, **fields):
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


def page_of(connection):
    answer, body = ask(connection, "GET", "/", Accept_Encoding="gzip")
    return answer, gzip.decompress(body).decode()


class OfShop(Scenario):
    def start(self, services, top=""):
        self.shop = self.stack(services, top).start().wait_for_control()
        self.assertEqual(self.shop.wait("api"), 200)


class Page(OfShop):
    def test_is_one_file_that_its_policy_lets_in_by_its_digests(self):
        port = free_port()
        self.start(SHOP, top=f'http: {{listen: "127.0.0.1:{port}"}}')
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        answer, page = page_of(connection)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        policy = answer.headers["Content-Security-Policy"]
        directives = dict(one.strip().split(" ", 1) for one in policy.split(";"))
        self.assertEqual(directives["default-src"], "'none'")
        self.assertEqual(directives["connect-src"], "'self'")
        self.assertNotIn("unsafe", policy)
        for tag, directive in (("script", "script-src"), ("style", "style-src")):
            [inline] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
            self.assertEqual(directives[directive], f"'sha256-{digest}'")
        self.assertEqual(re.findall(r"\b(?:src|href)=\"(?!data:,)[^\"]*\"", page.split("<script>")[0]), [])
        for name, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store")):
            self.assertEqual(answer.headers[name], value)
        with open(os.path.join(ROOT, "dashboard/dist/index.html.gz"), "rb") as file:
            self.assertEqual(gzip.decompress(file.read()).decode(), page)

    def test_is_for_those_who_may_read_the_api(self):
        port = free_port()
        self.start(SHOP, top=f'http: {{listen: "127.0.0.1:{port}"}}')
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        self.assertEqual(ask(connection, "GET", "/", Host="evil.example", Accept_Encoding="gzip")[0].status, 403)
        self.assertEqual(ask(connection, "GET", "/", Origin="http://evil.example", Accept_Encoding="gzip")[0].status, 403)
        head, body = ask(connection, "HEAD", "/", Accept_Encoding="gzip")
        self.assertEqual((head.status, body), (200, b""))
        self.assertGreater(int(head.headers["Content-Length"]), 1000)
        plain, body = ask(connection, "GET", "/")
        self.assertEqual(plain.status, 406)
        self.assertIn("curl --compressed", json.loads(body)["detail"])

    def test_knows_whether_commands_would_be_taken(self):
        port = free_port()
        self.start(SHOP, top=f'http: {{listen: "127.0.0.1:{port}"}}')
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        self.assertIs(json.loads(ask(connection, "GET", "/v1/services")[1])["may_command"], False)
        control = UnixConnection(self.shop.control, PATIENCE)
        self.addCleanup(control.close)
        self.assertIs(json.loads(ask(control, "GET", "/v1/services")[1])["may_command"], True)


class Relay(OfShop):
    def open(self, *options):
        """`belfry dashboard`, its port and the key of its link."""
        self.relay = subprocess.Popen([BELFRY, "dashboard", "--socket", self.shop.control, *options], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True, env=self.shop.environment())
        self.addCleanup(self.close)
        link = self.relay.stdout.readline()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/#key=([0-9a-f]{48})\n", link)
        self.assertIsNotNone(found, link)
        self.port = int(found[1])
        return found[2]

    def close(self):
        if self.relay.poll() is None:
            self.relay.kill()
        self.relay.communicate()

    def ask(self, method, path, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            answer, body = ask(connection, method, path, **fields)
            return answer.status, body.decode()
        finally:
            connection.close()

    def enter(self, key):
        status, secret = self.ask("POST", "/dashboard/session", Authorization=f"Bearer {key}")
        self.assertEqual(status, 200)
        return {"Authorization": f"Bearer {secret}"}

    def test_lets_in_who_has_the_link_and_who_has_it_first(self):
        self.start(SHOP)
        key = self.open()
        self.assertEqual(self.ask("GET", "/v1/services")[0], 401)
        mine = self.enter(key)
        self.assertEqual(self.ask("POST", "/dashboard/session", Authorization=f"Bearer {key}")[0], 401)
        status, body = self.ask("GET", "/v1/services", **mine)
        self.assertEqual(status, 200)
        self.assertEqual([one["name"] for one in json.loads(body)["services"]], ["db", "api"])
        self.assertIs(json.loads(body)["may_command"], True)

    def test_refuses_other_names_and_other_pages_also_with_the_secret(self):
        self.start(SHOP)
        mine = self.enter(self.open())
        self.assertEqual(self.ask("GET", "/v1/services", Host="evil.example", **mine)[0], 403)
        self.assertEqual(self.ask("POST", "/v1/services/db/kill", Origin="http://evil.example", **mine)[0], 403)
        self.assertEqual(self.ask("POST", "/v1/services/db/kill", Origin="null", **mine)[0], 403)

    def test_passes_commands_on_which_belfry_tells(self):
        self.start(SHOP)
        mine = self.enter(self.open())
        status, body = self.ask("POST", "/v1/services/api/restart", Origin=f"http://127.0.0.1:{self.port}", **mine)
        self.assertEqual(status, 200, body)
        self.shop.output.index_of(f"restart of api asked for by user {os.getuid()} (process {self.relay.pid})")

    def test_passes_a_stream_on_as_it_comes(self):
        self.start(SHOP)
        mine = self.enter(self.open())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/v1/events", headers={"Accept": "text/event-stream", **mine})
        stream = connection.getresponse()
        self.assertEqual(stream.status, 200)
        self.assertEqual(self.ask("POST", "/v1/services/api/stop", **mine)[0], 200)
        for line in stream:
            if line.startswith(b"data: ") and json.loads(line[6:]).get("state") == "inactive":
                break
        else:
            self.fail("the stream has ended before the service was stopped")

    def test_finds_a_belfry_that_has_come_back(self):
        self.start(SHOP)
        mine = self.enter(self.open())
        self.shop.stop()
        status, body = self.ask("GET", "/v1/services", **mine)
        self.assertEqual(status, 502)
        self.assertIn("cannot connect to", json.loads(body)["detail"])
        self.shop.process.stdout.close()
        self.shop.start()
        self.assertEqual(self.shop.wait_for_control().wait("api"), 200)
        self.assertEqual(self.ask("GET", "/v1/services", **mine)[0], 200)

    def test_ends_with_ctrl_c_also_while_somebody_follows(self):
        self.start(SHOP)
        mine = self.enter(self.open())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/v1/events", headers={"Accept": "text/event-stream", **mine})
        self.assertEqual(connection.getresponse().status, 200)
        self.relay.send_signal(signal.SIGINT)
        self.assertEqual(self.relay.wait(PATIENCE), 0)

    def test_takes_a_port_that_is_asked_for_and_says_when_it_cannot(self):
        self.start(SHOP)
        port = free_port()
        self.open("--port", str(port))
        self.assertEqual(self.port, port)
        second = subprocess.run([BELFRY, "dashboard", "--socket", self.shop.control, "--port", str(port)], capture_output=True, text=True,
                                timeout=PATIENCE, check=False)
        self.assertEqual(second.returncode, 71)
        self.assertIn("cannot listen on 127.0.0.1", second.stderr)

    def test_without_a_daemon_there_is_nothing_to_show(self):
        done = subprocess.run([BELFRY, "dashboard", "--socket", "/nonexistent.sock"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout), (69, ""))


class Frozen(OfShop):
    def test_is_the_page_with_the_answers_that_it_would_have_got(self):
        self.start(SHOP + "\n  rude: {command: [sh, -c, \"echo '</script><b>' ; exec sleep 1000\"]}")
        path = os.path.join(self.shop.path, "moment.html")
        done = self.shop.cli("report", "--dashboard", path)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        with open(path, encoding="utf-8") as file:
            page = file.read()
        with open(os.path.join(ROOT, "dashboard/dist/index.html.gz"), "rb") as file:
            before, after = gzip.decompress(file.read()).decode().split("<!--frozen-->")
        self.assertTrue(page.startswith(before) and page.endswith(after))
        block = page[len(before):-len(after)]
        found = re.fullmatch(r'<script type="application/json" id="frozen">([^<]*)</script>', block)
        self.assertIsNotNone(found, block[:200])
        answers = json.loads(found[1])["answers"]
        self.assertEqual({"/v1/services", "/v1/timeline", "/v1/why", "/v1/events", "/v1/logs", "/v1/services/api", "/v1/why/api"} - set(answers), set())
        self.assertIn("</script><b>", [line["line"] for line in answers["/v1/logs"]["lines"]])

    def test_needs_a_daemon_and_a_file(self):
        self.start(SHOP)
        self.assertEqual(self.shop.cli("report").returncode, 64)
        self.assertEqual(self.shop.cli("report", "--dashboard", "/nonexistent/x.html").returncode, 71)
        self.shop.stop()
        self.assertEqual(self.shop.cli("report", "--dashboard", os.path.join(self.shop.path, "x.html")).returncode, 69)


if __name__ == "__main__":
    unittest.main()
