"""The tables of bench/peers/run, as they stand in the README."""
STARTED_ONLY = "†"


def milliseconds(value):
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def mebibytes(kib):
    return f"{kib / 1024:.1f} MiB"


def edges(found):
    """Of several graphs together."""
    return " / ".join(f"{sum(one[figure] for one in found):.0f}" for figure in ("started_early", "stopped_early"))


def beside(value, base, show):
    """A value with its ratio to the floor's: `420 ms (1.12)`."""
    return show(value) + (f" ({value / base:.2f})" if base else "")


def heading(manager, versions):
    return f"{manager.name} {versions[manager.name]}".strip()


def dag_rows(managers, versions, medians, graphs):
    """`medians`: {(manager, shape): {figure: value}}; the first manager is the floor. Who has failed says why, in its cell."""
    floor, shapes = managers[0].name, list(graphs)
    last = shapes[-1]
    count, total = len(graphs[last]), sum(len(needs) for graph in graphs.values() for needs in graph)
    rows = [[f"{count} trivial services", *(heading(manager, versions) for manager in managers)]]

    def row(label, shape, figure, show, mark=""):
        cells = []
        for manager in managers:
            found, base = medians[manager.name, shape], medians[floor, shape] if manager.name != floor else {}
            cells.append(found.get("failure") or
                         beside(found[figure], base.get(figure), show) + ("" if manager.hears_readiness else mark))
        rows.append([label, *cells])

    for shape in shapes:
        row(f"{shape}: exec → all ready", shape, "up", milliseconds, f" {STARTED_ONLY}")
        row("— stop → nothing left", shape, "down", milliseconds)
    row(f"— CPU of all processes, {last}", last, "cpu", milliseconds)
    row(f"— memory of the manager, {last}", last, "memory", mebibytes)
    kept = ([medians[manager.name, shape] for shape in shapes] for manager in managers)
    rows.append([f"edges not kept, start / stop, of {total}",
                 *(next((one["failure"] for one in found if "failure" in one), None) or edges(found) for found in kept)])
    return rows


def notes(managers, missing):
    """What the table does not say itself: who was only started, who is not there."""
    said = []
    if only := [manager.name for manager in managers if not manager.hears_readiness]:
        said.append(f"{STARTED_ONLY} {' and '.join(only)}: started only. No readiness and no order among services can be told "
                    "there, so all are started at once, and a service counts as ready when it runs.")
    if unordered := [manager.name for manager in managers if manager.hears_readiness and not manager.stops_in_order]:
        said.append(f"{' and '.join(unordered)}: all are asked to stop at once. (s6-rc, which keeps an order, is not in Debian 12.)")
    said += [f"Not measured: {why}." for why in missing]
    return said
