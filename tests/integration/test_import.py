"""`belfry import` of sets of files, and `belfry init`, as a user meets them."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import BELFRY, ROOT, belfry

SAMPLES = os.path.join(ROOT, "tests/config/import")
MODELINE = "# yaml-language-server: $schema=./belfry.schema.json\n"


class Folder(unittest.TestCase):
    def setUp(self):
        self.path = tempfile.mkdtemp(prefix="belfry-import-")
        self.addCleanup(shutil.rmtree, self.path)

    def write(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def read(self, name):
        with open(os.path.join(self.path, name), encoding="utf-8") as file:
            return file.read()

    def init(self, *arguments, code=0):
        answer = belfry("init", *arguments, cwd=self.path)
        self.assertEqual(answer.returncode, code, answer.stderr)
        return answer


class Units(Folder):
    def test_a_directory_is_one_source_with_its_drop_ins(self):
        answer = belfry("import", "systemd", os.path.join(SAMPLES, "shop.systemd"))
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertTrue(answer.stdout.startswith(MODELINE))
        self.assertIn("worker_mail:", answer.stdout)
        self.assertIn("--workers, \"8\"", answer.stdout)
        self.assertIn("shop.systemd/api.service:61:1: warning: `RestartSecs=` of `api.service`", answer.stderr)
        self.assertIn("api.service.d/override.conf:4:1: warning: the name that `@` gives", answer.stderr)

    def test_a_file_brings_its_drop_ins_and_its_socket_along(self):
        answer = belfry("import", "systemd", os.path.join(SAMPLES, "shop.systemd/api.service"))
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("LOG_LEVEL", answer.stdout)
        self.assertIn("*:8080", answer.stdout)

    def test_a_unit_comes_through_a_pipe(self):
        answer = subprocess.run([BELFRY, "import", "systemd", "-"], input="[Service]\nExecStart=/bin/true\n", text=True,
                                capture_output=True, timeout=30, check=False)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("command: [/bin/true]", answer.stdout)

    def test_what_is_no_such_file_is_66_and_what_has_no_services_65(self):
        os.mkdir(os.path.join(self.path, "none"))
        self.assertEqual(belfry("import", "systemd", os.path.join(self.path, "none")).returncode, 66)
        self.assertEqual(belfry("import", "systemd", os.path.join(self.path, "gone.service")).returncode, 66)
        self.assertEqual(belfry("import", "supervisord", self.write("s.conf", "[supervisord]\n")).returncode, 65)

    def test_what_it_writes_of_a_unit_really_runs(self):
        unit = self.write("a.service", "[Service]\nType=notify\nEnvironment=WHO=world \"OPTS=-a 'b c'\"\n"
                          "ExecStartPre=-/bin/false\n"
                          "ExecStart=/bin/sh -c 'echo \"hello ${WHO} $$#: $$*\"; exec python3 -c \"import os,socket,time; "
                          "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.sendto(b\\'READY=1\\',os.environ[\\'NOTIFY_SOCKET\\']); "
                          "time.sleep(600)\"' sh ${OPTS} x\n")
        answer = belfry("import", "systemd", unit)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        path = self.write("belfry.yaml", answer.stdout)
        ran = belfry("exec", "-c", path, "--", "echo", "all of it", cwd=self.path)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertIn("hello world 2: -a 'b c' x", ran.stderr)


class Supervisord(Folder):
    def test_what_it_writes_really_runs_and_counts_as_supervisord_does(self):
        # Each says who it is to whoever opens the pipe of its name.
        conf = self.write("s.conf", "[program:a]\ncommand=/bin/sh -c 'echo \"$0 $WHO\" >$0; exec sleep 600' n%(process_num)02d ; note\n"
                          "numprocs=2\nprocess_name=%(program_name)s%(process_num)d\nenvironment=WHO=\"w x\"\n")
        for name in ("n00", "n01"):
            os.mkfifo(os.path.join(self.path, name))
        answer = belfry("import", "supervisord", conf)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        path = self.write("belfry.yaml", answer.stdout)
        ran = belfry("exec", "-c", path, "--", "cat", "n00", "n01", cwd=self.path)
        self.assertEqual((ran.returncode, ran.stdout), (0, "n00 w x\nn01 w x\n"), ran.stderr)


class Init(Folder):
    def test_an_empty_directory_gets_a_file_that_runs(self):
        answer = self.init()
        self.assertIn("found nothing that says what runs", answer.stderr)
        self.assertIn("wrote belfry.yaml: 2 services\nnext: belfry check belfry.yaml", answer.stderr)
        self.assertTrue(self.read("belfry.yaml").startswith(MODELINE))
        ran = belfry("exec", "--", "echo", "all of it", cwd=self.path)
        self.assertEqual((ran.returncode, ran.stdout), (0, "all of it\n"), ran.stderr)

    def test_a_file_that_is_there_stays(self):
        for name in ("belfry.yaml", "belfry.yml"):
            with self.subTest(name=name):
                self.write(name, "mine\n")
                answer = self.init(code=71)
                self.assertIn(f"cannot write {name}: it is there already", answer.stderr)
                self.assertIn("--force", answer.stderr)
                self.assertEqual(self.read(name), "mine\n")
                os.remove(os.path.join(self.path, name))
        self.write("belfry.yaml", "mine\n")
        self.init("--force")
        self.assertIn("services:", self.read("belfry.yaml"))
        os.symlink("gone", os.path.join(self.path, "link.yaml"))
        self.init("-o", "link.yaml", code=71)
        self.assertFalse(os.path.exists(os.path.join(self.path, "gone")))

    def test_standard_output_and_another_directory(self):
        self.write("shop/Procfile", "web: ./web\n")
        shown = self.init("--output", "-", "shop")
        self.assertTrue(shown.stdout.startswith(MODELINE))
        self.assertIn("found Procfile: web", shown.stderr)
        self.assertNotIn("wrote", shown.stderr)
        self.init("shop")
        self.assertEqual(self.read("shop/belfry.yaml"), shown.stdout)
        self.assertEqual(self.init("gone", code=66).stdout, "")

    def test_compose_with_scripts(self):
        self.write("docker-compose.yml", "services:\n  db:\n    command: sleep 600\n    x-note: 1\n    privileged: true\n")
        self.write("package.json", json.dumps({"scripts": {"build": "tsc", "dev": "vite --port 5173"}}, indent="\t"))
        self.write("yarn.lock", "")
        self.write("Makefile", "serve: build\n\tyarn dev\n")
        answer = self.init()
        self.assertIn("docker-compose.yml:5:5: warning: `privileged`", answer.stderr)
        self.assertIn("found docker-compose.yml: db\nfound package.json: dev\nleft Makefile:1: `serve`", answer.stderr)
        self.assertIn("command: [yarn, run, dev]", self.read("belfry.yaml"))
        self.assertEqual(belfry("check", cwd=self.path).returncode, 0)

    def test_a_file_that_is_broken_is_told_and_passed_over(self):
        self.write("compose.yaml", "services: [\n")
        self.write("justfile", "serve:\n  ./serve\n")
        answer = self.init()
        self.assertIn("left compose.yaml: not understood", answer.stderr)
        self.assertIn("compose.yaml:", answer.stderr)
        self.assertIn("[just, serve]", self.read("belfry.yaml"))

    def test_a_directory_that_cannot_be_written_is_said(self):
        answer = self.init("-o", "gone/belfry.yaml", code=71)
        self.assertIn("cannot write gone/belfry.yaml: No such file or directory", answer.stderr)


if __name__ == "__main__":
    unittest.main()
