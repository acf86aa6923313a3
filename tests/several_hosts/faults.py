"""What is to go wrong, in which order: drawn by chance from a seed, before anything runs."""
import dataclasses
import random

from hosts import ALL, PUBLISHERS

MEMBERS = ("m1", "m2")  # m0 is the observer's
# How often each is drawn. What ends a fault comes as often as what begins one.
KINDS = {"cut": 3, "heal": 3, "freeze": 2, "thaw": 3, "kill": 2, "start": 3, "restart": 1, "freeze member": 1, "thaw member": 2, "kill member": 1,
         "start member": 2, "compact": 2, "move leader": 2, "save": 2, "restore": 2, "crash service": 3, "stop service": 2, "start service": 2,
         "restart service": 2}
# Each of these is somewhere in every plan, in this order.
ALWAYS = ("save", "cut", "compact", "freeze", "heal", "move leader", "kill", "thaw", "kill member", "start", "start member", "restore")


@dataclasses.dataclass(frozen=True)
class Fault:
    kind: str
    names: tuple    # of hosts, members, or a service on a host
    share: float    # what else chance decides
    seconds: float  # until the next one, unless etcd has changed as often as `changes` before
    changes: int

    def __str__(self):
        return f"{self.kind} {' '.join(self.names)}".strip()


def _names(chance, kind):
    if kind == "cut":
        hosts = chance.sample(ALL, chance.randint(1, 4))
        member = [chance.choice(MEMBERS)] if chance.random() < 0.5 else []
        return (*sorted(hosts), *member)
    if kind.endswith("member"):
        return (chance.choice(MEMBERS),)
    if kind.endswith("service"):
        return chance.choice(PUBLISHERS)
    if kind in ("freeze", "thaw", "kill", "start", "restart"):
        return (chance.choice(ALL),)
    return ()


def plan(seed, count):
    """`count` faults, at least as many as ALWAYS has."""
    chance = random.Random(seed)
    kinds = chance.choices(list(KINDS), weights=list(KINDS.values()), k=max(0, count - len(ALWAYS)))
    for place, kind in zip(sorted(chance.sample(range(count), len(ALWAYS))), ALWAYS):
        kinds.insert(place, kind)
    faults = []
    for kind in kinds:
        seconds = chance.uniform(4, 8) if chance.random() < 0.2 else chance.uniform(0.1, 2)
        faults.append(Fault(kind, _names(chance, kind), chance.random(), seconds, chance.randint(3, 12)))
    return faults
