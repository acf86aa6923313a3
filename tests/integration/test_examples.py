"""The files people start from are right, and the one of deploy/quickstart does what it shows."""
import glob
import os
import re

from harness import BELFRY, ROOT, SAMPLE, Scenario, belfry, free_port

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
