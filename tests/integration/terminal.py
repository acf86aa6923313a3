"""A terminal to run belfry in: a real pty, and what a person would see on it."""
import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from harness import BELFRY, PATIENCE

TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|\x1b(.)|(.)", re.S)
BEGUN = re.compile(r"\x1b(\[[0-9;]*)?$")  # a sequence whose rest has not been read yet


class Screen:
    """Of what belfry writes only: characters, CR, LF, and the sequences that move up or clear."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines, self.x, self.y = [""], 0, 0
        self.colours = set()
        self.begun = ""

    def feed(self, text):
        text = self.begun + text
        cut = BEGUN.search(text)
        self.begun = cut.group() if cut else ""
        text = text.removesuffix(self.begun)
        for match in TOKEN.finditer(text):
            parameters, command, other, character = match.groups()
            if command is not None:
                self.obey(command, int(parameters.split(";")[0] or 0) if parameters else 0)
            elif character is not None:
                self.put(character)
            else:
                raise AssertionError(f"a sequence that belfry should not use: ESC {other!r}")

    def obey(self, command, number):
        if command == "A":
            self.y = max(self.y - max(1, number), max(0, len(self.lines) - self.rows))
        elif command == "J":
            self.lines[self.y] = self.lines[self.y][:self.x]
            del self.lines[self.y + 1:]
        elif command == "K":
            self.lines[self.y] = self.lines[self.y][:self.x]
        elif command == "m":
            self.colours.add(number)
        else:
            raise AssertionError(f"a sequence that belfry should not use: ESC [ {command}")

    def put(self, character):
        if character == "\r":
            self.x = 0
        elif character == "\n":
            self.y += 1
            if self.y == len(self.lines):
                self.lines.append("")
        else:
            if self.x == self.columns:
                self.x = 0
                self.put("\n")
            line = self.lines[self.y].ljust(self.x)
            self.lines[self.y] = line[:self.x] + character + line[self.x + 1:]
            self.x += 1

    def text(self):
        """All of it, what has scrolled away included."""
        return "\n".join(self.lines)

    def visible(self):
        return self.lines[-self.rows:]


class Terminal:
    """belfry on a terminal of its own, which it is the leader of."""

    def __init__(self, *arguments, cwd, env, columns=80, rows=24):
        self.screen = Screen(columns, rows)
        self.raw = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(BELFRY, ["belfry", *arguments], env)
        self.before = None
        self.code = None

    def resize(self, columns, rows):
        self.screen.columns, self.screen.rows = columns, rows
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self):
        return termios.tcgetattr(self.fd)

    def type(self, text):
        os.write(self.fd, text.encode())

    def _read(self, wait):
        if not select.select([self.fd], [], [], wait)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has it open any more
            return False
        text = self.decoder.decode(data)
        self.raw += text
        self.screen.feed(text)
        return bool(data)

    def until(self, holds, what="it"):
        """Reads on until `holds(screen)`, which may also be a text that has to be there."""
        sees = holds if callable(holds) else lambda screen: holds in screen.text()
        deadline = time.monotonic() + PATIENCE
        while not sees(self.screen):
            if time.monotonic() > deadline or not self._read(max(0, deadline - time.monotonic())):
                raise AssertionError(f"{holds if isinstance(holds, str) else what!r} never came:\n{self.screen.text()}")
        return self

    def end(self):
        """The exit code, -n for death by signal n; everything has been read."""
        while self._read(PATIENCE):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def close(self):
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
        os.close(self.fd)
