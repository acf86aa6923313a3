"""The pages do what they say: every block is run, every output compared, and every word of belfry's that they use exists."""
import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BELFRY, ROOT, SAMPLE, Scenario, belfry
from pages import Block, Folder, blocks_of, read
from words import Words, pages, settings_of, wrong_words

# Programs that the pages speak of and no machine has; they do what the page says that they do.
PROGRAMS = {
    "postgres": 'exec "$SAMPLE" --name postgres --notify',
    "pytest": "echo '3 passed'",
    "./serve": "echo served",
    "./migrate.sh": "true",
    "./api": 'while [ "${1-}" ]; do [ "$1" = --port ] && port=$2; shift; done\n'
             'exec "$SAMPLE" --name api --notify ${port:+--port "$port" --http}',
    "./worker": "echo working; echo 'no work yet' >&2; exec \"$SAMPLE\" --name worker --notify",
    "./web": 'exec "$SAMPLE" --name web "$@"',
}
# Whose commands another test runs, because they need servers, names or rights of their own.
RUN_ELSEWHERE = {
    "docs/how-to/wait.md": "tests/integration/test_wait.py:test_every_command_on_the_page_does_what_it_says",
    "docs/how-to/init.md": "tests/integration/test_init.py:test_every_command_on_the_page_is_understood",
}
# Why a block is not run, each with what it would take.
REASONS = {
    "docker": "a container engine", "kubectl": "a cluster", "systemd": "systemd as PID 1", "root": "changes of this machine",
    "build": "half an hour of compiling", "ci": "a CI service", "internet": "the network", "release": "packages that are published",
    "servers": "servers that are set up", "etcd": "etcd", "example": "the values of your machine",
}
LANGUAGES = {"yaml", "sh", "console", "dockerfile", "promql", "ini", "text", "json", "procfile", "python"}
# What can be wrong with a setting beside others, or in an empty folder, and not with the setting.
OF_THE_WHOLE = re.compile(r"wants port|second main service|has no sockets|cannot read")
# Pages that speak of other tools' settings, or of probes without the key before them; file.md is made of what belfry reads itself.
ELSEWHERE = {"docs/explanation/peers.md", "docs/reference/file.md"}
RUN = ["README.md", "docs/README.md", "docs/tutorial.md",
       *sorted(f"docs/{os.path.relpath(page, f'{ROOT}/docs')}" for kind in ("how-to", "explanation", "reference")
               for page in glob.glob(f"{ROOT}/docs/{kind}/*.md"))]


