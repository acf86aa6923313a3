"""The units of the packages, under a real systemd in which the packages are installed."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from roots import ROOT, Machine, Tree, package, until, why_no_machine
from test_installation import newer

UNITS = os.path.join(ROOT, "deploy/systemd")
PAGE = os.path.join(ROOT, "docs/how-to/systemd.md")
# Ends at SIGTERM and writes down that it did; a file decides when it is ready.
SERVICE = """[sh, -c, 'trap "echo {0} >>/host/stopped; exit 0" TERM; echo $$$$ >/host/{0}.pid; while :; do sleep 1000 & wait $!; done']"""
STACK = f"""
services:
  db: {{command: {SERVICE.format('db')}, ready: {{file: /host/go}}}}
  api: {{command: {SERVICE.format('api')}, depends_on: [db]}}
"""
# What services of a host do, each with a unit that is as strict as it is: a oneshot that fails makes the unit fail.
DEEDS = """
name: deeds
services:
  root_writes: {type: oneshot, essential: true, command: [sh, -c, "touch /var/lib/x /srv/x /home/x /tmp/x /etc/x /run/x"]}
  another_user: {type: oneshot, essential: true, user: nobody, command: [sh, -c, "test $(id -un) = nobody"]}
  set_user_id: {type: oneshot, essential: true, user: nobody, command: [sh, -c, "/srv/id-of-root -u | grep -qx 0"]}
  sandbox: {type: oneshot, essential: true, sandbox: {required: true, private_tmp: true, read_only_root: true, private_network: true}, command: [sh, -c, "touch /tmp/y && ! touch /srv/y"]}
  cgroup: {type: oneshot, essential: true, cgroup: {pids_max: 20}, command: [sh, -c, "grep -q 'service-cgroup$' /proc/self/cgroup"]}
  machine_code: {type: oneshot, essential: true, command: [perl, -e, "print 1"]}
  no_clock: {type: oneshot, essential: true, command: [sh, -c, "! date -s @0"]}
  no_kernel: {type: oneshot, essential: true, command: [sh, -c, "! touch /usr/bin/x && ! sh -c 'echo 1 >/proc/sys/kernel/panic'"]}
