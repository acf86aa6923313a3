#!/usr/bin/python3
"""The numbers of docs/explanation/scale.md that are reckoned or simulated, and none that is measured: no etcd is asked.

  bench/cluster/paper.py                    all tables; the same seed gives the same numbers
  bench/cluster/paper.py --runs 20          fewer storms of each kind

The rules are those of daemon/cluster/watcher.cpp (Watcher::rest), daemon/cluster/publisher.cpp (ensure_lease, renew, verify) and
daemon/cluster/etcd/client.cpp (live, visit); who changes one of them there changes it here.
"""
import argparse
import os
import random
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tables import markdown  # noqa: E402

PUBLICATIONS = 10  # of one host
LIST_AGAIN = (30, 60)  # s, from one list to the next: each moment between is as likely as any other
TTLS = (9, 10, 11, 12)  # s: 10 s a fifth earlier or later, in whole seconds, rounded up
SPREAD = 10  # s, of those on whom nobody waits
BIN = 0.1  # s


# --- what a key weighs

def varint(number):
    return max(1, (number.bit_length() + 6) // 7)


def field(size):
    """A text or a message within a message: tag, length, bytes."""
    return 1 + varint(size) + size


def key_in_an_answer():
    """An mvccpb.KeyValue within a RangeResponse, of a publication with one address: (bytes, key, value)."""
    key = len("belfry/shop/s/payments/h/host-00042")
    value = len('{"boot_id":"0123456789abcdef01234567","incarnation":1,"since_ms":1796083200000,"outputs":{"ADDRESS":"10.0.100.42:9092"}}')
    revision, version, lease = 1 + varint(10**7), 1 + varint(1), 1 + varint(2**62)
    return field(field(key) + 2 * revision + version + field(value) + lease), key, value


# --- what so many hosts ask

def rates(hosts, size):
    listed = hosts * PUBLICATIONS * size
    lists = hosts / statistics.fmean(LIST_AGAIN)
    renewals = hosts * statistics.fmean(3 / ttl for ttl in TTLS)
    return {"keys, one lease a host": f"{hosts * PUBLICATIONS:,}",
            "bytes of a list": bytes_of(listed),
            "lists a second": f"{lists:,.1f}",
            "bytes a second for lists": bytes_of(lists * listed),
            "renewals of leases a second": f"{renewals:,.0f}" if renewals >= 10 else f"{renewals:.1f}",
            "transactions that verify them, a second": f"{renewals / 3:,.0f}" if renewals >= 10 else f"{renewals / 3:.1f}",
            "deliveries of a bring-up, one event each": f"{hosts * PUBLICATIONS * hosts:,}",
            "bytes of these": bytes_of(hosts * PUBLICATIONS * hosts * size),
            "looks when one key goes": f"{hosts:,}",
            "bytes of these, if the service is on every host": bytes_of(hosts * (hosts - 1) * size),
            "memory of etcd for connections, streams, watches": bytes_of(hosts * (17e3 + 2 * 18e3 + 350)),
            "leases that end together: revoked within": f"{hosts / 1000:g} s",
            "history of a bring-up, five events each": bytes_of(hosts * PUBLICATIONS * 5 * size)}


def bytes_of(count):
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"


# --- the storm after a member has gone

def storm(chance, hosts, waiting, spread, connection_is_lost):
    """When those who have lost their watch at 0 list again: the most in one bin, and the moment of the last one."""
    bins, last = {}, 0.0
    for _ in range(hosts):
        is_waited_for = chance.random() < waiting
        due = chance.random() * (1 if is_waited_for or not spread else SPREAD)
        if connection_is_lost:  # the client's own rest before the next member
            due += chance.random()
        bins[int(due / BIN)] = bins.get(int(due / BIN), 0) + 1
        last = max(last, due)
    return max(bins.values(), default=0), last


def storms(hosts, runs):
    rows = [["who has lost it", "waited for", "rule", "peak in 100 ms, median", "greatest", "lists a second at the peak", "last list after"]]
    for what, share, lost in (("clients of one member of three", 3, True), ("all at once, connections stand", 1, False)):
        for waiting, spread, rule in ((0.0, True, "spread"), (0.1, True, "spread"), (0.0, False, "without the spread")):
            chance = random.Random(f"{hosts} {what} {waiting} {rule}")
            seen = [storm(chance, hosts // share, waiting, spread, lost) for _ in range(runs)]
            peak = statistics.median(one[0] for one in seen)
            rows.append([f"{what} ({hosts // share:,})", f"{waiting:.0%}" if spread else "any", rule, f"{peak:,.0f}",
                         f"{max(one[0] for one in seen):,}", f"{peak / BIN:,.0f}", f"{statistics.median(one[1] for one in seen):.1f} s"])
    return rows


# --- where clients are after a rolling restart of the members

def after_a_rolling_restart(hosts, chance):
    """Each client goes to the next member of its own order when its member goes, and stays there."""
    orders = [chance.sample(range(3), 3) for _ in range(hosts)]
    at, told = [0] * hosts, []
    for gone in range(3):
        for host, order in enumerate(orders):
            if order[at[host] % 3] == gone:
                at[host] += 1
        share = [0, 0, 0]
        for host, order in enumerate(orders):
            share[order[at[host] % 3]] += 1
        told.append([f"e{gone + 1}", *(f"{count / hosts:.0%}" for count in share)])
    return [["restarted", "at e1", "at e2", "at e3"], *told]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=100, help="storms of each kind")
    runs = arguments.parse_args().runs
    size, key, value = key_in_an_answer()
    print(f"Reckoned. A publication in an answer: {size} B (its key {key}, its value {value}).\n")
    sizes = (10, 100, 1000, 10_000)
    columns = [rates(hosts, size) for hosts in sizes]
    print(markdown([["", *(f"{hosts:,} hosts" for hosts in sizes)], *([name, *(column[name] for column in columns)] for name in columns[0])]))
    print(f"\nA list is read in pages, of {1 << 18:,} keys in all: {(1 << 18) * size / 1e6:.0f} MB.\n")
    for hosts in (1000, 10_000):
        print(f"Simulated, {runs} storms each, {hosts:,} hosts.\n\n{markdown(storms(hosts, runs))}\n")
    print(f"Simulated. Clients after a rolling restart of e1, e2, e3.\n\n{markdown(after_a_rolling_restart(10_000, random.Random(1)))}")


if __name__ == "__main__":
    main()
