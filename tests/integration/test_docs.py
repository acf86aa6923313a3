"""The pages do what they say: every block is run, every output compared, and every word of belfry's that they use exists."""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BELFRY, ROOT, SAMPLE, belfry
from pages import Folder, blocks_of, read

# Programs that the pages speak of and no machine has; they do what the page says that they do.
SERVES = 'exec "$SAMPLE" --name service "$@"'
PROGRAMS = {
    "postgres": 'exec "$SAMPLE" --name postgres --notify',
    "pytest": "echo '3 passed'",
    "./serve": "echo served",
    "./migrate.sh": "true",
    "./api": 'while [ "${1-}" ]; do [ "$1" = --port ] && port=$2; shift; done\n'
             'exec "$SAMPLE" --name api --notify ${port:+--port "$port" --http}',
    "./worker": "echo working; echo 'no work yet' >&2; exec \"$SAMPLE\" --name worker --notify",
    "./web": SERVES,
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
RUN = ["README.md", "docs/README.md", "docs/tutorial.md",
       *sorted(f"docs/{os.path.relpath(page, f'{ROOT}/docs')}" for kind in ("how-to", "explanation")
               for page in glob.glob(f"{ROOT}/docs/{kind}/*.md"))]


class Blocks(unittest.TestCase):
    def folder(self):
        path = tempfile.mkdtemp(prefix="belfry-docs-")
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("BELFRY_", "NOTIFY_"))}
        folder = Folder(path, PROGRAMS, {**environment, "SAMPLE": SAMPLE, "HOME": path, "LANG": "C.UTF-8", "TZ": "UTC",
                                         "XDG_RUNTIME_DIR": f"{path}/.run", "XDG_STATE_HOME": f"{path}/.state"})
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
        for page in RUN:
            folder = self.folder()
            for block in blocks_of(page):
                with self.subTest(block=str(block)):
                    if "not-run" not in block.words:
                        try:
                            self.run_block(folder, block)
                        except AssertionError as error:
                            raise AssertionError(f"{block}: {error}") from None
            with self.subTest(page=page):
                self.assertEqual(folder.close(), [], f"{page} does not take down what it has started")

    def test_every_block_says_what_it_is_and_who_does_not_run_it(self):
        not_run = {}
        for page in RUN:
            for block in blocks_of(page):
                self.assertIn(block.language, LANGUAGES, f"{block}: what language is it?")
                self.assertLessEqual(set(block.words), {"file", "append", "of", "not-run"}, str(block))
                if "not-run" in block.words:
                    self.assertIn(block.words["not-run"], REASONS, str(block))
                    not_run.setdefault(block.words["not-run"], []).append(f"{page}:{block.line}")
        for reason, blocks in sorted(not_run.items()):
            print(f"         {len(blocks)} not run, for want of {REASONS[reason]}: {', '.join(blocks)}")

    def test_what_is_run_elsewhere_is_run_there(self):
        for page, test in RUN_ELSEWHERE.items():
            file, name = test.split(":")
            self.assertRegex(read(file), rf"def {name}\b")
            self.assertIn(os.path.basename(page), read(file))


if __name__ == "__main__":
    unittest.main()
