"""The tables of bench/peers/run, as they stand in the README."""
STARTED_ONLY = "†"


def milliseconds(value):
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def mebibytes(kib):
    return f"{kib / 1024:.1f} MiB"


def edges(found):
    return f"{found['started_early']:.0f} / {found['stopped_early']:.0f}"


def beside(value, base, show):
    """A value with its ratio to the floor's: `420 ms (1.12)`."""
    return show(value) + (f" ({value / base:.2f})" if base else "")


def heading(manager, versions):
    return f"{manager.name} {versions[manager.name]}".strip()


def dag_rows(managers, versions, medians, count, shapes):
    """`medians`: {(manager, shape): {figure: value}}; the first manager is the floor. Who has failed says why, in its cell."""
    floor = managers[0].name
    rows = [[f"{count} trivial services", *(heading(manager, versions) for manager in managers)]]

    def row(label, shape, cell):
        cells = []
        for manager in managers:
            found, base = medians[manager.name, shape], medians[floor, shape] if manager.name != floor else {}
            cells.append(found.get("failure") or cell(manager, found, base))
        rows.append([label, *cells])

    def ready(manager, found, base):
        mark = "" if manager.hears_readiness else f" {STARTED_ONLY}"
        return beside(found["up"], base.get("up"), milliseconds) + mark

    for shape in shapes:
        row(f"{shape}: exec → all ready", shape, ready)
        row("— stop → nothing left", shape, lambda _, found, base: beside(found["down"], base.get("down"), milliseconds))
        row("— edges not kept, start / stop", shape, lambda _, found, base: edges(found))
        row("— CPU of all processes, whole life", shape, lambda _, found, base: beside(found["cpu"], base.get("cpu"), milliseconds))
        row("— memory of the manager", shape, lambda _, found, base: mebibytes(found["memory"]))
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
