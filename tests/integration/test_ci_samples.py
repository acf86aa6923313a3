"""action.yml, deploy/ci, deploy/devcontainer and .pre-commit-hooks.yaml: their commands run as the services that they are for would run them.

What those services' own tools say of the files is tests/npm_tools, which needs npm.
"""
import contextlib
import functools
import hashlib
import http.server
import json
import os
import platform
import re
import shutil
import subprocess
import threading

import yaml
from harness import BELFRY, PATIENCE, ROOT, SAMPLE, Scenario

# All that the samples use of the machine, but for belfry.
TOOLS = "bash cat chmod curl cut env grep head install mkdir mktemp mv rm sh sha256sum sleep tail true uname".split()
PASSES = """#!/bin/sh
belfry status --ready >/dev/null || exit 3
echo '<testsuites><testsuite name="shop"><testcase name="buys"/></testsuite></testsuites>' >junit.xml
echo tests have run
"""
FAILS = PASSES + "exit 9\n"
STACK = f"name: NAME\nservices:\n  db: {{command: {SAMPLE} --name db --notify, ready: notify}}\n"
BROKEN = f"name: NAME\nservices:\n  db: {{command: {SAMPLE} --name db --exit-code 4 --exit-after 1ms, ready: notify, restart: 'no'}}\n"
FRAGILE = f"name: NAME\nservices:\n  db: {{command: {SAMPLE} --name db --notify, ready: notify, restart: 'no'}}\n"
# Kills the stack's service behind belfry's back, and fails when belfry knows.
KILLS = "kill -9 $(belfry status db --json | grep -o '\"pid\": *[0-9]*' | cut -d: -f2); belfry wait --not --timeout 10s db; exit 1"


def sample(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


@functools.cache
def binary():
    with open(BELFRY, "rb") as file:
        return file.read()


@functools.cache
def sum_of(content):
    return hashlib.sha256(content).hexdigest()


class Releases:
    """Serves files on loopback, at the paths of a dictionary."""

    def __init__(self, case, files):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)  # how often it looks whether it should end
        thread.start()
        case.addCleanup(thread.join)
        case.addCleanup(server.server_close)
        case.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"