"""


def stated_scores():
    """What the page says of `systemd-analyze security`."""
    with open(PAGE, encoding="utf-8") as file:
        return {name: float(score) for name, score in re.findall(r"^\| `([^`]+)` \| (\d+\.\d) ", file.read(), re.M)}


class Files(unittest.TestCase):
    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="belfry-units-")
        self.addCleanup(folder.cleanup)
        return folder.name

    def copy(self, unit, *drop_ins):
        """A unit that verify can judge here, where /usr/bin/belfry need not be."""
        folder = self.folder()
        path = os.path.join(folder, os.path.basename(unit).replace("@.", "@shop."))
        with open(os.path.join(UNITS, unit), encoding="utf-8") as source, open(path, "w", encoding="utf-8") as file:
            file.write(source.read().replace("/usr/bin/belfry", "/bin/true").replace("Documentation=man:belfry(1)\n", ""))
        for name in drop_ins:
            os.makedirs(path + ".d", exist_ok=True)
            with open(os.path.join(UNITS, name), encoding="utf-8") as source, open(os.path.join(path + ".d", name), "w", encoding="utf-8") as file:
                file.write(source.read())
        return path

    def ask(self, *words):
        return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False,
                              env={**os.environ, "XDG_RUNTIME_DIR": self.folder(), "SYSTEMD_LOG_LEVEL": "warning"})

    def test_verify_finds_nothing_in_any_of_them(self):
        for unit, drop_ins in (("belfry.service", ()), ("belfry@.service", ()), ("user/belfry.service", ()), ("belfry.service", ("hardened.conf",))):
            with self.subTest(unit=unit, drop_ins=drop_ins):
                said = self.ask("verify", "--recursive-errors=no", *(["--user"] if unit.startswith("user/") else []), self.copy(unit, *drop_ins))
                self.assertEqual((said.returncode, said.stdout + said.stderr), (0, ""))

    def test_a_mistake_would_be_found(self):
        path = self.copy("belfry.service")
        with open(path, "a", encoding="utf-8") as file:
            file.write("\n[Service]\nProtectSytem=yes\n")
        self.assertIn("ProtectSytem", self.ask("verify", "--recursive-errors=no", path).stderr)

    def test_the_scores_are_those_of_the_page(self):
        scores = stated_scores()
        self.assertEqual(set(scores), {"belfry.service", "belfry@.service", "hardened.conf"})
        for name, unit, drop_ins in (("belfry.service", "belfry.service", ()), ("belfry@.service", "belfry@.service", ()), ("hardened.conf", "belfry.service", ("hardened.conf",))):
            with self.subTest(name=name):
                path = self.copy(unit, *drop_ins)
                judged = self.ask("security", "--offline=yes", "--no-pager", path)
                score = float(re.search(r"exposure level for \S+: (\d+\.\d)", judged.stdout)[1])
                self.assertLessEqual(score, scores[name])
                self.assertEqual(self.ask("security", "--offline=yes", f"--threshold={round(scores[name] * 10)}", path).returncode, 0)

    def test_the_instance_differs_from_the_unit_in_its_file_alone(self):
        def settings(name):
            with open(os.path.join(UNITS, name), encoding="utf-8") as file:
                return [line for line in file.read().replace("/%i", "").split("\n") if "=" in line and not line.startswith(("#", "Description"))]
        self.assertEqual([line for line in settings("belfry@.service") if "belfry-%i" not in line], settings("belfry.service"))


class Running(unittest.TestCase):
    """One machine for all; each test has a stack of its own unit."""

    @classmethod
    def setUpClass(cls):
        if why := why_no_machine():
            raise unittest.SkipTest(why)
        cls.tree = Tree(cls)
        cls.tree.apt("update")
        cls.tree.apt("install", cls.tree.bring(package("belfry_*.deb")))
        cls.tree.run("useradd", "--create-home", "tester")
        cls.tree.run("install", "-m", "4755", "/usr/bin/id", "/srv/id-of-root")
        cls.machine = Machine(cls, cls.tree)

    def setUp(self):
        for name in ("go", "stopped", "db.pid", "api.pid"):
            if os.path.exists(self.host(name)):
                os.remove(self.host(name))
        self.addCleanup(self.machine.run, "sh", "-c", "systemctl kill --kill-whom=all --signal=KILL 'belfry*'; systemctl stop 'belfry*'; systemctl reset-failed; "
                        "rm -rf /etc/belfry/* /etc/systemd/system/belfry*.d; systemctl daemon-reload", check=False)

    def host(self, name):
        return os.path.join(self.machine.host, name)

    def go(self):
        open(self.host("go"), "w", encoding="ascii").close()

    def stack(self, path, text=STACK):
        self.write("/etc/belfry/" + path, text)

    def write(self, path, text):
        with open(self.host("file"), "w", encoding="utf-8") as file:
            file.write(text)
        self.machine.run("install", "-D", "-m", "644", "/host/file", path)

    def drop_in(self, text):
        self.write("/etc/systemd/system/belfry.service.d/test.conf", text)
        self.machine.run("systemctl", "daemon-reload")

    def until_state(self, unit, state):
        until(lambda: self.machine.show(unit, "ActiveState") == state)

    def up(self, unit="belfry.service"):
        self.go()
        self.machine.run("systemctl", "start", unit)

    def signal(self, name):
        self.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=" + name, "belfry")

    def test_it_is_active_only_when_the_stack_is_ready_and_says_who_is_waited_for(self):
        self.stack("belfry.yaml")
        self.machine.run("systemctl", "start", "--no-block", "belfry")
        until(lambda: "db" in self.machine.show("belfry", "StatusText"))
        self.assertEqual(self.machine.show("belfry", "ActiveState"), "activating")
        self.assertFalse(os.path.exists(self.host("api.pid")))
        self.go()
        self.until_state("belfry", "active")
        self.assertTrue(os.path.exists(self.host("api.pid")))
        self.assertEqual(self.machine.run("belfry", "status", "--ready").returncode, 0)

    def test_verify_finds_nothing_in_what_is_installed(self):
        said = self.machine.run("systemd-analyze", "verify", "--man=no", "belfry.service", "belfry@shop.service")
        self.assertEqual(said.stdout + said.stderr, "")

    def test_a_stop_is_in_order_and_leaves_nobody(self):
        self.stack("belfry.yaml")
        self.up()
        self.machine.run("systemctl", "stop", "belfry")
        self.assertEqual(self.machine.show("belfry", "Result"), "success")
        with open(self.host("stopped"), encoding="ascii") as file:
            self.assertEqual(file.read(), "api\ndb\n")
        self.assertEqual(self.machine.show("belfry", "ControlGroup"), "")

    def test_a_reload_takes_the_changed_file_over_and_a_bad_one_touches_nothing(self):
        self.stack("belfry.yaml")
        self.up()
        before = self.machine.show("belfry", "MainPID")
        self.stack("belfry.yaml", STACK + "  more: {command: [sleep, '1000']}\n")
        self.machine.run("systemctl", "reload", "belfry")
        self.assertIn("more", self.machine.run("belfry", "status", "-c", "/etc/belfry/belfry.yaml").stdout)
        self.stack("belfry.yaml", STACK + "  more: {comand: x}\n")
        self.assertNotEqual(self.machine.run("systemctl", "reload", "belfry", check=False).returncode, 0)
        self.assertEqual((self.machine.show("belfry", "MainPID"), self.machine.show("belfry", "ActiveState")), (before, "active"))

    def test_a_crash_starts_it_again_and_leaves_nobody_of_before(self):
        self.stack("belfry.yaml")
        self.up()
        with open(self.host("db.pid"), encoding="ascii") as file:
            old = file.read().strip()
        self.signal("KILL")
        until(lambda: self.machine.show("belfry", "NRestarts") == "1")
        self.until_state("belfry", "active")
        with open(self.host("db.pid"), encoding="ascii") as file:
            self.assertNotEqual(file.read().strip(), old)
        self.assertNotEqual(self.machine.run("test", "-e", f"/proc/{old}", check=False).returncode, 0)

    def test_the_watchdog_is_answered_and_one_that_hangs_is_started_again(self):
        self.stack("belfry.yaml")
        self.drop_in("[Service]\nWatchdogSec=2s\nTimeoutAbortSec=2s\n")
        self.up()
        began = int(self.machine.show("belfry", "WatchdogTimestampMonotonic"))
        until(lambda: int(self.machine.show("belfry", "WatchdogTimestampMonotonic")) > began + 4_000_000)
        self.assertEqual(self.machine.show("belfry", "NRestarts"), "0")
        self.signal("STOP")
        until(lambda: self.machine.show("belfry", "NRestarts") == "1")
        self.assertIn("belfry.service: Watchdog timeout (limit 2s)!", self.machine.journal())
        self.until_state("belfry", "active")

    def test_a_bad_file_and_no_file_are_not_tried_again(self):
        self.stack("belfry.yaml", "services: {db: {comand: x}}\n")
        for code in ("65", "66"):
            with self.subTest(code=code):
                self.assertNotEqual(self.machine.run("systemctl", "start", "belfry", check=False).returncode, 0)
                self.assertEqual(self.machine.show("belfry", "ExecMainStatus"), code)
                self.assertEqual((self.machine.show("belfry", "ActiveState"), self.machine.show("belfry", "NRestarts")), ("failed", "0"))
                self.machine.run("rm", "/etc/belfry/belfry.yaml", check=False)

    def test_instances_are_stacks_of_their_own(self):
        for name in ("shop", "blog"):
            self.stack(f"{name}/belfry.yaml", "services: {web: {command: [sleep, infinity]}}\n")
            self.machine.run("systemctl", "start", f"belfry@{name}")
        listed = {one["name"] for one in json.loads(self.machine.run("belfry", "ls", "--json").stdout)["stacks"]}
        self.assertEqual(listed, {"shop", "blog"})
        self.machine.run("systemctl", "stop", "belfry@blog")
        self.machine.run("belfry", "status", "--ready", "-c", "/etc/belfry/shop/belfry.yaml")
        self.assertEqual(self.machine.show("belfry@shop", "ActiveState"), "active")

    def test_the_environment_file_is_the_units(self):
        self.stack("belfry.yaml", "services: {web: {command: [sh, -c, 'echo $GREETING >/host/stopped; exec sleep infinity']}}\n")
        self.write("/etc/default/belfry", "GREETING=hello\n")
        self.up()
        until(lambda: os.path.exists(self.host("stopped")) and os.path.getsize(self.host("stopped")))
        with open(self.host("stopped"), encoding="ascii") as file:
            self.assertEqual(file.read(), "hello\n")

    def test_its_hardening_lets_services_do_what_services_do(self):
        self.stack("belfry.yaml", DEEDS + "  stay: {command: [sleep, infinity]}\n")
        self.up()
        self.assertEqual(self.machine.show("belfry", "ActiveState"), "active")

    def test_the_hardened_one_runs_a_stack_and_takes_away_what_it_says(self):
        self.stack("belfry.yaml", """
