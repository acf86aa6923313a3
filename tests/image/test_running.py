"""The images, run as Docker would run them: they get ready, say so, and stop in order."""
import json
import os
import re
import subprocess
import tempfile
import unittest

import docker_defaults
import made
from container import GRACE, Container

# What a container may be run as. The last one has nothing that could be taken away.
MANNERS = {
    "as Docker's default, root": {},
    "with a read-only root": {"read_only": True, "tmpfs": ("/run", "/tmp")},
    "with --user 1000": {"user": "1000"},
    "with --init, not as PID 1": {"init": True},
    "with --user 1000, a read-only root, no capabilities and no-new-privileges":
        {"user": "1000", "read_only": True, "tmpfs": ("/tmp",), "cap_drop_all": True, "no_new_privileges": True},
}

ASK = """import sys, urllib.error, urllib.request
try: print(urllib.request.urlopen(sys.argv[1]).status)
except urllib.error.HTTPError as error: print(error.code)"""


class Running(unittest.TestCase):
    def run_image(self, image, profile=True, **options):
        container = Container(made.MADE.builder, image, made.MADE.profile if profile else None, **options)
        self.addCleanup(container.close)
        self.addCleanup(lambda: made.MADE.verbose and made.said(*container.lines))
        container.start()
        return container

    def until_ready(self, container):
        line = container.wait_for_line(r"^belfry \| ready after ")
        self.assertEqual(container.health()[0], 0, container.health()[1])
        return line.removeprefix("belfry | ")

    def look_around(self, container, options):
        """The first process is the one that it should be, and has exactly what Docker gives in this manner."""
        status = dict(line.split(":\t", 1) for line in container.exec("cat", "/proc/1/status").stdout.splitlines() if ":\t" in line)
        self.assertEqual(status["Name"], "docker-init" if "init" in options else "belfry")
        self.assertEqual(status["Seccomp"], "2")
        self.assertEqual(status["NoNewPrivs"], str(int(bool(options.get("no_new_privileges")))))
        self.assertEqual(status["Uid"].split()[0], options.get("user", "0"))
        self.assertEqual(int(status["CapEff"], 16), 0 if "user" in options else docker_defaults.CAPABILITY_BITS)
        self.assertEqual(int(status["CapBnd"], 16), 0 if "cap_drop_all" in options else docker_defaults.CAPABILITY_BITS)
        mounts = {mount.split()[1]: mount.split()[3].split(",") for mount in container.exec("cat", "/proc/1/mounts").stdout.splitlines()}
        self.assertEqual("ro" in mounts["/"], "read_only" in options)
        for path in ("/proc/sys", "/sys"):
            self.assertIn("ro", mounts[path])

    def stops_in_order(self, container, *order):
        code, took = container.stop()
        made.said(f"exit {code} {took:.2f} s after the SIGTERM")
        self.assertEqual(code, 0, container.text())
        self.assertLess(took, GRACE)
        stopped = [line.split()[2] for line in container.lines if line.startswith("belfry | ") and line.endswith(" stopped")]
        self.assertEqual(stopped, list(order), container.text())


