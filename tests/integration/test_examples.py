"""The files people start from are right and do what they say (the pages: test_docs.py)."""
import glob
import http.client
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BELFRY, PATIENCE, ROOT, SAMPLE, Scenario, belfry, free_port

EXAMPLES = os.path.join(ROOT, "config", "examples")


class Examples(Scenario):
    def test_every_example_passes_check(self):
        files = sorted(glob.glob(f"{EXAMPLES}/*.yaml"))
        self.assertTrue(files)
        for file in files:
            with self.subTest(file=os.path.basename(file)):
                result = belfry("check", file)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_quickstart_stack_comes_up_and_shows_its_table(self):
        with open(f"{EXAMPLES}/quickstart.yaml", encoding="utf-8") as file:
            text = file.read()
        for port in sorted(set(re.findall(r"\b197\d\d\b", text))):
            text = text.replace(port, str(free_port()))
        stack = self.stack("")
        with open(stack.file, "w", encoding="utf-8") as out:
            out.write(re.sub(r"\S*/belfry_sample_service", SAMPLE, text))
        result = stack.cli("exec", "-c", stack.file, "--", BELFRY, "status")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        for name, state in (("db", "ready"), ("cache", "ready"), ("migrate", "completed"), ("api", "ready"), ("web", "ready")):
            self.assertRegex(result.stdout, rf"(?m)^{name}\s+{state}\b")


@unittest.skipUnless(os.path.exists("/usr/lib/postgresql/15/bin/initdb") and shutil.which("redis-server"), "needs the servers")
class Ci(Scenario):
    """ci.yaml is for any user: PostgreSQL alone refuses root."""
    COMMAND = "psql -h 127.0.0.1 -p $PORT_pg -U postgres -Atc 'select 6*7'; redis-cli -p $PORT_redis ping; echo data-$PORT_pg"

    def job(self, *wrapper):
        folder = tempfile.mkdtemp(prefix="belfry-ci-", dir="/tmp")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        os.chmod(folder, 0o777)
        shutil.copy(f"{EXAMPLES}/ci.yaml", folder)
        return subprocess.Popen([*wrapper, BELFRY, "exec", "-c", "ci.yaml", "--", "sh", "-c", self.COMMAND], cwd=folder, text=True,
                                env={**os.environ, "XDG_RUNTIME_DIR": folder}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def assert_done(self, job):
        output, _ = job.communicate(timeout=PATIENCE)
        self.assertEqual(job.returncode, 0, output)
        self.assertIn("\n42\n", output)
        self.assertIn("\nPONG\n", output)
        data = re.search(r"(?m)^data-(\d+)$", output).group(1)
        self.assertFalse(os.path.exists(f"/tmp/ci-pg-{data}"))

    def test_two_jobs_at_once_do_not_meet(self):
        jobs = [self.job(), self.job()]
        for job in jobs:
            self.assert_done(job)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_it_needs_no_root(self):
        self.assert_done(self.job("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))


class Container(Scenario):
    def test_a_kubelet_reaches_the_health_check(self):
        with open(f"{EXAMPLES}/container.yaml", encoding="utf-8") as file:
            listen = re.search(r"(?m)^http: .*$", file.read()).group()
        port = free_port()
        stack = self.stack("  app: {command: $SAMPLE --name app}", top=listen.replace("9600", str(port))).start()
        stack.event("app", "main")
        for address in ("127.0.0.1", "127.0.0.2"):  # another address than the usual one stands for the pod's
            client = http.client.HTTPConnection(address, port, timeout=PATIENCE)
            client.request("GET", "/livez")
            self.assertEqual(client.getresponse().status, 200)
            client.close()
        self.assert_clean_end(stack)