class Blocks(unittest.TestCase):
    def folder(self):
        path = tempfile.mkdtemp(prefix="belfry-docs-")
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("BELFRY_", "NOTIFY_"))}
        folder = Folder(path, PROGRAMS, {**environment, "SAMPLE": SAMPLE, "HOME": path, "LANG": "C.UTF-8", "TZ": "UTC",
                                         "XDG_RUNTIME_DIR": f"{path}/.run", "XDG_STATE_HOME": f"{path}/.state"})
        self.addCleanup(folder.close)
        os.mkdir(f"{path}/.run", 0o700)
        os.mkdir(f"{path}/.state")
        return folder

    def check(self, folder, name):
        """A belfry file, or a part of one."""
        with open(name, encoding="utf-8") as file:
            text = file.read()
        if not re.search(r"(?m)^services:", text):
            text += "\nservices: {some: {command: [sleep, '1']}}\n"
        with open(f"{folder.path}/.checked.yaml", "w", encoding="utf-8") as file:
            file.write(text)
        checked = belfry("check", f"{folder.path}/.checked.yaml", env={**folder.environment, "PASSWORD": "x"}, cwd=folder.path)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def run_block(self, folder, block):
        if block.language == "yaml" and "of" not in block.words:
            self.check(folder, folder.write(block))
        elif "file" in block.words:
            folder.write(block)
        elif block.page in RUN_ELSEWHERE:
            pass
        elif block.language == "sh":
            folder.commands(block)
        elif block.language == "console":
            folder.session(block)
        else:
            self.assertIn("of", block.words, f"{block}: it is neither run nor said to be another tool's")

    def test_every_block_does_what_it_shows(self):
        with concurrent.futures.ThreadPoolExecutor(4) as several:
            for page, wrong in zip(RUN, several.map(self.wrong_in, RUN)):
                with self.subTest(page=page):
                    self.assertEqual(wrong, [], "\n".join(wrong))

    def wrong_in(self, page):
        """Runs the blocks of a page in their order, in a folder of their own."""
        folder, wrong = self.folder(), []
        for block in blocks_of(page):
            if "not-run" not in block.words:
                try:
                    self.run_block(folder, block)
                except AssertionError as error:
                    wrong.append(f"{block}: {error}")
        return wrong + [f"{page} does not take down {left}" for left in folder.close()]

    def test_a_block_that_lies_is_found(self):
        for language, text, why in (
                ("console", "$ echo one\ntwo\n", "the page shows\ntwo\nand it wrote\none"),
                ("console", "$ printf 'one\\ntwo\\n'\none\n", "and it wrote\none\ntwo"),
                ("console", "$ false\n", "it exited with 1"),
                ("console", "$ (exit 3)\n$ echo $?\n4\n", "and it wrote\n3"),
                ("console", "$ belfry run\nready\n", "cannot find a file"),
                ("sh", "true\nfalse\n", "`false` exited with 1"),
                ("yaml", "services: {a: {comand: x}}\n", "unknown key `comand`"),
                ("text", "anything\n", "it is neither run nor")):
            with self.subTest(text=text), self.assertRaisesRegex(AssertionError, re.escape(why)):
                self.run_block(self.folder(), Block("a page", 1, language, {}, text))

    def test_what_a_page_leaves_running_is_found(self):
        folder = self.folder()
        self.run_block(folder, Block("a page", 1, "yaml", {}, "name: left\nservices: {a: {command: [sleep, '1000']}}\n"))
        folder.commands(Block("a page", 1, "sh", {}, "belfry up\n"))
        self.assertEqual([os.path.basename(left) for left in folder.close()], ["left.sock"])

    def test_every_block_says_what_it_is_and_who_does_not_run_it(self):
        not_run = {}
        for page in RUN:
            for block in blocks_of(page):
                self.assertIn(block.language, LANGUAGES, f"{block}: what language is it?")
                self.assertLessEqual(set(block.words), {"file", "append", "of", "not-run"}, str(block))
                if "not-run" in block.words:
                    self.assertIn(block.words["not-run"], REASONS, str(block))
                    not_run.setdefault(block.words["not-run"], []).append(f"{page}:{block.line}")
        of = {}
        for page in RUN:
            for block in blocks_of(page):
                if "of" in block.words and "file" not in block.words:
                    of.setdefault(block.words["of"], []).append(str(block))
        print(f"         {sum(map(len, of.values()))} of other tools: " + ", ".join(f"{len(blocks)} of {tool}" for tool, blocks in sorted(of.items())))
        for reason, blocks in sorted(not_run.items()):
            print(f"         {len(blocks)} not run, for want of {REASONS[reason]}: {', '.join(blocks)}")

    def test_what_is_run_elsewhere_is_run_there(self):
        for page, test in RUN_ELSEWHERE.items():
            file, name = test.split(":")
            self.assertRegex(read(file), rf"def {name}\b")
            self.assertIn(os.path.basename(page), read(file))


