"""The judge of several hosts: etcd's history and the journals of all hosts, against what is promised.

It knows no etcd and no belfry, only what both have written down; the words and the rules are those of the simulation
(tests/simulation/cluster.cpp):

  no false ring   when a dependent starts, as many hosts were there as it asks for, each at some moment since the last of
                  its edges came to hold
  no false loss   when a dependent loses its quorum, there was a moment since it began to wait for this run at which too few were there
  one generation  nothing is put over what stands there; whom another belfry of the same host has followed never publishes
                  again; the fence that a dependent was given is a generation that was there
  no lost ring    at the end etcd has exactly what is ready, and whoever can run runs

All moments are nanoseconds of CLOCK_MONOTONIC. When etcd has committed a change is known by bounds only: between `earliest`
and `latest`. Doubt speaks for belfry, in both directions.
"""
import dataclasses

FOR_EVER = 1 << 62
ROUNDING = 1_000_000  # of a moment, where one of two clocks was read in another process


@dataclasses.dataclass(frozen=True)
class Change:
    """What etcd has done to one publication: a put of a belfry's (`boot`), or, without a boot, a delete."""
    service: str
    host: str
    revision: int
    earliest: int
    latest: int
    boot: str = ""
    generation: int = 0  # the create_revision of what was put


@dataclasses.dataclass(frozen=True)
class Break:
    """Another history begins, with what stood in the backup. `unseen` to `dead`: what etcd did then nobody has seen."""
    unseen: int
    dead: int
    begins: int
    standing: tuple  # of Change: as they were put, once


@dataclasses.dataclass(frozen=True)
class Presence:
    """One generation of a publication: it was there for certain from `came_latest` to `went_earliest`, and perhaps from
    `came_earliest` to `went_latest`."""
    service: str
    host: str
    generation: int
    boot: str
    came_earliest: int
    came_latest: int
    went_earliest: int = FOR_EVER
    went_latest: int = FOR_EVER


@dataclasses.dataclass(frozen=True)
class Edge:
    """What a dependent asks for: `gate` is the external service of its host that stands for it."""
    gate: str
    service: str
    hosts: tuple
    require: int
    on_loss: str = "restart"


@dataclasses.dataclass(frozen=True)
class Event:
    """A transition in the journal of one host; `life` counts the belfries that this host has had."""
    host: str
    life: int
    at: int
    service: str
    before: str
    state: str
    cause: str = ""
    incarnation: int = 0


@dataclasses.dataclass(frozen=True)
class Fence:
    """What the process of one run was told when it began: the greatest generation of its quorum."""
    host: str
    life: int
    service: str
    incarnation: int
    generation: int


class Truth:
    """What etcd has had, and when."""

    def __init__(self, changes):
        """Of `changes` (Change and Break) in the order in which they were made."""
        self.presences, self.breaks, self.complaints = [], [], []
        there, boots = {}, {}
        for change in changes:
            if isinstance(change, Break):
                self._break_off(change, there)
                continue
            key = (change.service, change.host)
            if not change.boot:
                if key in there:
                    self._end(there.pop(key), change.earliest, change.latest)
                continue
            if change.generation != change.revision or key in there:
                self.complaints.append(f"two generations at once: {change.service} of {change.host} was put over another in revision "
                                       f"{change.revision}")
                self._end(there.pop(key, None), change.earliest, change.latest)
            known = boots.setdefault(change.host, [])
            if change.boot not in known:
                known.append(change.boot)
            elif change.boot != known[-1]:
                self.complaints.append(f"two generations at once: the belfry {change.boot} of {change.host} publishes {change.service} in "
                                       f"revision {change.revision}, after {known[-1]} has followed it")
            there[key] = Presence(change.service, change.host, change.generation, change.boot, change.earliest, change.latest)
        self.presences += there.values()
        self.now = {key: one.generation for key, one in there.items()}

    def _end(self, presence, earliest, latest):
        if presence is not None:
            self.presences.append(dataclasses.replace(presence, went_earliest=earliest, went_latest=latest))

    def _break_off(self, change, there):
        self.breaks.append(change)
        for key in list(there):
            self._end(there.pop(key), change.unseen, change.dead)
        for one in change.standing:
            there[(one.service, one.host)] = Presence(one.service, one.host, one.generation, one.boot, change.begins, change.begins)

    def perhaps(self, edge, since, until):
        """The presences of an edge's hosts that may have been there at some moment of that time."""
        return [one for one in self.presences if one.service == edge.service and one.host in edge.hosts
                and one.came_earliest <= until + ROUNDING and one.went_latest >= since - ROUNDING]

    def certainly_enough(self, edge, since, until):
        """Whether as many as it asks for were there at each moment of that time, for certain."""
        if any(one.unseen <= until and one.begins >= since for one in self.breaks):
            return False
        sure = [one for one in self.presences if one.service == edge.service and one.host in edge.hosts]
        moments = {since, until} | {one.went_earliest for one in sure if since < one.went_earliest <= until}
        return all(len({one.host for one in sure if one.came_latest <= at < one.went_earliest}) >= edge.require for at in moments)

    def is_unseen(self, at, patience=1_000_000_000):
        """Whether what an answer said at that moment may have been so without anybody having seen it."""
        return any(one.unseen <= at <= one.dead + patience for one in self.breaks)