class Job(Scenario):
    """A folder that a CI service would have checked out, on a machine without belfry unless a test says otherwise."""

    def setUp(self):
        self.folder = self.stack("  none: {type: gate}").path
        self.workspace, self.tools = os.path.join(self.folder, "workspace"), os.path.join(self.folder, "tools")
        os.mkdir(self.workspace)
        os.mkdir(self.tools)
        for tool in TOOLS:
            self.assertIsNotNone(shutil.which(tool), f"there is no {tool}: run deploy/install-deps test")
            os.symlink(shutil.which(tool), os.path.join(self.tools, tool))
        self.environment = {"PATH": self.tools, "HOME": self.folder, "XDG_RUNTIME_DIR": self.folder, "XDG_STATE_HOME": self.folder, "LANG": "C.UTF-8"}
        self.checked_out(STACK, PASSES)
        self.addCleanup(self.take_down)

    def checked_out(self, stack, tests):
        with open(os.path.join(self.workspace, "belfry.yaml"), "w", encoding="utf-8") as file:
            file.write(stack.replace("NAME", os.path.basename(self.folder)))
        with open(os.path.join(self.workspace, "run-tests"), "w", encoding="utf-8") as file:
            file.write(tests)
        os.chmod(file.name, 0o755)

    def with_belfry(self):
        os.symlink(BELFRY, os.path.join(self.tools, "belfry"))

    def take_down(self):
        with contextlib.suppress(FileNotFoundError):
            subprocess.run([BELFRY, "down"], cwd=self.workspace, env=self.environment, capture_output=True, timeout=PATIENCE, check=False)

    def is_up(self):
        return subprocess.run([BELFRY, "status", "--ready"], cwd=self.workspace, env=self.environment, capture_output=True, check=False).returncode == 0

    def run_script(self, shell, script, **environment):
        done = subprocess.run([*shell, script], cwd=self.workspace, env=self.environment | environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
        self.said += done.stdout
        return done.returncode

    said = ""

    def made(self, name):
        with open(os.path.join(self.workspace, name), encoding="utf-8") as file:
            return file.read()


class GitHub(Job):
    """What GitHub's runner does with a job, as far as the samples use it."""

    BASH = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]

    def setUp(self):
        super().setUp()
        self.files = {name: os.path.join(self.folder, name) for name in ("GITHUB_PATH", "GITHUB_OUTPUT")}
        self.environment |= self.files | {"GITHUB_ACTION_PATH": ROOT, "RUNNER_TEMP": os.path.join(self.folder, "runner")}
        name = f"/OWNER/belfry/releases/download/TAG/belfry-linux-{platform.machine()}"
        self.releases = {name: binary(), name + ".sha256": f"{sum_of(binary())}  belfry".encode()}
        self.github = {"server_url": Releases(self, self.releases).url, "action_repository": "OWNER/belfry", "action_ref": "TAG"}

    def value(self, text, inputs):
        """`text` with its `${{ … }}`, of which the samples have references only."""
        def of(reference):
            context, _, name = reference[1].partition(".")
            return {"inputs": inputs, "github": self.github}[context][name]
        return re.sub(r"\$\{\{ (\S+) }}", of, text)

    def holds(self, condition, inputs, failed):
        if condition in ("always()", "failure()"):
            return condition == "always()" or failed
        if failed:
            return False
        if condition is None:
            return True
        name, operator, value = re.fullmatch(r"inputs\.(\S+) (==|!=) '(.*)'", condition).groups()
        return (inputs[name] == value) == (operator == "==")

    def run_steps(self, steps, inputs, failed=0):
        for step in steps:
            if not self.holds(step.get("if"), inputs, failed) or step.get("uses", "").startswith("actions/"):
                continue
            if step.get("uses") == "OWNER/belfry@TAG":
                code = self.run_action(step.get("with", {}))
            else:
                for file in self.files.values():
                    with open(file, "w", encoding="ascii"):
                        pass
                code = self.run_script(self.BASH, step["run"], **{name: self.value(value, inputs) for name, value in step.get("env", {}).items()})
                with open(self.files["GITHUB_PATH"], encoding="utf-8") as file:
                    self.environment["PATH"] = ":".join([*file.read().split(), self.environment["PATH"]])
                with open(self.files["GITHUB_OUTPUT"], encoding="utf-8") as file:
                    self.outputs = dict(line.split("=", 1) for line in file.read().splitlines()) | getattr(self, "outputs", {})
            failed = failed or code
        return failed

    def run_action(self, given):
        action = yaml.safe_load(sample("action.yml"))
        self.assertLessEqual(set(given), set(action["inputs"]))
        inputs = {name: given.get(name, self.value(one["default"], {})) for name, one in action["inputs"].items()}
        return self.run_steps(action["runs"]["steps"], inputs)

    def run_job(self, name):
        return self.run_steps(yaml.safe_load(sample("deploy/ci/github-workflow.yml"))["jobs"][name]["steps"], {})

    def test_one_command_runs_in_a_stack_that_is_ready_with_the_belfry_of_the_release(self):
        self.assertEqual(self.run_job("one-command"), 0, self.said)
        self.assertIn("tests have run\n", self.said)
        self.assertTrue(self.outputs["version"].startswith("belfry "), self.outputs)
        self.assertFalse(self.is_up())

    def test_several_steps_have_the_same_stack(self):
        self.assertEqual(self.run_job("several-steps"), 0, self.said)
        self.assertIn("tests have run\n", self.said)
        self.assertFalse(self.is_up())

    def test_the_steps_after_it_find_the_stack_up(self):
        self.with_belfry()
        self.assertEqual(self.run_action({}), 0, self.said)
        self.assertTrue(self.is_up())

    def test_a_command_that_fails_fails_the_step(self):
        self.with_belfry()
        self.checked_out(STACK, FAILS)
        self.assertEqual(self.run_action({"run": "./run-tests"}), 9, self.said)
        self.assertEqual(self.run_action({"run": "./run-tests", "verdict-code": "75"}), 9, self.said)

    def test_a_stack_that_is_to_blame_is_annotated_and_told_apart(self):
        self.with_belfry()
        self.checked_out(FRAGILE, PASSES)
        self.assertEqual(self.run_action({"run": KILLS, "verdict-code": "75"}), 75, self.said)
        self.assertIn("::error", self.said)

    def test_a_stack_that_cannot_get_ready_fails_the_job_and_is_explained(self):
        self.with_belfry()
        self.checked_out(BROKEN, PASSES)
        self.assertEqual(self.run_job("several-steps"), 69, self.said)
        self.assertNotIn("tests have run", self.said)
        self.assertIn("db exited with code 4", self.said)

    def test_a_file_that_is_wrong_fails_before_anything_is_started(self):
        self.with_belfry()
        self.checked_out(STACK.replace("ready:", "redy:"), PASSES)
        self.assertEqual(self.run_action({"run": "echo started"}), 65)
        self.assertIn("did you mean `ready`", self.said)
        self.assertNotIn("started\n", self.said)

    def test_a_binary_that_is_not_the_one_that_was_meant_is_not_run(self):
        self.assertEqual(self.run_action({"run": "echo started", "sha256": "0" * 64}), 65, self.said)
        self.assertIn("is not what " + "0" * 64 + " is the sum of", self.said)
        self.assertEqual(os.listdir(os.path.join(self.folder, "runner/belfry")), [])
        self.releases.clear()
        self.assertEqual(self.run_action({"run": "echo started"}), 69, self.said)
        self.assertIn("cannot be had", self.said)
        self.assertNotIn("started\n", self.said)


