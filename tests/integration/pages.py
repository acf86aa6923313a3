"""The pages as a test reads them: their blocks, and terminals in which the blocks are run.

A block says by its info string what it is (CONTRIBUTING.md, "Write a page"):

  ```yaml                  a belfry file: `belfry check` finds no error in it. It is belfry.yaml for what follows.
  ```yaml file=NAME        the same under another name. Any language may have one.
  ```yaml append           goes on where the file before it ended
  ```ini of=systemd        another tool's file
  ```console               `$ ` commands, and below each all that it prints
  ```sh                    commands alone; each of them exits with 0
  ```sh not-run=docker     cannot be run by a test, and why

In what is printed, `…` stands for anything, and alone in a line for any lines; durations, times and numbers of
processes are only held to be some. What does not end by itself stays in the foreground of its terminal until a line
`^C`; the next block has a terminal of its own, unless it begins with that line. A command that fails has `$ echo $?`
behind it.
"""
import dataclasses
import os
import re
import shlex
import signal
import subprocess
import time

from harness import BELFRY, PATIENCE, ROOT, Output, free_port

FENCE = re.compile(r"^( *)(`{3,})(.*)$")
# They go on until somebody ends them.
STAYS = re.compile(r"^belfry (?:run(?!.* -- )|attach|status (?:.* )?(?:-w|--watch)|(?:logs|events) (?:.* )?-f)\b")
# What is said to who has waited for ten seconds: on a machine that is busy enough.
STILL_WAITS = re.compile(r"^belfry(?: \| still waiting for |: \S+: \d+ of \d+ services ready; )")
DURATION = r"(?<![\w.])\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|min|m|h)\b(?: \d+(?:\.\d+)? ?(?:ms|s|min|m)\b)*"
STATE = "inactive|waiting|starting|ready|unready|stopping|backoff|completed|failed|blocked"


@dataclasses.dataclass
class Block:
    page: str
    line: int  # of its first line
    language: str
    words: dict
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"