class Names(Scenario):
    def test_every_command_option_key_metric_endpoint_variable_and_exit_code_exists(self):
        words = Words(self.metrics())
        self.assertGreater(min(len(words.commands), len(words.keys), len(words.metrics), len(words.paths)), 20)
        wrong = [f"{page}:{number}: there is not {what}" for page in pages() for number, what in wrong_words(page, words)]
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_every_setting_that_stands_in_a_sentence_passes_check(self):
        words = Words(set())
        settings = [(page, number, text) for page in pages()
                    if page.startswith(("README", "docs/how-to", "docs/explanation", "docs/tutorial", "docs/reference")) and page not in ELSEWHERE
                    for number, text in settings_of(page, words)]
        self.assertGreater(len(settings), 40)
        folder = tempfile.mkdtemp(prefix="belfry-docs-")
        self.addCleanup(shutil.rmtree, folder)
        with open(f"{folder}/belfry.yaml", "w", encoding="utf-8") as file:
            file.write("services:\n")
            for index, (_, _, text) in enumerate(settings):
                file.write(f"  s{index}: {{type: daemon, command: [sleep, '1'],\n    {text}}}\n")
        checked = belfry("check", "--format", "json", f"{folder}/belfry.yaml", cwd=folder)
        wrong = []
        for one in json.loads(checked.stdout)["diagnostics"]:
            if one["severity"] == 1 and not OF_THE_WHOLE.search(one["message"]):
                page, number, text = settings[(one["range"]["start"]["line"] - 1) // 2]
                wrong.append(f"{page}:{number}: `{text}`: {one['message']}")
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_every_variable_that_the_sources_name_is_on_the_page_of_the_environment(self):
        page = read("docs/reference/environment.md")
        named = subprocess.run(["git", "-C", ROOT, "grep", "-hoE", '"(BELFRY_[A-Z]+|[A-Z]+_DIRECTORY|(NOTIFY|LISTEN|WATCHDOG|XDG)_[A-Z_]+)="?|"(BELFRY_[A-Z]+|[A-Z]+_DIRECTORY|'
                                '(NOTIFY|LISTEN|WATCHDOG|XDG)_[A-Z_]+|NO_COLOR|TMPDIR|MAINPID)"', "--", "*.cpp", "*.hpp", ":!tests"],
                               capture_output=True, text=True, check=True).stdout
        variables = set(re.findall(r"[A-Z_]+", named)) - {"BELFRY_INCARNATION", "BELFRY_STREAM", "BELFRY_OUT_"}  # of the journal; a prefix
        self.assertGreater(len(variables), 12)
        self.assertEqual(variables - set(re.findall(r"[A-Z_]+", page)), set())

    def test_the_figures_of_the_readme_are_those_of_the_measurements(self):
        rows = [line for line in read("README.md").splitlines() if re.match(r"\|.*\d (?:µs|ms|MiB)[ |]", line)]
        self.assertGreater(len(rows), 15)
        measured = read("docs/explanation/measurements.md") + read("docs/explanation/peers.md")
        self.assertLessEqual(set(rows), set(measured.splitlines()))

    def test_every_page_is_in_the_index_and_in_the_site(self):
        index, site = read("docs/README.md"), read("docs/mkdocs.yml")
        for page in pages():
            if re.match(r"docs/(?:tutorial|glossary|architecture|how-to/|reference/|explanation/)", page):
                with self.subTest(page=page):
                    self.assertIn(f"]({page.removeprefix('docs/')}", index)
                    self.assertIn(f": {page}\n", site)

    def test_what_does_not_exist_is_found(self):
        words = Words({"belfry_service_ready"})
        for text, what in (("belfry sprint", "the command belfry sprint"), ("belfry up --quick", "the option --quick of belfry up"),
                           ("belfry_service_raedy", "the metric belfry_service_raedy"), ("/v1/service", "the endpoint /v1/service"),
                           ("BELFRY_SOKET", "the variable BELFRY_SOKET"), ("shutdown.timeuot", "the key shutdown.timeuot")):
            self.assertEqual(list(words.wrong_in_code(text)), [what])
        self.assertEqual(list(words.wrong_key("comand: ./api")), ["the key comand"])
        self.assertEqual(list(words.wrong_exit_code("It exits with 68.")), ["the exit code 68"])

    def test_the_pages_that_are_made_from_the_sources_are_as_the_sources_are(self):
        made = subprocess.run([f"{ROOT}/docs/reference/generate", "--check"], env={**os.environ, "BELFRY": BELFRY},
                              capture_output=True, text=True, check=False)
        self.assertEqual((0, ""), (made.returncode, made.stdout + made.stderr))

    def test_the_page_of_the_metrics_is_what_is_counted(self):
        rows = re.findall(r"(?m)^\| `(\w+)` \| (\w+) \| ([^|]+) \|", read("docs/reference/metrics.md"))
        page = {name: (kind, set(labels.split(", ")) - {"–"}) for name, kind, labels in rows}
        text = self.scrape()
        for name, kind in re.findall(r"(?m)^# TYPE (\S+) (\w+)", text):
            self.assertEqual(page[name][0], kind, name)
        for name, labels in re.findall(r"(?m)^([a-z_]+)(?:\{(.*)\})? ", text):
            family = name if name in page else re.sub(r"_(?:bucket|sum|count)$", "", name)
            self.assertEqual(page[family][1], set(re.findall(r"(\w+)=\"", labels)) - {"le"}, name)

    def metrics(self):
        return set(re.findall(r"(?m)^# TYPE (\S+)", self.scrape()))

    def scrape(self):
        stack = self.stack("  some: {command: $SAMPLE --name some --notify, ready: notify}", top="http: {listen: unix:http.sock}").start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("some"), 200)
        return stack.get("/metrics")[1]


if __name__ == "__main__":
    unittest.main()
