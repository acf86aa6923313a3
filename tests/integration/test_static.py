"""A static belfry alone: in a root with nothing in it but itself, a static service and a file.

These scenarios are there when BELFRY is a static build (tests/run --static), and only then.
"""
import os
import shutil
import signal
import subprocess
import tempfile

import harness
from harness import BELFRY, PATIENCE, ROOT, SAMPLE, Scenario, belfry, free_port, is_static

IS_STATIC = is_static()
AS_PID_1 = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--root")
# What loads libraries, asks NSS or the resolver of glibc: not one of them may be in the file.
FORBIDDEN = {"dlopen_doit", "_dl_open", "__nss_lookup_function", "__nss_module_load", "getpwnam_r",
             "getpwuid_r", "getgrnam_r", "getgrouplist", "gethostbyname_r", "__res_context_send"}


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class StaticFile(Scenario):
    def test_it_asks_for_no_loader_and_no_library(self):
        self.assertNotIn("INTERP", output_of("readelf", "--program-headers", "--wide", BELFRY))
        self.assertNotIn("NEEDED", output_of("readelf", "--dynamic", "--wide", BELFRY))

    def test_nothing_that_would_load_a_module_of_glibc_is_in_it(self):
        symbols = {line.split()[-1] for line in output_of("nm", BELFRY).splitlines()}
        self.assertIn("belfry_before_libc", symbols)  # a stripped file would pass
        self.assertEqual(symbols & FORBIDDEN, set())

    def test_its_first_system_call_blocks_signals(self):
        folder = tempfile.mkdtemp(prefix="belfry-it-")
        self.addCleanup(shutil.rmtree, folder)
        tool = os.path.join(folder, "until_blocked")
        source = os.path.join(ROOT, "tests/support/until_blocked.c")
        subprocess.run(["clang-19", "-D_GNU_SOURCE", "-O1", "-o", tool, source], check=True)
        for command in ("run", "exec"):
            microseconds, calls = map(int, output_of(tool, BELFRY, command, "-c", "/nothing").split())
            self.assertEqual(calls, 1)
            self.assertLess(microseconds, 1000)
        # Whoever only asks can be interrupted as ever.
        asking = subprocess.run([tool, BELFRY, "check", "/nothing"], capture_output=True, text=True, check=False)
        self.assertEqual(asking.returncode, 1, asking.stdout)
        self.assertIn("without blocking", asking.stderr)


