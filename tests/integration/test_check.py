"""`belfry check` and `belfry import` as a user meets them: formats, files that are none, `.env`, pipes."""
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from harness import BELFRY, ROOT, belfry

NOT_YET = "services:\n  web: {command: sleep 1, tty: true, log: inherit}\n"


class Folder(unittest.TestCase):
    def setUp(self):
        self.path = tempfile.mkdtemp(prefix="belfry-check-")
        self.addCleanup(shutil.rmtree, self.path)

    def write(self, name, text):
        path = os.path.join(self.path, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path


class Check(Folder):
    def test_what_this_version_cannot_do_is_said_in_every_format(self):
        path = self.write("belfry.yaml", NOT_YET)
        said = belfry("check", path)
        self.assertEqual(said.returncode, 65, said.stderr)
        self.assertIn(f"{path}:2:3: error: cannot use `tty` together with `log: inherit`", said.stderr)
        self.assertIn("1 error\n", said.stderr)
        answer = belfry("check", "--format", "json", path)
        self.assertEqual((answer.returncode, answer.stderr), (65, ""))
        found = json.loads(answer.stdout)["diagnostics"]
        self.assertEqual([(one["code"], one["range"]["start"]) for one in found],
                         [("not-yet", {"line": 1, "character": 2})])
        answer = belfry("check", "--format", "sarif", path)
        self.assertEqual((answer.returncode, answer.stderr), (65, ""))
        found = json.loads(answer.stdout)["runs"][0]["results"]
        self.assertEqual([one["ruleId"] for one in found], ["not-yet"])
        self.assertEqual(belfry("run", "-c", path).returncode, 65)

    def test_variables_come_from_the_environment_and_then_from_dot_env(self):
        path = self.write("belfry.yaml", "services:\n  web: {command: 'sleep ${TIME:?no time} ${UNIT:?no unit}'}\n")
        self.assertEqual(belfry("check", path).returncode, 65)
        self.write(".env", "UNIT=1\nTIME=not-this\n")
        said = belfry("check", path, env={**os.environ, "TIME": "1"})
        self.assertEqual((said.returncode, said.stdout), (0, "ok: 1 service\n"), said.stderr)

    def test_a_file_may_come_through_a_pipe_and_is_bounded(self):
        said = subprocess.run([BELFRY, "check", "/dev/stdin"], input="services: {a: {comand: sleep}}\n", text=True,
                              capture_output=True, timeout=30, check=False)
        self.assertEqual(said.returncode, 65)
        self.assertIn("/dev/stdin:1:16: error:", said.stderr)
        with subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE) as endless:
            said = subprocess.run([BELFRY, "check", "/dev/stdin"], stdin=endless.stdout, text=True,
                                  capture_output=True, timeout=30, check=False)
            endless.stdout.close()
            endless.terminate()
        self.assertEqual(said.returncode, 65)
        self.assertIn("larger than", said.stderr)

    def test_what_is_no_file_is_refused_at_once(self):
        fifo = os.path.join(self.path, "fifo")
        os.mkfifo(fifo)
        for name, why in (("/dev/zero", "device"), (self.path, "directory")):
            said = belfry("check", name)
            self.assertEqual(said.returncode, 65, said.stderr)
            self.assertIn(why, said.stderr)
        for keys in (f"env_file: {fifo}", f"secrets: {{A: {fifo}}}", "env_file: /dev/zero"):
            said = belfry("check", self.write("belfry.yaml", f"services: {{a: {{command: sleep 1, {keys}}}}}\n"))
            self.assertEqual(said.returncode, 65, said.stderr)
            self.assertIn("help: name a regular file", said.stderr)


    def test_an_optional_dependency_may_be_in_another_file(self):
        path = self.write("belfry.yaml", "services:\n  a: {command: sleep 1, depends_on: {b: {required: false}}}\n")
        for options in ((), ("--strict",)):
            said = belfry("check", *options, path)
            self.assertEqual((said.returncode, said.stdout), (0, "ok: 1 service\n"), said.stderr)
            self.assertIn(f"{path}:2:38: remark: `a` depends on `b`, which does not exist here", said.stderr)

    def test_what_cannot_run_here_is_a_warning_and_with_strict_an_error(self):
        script = self.write("crlf.sh", "#!/bin/sh\r\nexit 0\r\n")
        os.chmod(script, 0o755)
        holder = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(holder.close)
        port = holder.getsockname()[1]
        path = self.write("belfry.yaml", f"""services:
  crlf: {{command: ./crlf.sh}}
  gone: {{command: no-such-program-anywhere}}
  shy:
    command: sleep 1
    user: no-such-user-here
  lost: {{command: sleep 1, working_dir: /no/such/directory}}
  late: {{command: sleep 1, ready: {{port: {port}}}}}
""")
        said = belfry("check", path)
        self.assertEqual(said.returncode, 0, said.stderr)
        for place, words in (("2:19", "its first line ends with CRLF"), ("3:19", "is in no directory of the service's $PATH"),
                             ("6:11", "no such user"), ("7:41", "does not exist"), ("8:42", f"port {port} is not free here")):
            self.assertRegex(said.stderr, rf"belfry\.yaml:{place}: warning: .*{re.escape(words)}")
        self.assertEqual(said.stderr.count("^"), 5, said.stderr)
        strict = belfry("check", "--strict", path)
        self.assertEqual(strict.returncode, 65, strict.stderr)
        self.assertEqual(strict.stderr.count(": error: "), 5, strict.stderr)

    def test_the_path_is_that_of_the_service(self):
        os.mkdir(os.path.join(self.path, "bin"))
        tool = self.write("bin/tool-of-its-own", "#!/bin/sh\n")
        os.chmod(tool, 0o755)
        keys = f"command: tool-of-its-own, environment: {{PATH: '{self.path}/bin'}}"
        said = belfry("check", self.write("belfry.yaml", f"services: {{a: {{{keys}}}}}\n"))
        self.assertEqual((said.returncode, said.stderr), (0, ""))

    def test_no_secret_and_no_line_of_a_foreign_file_is_shown(self):
        for name, text in (("shadow", "root:$6$salt$hunter2:19000:0:99999:7:::\n"), ("key.json", '{"token": "hunter2", '),
                           ("belfry.yaml", "services:\n  a:\n    command: x\n    environment: {PW: hunter2, PW: hunter2}\n"
                                           "    ready: {http: 'http://joe:hunter2@h/'}\n")):
            path = self.write(name, text)
            for form in ("text", "json", "sarif"):
                said = belfry("check", "--format", form, path)
                self.assertEqual(said.returncode, 65, said.stderr)
                self.assertNotIn("hunter2", said.stdout + said.stderr, name)
            said = belfry("run", "-c", path)
            self.assertEqual(said.returncode, 65)
            self.assertNotIn("hunter2", said.stdout + said.stderr, name)


