"""belfry and a real systemd, PID 1 of namespaces of its own: what each says to the other, and what is left when one of them ends.

By the units of deploy/systemd and the package's belfry, or by the one of `deploy/test-packages --binary` (no package is needed then).
"""
import errno
import json
import os
import re
import shutil
import subprocess
import time
import unittest

from roots import ROOT, Machine, Tree, package, until, why_no_machine

SUPPORT = os.environ.get("BELFRY_SUPPORT", os.path.join(ROOT, "build/dev/tests/support"))
WEB = "/usr/local/bin/belfry_activated_service"
# Asks again and again who serves, until there is /host/enough; a line for each answer, and one at once for whoever is refused.
CLIENT = r"""
use IO::Socket; $| = 1; open(my $out, ">>", "/host/answers"); $out->autoflush(1);
until (-e "/host/enough") {
  my $server = $ARGV[0] =~ m{^/} ? IO::Socket::UNIX->new(Peer => $ARGV[0]) : IO::Socket::INET->new(PeerAddr => $ARGV[0]);
  if (!$server) { print $out "refused $!\n"; next }
  my $line = <$server>; print $out ($line // "lost\n"); select(undef, undef, undef, 0.002);
}
"""
# Ends when it has been sent SIGTERM and somebody writes to /host/leave, and writes down that it did.
SLOW = """[sh, -c, 'trap "cat /host/leave; echo slow >>/host/stopped; exit 0" TERM; while :; do sleep 1000 & wait $!; done']"""


def install(tree):
    """The package, or BELFRY_BINARY with the libraries that it needs and the units of this checkout."""
    binary = os.environ.get("BELFRY_BINARY")
    if not binary:
        tree.apt("update")
        tree.apt("install", tree.bring(package("belfry_*.deb")))
        return
    shutil.copy(binary, tree.root + "/usr/bin/belfry")
    needed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
    for path in re.findall(r"=> (/\S+)", needed):
        if not os.path.exists(tree.root + path) and not os.path.exists(tree.root + "/usr" + path):
            os.makedirs(os.path.dirname(tree.root + path), exist_ok=True)
            shutil.copy(path, tree.root + path)
    tree.run("ldconfig")
    for name, folder in (("belfry.service", "system"), ("belfry@.service", "system"), ("user/belfry.service", "user")):
        os.makedirs(f"{tree.root}/usr/lib/systemd/{folder}", exist_ok=True)
        shutil.copy(os.path.join(ROOT, "deploy/systemd", name), f"{tree.root}/usr/lib/systemd/{folder}/{os.path.basename(name)}")