def read(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


def blocks_of(page):
    found, begun, lines = [], None, []
    for number, line in enumerate(read(page).splitlines(), 1):
        fence = FENCE.match(line)
        if begun is None and fence:
            begun, lines = (len(fence[1]), fence[2], fence[3], number + 1), []
        elif begun is not None and fence and fence[2] == begun[1] and not fence[3]:
            language, *words = begun[2].split() or [""]
            words = dict((word.split("=", 1) + [""])[:2] for word in words)
            found.append(Block(page, begun[3], language, words, "".join(f"{one}\n" for one in lines)))
            begun = None
        elif begun is not None:
            lines.append(line[begun[0]:])
    if begun is not None:
        raise AssertionError(f"{page}:{begun[3]}: the block does not end")
    return found


def without_blocks(page):
    """Pairs of line number and line, of what is no block."""
    inside = False
    for number, line in enumerate(read(page).splitlines(), 1):
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            yield number, line


def steps_of(text):
    """Pairs of a command, or ^C, and the lines that it prints."""
    steps = []
    for line in text.splitlines():
        if line.startswith("$ ") or line == "^C":
            steps.append((line.removeprefix("$ "), []))
        elif steps and steps[-1][0].endswith("\\") and not steps[-1][1]:
            steps[-1] = (f"{steps[-1][0]}\n{line.removeprefix('> ')}", [])
        elif not steps:
            raise AssertionError(f"it begins with output: {line}")
        else:
            steps[-1][1].append(line)
    return steps


def held_to(line):
    """The line with what differs from run to run taken out."""
    line = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?|\b\d\d:\d\d:\d\d(?:\.\d+)?\b", "TIME", line)
    line = re.sub(r"(?m)^Date: .*$", "Date: TIME", line)
    line = re.sub(DURATION, "DURATION", line)
    line = re.sub(r", DURATION after it could begin$", "", line)  # a busy machine's, in the critical chain
    line = re.sub(r"\b(pid|process|kill) \d+", r"\1 PID", line)
    margin = re.match(r" *", line)[0]  # it is where the caret of a message stands
    line = margin + re.sub(r"\s+", " ", line).strip()
    line = re.sub(rf"^(\S+ (?:{STATE}) DURATION) \d+", r"\1 PID", line)
    return re.sub(r"^(\S+ .* \d+/\d+) \d+ ", r"\1 PID ", line)


def all_held_to(lines):
    """The same of several lines. Which service could win most is for the machine to say, so those lines have no order."""
    held = [held_to(line) for line in lines]
    gains = [index for index, line in enumerate(held) if " faster → " in line]
    for index, line in zip(gains, sorted(held[index] for index in gains)):
        held[index] = line
    return held


def pattern_of(lines, goes_on=False):
    """A regular expression of what `lines` show."""
    text = ""
    for line in all_held_to(lines):
        if line == "…":
            text += r"(?:.*\n)*?"
        else:
            text += re.escape(line).replace("…", ".*") + r"\n"
    return re.compile(text if goes_on else text + r"\Z")


class Folder:
    """Where the blocks of one page are run, one after the other."""

    def __init__(self, path, programs, environment):
        self.path, self.ports, self.foreground, self.failed_with, self.started = path, {}, None, 0, []
        programs_path = os.path.join(path, ".programs")
        os.mkdir(programs_path)
        os.symlink(BELFRY, os.path.join(programs_path, "belfry"))
        for name, script in programs.items():
            place = os.path.join(path if name.startswith("./") else programs_path, name)
            with open(place, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\n{script}\n")
            os.chmod(place, 0o755)
        self.environment = {**environment, "PATH": f"{programs_path}:/usr/bin:/bin:{os.environ['PATH']}"}

    def at_free_ports(self, text):
        """Every number that can be a port is one, and another one here."""
        def other(found):
            number = found[0]
            if not 1024 <= int(number) <= 65535 or 2000 <= int(number) < 2100:
                return number
            return self.ports.setdefault(number, str(free_port()))
        return re.sub(r"(?<![\w.])\d{4,5}(?![\w.]|-\d)", other, text)

    def as_on_the_page(self, text):
        for shown, here in self.ports.items():
            text = re.sub(rf"(?<!\d){here}(?!\d)", shown, text)
        return text.replace(self.path, "~")

    def write(self, block):
        name = os.path.join(self.path, block.words.get("file") or "belfry.yaml")
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "a" if "append" in block.words else "w", encoding="utf-8") as file:
            file.write(self.at_free_ports(block.text))
        if block.text.startswith("#!"):
            os.chmod(name, 0o755)
        return name

    def start(self, command):
        process = subprocess.Popen(["bash", "-c", self.at_free_ports(command)], cwd=self.path, env=self.environment, text=True, errors="replace",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.started.append((process, Output(process.stdout)))
        return self.started[-1]

    def printed(self, output, start=0):
        lines = [line for line in output.text().splitlines() if not STILL_WAITS.match(line)]
        text = "".join(f"{line}\n" for line in lines[start:])
        return "".join(f"{line}\n" for line in all_held_to(self.as_on_the_page(text).splitlines()))

    def session(self, block):
        self.failed_with = 0
        steps = steps_of(block.text)
        for (command, shown), after in zip(steps, [*steps[1:], ("", [])]):
            if command == "^C":
                self.interrupt(shown)
            elif command == "echo $?":
                self.compare(shown, f"{self.failed_with}\n")
                self.failed_with = 0
            else:
                self.assert_not_failed()
                self.run(command, shown, bool(STAYS.match(command)) and after[0] != "echo $?")
        self.assert_not_failed()

    def assert_not_failed(self):
        assert self.failed_with == 0, f"it exited with {self.failed_with}, and no `echo $?` stands behind it"

    def run(self, command, shown, stays):
        process, output = self.start(command)
        if stays:
            assert self.foreground is None, f"{self.foreground} is still in the foreground"
            self.foreground = (process, output, 0)
            self.foreground = (process, output, self.until(output, pattern_of(shown, goes_on=True)))
            return
        try:
            self.failed_with = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"`{command}` does not end; it wrote\n{output.text()}") from None
        output.thread.join(1)  # a daemon that `up` has left may hold nothing open; a shell's child may
        self.compare(shown, self.printed(output))

    @staticmethod
    def compare(shown, printed):
        assert pattern_of(shown).match(printed), "the page shows\n" + "\n".join(all_held_to(shown)) + f"\nand it wrote\n{printed}"

    def until(self, output, pattern):
        """Waits until what is shown has been written; gives how many lines that were."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with output.changed:
                if found := pattern.match(self.printed(output)):
                    return found[0].count("\n")
                if output.ended or not output.changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"the page shows\n{pattern.pattern}\nand it wrote\n{self.printed(output)}")

    def interrupt(self, shown):
        process, output, seen = self.foreground
        self.foreground = None
        os.killpg(process.pid, signal.SIGINT)
        self.failed_with = process.wait(PATIENCE)
        output.thread.join(PATIENCE)
        self.compare(shown, self.printed(output, seen))

    def commands(self, block):
        """Every command of a block without output; a block with `if`, `for` or a here-document is one."""
        for command in block.text.replace("\\\n", "").splitlines():
            if command.strip() and not command.startswith("#"):
                process, output = self.start(command)
                if STAYS.match(command):  # until it has written something
                    self.until(output, re.compile(".*\n"))
                    os.killpg(process.pid, signal.SIGINT)
                code = process.wait(PATIENCE)
                assert code == 0 or STAYS.match(command) and code in (130, -signal.SIGINT), f"`{command}` exited with {code}: {output.text()}"

    def close(self):
        """Nothing may be left of the page; what is, is ended and told."""
        left = []
        if self.foreground:
            process, self.foreground = self.foreground[0], None
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE)
            left.append(shlex.join(process.args))
        listed = subprocess.run([BELFRY, "ls", "--json"], env=self.environment, capture_output=True, text=True, check=False).stdout
        for socket in re.findall(r'"socket":\s*"([^"]+)"', listed):
            if socket.startswith(self.path + "/"):
                subprocess.run([BELFRY, "down", "--socket", socket], env=self.environment, capture_output=True, check=False)
                left.append(socket)
        for process, output in self.started:
            output.thread.join(PATIENCE)
            process.stdout.close()
        self.started = []
        return left