class Journal:
    """The life of one belfry: what each of its services has come to."""

    def __init__(self, events):
        self.events = sorted(events, key=lambda one: one.at)

    def last(self, service, state, until):
        """When the service came into that state for the last time before `until`; None: it never did."""
        return max((one.at for one in self.events if one.service == service and one.state == state and one.at <= until), default=None)

    def state(self, service):
        return next((one.state for one in reversed(self.events) if one.service == service), None)

    def cause(self, service):
        return next((one.cause for one in reversed(self.events) if one.service == service), "")


def journals_of(events):
    """(host, life) → Journal"""
    lives = {}
    for event in events:
        lives.setdefault((event.host, event.life), []).append(event)
    return {life: Journal(some) for life, some in lives.items()}


def is_ring(event):
    return (event.before, event.state) == ("waiting", "starting")


@dataclasses.dataclass
class Verdict:
    complaints: list
    rings: int = 0     # that were judged
    unjudged: int = 0  # in the moments around a restored backup
    losses: int = 0
    fences: int = 0

    def __str__(self):
        return f"{self.rings} rings, {self.losses} losses and {self.fences} fences judged, {self.unjudged} rings could not be"


def judge(changes, events, fences, edges):
    """`edges`: (host, service) → the edges of that dependent to other hosts. A Verdict on all of it but its end."""
    truth = Truth(changes)
    verdict = Verdict(list(truth.complaints))
    told = {(one.host, one.life, one.service, one.incarnation): one.generation for one in fences}
    for (host, life), journal in sorted(journals_of(events).items()):
        for event in journal.events:
            asked = edges.get((host, event.service))
            if asked and is_ring(event):
                fence = told.get((host, life, event.service, event.incarnation))
                _judge_ring(truth, journal, event, asked, fence, verdict)
            elif asked and event.before == "ready" and event.state == "stopping":
                _judge_loss(truth, journal, event, asked, verdict)
    return verdict


def _judge_ring(truth, journal, event, edges, fence, verdict):
    if truth.is_unseen(event.at):
        verdict.unjudged += 1
        return
    verdict.rings += 1
    held = [journal.last(edge.gate, "ready", event.at) for edge in edges]
    waits = journal.last(event.service, "waiting", event.at)
    if None in held or waits is None:
        verdict.complaints.append(f"a false ring on {event.host}: {event.service} starts, and an edge of it has never held")
        return
    since = max([waits, *held])
    for edge in edges:
        there = truth.perhaps(edge, since, event.at)
        hosts = sorted({one.host for one in there})
        if len(hosts) < edge.require:
            verdict.complaints.append(
                f"a false ring on {event.host}: {event.service} starts, and {edge.service} was there on {hosts}, not on {edge.require} "
                f"hosts of {list(edge.hosts)}, in the {(event.at - since) / 1e6:.1f} ms since its last edge came to hold")
    if fence is not None:
        verdict.fences += 1
        # What it was told may be older than the answer by which it starts, and not than the wait for this run.
        if fence not in {one.generation for one in truth.perhaps(edges[0], waits, event.at)}:
            verdict.complaints.append(f"a false fence on {event.host}: {event.service} was given {fence}, which is no generation of "
                                      f"{edges[0].service} that was there since it began to wait")


def _judge_loss(truth, journal, event, edges, verdict):
    for edge in edges:
        if event.cause != f"lost {edge.gate} ready":
            continue
        verdict.losses += 1
        since = journal.last(event.service, "waiting", event.at)
        if since is not None and truth.certainly_enough(edge, since, event.at):
            verdict.complaints.append(f"a false loss on {event.host}: {event.service} stops, and {edge.service} was there on "
                                      f"{edge.require} hosts for all of its run")


def judge_end(changes, events, publishers, edges, lives):
    """What is not as it must come to be once all faults have ended. `publishers`: (host, service) of all who publish; `lives`: which
    belfry of each host is the last one, though it may not have written anything down yet."""
    now = Truth(changes).now
    journals = journals_of(events)
    latest = {host: journals.get((host, life), Journal([])) for host, life in lives.items()}
    complaints = []
    for host, service in sorted(publishers):
        state = latest[host].state(service)
        if ((service, host) in now) != (state == "ready"):
            complaints.append(f"at the end etcd says of {host} that {service} is {'' if (service, host) in now else 'not '}ready, "
                              f"and there it is {state}")
    for (host, service), asked in sorted(edges.items()):
        complaints += _judge_end_of(host, service, asked, latest[host], now)
    return complaints


def _judge_end_of(host, service, edges, journal, now):
    complaints, could = [], True
    for edge in edges:
        there = sum((edge.service, one) in now for one in edge.hosts) >= edge.require
        could = could and there
        if there != (journal.state(edge.gate) == "ready"):
            complaints.append(f"at the end {edge.gate} on {host} is {journal.state(edge.gate)}, and the quorum is {'' if there else 'not '}there")
    state = journal.state(service)
    is_stopped_for_good = any(edge.on_loss == "stop" for edge in edges) and state == "inactive"
    if could and state != "ready" and not is_stopped_for_good:
        complaints.append(f"a lost ring: at the end {service} on {host} is {state}, and could run")
    if not could and state == "ready" and all(edge.on_loss != "ignore" for edge in edges):
        complaints.append(f"at the end {service} on {host} runs, and should not")
    return complaints