class OnAMachine(unittest.TestCase):
    """One machine for all; each test has a stack of its own."""

    @classmethod
    def setUpClass(cls):
        if cls is OnAMachine:
            raise unittest.SkipTest("is what others are made of")
        if why := why_no_machine():
            raise unittest.SkipTest(why)
        cls.tree = Tree(cls)
        install(cls.tree)
        cls.tree.run("useradd", "--create-home", "tester")
        shutil.copy(os.path.join(SUPPORT, "belfry_activated_service"), cls.tree.root + WEB)
        cls.machine = Machine(cls, cls.tree)

    def setUp(self):
        for name in os.listdir(self.machine.host):
            if name not in ("console", "boot"):
                os.remove(self.host(name))
        self.addCleanup(self.machine.run, "sh", "-c", "touch /host/enough; systemctl kill --kill-whom=all --signal=KILL 'belfry*'; systemctl stop 'belfry*'; "
                        "systemctl reset-failed; rm -rf /etc/belfry/* /etc/systemd/system/*belfry*; systemctl daemon-reload", check=False)

    def host(self, name):
        return os.path.join(self.machine.host, name)

    def read(self, name):
        try:
            with open(self.host(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def touch(self, name):
        open(self.host(name), "w", encoding="ascii").close()

    def write(self, path, text):
        with open(self.host("file"), "w", encoding="utf-8") as file:
            file.write(text)
        self.machine.run("install", "-D", "-m", "644", "/host/file", path)

    def stack(self, services, top="name: test"):
        self.write("/etc/belfry/belfry.yaml", f"{top}\nservices:\n{services}\n")

    def unit(self, name, text):
        self.write("/etc/systemd/system/" + name, text)
        self.machine.run("systemctl", "daemon-reload")

    def drop_in(self, text):
        self.unit("belfry.service.d/test.conf", "[Service]\n" + text)

    def show(self, name):
        return self.machine.show("belfry", name)

    def start(self):
        self.machine.run("systemctl", "start", "belfry")
        self.assertEqual(self.show("ActiveState"), "active")

    def pid(self, service):
        return str(next(one["pid"] for one in json.loads(self.machine.run("belfry", "status", "--json").stdout)["services"] if one["name"] == service))

    def pids(self):
        """Everybody in the unit."""
        group = self.show("ControlGroup")
        return self.machine.run("sh", "-c", f"cat $(find /sys/fs/cgroup{group} -name cgroup.procs)").stdout.split() if group else []

    def said(self, text, since=""):
        """Whether belfry or systemd has said it in this test."""
        return text in self.machine.run("journalctl", "--quiet", "--no-pager", "--unit=belfry", f"--after-cursor={since}").stdout

    def cursor(self):
        return re.search(r"-- cursor: (\S+.*)", self.machine.run("journalctl", "--show-cursor", "--lines=1", "--no-pager").stdout)[1]


class Socket(OnAMachine):
    """Clients in the machine's own network; answers are the numbers of who served them."""

    def ask(self, address):
        self.client = subprocess.Popen(self.machine.words("perl", "-e", CLIENT, address), stdin=subprocess.DEVNULL)
        self.addCleanup(self.client.wait)
        self.addCleanup(self.touch, "enough")

    def answers(self):
        return self.read("answers").split("\n")[:-1]

    def served_by_another_after(self, *words):
        known = set(self.answers())
        self.machine.run(*words)
        until(lambda: [one for one in self.answers() if one.isdigit() and one not in known])

    def end_client(self):
        self.touch("enough")
        self.client.wait()
        return [one for one in self.answers() if not one.isdigit() and one != "lost"]


class SocketUnits(Socket):
    def web(self, listen, socket):
        self.stack(f"  web: {{command: {WEB}, listen: {listen}, ready: listen}}\n  other: {{command: [sleep, infinity]}}")
        self.unit("belfry.socket", f"[Socket]\n{socket}\n")

    def test_the_first_client_starts_belfry_and_is_served_by_a_service_that_has_the_socket_by_name(self):
        self.web("{http: '*:8080', app: 'unix:/run/app.sock'}", "ListenStream=8080\nFileDescriptorName=http")
        self.unit("app-belfry.socket", "[Socket]\nListenStream=/run/app.sock\nFileDescriptorName=app\nService=belfry.service\nSocketMode=0600")
        self.machine.run("systemctl", "start", "belfry.socket", "app-belfry.socket")
        self.assertEqual(self.show("ActiveState"), "inactive")
        self.ask("127.0.0.1:8080")
        until(self.answers)
        until(lambda: self.show("ActiveState") == "active")
        self.assertEqual(self.answers()[0], self.pid("web"))
        self.assertEqual(self.machine.run("stat", "-c", "%a", "/run/app.sock").stdout, "600\n")
        self.served_by_another_after("systemctl", "restart", "belfry")
        self.assertEqual(self.end_client(), [])
        self.machine.run("systemctl", "stop", "app-belfry.socket", "belfry.socket")

    def test_another_address_than_systemds_is_an_error_that_names_both(self):
        self.web("{http: '127.0.0.1:9090'}", "ListenStream=127.0.0.1:8080\nFileDescriptorName=http")
        since = self.cursor()
        self.machine.run("systemctl", "start", "belfry.socket")
        self.machine.run("systemctl", "start", "--no-block", "belfry")
        until(lambda: self.said("cannot listen on 127.0.0.1:9090: the service manager has passed the socket `http` as 127.0.0.1:8080", since))
        self.machine.run("systemctl", "stop", "belfry.socket")

    def test_a_socket_of_a_wrong_type_is_an_error_that_says_what_it_is(self):
        self.web("{http: '127.0.0.1:9090'}", "ListenSequentialPacket=/run/wrong\nFileDescriptorName=http")
        since = self.cursor()
        self.machine.run("systemctl", "start", "belfry.socket")
        self.machine.run("systemctl", "start", "--no-block", "belfry")
        until(lambda: self.said("has passed the socket `http` as a seqpacket unix socket at /run/wrong", since))
        self.machine.run("systemctl", "stop", "belfry.socket")


class Store(Socket):
    LISTEN = "{http: '127.0.0.1:8080', app: 'unix:/run/belfry/app.sock'}"

    def web(self, listen=LISTEN):
        self.stack(f"  web: {{command: {WEB}, listen: {listen}, ready: listen}}\n  other: {{command: [sleep, infinity]}}")

    def stored(self):
        return int(self.show("NFileDescriptorStore"))

    def test_nobody_is_refused_while_belfry_is_restarted_or_killed(self):
        for address in ("127.0.0.1:8080", "/run/belfry/app.sock"):
            with self.subTest(address=address):
                self.web()
                self.start()
                until(lambda: self.stored() == 2)
                self.ask(address)
                until(self.answers)
                for _ in range(3):
                    self.served_by_another_after("systemctl", "restart", "belfry")
                self.served_by_another_after("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "belfry")
                self.assertEqual(self.end_client(), [])
                self.assertEqual(self.stored(), 2)
                self.machine.run("systemctl", "stop", "belfry")
                for name in ("answers", "enough"):
                    os.remove(self.host(name))

    def test_what_the_file_does_not_want_any_more_is_closed_at_the_restart(self):
        self.web()
        self.start()
        until(lambda: self.stored() == 2)
        self.web("{http: '127.0.0.1:8081'}")
        self.machine.run("systemctl", "restart", "belfry")
        until(lambda: self.stored() == 1)
        refused = self.machine.run("perl", "-MIO::Socket", "-e", 'exit !!IO::Socket::INET->new(PeerAddr => "127.0.0.1:8080")', check=False)
        self.assertEqual(refused.returncode, 0)
        self.assertFalse(self.machine.run("test", "-e", "/run/belfry/app.sock", check=False).returncode == 0)

    def test_a_stop_of_the_service_or_of_the_unit_leaves_nothing_in_the_store(self):
        self.web()
        self.start()
        until(lambda: self.stored() == 2)
        self.machine.run("belfry", "stop", "web")
        until(lambda: self.stored() == 0)
        self.machine.run("belfry", "start", "web")
        until(lambda: self.stored() == 2)
        self.machine.run("systemctl", "stop", "belfry")
        self.assertEqual(self.stored(), 0)
        self.start()  # over the socket file that is left


class Talk(OnAMachine):
    def setUp(self):
        super().setUp()
        os.mkfifo(self.host("leave"))

    def let_it_leave(self):
        """Once it waits for that; a writer that comes before the reader is sent away."""
        until(self.is_let_leave)

    def is_let_leave(self):
        try:
            os.close(os.open(self.host("leave"), os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return False
        return True

    def test_a_reload_is_seen_from_its_begin_to_its_end(self):
        self.stack(f"  slow: {{command: {SLOW}, stop: {{timeout: 60s}}}}")
        self.start()
        self.stack("  slow: {command: [sleep, infinity]}")
        reload = subprocess.Popen(self.machine.words("systemctl", "reload", "belfry"), stdin=subprocess.DEVNULL)
        self.addCleanup(reload.wait)
        until(lambda: self.show("ActiveState") == "reloading")
        self.assertIsNone(reload.poll())
        self.let_it_leave()
        self.assertEqual(reload.wait(), 0)
        until(lambda: self.show("ActiveState") == "active")
        until(lambda: self.show("StatusText") == "1 of 1 services ready")

    def test_a_reload_that_nobody_asked_systemd_for_is_seen_too(self):
        self.stack(f"  slow: {{command: {SLOW}, stop: {{timeout: 60s}}}}")
        self.start()
        self.stack("  slow: {command: [sleep, infinity]}")
        self.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=HUP", "belfry")
        until(lambda: self.show("ActiveState") == "reloading")
        self.let_it_leave()
        until(lambda: self.show("ActiveState") == "active")

    def test_systemds_own_reload_needs_no_command(self):
        version = int(re.search(r"systemd (\d+)", self.machine.run("systemctl", "--version").stdout)[1])
        if version < 253:
            self.skipTest(f"systemd {version} has no Type=notify-reload: BELFRY_ROOT may name the root of a newer Debian")
        self.stack(f"  slow: {{command: {SLOW}, stop: {{timeout: 60s}}}}")
        self.drop_in("Type=notify-reload\nExecReload=\n")
        self.start()
        self.stack("  slow: {command: [sleep, infinity]}")
        reload = subprocess.Popen(self.machine.words("systemctl", "reload", "belfry"), stdin=subprocess.DEVNULL)
        self.addCleanup(reload.wait)
        until(lambda: self.show("SubState") == "reload-notify")  # RELOADING=1 was taken for the answer to the signal
        self.assertIsNone(reload.poll())
        self.let_it_leave()
        self.assertEqual(reload.wait(), 0)
        self.machine.run("systemctl", "reload", "belfry")  # of nothing new
        self.stack("  slow: {comand: x}")
        self.machine.run("systemctl", "reload", "belfry")  # the signal cannot tell that it was refused; the status does
        self.assertIn("cannot", self.show("StatusText"))
        self.assertEqual(self.show("ActiveState"), "active")

    def test_a_stop_that_takes_longer_than_TimeoutStopSec_is_given_the_time_that_belfry_asks_for(self):
        self.stack(f"  slow: {{command: {SLOW}, stop: {{timeout: 20s}}}}")
        self.drop_in("TimeoutStopSec=5s\n")
        self.start()
        stop = subprocess.Popen(self.machine.words("systemctl", "stop", "belfry"), stdin=subprocess.DEVNULL)
        self.addCleanup(stop.wait)
        until(lambda: self.show("StatusText") == "stopping: SIGTERM")
        self.assertEqual(self.show("ActiveState"), "deactivating")
        began = time.monotonic()
        until(lambda: time.monotonic() > began + 7)
        self.let_it_leave()
        stop.wait()
        self.assertEqual((self.show("Result"), self.read("stopped")), ("success", "slow\n"))

    def test_a_service_that_ignores_its_stop_is_killed_by_belfry_within_TimeoutStopSec(self):
        self.stack("  deaf: {command: [sh, -c, 'trap \"\" TERM; while :; do sleep 1; done'], stop: {timeout: 1s}}")
        self.start()
        since = self.cursor()
        self.machine.run("systemctl", "stop", "belfry")
        self.assertEqual(self.show("Result"), "success")
        self.assertFalse(self.said("State 'stop-sigterm' timed out", since))
        self.assertEqual(self.show("ControlGroup"), "")

    def test_kill_of_the_whole_unit_leaves_nobody(self):
        self.stack("  a: {command: [sleep, infinity]}\n  b: {command: [sh, -c, 'sleep 1000 & setsid sleep 1000 & wait']}\n  c: {command: [sleep, infinity], cgroup: {pids_max: 20}}")
        self.drop_in("Restart=no\n")
        for whom in ("all", "main"):
            with self.subTest(whom=whom):
                self.start()
                until(lambda: len(self.pids()) >= 6)
                everybody = self.pids()
                self.machine.run("systemctl", "kill", f"--kill-whom={whom}", "--signal=KILL", "belfry")
                until(lambda: self.show("ActiveState") == "failed")
                left = self.machine.run("sh", "-c", "ls -d " + " ".join(f"/proc/{pid}" for pid in everybody), check=False).stdout
                self.assertEqual((left, self.show("ControlGroup")), ("", ""))
                self.machine.run("systemctl", "reset-failed", "belfry")

    def test_a_watchdog_that_is_not_answered_ends_everybody_and_starts_belfry_again(self):
        self.stack("  a: {command: [sh, -c, 'setsid sleep 1000 & wait']}")
        self.drop_in("WatchdogSec=2s\nTimeoutAbortSec=2s\n")
        self.start()
        before = self.pids()
        since = self.cursor()
        self.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "belfry")
        until(lambda: self.show("NRestarts") == "1" and self.show("ActiveState") == "active")
        self.assertTrue(self.said("Watchdog timeout (limit 2s)!", since))
        left = self.machine.run("sh", "-c", "ls -d " + " ".join(f"/proc/{pid}" for pid in before), check=False).stdout
        self.assertEqual(left, "")

    def test_a_cgroup_is_within_the_unit_where_that_is_delegated_and_missed_where_not(self):
        self.stack("  small: {command: [sleep, infinity], cgroup: {pids_max: 20}}")
        for delegate, found in (("yes", True), ("no", False)):
            with self.subTest(delegate=delegate):
                self.drop_in(f"Delegate={delegate}\n")
                since = self.cursor()
                self.start()
                group = self.show("ControlGroup")
                leaf = self.machine.run("sh", "-c", f"ls -d /sys/fs/cgroup{group}/belfry-test-*/service-small", check=False).returncode == 0
                self.assertEqual(leaf, found)
                self.assertEqual(self.said("cannot apply `cgroup` of small, running without: ", since) and self.said("(say Delegate=yes)", since), not found)
                self.machine.run("systemctl", "stop", "belfry")


class OneOff(OnAMachine):
    """Stacks without a unit file: systemd-run."""

    def setUp(self):
        super().setUp()
        self.stack("  db: {command: [sleep, infinity], ready: {file: /host/go}}\n  left: {command: [sh, -c, 'setsid sleep 1000 & wait']}")

    def run_one(self, *words, check=False):
        return self.machine.run("systemd-run", "--quiet", "--unit=one-off", *words, check=check)

    def assert_gone(self):
        self.assertEqual(self.machine.show("one-off", "ControlGroup"), "")
        self.machine.run("systemctl", "reset-failed", "one-off", check=False)

    def test_exec_gives_output_and_exit_code_through_the_pipe(self):
        self.touch("go")
        done = self.run_one("--pipe", "--wait", "--collect", "belfry", "exec", "-c", "/etc/belfry/belfry.yaml", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((done.returncode, done.stdout), (7, "out\n"))
        self.assertIn("err\n", done.stderr)
        self.assert_gone()

    def test_a_stack_is_a_unit_that_is_started_when_it_is_ready(self):
        started = subprocess.Popen(self.machine.words("systemd-run", "--quiet", "--unit=one-off", "--property=Type=notify", "--property=Delegate=yes", "--property=KillMode=mixed",
                                                      "belfry", "run", "-c", "/etc/belfry/belfry.yaml"), stdin=subprocess.DEVNULL)
        self.addCleanup(started.wait)
        until(lambda: "db" in self.machine.show("one-off", "StatusText"))
        self.assertIsNone(started.poll())
        self.touch("go")
        self.assertEqual(started.wait(), 0)
        self.assertEqual(self.machine.show("one-off", "ActiveState"), "active")
        self.machine.run("systemctl", "stop", "one-off")
        self.assert_gone()

    def test_a_scope_of_its_own_leaves_nobody_either(self):
        self.touch("go")
        done = self.run_one("--scope", "--property=Delegate=yes", "belfry", "exec", "-c", "/etc/belfry/belfry.yaml", "--", "sh", "-c", "exit 5")
        self.assertEqual(done.returncode, 5)
        until(lambda: self.machine.show("one-off.scope", "ActiveState") != "active")
        self.assertNotIn("sleep", self.machine.run("sh", "-c", "cat /proc/[0-9]*/comm", check=False).stdout.split())


class Users(OnAMachine):
    def setUp(self):
        super().setUp()
        self.user = f"user@{self.machine.uid('tester')}.service"
        self.machine.run("systemctl", "start", self.user)
        self.addCleanup(self.machine.run, "systemctl", "stop", self.user)

    def as_user(self, *words, check=True):
        return self.machine.run(*words, check=check, user="tester")

    def test_the_users_unit_reloads_keeps_its_sockets_and_stops(self):
        text = f"name: mine\nservices: {{web: {{command: {WEB}, listen: '127.0.0.1:8090', ready: listen}}}}\n"
        self.write("/home/tester/.config/belfry/belfry.yaml", text)
        self.machine.run("chown", "-R", "tester:", "/home/tester")
        self.as_user("systemctl", "--user", "start", "belfry")
        until(lambda: self.machine.show("belfry", "NFileDescriptorStore", user="tester") == "1")
        self.write("/home/tester/.config/belfry/belfry.yaml", text + "  # changed\n")
        self.as_user("systemctl", "--user", "reload", "belfry")
        self.as_user("systemctl", "--user", "restart", "belfry")
        self.assertEqual(self.machine.show("belfry", "NFileDescriptorStore", user="tester"), "1")
        self.as_user("systemctl", "--user", "stop", "belfry")
        self.assertEqual(self.machine.show("belfry", "Result", user="tester"), "success")

    def test_a_one_off_stack_of_a_user(self):
        self.write("/home/tester/belfry.yaml", "name: one\nservices: {db: {command: [sleep, infinity]}}\n")
        self.machine.run("chown", "-R", "tester:", "/home/tester")
        done = self.as_user("systemd-run", "--user", "--quiet", "--pipe", "--wait", "--collect", "belfry", "exec", "-c", "/home/tester/belfry.yaml", "--", "sh", "-c", "id -un; exit 3",
                            check=False)
        self.assertEqual((done.returncode, done.stdout), (3, "tester\n"))


if __name__ == "__main__":
    unittest.main()
