"""Which words of belfry's there are: commands, options, keys, metrics, endpoints, variables, exit codes; and who uses others.

What a page may say is read from the program (`belfry help`, `check --schema`, /openapi.json, /metrics) and, for environment
variables, from the sources. Paths in the repository are tests/citations' business.
"""
import json
import os
import re
import subprocess

from harness import BELFRY, ROOT
from pages import blocks_of, read, without_blocks

CODE = re.compile(r"(`+)(.+?)\1")
# What looks like a key and is none: of other tools, of messages, of examples.
NO_KEYS = {"network_mode", "hooks", "honor_labels", "default", "attempts", "blocked", "retry", "db", "identity", "daemonised",
           "event", "cgroup.kill", "cgroup.events"}


def run(*arguments):
    return subprocess.run([BELFRY, *arguments], capture_output=True, text=True, check=True).stdout


class Words:
    """What exists."""

    def __init__(self, metrics):
        self.commands, self.options = {}, {}
        for command in self._commands(run("help")):
            self.commands[command] = run("help", command) if command != "help" else "--man"
            self.options[command] = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", self.commands[command]))
            if "SERVICE" in self.commands[command] or "--socket" in self.commands[command]:
                self.options[command] |= {"--socket", "-c", "--file"}
        schema = json.loads(run("check", "--schema"))
        self.keys = set(self._properties(schema))
        self.service_keys = schema["$defs"]["service"]["properties"]
        with open(f"{ROOT}/daemon/http/api/openapi.json", encoding="utf-8") as file:
            self.api = json.load(file)
        self.paths = [re.compile(re.sub(r"\\\{\w+\\\}", r"[^/?`]+", re.escape(path)) + r"\Z") for path in self.api["paths"]]
        self.parameters = {one["name"] for path in self.api["paths"].values() for call in path.values()
                           for one in call.get("parameters", []) if "name" in one}
        self.parameters |= set(self.api.get("components", {}).get("parameters", {}))
        # One that has not been counted yet is not in an answer; its name stands in the sources.
        self.metrics = metrics | set(re.findall(r'"(belfry_\w+)"', self._grep("belfry_", "daemon/metrics/*.cpp")))
        self.targets = set(re.findall(r"\bbelfry_\w+", self._grep("belfry_", "*CMakeLists.txt", "*.cmake")))
        self.variables = set(re.findall(r"\b(?:X_)?BELFRY_[A-Z_]+", self._grep("BELFRY_", "*.cpp", "*.hpp", "*CMakeLists.txt", "*.cmake", "tests/run", "tests/integration/harness.py")))
        with open(f"{ROOT}/config/model/exit_codes.hpp", encoding="utf-8") as file:
            self.exit_codes = {int(code) for code in re.findall(r"= (\d+);", file.read())}

    @staticmethod
    def _commands(text):
        for line in text.split("\nexamples:")[0].splitlines():
            found = re.match(r"  ((?:[a-z]+, )*[a-z]+)(?:  | [a-z]|$)", line)
            if found:
                yield from found[1].split(", ")

    @staticmethod
    def _grep(word, *where):
        return subprocess.run(["git", "-C", ROOT, "grep", "-hI", word, "--", *where], capture_output=True, text=True, check=True).stdout

    def _properties(self, schema):
        if isinstance(schema, dict):
            yield from schema.get("properties", {})
            for one in schema.values():
                yield from self._properties(one)
        elif isinstance(schema, list):
            for one in schema:
                yield from self._properties(one)

    def wrong_in_command(self, text):
        """What is wrong with each `belfry …` in a line of a shell."""
        for found in re.finditer(r"(?:^|^\$ |[;&|(]\s*)belfry +([a-z][a-z-]*)((?: +[^\s;&|()#`<>]+)*)", text):
            command, rest = found[1], found[2].split()
            if command == "has":  # the beginning of a message
                continue
            if command not in self.commands:
                yield f"the command belfry {command}"
                continue
            for word in rest:
                if word == "--" or (command in ("exec", "wait") and not word.startswith("-") and "--" not in rest and command == "exec"):
                    break
                option = re.match(r"--?[a-z][a-z-]*", word)
                if option and option[0] not in self.options[command] and option[0] != "--help":
                    yield f"the option {option[0]} of belfry {command}"

    def wrong_in_code(self, text):
        """What is wrong with what stands in code in a sentence."""
        yield from self.wrong_in_command(text)
        for word in re.findall(r"\bbelfry_[a-z_]+\b", text):
            family = re.sub(r"_(?:bucket|count|sum)$", "", word)
            if not {word, family} & (self.metrics | self.targets | self.prefixes()):
                yield f"the metric {word}"
        for word in re.findall(r"\b(?:X_)?BELFRY_[A-Z_]+\b", text):
            if word not in self.variables and not word.startswith("BELFRY_OUT_"):
                yield f"the variable {word}"
        for path in re.findall(r"(?<![\w.}/…-])/(?:v1/[\w{}/…-]*|livez|readyz[\w{}/]*|startupz|healthz|metrics|openapi\.json)(?![\w.-])", text):
            shown = path.rstrip("/").replace("…", "x")
            if shown not in ("/v1", "/v1/x") and not any(one.match(shown) for one in self.paths):
                yield f"the endpoint {path}"
        for word in re.findall(r"^([a-z_]+(?:\.[a-z_]+)+)$", text):
            parts = word.split(".")
            if parts[0] in self.keys and not set(parts) <= self.keys and word not in NO_KEYS and parts[-1] not in ("hpp", "cpp"):
                yield f"the key {word}"

    def prefixes(self):
        return {metric[:i + 1] for metric in self.metrics for i, letter in enumerate(metric) if letter == "_"}

    def wrong_key(self, text):
        """`key: value` and `key:` in a sentence are of the file."""
        found = re.match(r"^([a-z][a-z_]*):(?: |$)", text)
        if found and found[1] not in self.keys | NO_KEYS:
            yield f"the key {found[1]}"

    def wrong_exit_code(self, line):
        line = CODE.sub(lambda found: found[2] if found[2].isdigit() else "", line)
        for code in re.findall(r"\b(?:[Ee]xits?|leaves?|ends?) with (?:code )?`?(\d+)\b|\bexit(?: code)? `?(\d+)\b", line):
            number = int(code[0] or code[1])
            if number > 2 and number not in self.exit_codes and not 128 < number < 193:
                yield f"the exit code {number}"


