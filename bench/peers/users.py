"""What the users of a stack wait for: CMD after exec, the application after a crash of its database, the end after SIGTERM."""
import os
import shutil
import statistics
import tempfile
import time

import stack as stacks
from nursery import NULL, Hung
from table import milliseconds
from tables import Progress, print_markdown
from ways import all_ways

PATIENCE = 60  # seconds
NEVER = None
SCRIPT = "script"  # in --only: the entrypoints of shell


def once(nursery, way, folder, stack):
    """One life of the stack: ms to CMD, from the crash to ready, to the end; and how it ended."""
    stack.forget()
    first, *beside = way.commands(folder)
    pid, pidfd, began = nursery.start(first, way.environment(folder))
    for argv in beside:
        os.posix_spawn(argv[0], argv, way.environment(folder), file_actions=NULL)
    found = {}
    try:
        found["exec"] = (stack.until("cmd", PATIENCE) - began / 1e9) * 1e3
        if way.restarts:
            crash = time.monotonic()
            stack.kill_database()
            try:
                found["crash"] = (stack.until("ready", PATIENCE) - crash) * 1e3
            except stacks.Timeout:
                found["crash"] = NEVER
        stack.all_heard()
        stack.heard = b""
        asked = time.monotonic()
        os.kill(pid, way.stop_signal)
        nursery.finish(PATIENCE)
        found["term"] = (time.monotonic() - asked) * 1e3
        found["lost"] = "lost" in stack.all_heard()
        found["clean"] = stack.was_shut_down()
        return found
    except (stacks.Timeout, Hung) as why:
        return {"failure": f"no {why} in {PATIENCE} s" if str(why) else f"not gone in {PATIENCE} s"}
    finally:
        os.close(pidfd)
        nursery.clear()


def summary(runs):
    """Medians of ms; how many of the runs ended badly; or why there is none."""
    if failures := [run for run in runs if "failure" in run]:
        return failures[0]
    def median(name):
        values = [run[name] for run in runs if run.get(name) is not None]
        return statistics.median(values) if values and len(values) == len(runs) else NEVER
    return {name: median(name) for name in ("exec", "crash", "term")} | {
        "lost": sum(run["lost"] for run in runs), "unclean": sum(not run["clean"] for run in runs), "runs": len(runs)}


def rows_of(ways, versions, found):
    """The table. Ratios are to the first column's time, which is belfry's."""
    first = ways[0].name
    rows = [["PostgreSQL, Redis, migration, application", *(f"{way.name} {versions.get(way.name, '')}".strip() for way in ways)]]

    def time_of(name):
        def cell(way, result):
            base = found[first].get(name)
            if result[name] is NEVER:
                return "never"
            return milliseconds(result[name]) + (f" ({result[name] / base:.1f})" if base and way.name != first else "")
        return cell

    def row(label, cell):
        rows.append([label, *(found[way.name].get("failure") or cell(way, found[way.name]) for way in ways)])

    row("exec → first byte of CMD", time_of("exec"))
    row("database killed → application ready again", time_of("crash"))
    row("SIGTERM → nothing left", time_of("term"))
    row("— of them, the application lost its database first", lambda _, result: f"{result['lost']} of {result['runs']}")
    row("— of them, the database was not shut down", lambda _, result: f"{result['unclean']} of {result['runs']}")
    return rows


def measure(nursery, ways, rounds, progress):
    stack = stacks.Stack()
    folders = {way.name: tempfile.mkdtemp(prefix="belfry-users-") for way in ways}
    runs = {way.name: [] for way in ways}
    try:
        for way in ways:
            os.chmod(folders[way.name], 0o755)  # PostgreSQL, who is somebody else, has to reach systemd's socket
            way.write(folders[way.name], stack)
        for turn in range(rounds + 1):
            for offset in range(len(ways)):
                way = ways[(offset + turn) % len(ways)]
                progress.step(way.name)
                run = once(nursery, way, folders[way.name], stack)
                if turn or "failure" in run:
                    runs[way.name].append(run)
    finally:
        stack.close()
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)
    return runs


def measure_and_print(nursery, managers, versions, rounds, scripts):
    if missing := stacks.missing():
        print(f"Not measured: a stack of servers, for want of {', '.join(missing)}.")
        return None
    belfry = next((one.program for one in managers if one.name == "belfry"), None)
    ways = all_ways(belfry, scripts, managers)
    if not ways:
        return None
    progress = Progress((rounds + 1) * len(ways))
    runs = measure(nursery, ways, rounds, progress)
    progress.finish()
    found = {name: summary(values) for name, values in runs.items()}
    print(f"In brackets the ratio to {ways[0].name}:\n")
    print_markdown(rows_of(ways, versions, found))
    return {"medians": found, "runs": runs}
