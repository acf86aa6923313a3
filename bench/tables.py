"""How the benches show what they measure: as a table of Markdown, with the machine and how far they have come."""
import os
import platform
import sys
import time


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return (f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, "
            f"load {os.getloadavg()[0]:.1f} at the start, {time.strftime('%Y-%m-%d')}")


class Progress:
    def __init__(self, total):
        self.total, self.done, self.tty = total, 0, sys.stderr.isatty()

    def step(self, what):
        self.done += 1
        if self.tty:
            print(f"\r\033[K[{self.done}/{self.total}] {what}", end="", file=sys.stderr, flush=True)
        elif self.done % 10 == 1:
            print(f"[{self.done}/{self.total}] {what}", file=sys.stderr, flush=True)

    def finish(self):
        if self.tty:
            print("\r\033[K", end="", file=sys.stderr)


def markdown(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    line = lambda cells: "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths)) + " |"  # noqa: E731
    return "\n".join([line(rows[0]), "|" + "|".join("-" * (w + 2) for w in widths) + "|", *map(line, rows[1:])])


def print_markdown(rows):
    print(markdown(rows))
