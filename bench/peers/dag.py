"""The same graph of trivial services, run by each manager in turn."""
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from arena import PATIENCE, Arena, NotReady, Refused, order_violations  # noqa: E402
from nursery import Hung  # noqa: E402


class Course:
    """One manager with the files of one graph, for as many runs as are wanted."""

    def __init__(self, nursery, manager, graph, tick):
        self.nursery, self.manager, self.graph, self.tick = nursery, manager, graph, tick
        self.failure = None
        self.arena = Arena(len(graph))
        manager.write(self.arena.path, graph, lambda i: [tick, self.arena.record, str(i), "0", manager.tick])

    def once(self):
        """What one run has cost. Who has failed once is not asked again."""
        if self.failure is None:
            try:
                return self.live()
            except Refused:
                self.failure = "refused"
            except NotReady:
                self.failure = f"not ready in {PATIENCE} s"
            except Hung:
                self.failure = f"not gone in {PATIENCE} s"
            finally:
                self.nursery.clear()
        return {"failure": self.failure}

    def live(self):
        arena, manager = self.arena, self.manager
        arena.forget()
        pid, pidfd, began = self.nursery.start(manager.command(arena.path), manager.environment(arena.path))
        try:
            arena.wait_until_all_ready(manager.name, pidfd)
            memory, processes = self.nursery.memory(self.tick)
            asked = time.monotonic_ns()
            manager.stop(pid, arena.path)
            cpu = self.nursery.finish(PATIENCE)
            gone = time.monotonic_ns()
        finally:
            os.close(pidfd)
        return result_of(self.graph, arena.records(), began) | {
            "down": (gone - asked) / 1e6, "cpu": cpu * 1e3, "memory": memory, "processes": processes}

    def close(self):
        self.arena.close()


def result_of(graph, records, began):
    """What the ticks tell: ms until all were ready, and how many edges were not kept."""
    started_early, stopped_early = order_violations(graph, records)
    last_ready = max(record[1] for record in records)
    return {"up": (last_ready - began) / 1e6, "up_from_first": (last_ready - min(record[0] for record in records)) / 1e6,
            "started_early": started_early, "stopped_early": stopped_early}


def medians_of(runs):
    """Of each figure; or why there is none."""
    if failures := [run for run in runs if "failure" in run]:
        return failures[0]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def measure(nursery, managers, graphs, rounds, tick, progress):
    """{(manager, shape): [run, …]}. The first run of each is thrown away; the order changes from round to round."""
    courses = {(manager.name, shape): Course(nursery, manager, graph, tick) for shape, graph in graphs.items() for manager in managers}
    runs = {key: [] for key in courses}
    try:
        for turn in range(rounds + 1):
            for shape in graphs:
                for offset in range(len(managers)):
                    key = (managers[(offset + turn) % len(managers)].name, shape)
                    progress.step(f"{shape}: {key[0]}")
                    run = courses[key].once()
                    if turn:
                        runs[key].append(run)
    finally:
        for course in courses.values():
            course.close()
    return runs
