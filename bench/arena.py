"""What the ticks of a stack write down (floor/tick.c), and what can be told from it."""
import os
import select
import shutil
import struct
import tempfile

HEADER = struct.Struct("<ii56x")
RECORD = struct.Struct("<qqqq")
PATIENCE = 120  # seconds until a run counts as hung


class Refused(Exception):
    """A manager does not run the stack at all."""


class NotReady(SystemExit):
    """Its services are not ready in time; who does not catch it ends with these words."""


class Arena:
    """The files of one measurement; the record lies in shared memory."""

    def __init__(self, count):
        self.count = count
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.path = tempfile.mkdtemp(prefix="belfry-bench-", dir=base)
        self.record = os.path.join(self.path, "record")
        self.forget()
        os.mkfifo(self.record + ".done")
        self.done = os.open(self.record + ".done", os.O_RDWR | os.O_CLOEXEC)

    def forget(self):
        """As before the first run: nobody has begun, nobody is ready."""
        with open(self.record, "wb") as out:
            out.write(HEADER.pack(self.count, 0))
            out.truncate(HEADER.size + self.count * RECORD.size)

    def wait_until_all_ready(self, name, manager=None, patience=PATIENCE):
        """`manager`: a pidfd; one that ends before its services are ready has refused them."""
        found = select.select([self.done] + ([] if manager is None else [manager]), [], [], patience)[0]
        if not found:
            raise NotReady(f"cannot measure {name}: {self.count} services were not ready within {patience} s")
        if self.done not in found:
            raise Refused(f"{name} ended before its {self.count} services were ready")
        os.read(self.done, 1)

    def records(self):
        with open(self.record, "rb") as file:
            return [r for r in RECORD.iter_unpack(file.read()[HEADER.size:])]

    def close(self):
        os.close(self.done)
        shutil.rmtree(self.path)


def latencies(graph, records):
    """Per edge-complete start, µs: last READY=1 of the dependencies to the first line of main()."""
    return [(records[i][0] - max(records[d][1] for d in needs)) / 1e3 for i, needs in enumerate(graph) if needs]


def order_violations(graph, records):
    """Edges that were not kept: (started too early, stopped too early)."""
    edges = [(i, d) for i, needs in enumerate(graph) for d in needs]
    return (sum(records[i][0] < records[d][1] for i, d in edges), sum(records[d][2] < records[i][3] for i, d in edges))


def percentile(values, fraction):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * fraction))]
