"""Completion as it works in the shells themselves: a Tab is typed, and what became of the line is looked at."""
import os
import pty
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import BELFRY, PATIENCE, Scenario, belfry

FILES = ("belfry.yaml", "another file.env", "zebra.txt")
SERVICES = "services: {alpha: {command: sleep 1000}, beta: {command: sleep 1000, depends_on: [alpha]}}\n"


class Shell:
    """A shell on a terminal of its own. It is asked for words only: each answer is waited for."""

    def __init__(self, argv, folder, path):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(argv[0], argv, {"PATH": path, "HOME": folder, "TERM": "vt100", "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": folder})
        self.seen = ""

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def until(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"the shell never wrote {text!r}:\n{self.seen}")
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        before, self.seen = self.seen.split(text, 1)
        return before

    def words(self, line):
        """The words of the line after Tab was typed behind it."""
        self.type(f"{line}\t\x01show_words \x05\n")
        self.until("got: ")
        return self.until(" :end").split("|")


class Completion:
    """What every shell has to do; `argv` and `setup` say which shell it is."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="belfry-completion-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for name in FILES:
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(SERVICES if name == "belfry.yaml" else "")
        self.bin = os.path.join(self.folder, ".bin")
        os.mkdir(self.bin)
        os.symlink(os.path.abspath(BELFRY), os.path.join(self.bin, "belfry"))
        self.script = os.path.join(self.folder, ".completion")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(belfry("completion", self.name).stdout)
        self.path = f"{self.bin}:{os.environ['PATH']}"
        self.start()

    def assert_completes(self, line, *words):
        self.assertEqual(self.completed(line), ["belfry", *words])

    def test_commands(self):
        self.assert_completes("belfry chec", "check")

    def test_a_command_whose_description_has_an_apostrophe(self):
        self.assert_completes("belfry impor", "import")

    def test_no_dash_appears_where_none_was_typed(self):
        for command in ("check", "graph", "version", "shutdown", "import compose"):
            self.assertNotIn("-", "".join(self.completed(f"belfry {command} ")[2:]))

    def test_options_behind_a_dash(self):
        self.assert_completes("belfry check --sch", "check", "--schema")
        self.assert_completes("belfry status --js", "status", "--json")

    def test_files(self):
        for line, words in (("check be", ["check"]), ("check -c be", ["check", "-c"]), ("graph --times be", ["graph", "--times"]),
                            ("import compose be", ["import", "compose"]), ("init -o be", ["init", "-o"]), ("run -c be", ["run", "-c"])):
            self.assert_completes(f"belfry {line}", *words, "belfry.yaml")

    def test_files_with_blanks(self):
        self.assert_completes("belfry check ano", "check", "another file.env")

    def test_formats(self):
        self.assert_completes("belfry check --format sa", "check", "--format", "sarif")
        self.assert_completes("belfry graph --format me", "graph", "--format", "mermaid")
        self.assert_completes("belfry events --kind noti", "events", "--kind", "notice")
        self.assert_completes("belfry logs --stream stde", "logs", "--stream", "stderr")
        self.assert_completes("belfry graph --format=me", "graph", "--format=mermaid")

    def test_topics_of_help_kinds_of_import_and_shells(self):
        self.assert_completes("belfry help comp", "help", "completion")
        self.assert_completes("belfry import proce", "import", "process-compose")
        self.assert_completes("belfry import supe", "import", "supervisord")
        self.assert_completes("belfry completion fi", "completion", "fish")

    def test_services_of_the_file(self):
        self.assert_completes("belfry run al", "run", "alpha")
        self.assert_completes("belfry exec be", "exec", "beta")

    def test_services_of_the_daemon_that_runs(self):
        environment = {"PATH": self.path, "HOME": self.folder, "XDG_RUNTIME_DIR": self.folder, "XDG_STATE_HOME": self.folder}
        self.assertEqual(belfry("up", cwd=self.folder, env=environment).returncode, 0)
        self.addCleanup(belfry, "down", cwd=self.folder, env=environment)
        # The file has other services by now: who is asked is the daemon.
        with open(os.path.join(self.folder, "belfry.yaml"), "w", encoding="utf-8") as file:
            file.write(SERVICES.replace("alpha", "gamma"))
        for command in ("status", "stop", "restart", "wait", "events"):
            self.assert_completes(f"belfry {command} al", command, "alpha")
        self.assert_completes("belfry up ga", "up", "gamma")

    def test_values_of_exec(self):
        self.assert_completes("belfry exec --annotate githu", "exec", "--annotate", "github")
        self.assert_completes("belfry exec --junit zeb", "exec", "--junit", "zebra.txt")
        self.assert_completes("belfry exec --verd", "exec", "--verdict-code")

    def test_commands_and_files_behind_exec(self):
        self.assert_completes("belfry exec -- printen", "exec", "--", "printenv")
        self.assert_completes("belfry exec alpha -- printen", "exec", "alpha", "--", "printenv")
        self.assert_completes("belfry exec -- cat zeb", "exec", "--", "cat", "zebra.txt")
        self.assert_completes("belfry run -- printen", "run", "--", "printenv")
        self.assert_completes("belfry exec --logs zeb", "exec", "--logs", "zebra.txt")
        self.assertEqual(self.completed("belfry check -- printen")[-1], "printen")


class Typed(Completion):
    def start(self):
        self.shell = Shell(self.argv, self.folder, self.path)
        self.addCleanup(self.shell.close)
        self.shell.type(self.setup.format(script=self.script) + "; echo rea''dy\n")
        self.shell.until("ready\r")

    def completed(self, line):
        return self.shell.words(line)


@unittest.skipUnless(shutil.which("bash"), "needs bash")
class Bash(Typed, Scenario):
    name = "bash"
    argv = ("bash", "--norc", "--noprofile", "-i")
    setup = "show_words() {{ local IFS='|'; echo \"got: $* :end\"; }}; bind 'set bell-style none'; source {script}"


@unittest.skipUnless(shutil.which("zsh"), "needs zsh")
class Zsh(Typed, Scenario):
    name = "zsh"
    argv = ("zsh", "-f", "-i")
    setup = ("show_words() {{ print -r -- \"got: ${{(j:|:)@}} :end\" }}; bindkey -e; unsetopt beep; autoload -Uz compinit; "
             "compinit -u -D; source {script}")


@unittest.skipUnless(shutil.which("fish"), "needs fish")
class Fish(Completion, Scenario):
    """fish says itself what it would complete: the one word that Tab puts in, or nothing where there are several."""
    name = "fish"

    def start(self):
        pass

    def completed(self, line):
        result = subprocess.run(["fish", "--no-config", "-c", f"source {self.script}; complete -C '{line}'"], cwd=self.folder, text=True,
                                capture_output=True, timeout=PATIENCE, check=False,
                                env={"PATH": self.path, "HOME": self.folder, "XDG_RUNTIME_DIR": self.folder, "LC_ALL": "C.UTF-8"})
        self.assertEqual(result.stderr, "")
        found = [candidate.split("\t")[0] for candidate in result.stdout.splitlines()]
        *words, last = line.split(" ")
        return [*words, found[0]] if len(found) == 1 else [*words, last] if last else words
