"""Stacks of trivial services in three shapes, written for belfry and for the floor programs.

Both files come from one list of edges, so that everybody starts the same graph.
"""
import random
import sys

SEED = 20260101


def chain(count):
    """Each service waits for the one before it."""
    return [[i - 1] if i else [] for i in range(count)]


def fan_out(count):
    """One service, and all others wait for it."""
    return [[0] if i else [] for i in range(count)]


def layers(count, depth=10, dependencies=3):
    """Ten layers; each service waits for three random ones of the layer below."""
    rng = random.Random(SEED)
    graph = []
    for i in range(count):
        layer = i * depth // count
        first = -(-(layer - 1) * count // depth) if layer else 0
        end = -(-layer * count // depth)
        below = range(first, end) if layer else range(0)
        graph.append(sorted(rng.sample(below, min(dependencies, len(below)))))
    return graph


SHAPES = {"chain": chain, "fan-out": fan_out, "layers": layers}


def write_floor_graph(path, graph, argv_of):
    with open(path, "w", encoding="ascii") as out:
        out.write(f"{len(graph)}\n")
        for i, dependencies in enumerate(graph):
            out.write(" ".join(map(str, [len(dependencies), *dependencies])) + " -- " + " ".join(argv_of(i)) + "\n")


def write_belfry_file(path, graph, argv_of, control, inherit_logs=False):
    with open(path, "w", encoding="ascii") as out:
        # Ten seconds for each link of a chain of ten thousand: the default budget of 25 s leaves one 2.5 ms.
        out.write(f"name: bench\ncontrol: {{socket: {control}}}\nshutdown: {{timeout: 30h}}\nservices:\n")
        for i, dependencies in enumerate(graph):
            words = ", ".join(f'"{word}"' for word in argv_of(i))
            out.write(f"  s{i}:\n    command: [{words}]\n    ready: notify\n" + ("    log: inherit\n" if inherit_logs else ""))
            if dependencies:
                out.write("    depends_on: [" + ", ".join(f"s{d}" for d in dependencies) + "]\n")


def main():
    """stacks.py SHAPE COUNT [COMMAND…]: prints a belfry file, for trying things by hand."""
    shape, count, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:] or ["sleep", "infinity"]
    write_belfry_file("/dev/stdout", SHAPES[shape](count), lambda i: command, "/tmp/belfry-bench.sock")


if __name__ == "__main__":
    main()