class Rooted(Scenario):
    def alone(self, services, **files):
        """A stack whose folder is the root in which it will run; `files` go below its /etc."""
        stack = self.stack(services)
        for source, name in ((BELFRY, "belfry"), (SAMPLE, "sample")):
            shutil.copy(source, os.path.join(stack.path, name))
        with open(stack.file, encoding="utf-8") as file:
            text = file.read().replace(SAMPLE, "/sample").replace(stack.path, "")
        with open(stack.file, "w", encoding="utf-8") as file:
            file.write(text)
        for name, text in files.items():
            place = os.path.join(stack.path, "etc", name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8") as file:
                file.write(text)
        return stack

    def start(self, stack, *wrapper, **environment):
        stack.process = subprocess.Popen([*wrapper, stack.path, "/belfry", "run", "-c", "/belfry.yaml"], env={
            "PATH": os.environ["PATH"], **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        stack.output = harness.Output(stack.process.stdout)
        return stack

    def assert_ends_in_order(self, stack, pid):
        stack.seen |= harness.descendants(stack.process.pid)
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(stack.exit_code(), 0, stack.output.text())
        self.assertEqual(stack.survivors(), set())
        self.assertLess(stack.event("api", "term"), stack.event("db", "term"))

    def child_of(self, stack):
        with open(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children", encoding="ascii") as file:
            return int(file.read().split()[0])

class EmptyRoot(Rooted):
    def test_as_pid_1_it_brings_a_stack_up_and_down_in_order(self):
        port = free_port()
        stack = self.alone(f"""
  db: {{command: $SAMPLE --name db --port {port}, ready: {{port: {port}}}}}
  api: {{command: $SAMPLE --name api --notify, ready: notify, depends_on: [db]}}
""")
        os.mkdir(os.path.join(stack.path, "proc"))
        self.start(stack, *AS_PID_1)
        self.assertLess(stack.event("db", "main"), stack.event("api", "main"))
        stack.event("api", "ready")
        self.assertEqual(stack.wait("api"), 200, stack.output.text())
        self.assert_ends_in_order(stack, self.child_of(stack))

    def test_without_proc_and_without_any_directory(self):
        stack = self.alone("""
  db: {command: $SAMPLE --name db --notify, ready: notify}
  api: {command: $SAMPLE --name api --notify, ready: notify, depends_on: [db]}
""")
        self.start(stack, "chroot")
        stack.event("api", "ready")
        self.assertEqual(stack.wait("api"), 200, stack.output.text())
        self.assert_ends_in_order(stack, stack.process.pid)


class Users(Rooted):
    def who_runs(self, stack, name):
        pid = stack.services()[name]["pid"]
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            fields = dict(line.rstrip("\n").split(":", 1) for line in file)
        return fields["Uid"].split()[0], fields["Gid"].split()[0], fields["Groups"].split()

    def test_are_those_of_etc_passwd_and_etc_group(self):
        stack = self.alone("\n  a: {command: $SAMPLE --name a, user: web}\n  b: {command: $SAMPLE --name b, user: '77', group: logs}\n",
                           passwd="root:x:0:0::/:/bin/sh\nweb:x:4711:4712:Web:/:/bin/sh\n",
                           group="web:x:4712:\nlogs:x:4713:other,web\n")
        self.start(stack, "chroot")
        stack.event("a", "main")
        stack.event("b", "main")
        self.assertEqual(self.who_runs(stack, "a"), ("4711", "4712", ["4712", "4713"]))
        self.assertEqual(self.who_runs(stack, "b"), ("77", "4713", ["4713"]))
        self.assert_clean_end(stack)

    def test_without_those_files_a_name_is_nobody_and_a_number_does(self):
        stack = self.alone("\n  a: {command: $SAMPLE --name a, user: web}\n  b: {command: $SAMPLE --name b, user: '77'}\n")
        checked = subprocess.run(["chroot", stack.path, "/belfry", "check", "/belfry.yaml"], capture_output=True, text=True,
                                 timeout=PATIENCE, check=False)
        self.assertIn("a static belfry reads /etc/passwd and /etc/group only", checked.stdout + checked.stderr)
        self.start(stack, "chroot")
        stack.event("b", "main")
        self.assertEqual(self.who_runs(stack, "b"), ("77", "77", ["77"]))
        stack.output.index_of('unknown user "web"')
        stack.stop()


class Authorities(Rooted):
    def test_of_the_root_are_believed_and_no_others(self):
        folder = tempfile.mkdtemp(prefix="belfry-it-")
        self.addCleanup(shutil.rmtree, folder)
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        port = free_port()
        server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-key", key, "-cert", certificate, "-www"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        while "ACCEPT" not in server.stdout.readline():
            self.assertIsNone(server.poll())
        services = (f"\n  a: {{command: $SAMPLE --name a, ready: {{http: 'https://127.0.0.1:{port}/', owner: any, timeout: 20s}}}}\n")
        with open(certificate, encoding="ascii") as file:
            trusting = self.alone(services, **{"ssl/certs/ca-certificates.crt": file.read()})
        self.start(trusting, "chroot")
        trusting.output.index_of("a is ready")
        self.assert_clean_end(trusting)
        wary = self.alone(services)
        self.start(wary, "chroot")
        wary.event("a", "main")
        self.assertEqual(wary.wait("a", timeout="1s"), 504)
        self.assertIn("certificate", wary.get("/v1/services")[1])
        self.assert_clean_end(wary)


def load_tests(_loader, tests, _pattern):
    """None of them with a dynamic belfry."""
    return tests if IS_STATIC else type(tests)()