class Import(Folder):
    COMPOSE = os.path.join(ROOT, "tests/config/import/airflow.compose.yaml")

    def test_what_it_prints_passes_check_and_the_rest_is_listed(self):
        result = belfry("import", "compose", self.COMPOSE)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("airflow.compose.yaml:180:1: warning: `volumes` is not carried over", result.stderr)
        self.assertTrue(result.stdout.startswith("# yaml-language-server: $schema=./belfry.schema.json\n"), result.stdout[:200])
        said = belfry("check", self.write("belfry.yaml", result.stdout))
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertIn("ok: 9 services", said.stdout)

    def test_a_dash_is_standard_input(self):
        with open(self.COMPOSE, encoding="utf-8") as file:
            text = file.read()
        answer = subprocess.run([BELFRY, "import", "compose", "-"], input=text, capture_output=True, text=True, timeout=30,
                                check=False)
        self.assertEqual((answer.returncode, answer.stdout), (0, belfry("import", "compose", self.COMPOSE).stdout))

    def test_what_cannot_be_read_is_66_and_what_is_not_such_a_file_65(self):
        self.assertEqual(belfry("import", "compose", os.path.join(self.path, "none")).returncode, 66)
        self.assertEqual(belfry("import", "compose", "/dev/zero").returncode, 66)
        answer = belfry("import", "compose", self.write("x.yaml", "processes: {}\n"))
        self.assertEqual((answer.returncode, answer.stdout), (65, ""))
        self.assertIn("the file has no services", answer.stderr)


class Graph(Folder):
    def test_times_choose_the_longest_chain(self):
        path = self.write("belfry.yaml", """services:
  db: {command: sleep 1}
  slow: {command: sleep 1}
  seed: {command: sleep 1, depends_on: [db]}
  api: {command: sleep 1, depends_on: [seed, slow]}
""")
        self.assertIn("longest chain: db → seed → api\n", belfry("graph", path).stdout)
        times = self.write("times", "slow 9s\ndb 1s\napi 500ms\n")
        self.assertIn("longest chain: slow 9s → api 500ms (9s500ms)\n", belfry("graph", "--times", times, path).stdout)
        answer = json.loads(belfry("graph", "--format", "json", "--times", times, path).stdout)
        self.assertEqual(answer["critical_path"], {"services": ["slow", "api"], "seconds": 9.5})
        said = belfry("graph", "--times", self.write("times", "db quick\n"), path)
        self.assertEqual(said.returncode, 65)
        self.assertIn("line 1", said.stderr)
        self.assertEqual(belfry("graph", "--times", "/nonexistent", path).returncode, 66)