class GitLab(Job):
    SHELL = ["bash", "-e", "-o", "pipefail", "-c"]

    def run_job(self, **variables):
        """A job that extends `.belfry`."""
        job = yaml.safe_load(sample("deploy/ci/gitlab.yml"))[".belfry"]
        self.job = job
        return self.run_script(self.SHELL, "\n".join(job["before_script"] + job["script"]), **job["variables"] | variables)

    def test_the_job_runs_in_a_stack_that_is_ready_and_leaves_its_reports(self):
        self.with_belfry()
        self.assertEqual(self.run_job(BELFRY_RUN="./run-tests"), 0, self.said)
        self.assertIn("tests have run", self.said)
        self.assertEqual(json.loads(self.made(self.job["artifacts"]["reports"]["codequality"])), [])
        self.assertIn("belfry.verdict", self.made("junit.xml"))

    def test_the_stack_is_to_blame_only_where_it_was(self):
        self.with_belfry()
        self.checked_out(STACK, FAILS)
        self.assertEqual(self.run_job(BELFRY_RUN="./run-tests"), 9, self.said)
        self.checked_out(FRAGILE, PASSES)
        self.assertEqual(self.run_job(BELFRY_RUN=KILLS), self.job["retry"]["exit_codes"], self.said)
        self.assertNotEqual(json.loads(self.made("gl-code-quality-report.json")), [])

    def test_a_machine_without_belfry_gets_the_one_whose_sum_is_given(self):
        mirrored = b"#!/bin/sh\necho belfry of the mirror\n"
        url = Releases(self, {"/belfry": mirrored}).url + "/belfry"
        job = yaml.safe_load(sample("deploy/ci/gitlab.yml"))[".belfry"]
        script = "\n".join(job["before_script"])
        script = script.replace("/tmp/belfry", "fetched").replace("/usr/local/bin/belfry", os.path.join(self.tools, "belfry"))
        self.assertNotEqual(self.run_script(self.SHELL, script, BELFRY_URL=url, BELFRY_SHA256="0" * 64), 0)
        self.assertFalse(os.path.exists(os.path.join(self.tools, "belfry")))
        self.assertEqual(self.run_script(self.SHELL, script, BELFRY_URL=url, BELFRY_SHA256=sum_of(mirrored)), 0, self.said)
        self.assertIn("belfry of the mirror", self.said)