services:
  user: {type: oneshot, essential: true, user: nobody, command: [sh, -c, "grep -q '^NoNewPrivs:.1' /proc/self/status && ! touch /var/tmp/../lib/y"]}
  place: {type: oneshot, essential: true, command: [sh, -c, "touch /srv/y && ! touch /var/lib/y && ! ls /home/tester"]}
  web: {command: [sleep, infinity]}
""")
        self.machine.run("install", "-D", "-m", "644", "/usr/share/doc/belfry/examples/hardened.conf", "/etc/systemd/system/belfry.service.d/hardened.conf")
        self.drop_in("[Service]\nReadWritePaths=/srv\n")
        self.up()
        self.assertEqual(self.machine.show("belfry", "ActiveState"), "active")
        self.machine.run("systemctl", "stop", "belfry")
        self.assertEqual(self.machine.show("belfry", "Result"), "success")

    def test_a_user_has_a_unit_too(self):
        uid = self.machine.uid("tester")
        self.machine.run("systemctl", "start", f"user@{uid}.service")
        self.addCleanup(self.machine.run, "systemctl", "stop", f"user@{uid}.service")
        self.write("/home/tester/.config/belfry/belfry.yaml", STACK)
        self.machine.run("chown", "-R", "tester:", "/home/tester")
        self.machine.run("systemctl", "--user", "start", "--no-block", "belfry", user="tester")
        until(lambda: "db" in self.machine.show("belfry", "StatusText", user="tester"))
        self.assertEqual(self.machine.show("belfry", "ActiveState", user="tester"), "activating")
        self.go()
        until(lambda: self.machine.show("belfry", "ActiveState", user="tester") == "active")
        self.machine.run("systemctl", "--user", "stop", "belfry", user="tester")
        with open(self.host("stopped"), encoding="ascii") as file:
            self.assertEqual(file.read(), "api\ndb\n")
        self.assertTrue(self.machine.run("ls", "/home/tester/.local/state/belfry").stdout)

    def test_an_upgrade_leaves_a_running_stack_alone_and_a_removal_stops_it(self):
        self.stack("belfry.yaml")
        self.up()
        before = self.machine.show("belfry", "MainPID")
        self.addCleanup(self.machine.run, "dpkg", "-i", "/root/" + os.path.basename(package("belfry_*.deb")))
        shutil.copy(newer(self, package("belfry_*.deb")), self.host("newer.deb"))
        self.machine.run("dpkg", "-i", "--force-confold", "/host/newer.deb")
        self.assertRegex(self.machine.run("dpkg-query", "-W", "belfry").stdout, "999")
        self.assertEqual((self.machine.show("belfry", "MainPID"), self.machine.show("belfry", "ActiveState")), (before, "active"))
        self.machine.run("belfry", "status", "--ready")
        self.machine.run("dpkg", "--remove", "belfry")
        with open(self.host("stopped"), encoding="ascii") as file:
            self.assertEqual(file.read(), "api\ndb\n")
        self.assertNotIn("belfry", self.machine.run("sh", "-c", "cat /proc/[0-9]*/comm", check=False).stdout.split())


if __name__ == "__main__":
    unittest.main()