def wrong_words(page, words):
    """Pairs of a place and what it speaks of that there is not."""
    for number, line in without_blocks(page):
        spans = [found[2].strip().replace("\\|", "|") for found in CODE.finditer(line)]
        for span in spans:
            for wrong in (*words.wrong_in_code(span), *words.wrong_key(span)):
                yield number, wrong
        for wrong in words.wrong_exit_code(line):
            yield number, wrong
    for block in blocks_of(page):
        if block.language in ("sh", "console", "text", "promql", "yaml", "") and block.words.get("of") not in ("compose", "process-compose"):
            for number, line in enumerate(block.text.splitlines(), block.line):
                line = re.sub(r"(?:^|\s)#\s.*$", "", line)
                for wrong in words.wrong_in_code(line):
                    yield number, wrong


def settings_of(page, words):
    """Pairs of a line and a setting of a service that stands in code in it, whole: `stop: {signal: SIGINT}`."""
    service = set(words.service_keys) - {"type", "depends_on", "extends", "require", "command"}
    for number, line in without_blocks(page):
        for found in CODE.finditer(line):
            span = found[2].strip().replace("\\|", "|")
            key = re.match(r"^([a-z_]+): \S", span)
            if key and key[1] in service and not re.search(r"…|\.\.\.|\b[A-Z]{1,6}\b(?!=)|\$\{", span):
                yield number, span


def pages():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "*.md"], capture_output=True, text=True, check=True)
    return [page for page in listed.stdout.splitlines() if os.path.isfile(f"{ROOT}/{page}") and read(page)]