class Jenkins(Job):
    def scripts(self):
        found = [long or short for long, short in re.findall(r"\bsh (?:'''(.*?)'''|'([^'\n]*)')", sample("deploy/ci/Jenkinsfile"), re.S)]
        self.assertEqual(len(found), 3)
        return found

    def run_job(self, **parameters):
        for script in self.scripts():
            if code := self.run_script(["sh", "-x", "-e", "-c"], script, **parameters):
                return code
        return 0

    def test_the_job_runs_in_a_stack_that_is_ready_and_leaves_its_reports(self):
        self.environment["PATH"] = f"{self.workspace}/.belfry:{self.tools}"
        given = {"BELFRY_URL": Releases(self, {"/belfry": binary()}).url + "/belfry", "BELFRY_SHA256": sum_of(binary())}
        self.assertEqual(self.run_job(**given), 0, self.said)
        self.assertIn("tests have run", self.said)
        for report in re.findall(r"(?:testResults|artifacts): '(.*?)'", sample("deploy/ci/Jenkinsfile")):
            self.assertTrue(self.made(report), report)

    def test_a_command_that_fails_fails_the_job(self):
        self.with_belfry()
        self.checked_out(STACK, FAILS)
        self.assertEqual(self.run_job(), 9, self.said)


class DevContainer(Job):
    def test_the_stack_is_up_when_the_editor_opens_and_the_editor_has_its_schema(self):
        self.with_belfry()
        text = re.sub(r"^\s*//.*$", "", sample("deploy/devcontainer/devcontainer.json"), flags=re.M)
        container = json.loads(text)
        for command in ("postCreateCommand", "postStartCommand", "postAttachCommand"):  # in the order in which they run
            self.assertEqual(self.run_script(["sh", "-c"], container[command]), 0, self.said)
        self.assertTrue(self.is_up())
        [schema] = container["customizations"]["vscode"]["settings"]["yaml.schemas"]
        self.assertEqual(json.loads(self.made(schema))["title"], "belfry")
        self.assertIn(container["waitFor"], container)


class PreCommit(Job):
    """pre-commit itself, of Debian, with the hook in a repository of its own."""

    def git(self, folder, *arguments):
        subprocess.run(["git", "-c", "user.name=belfry", "-c", "user.email=belfry@example.com", "-c", "init.defaultBranch=main", *arguments],
                       cwd=folder, env=self.environment, check=True, capture_output=True)

    def setUp(self):
        super().setUp()
        self.assertIsNotNone(shutil.which("pre-commit"), "there is no pre-commit: run deploy/install-deps test")
        self.environment["PATH"] = self.tools + ":/usr/bin:/bin"
        self.with_belfry()
        self.hooks = os.path.join(self.folder, "hooks")
        for name in (".pre-commit-hooks.yaml", "deploy/ci/check-each"):
            os.makedirs(os.path.dirname(os.path.join(self.hooks, name)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.hooks, name))
        self.assertEqual(self.run_script(["sh", "-c"], f"pre-commit validate-manifest {self.hooks}/.pre-commit-hooks.yaml"), 0, self.said)
        self.git(self.hooks, "init")
        self.git(self.hooks, "add", "-A")
        self.git(self.hooks, "commit", "-m", "hooks")
        self.git(self.workspace, "init")

    def committed(self, **files):
        for name, text in files.items():
            path = os.path.join(self.workspace, name, "belfry.yaml")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.git(self.workspace, "add", "-A")
        return self.run_script(["sh", "-c"], f"pre-commit try-repo {self.hooks} belfry-check --all-files")

    def test_each_file_is_checked_by_itself_and_a_wrong_one_is_not_committed(self):
        two = STACK.replace("NAME", "two")
        self.assertEqual(self.committed(a=two, b=two, c="name: c\nservices: {db: {type: gate}}\n"), 0, self.said)  # merged they would be wrong
        self.assertEqual(self.committed(b=two.replace("ready:", "redy:")), 1, self.said)
        self.assertIn("did you mean `ready`", self.said)
        self.assertIn("b/belfry.yaml", self.said)