class Shop(Running):
    """nginx in front, the application behind, the migration before."""

    def items(self, container):
        return json.loads(container.exec("python3", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/items').read().decode())").stdout)

    def test_it_gets_ready_serves_and_stops(self):
        for manner, options in MANNERS.items():
            with self.subTest(manner):
                container = self.run_image("shop", **options)
                made.said(f"{manner}: {self.until_ready(container)}")
                self.look_around(container, options)
                self.assertIn("migrate | the database is at version 2; it was at 0", container.lines)
                self.assertEqual(self.items(container), [["bell", 1200], ["rope", 300]])
                self.stops_in_order(container, "web", "app")

    def test_arguments_are_the_services_that_are_wanted(self):
        container = self.run_image("shop", arguments=["app"])
        self.until_ready(container)
        self.stops_in_order(container, "app")

    def test_whoever_comes_from_outside_sees_health_and_metrics_and_nothing_else(self):
        container = self.run_image("shop", user="1000")
        self.until_ready(container)
        container.add_address("192.0.2.1")
        asked = {path: container.exec("python3", "-c", ASK, f"http://192.0.2.1:9600{path}").stdout.strip()
                 for path in ("/livez", "/readyz", "/metrics", "/v1/services", "/v1/logs")}
        self.assertEqual(asked, {"/livez": "200", "/readyz": "200", "/metrics": "200", "/v1/services": "403", "/v1/logs": "403"})

    def with_other(self, name, change):
        """The shop with one of its programs changed: mounted over the image's own, as `docker run -v` would."""
        with open(f"{made.ROOT}/deploy/images/shop/{name}", encoding="utf-8") as file:
            text = change(file.read())
        with tempfile.NamedTemporaryFile("w", dir=made.MADE.work, delete=False, encoding="utf-8") as file:
            file.write(text)
        os.chmod(file.name, 0o755)
        return self.run_image("shop", binds=[(file.name, f"/srv/shop/{name}")])

    def test_it_is_not_healthy_while_the_migration_runs(self):
        container = self.with_other("migrate.py", lambda text: text.replace("STEPS =", "import os\nos.mkfifo('/tmp/go')\nprint('waits', flush=True)\n"
                                                                            "open('/tmp/go').read()\nSTEPS ="))
        container.wait_for_line(r"^migrate \| waits")
        code, told = container.health()
        self.assertEqual(code, 1)
        self.assertIn("migrate", told)
        container.exec("sh", "-c", "echo > /tmp/go")
        self.until_ready(container)
        self.stops_in_order(container, "web", "app")

    def test_the_kernel_tells_who_listens_where_nothing_can_be_gained(self):
        # Nobody has CAP_SYS_ADMIN here: it is `no_new_privileges` of the file that lets the kernel do it, through Docker's filter, too.
        for manner, options in MANNERS.items():
            with self.subTest(manner):
                container = self.run_image("shop", **options)
                self.until_ready(container)
                app = json.loads(container.exec("belfry", "status", "--json", "-c", made.THE_FILE, "app").stdout)
                self.assertEqual(app["readiness_method"], "port 8000: kernel event (seccomp)")
                container.stop()

    def test_who_ignores_SIGTERM_is_killed_before_docker_would_kill_all(self):
        container = self.with_other("app.py", lambda text: text.replace("import json\n", "import json\nimport signal\n"
                                                                        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"))
        self.until_ready(container)
        self.stops_in_order(container, "web", "app")
        self.assertIn("app did not stop within", container.text())

    def test_a_request_that_is_under_way_is_answered(self):
        container = self.with_other("app.py", lambda text: text.replace("        body =", "        if self.path == '/slow':\n"
                                                                        "            print('asked', flush=True)\n            open('/tmp/answer').read()\n        body ="))
        self.until_ready(container)
        container.exec("mkfifo", "/tmp/answer")
        events = self.beside(container, "belfry", "events", "-f", "-c", made.THE_FILE)
        asking = self.beside(container, "python3", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/slow').read().decode())")
        container.wait_for_line(r"^app \| asked")
        container.kill("SIGTERM")
        self.assertTrue(any(re.search(r"\bweb\b.*\bstopping\b", line) for line in events.stdout))
        container.exec("sh", "-c", "echo > /tmp/answer")
        self.assertEqual(json.loads(asking.communicate(timeout=GRACE)[0]), [["bell", 1200], ["rope", 300]])
        self.assertEqual(container.running.wait(timeout=GRACE), 0)

    def beside(self, container, *command):
        """`docker exec` that is not waited for."""
        running = subprocess.Popen([*container.runtime, "exec", container.name, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        self.addCleanup(running.stdout.close)
        return running

    def test_the_filter_of_system_calls_is_in_force(self):
        inside = self.run_image("shop")
        inside.wait_for_line("ready after")
        self.assertIn("Operation not permitted", inside.exec("unshare", "--user", "true").stderr)
        without = self.run_image("shop", profile=False)
        without.wait_for_line("ready after")
        self.assertEqual(without.exec("unshare", "--user", "true").returncode, 0)


class Pages(Running):
    """The static file in an image that is not Debian."""

    def test_it_gets_ready_serves_and_stops(self):
        for manner, options in MANNERS.items():
            with self.subTest(manner):
                container = self.run_image("pages", **options)
                made.said(f"{manner}: {self.until_ready(container)}")
                self.look_around(container, options)
                self.assertEqual(container.exec("wget", "-q", "-O", "-", "http://127.0.0.1:8080/index.html").stdout, "rung\n")
                self.stops_in_order(container, "clock", "web")


class Alone(Running):
    """The static image with nothing but a file: no shell, no library, no /etc/passwd; as it would be in distroless."""

    def test_it_runs_with_nothing_beside_it(self):
        distroless = {"user": "65532", "read_only": True, "cap_drop_all": True, "no_new_privileges": True}
        for socket, options in (("/belfry.sock", {}), ("/dev/shm/belfry.sock", {"read_only": True}), (None, {}), (None, {"tmpfs": ("/run",)}),
                                (None, {**distroless, "tmpfs": ("/tmp",)}), ("/dev/shm/belfry.sock", distroless)):
            with self.subTest(socket=socket, **options):
                file = os.path.join(made.MADE.work, "alone.yaml")
                with open(file, "w", encoding="ascii") as text:
                    text.write("name: alone\nshutdown: {timeout: 9s}\ndefaults: {stop: {timeout: 4s}}\nservices:\n"
                               "  first: {type: oneshot, command: /usr/bin/belfry version}\n"
                               "  second: {command: [/usr/bin/belfry, wait, file:/never], depends_on: [first]}\n"
                               + (f"control: {{socket: {socket}}}\n" if socket else ""))
                container = self.run_image("belfry-static", binds=[(file, "/etc/belfry/belfry.yaml")], **options)
                made.said(self.until_ready(container))
                self.stops_in_order(container, "second")
