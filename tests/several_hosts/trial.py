"""One trial: everything comes up, faults come and go, everything comes up again, and all that was written down is judged."""
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from etcd import Etcd, Observer
from faults import MEMBERS, plan
from hosts import ALL, EDGES, PUBLISHERS, Host
from judge import Break, judge, judge_end
from network import Network

TTL = 3                # seconds, of each belfry's lease
TO_COME_UP = 60        # seconds until everything is ready, for the first time
TO_COME_UP_AGAIN = 120  # …once all faults have ended: leases run out, and connections are made again with up to 30 s between


class Trial:
    def __init__(self, seed, count, folder):
        self.began = time.monotonic_ns()
        self.changed = threading.Condition()
        self.told = []     # (moment, who, what)
        self.saved = None  # the revision of the backup
        self.ready_again = float("inf")
        self.folder, self.backup = folder, os.path.join(folder, "backup")
        self.faults = plan(seed, count)
        self.network = Network()
        self.etcd = Etcd(self.network, folder)
        self.etcd.wait()
        self.observer = Observer(self.etcd.members[0], "trial", self.changed)
        endpoints = [member.url for member in self.etcd.members]
        self.hosts = {name: Host(self.network, i, folder, endpoints, TTL, self.changed) for i, name in enumerate(ALL)}

    def say(self, who, what):
        self.told.append((time.monotonic_ns(), who, what))

    # --- waiting

    def wait(self, holds, seconds):
        """Until it holds, looked at whenever anything is written down anywhere; False: it never did."""
        with self.changed:
            return self.changed.wait_for(lambda: self.observer.failure or holds(), seconds) and self.observer.failure is None

    def pause(self, fault):
        count = len(self.observer.changes)
        self.wait(lambda: len(self.observer.changes) >= count + fault.changes, fault.seconds)

    def events(self):
        return [event for host in self.hosts.values() for event in host.events]

    def unfinished(self):
        """What is not yet as it must come to be."""
        lives = {name: host.life for name, host in self.hosts.items()}
        said = judge_end(self.observer.changes, self.events(), PUBLISHERS, EDGES, lives)
        states = {(event.host, event.service): event.state for event in self.events() if event.life == lives[event.host]}
        return said + [f"at the end {service} of {host} is {states.get((host, service))}" for host, service in PUBLISHERS
                       if states.get((host, service)) != "ready"]

    # --- faults: each says what it did, or None where there is nothing that it could be done to

    def cut(self, fault):
        self.network.cut(fault.names)
        return "from now on"

    def heal(self, _):
        if not self.network.apart:
            return None
        self.network.cut(())
        return "all reach each other"

    def freeze(self, fault):
        host = self.hosts[fault.names[0]]
        return host.freeze() or "SIGSTOP" if host.is_alive() and not host.is_frozen else None

    def thaw(self, _):
        frozen = [host for host in self.hosts.values() if host.is_frozen]
        for host in frozen:
            host.thaw()
        return " ".join(host.name for host in frozen) or None

    def kill(self, fault):
        host = self.hosts[fault.names[0]]
        if not host.is_alive():
            return None
        host.kill()
        host.is_frozen = False
        return "SIGKILL"

    def start(self, _):
        dead = [host for host in self.hosts.values() if not host.is_alive()]
        for host in dead:
            host.start()
        return " ".join(host.name for host in dead) or None

    def restart(self, fault):
        host = self.hosts[fault.names[0]]
        if not host.is_alive() or host.is_frozen:
            return None
        code = host.stop(30)
        host.start()
        return f"ended with {code}"

    def freeze_member(self, fault):
        member = self.etcd.by_name[fault.names[0]]
        return member.process.send_signal(signal.SIGSTOP) or "SIGSTOP" if member.is_alive() else None

    def thaw_member(self, _):
        for name in MEMBERS:
            if self.etcd.by_name[name].is_alive():
                self.etcd.by_name[name].process.send_signal(signal.SIGCONT)
        return "all"

    def kill_member(self, fault):
        member = self.etcd.by_name[fault.names[0]]
        return member.kill() or "SIGKILL" if member.is_alive() else None

    def start_member(self, _):
        dead = [member for member in self.etcd.members if not member.is_alive()]
        for member in dead:
            member.start(self.etcd.members)
        return " ".join(member.name for member in dead) or None

    def has_majority(self):
        try:
            self.etcd.members[0].ask("/v3/kv/range", {"key": "eA=="}, timeout=2)
        except (OSError, ValueError):
            return False
        return True

    def compact(self, _):
        return f"up to {self.etcd.compact()}" if self.has_majority() else None

    def move_leader(self, fault):
        return self.etcd.move_leader(fault.share)

    def save(self, _):
        if not self.has_majority():
            return None
        self.saved = self.etcd.save(self.backup)
        return f"revision {self.saved}"

    def restore(self, _):
        # Whoever is frozen may hold an answer that nobody saw; without a majority the observer cannot catch up.
        if self.saved is None or any(host.is_frozen for host in self.hosts.values()) or not self.has_majority():
            return None
        unseen = self.observer.catch_up()
        self.observer.quiet.set()
        dead, begins = self.etcd.restore(self.backup)
        self.observer.end()
        if self.network.apart & {"m1", "m2"}:
            self.network.cut(self.network.apart - {"m1", "m2"})  # or nobody would lead
        self.observer.break_off(unseen, dead, begins, self.saved)
        self.etcd.wait()
        self.observer.begin(self.saved + 1)
        said, self.saved = f"revision {self.saved}", None
        return said

    def crash_service(self, fault):
        host, service = fault.names
        pid = self.hosts[host].pid(service) if self.hosts[host].is_alive() else None
        if pid is None:
            return None
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return None
        return f"SIGKILL to {pid}"

    def _command(self, fault, what):
        host = self.hosts[fault.names[0]]
        if not host.is_alive() or host.is_frozen:
            return None
        try:
            return f"answered {host.command(fault.names[1], what)}"
        except OSError:
            return None  # its socket is not there yet

    def stop_service(self, fault):
        return self._command(fault, "stop")

    def start_service(self, fault):
        return self._command(fault, "start")

    def restart_service(self, fault):
        return self._command(fault, "restart")

    def do(self, fault):
        done = getattr(self, fault.kind.replace(" ", "_"))(fault)
        self.say("trial", f"{fault}: {'there is nothing to do it to' if done is None else done}")
        return done is not None

    # --- its life

    def come_up(self):
        for host in self.hosts.values():
            host.start()
        return self.wait(lambda: not self.unfinished(), TO_COME_UP)

    def live(self):
        """How many faults there were."""
        done = 0
        for fault in self.faults:
            done += self.do(fault)
            self.pause(fault)
            if self.observer.failure:
                break
        return done

    def end_faults(self):
        self.say("trial", "all faults end")
        self.network.cut(())
        self.thaw_member(None)
        self.start_member(None)
        self.thaw(None)
        self.start(None)
        for name, service in PUBLISHERS:
            # Its socket may not be there yet, where it has just been started; then the service was not stopped either.
            self.wait(lambda name=name: any(event.life == self.hosts[name].life for event in self.hosts[name].events), 10)
            self.hosts[name].command(service, "start")

    def come_up_again(self):
        """What is still not as it should be, or does not stay so for longer than a lease that nobody renews."""
        deadline = time.monotonic() + TO_COME_UP_AGAIN
        while self.wait(lambda: not self.unfinished(), deadline - time.monotonic()):
            self.ready_again = time.monotonic()
            if not self.wait(self.unfinished, 2 * TTL):
                break
        if self.observer.failure is None:
            self.observer.catch_up()
        with self.changed:
            return self.unfinished()

    def verdict(self):
        fences = [fence for host in self.hosts.values() for fence in host.fences()]
        with self.changed:
            changes, events = self.observer.bounded(), self.events()
        verdict = judge(changes, events, fences, EDGES)
        # Had kafka never been published, each start by it would have been false: a judge who does not see that says nothing of worth.
        stripped = [dataclasses.replace(one, standing=tuple(old for old in one.standing if old.service != "kafka")) if isinstance(one, Break) else one
                    for one in changes if isinstance(one, Break) or one.service != "kafka"]
        if verdict.rings and not judge(stripped, events, fences, EDGES).complaints:
            verdict.complaints.append("the judge sleeps: he finds nothing wrong with starts by a kafka that was never there")
        return verdict

    def what_the_observer_missed(self):
        """A watch of this etcd may lose events: what it has told must come to what a list says."""
        with self.changed:
            watched = {}
            for change in self.observer.changes:
                if isinstance(change, Break):
                    watched = {(one.service, one.host): one.generation for one in change.standing}
                elif change.boot:
                    watched[(change.service, change.host)] = change.generation
                else:
                    watched.pop((change.service, change.host), None)
        listed = self.observer.standing()
        return [] if listed == watched else [f"cannot judge: the observer's watch has come to {watched}, and etcd has {listed}"]

    def journal(self):
        """All that was written down, in order; what etcd has done at the latest moment at which it was done."""
        lines = list(self.told)
        for change in self.observer.bounded():
            if isinstance(change, Break):
                lines.append((change.begins, "etcd", "begins anew from a backup with " + str(sorted((one.service, one.host) for one in change.standing))))
            else:
                what = f"put by {change.boot}" if change.boot else "deleted"
                lines.append((change.latest, "etcd", f"{change.revision}: {change.service} of {change.host} {what}, "
                                                     f"{(change.latest - change.earliest) / 1e6:.0f} ms at most before"))
        lines += [(event.at, f"{event.host}.{event.life}", f"{event.service} {event.before} → {event.state}" + (f": {event.cause}" if event.cause else ""))
                  for event in self.events()]
        return [f"{(at - self.began) / 1e9:9.3f} {who:6} {what}" for at, who, what in sorted(lines)]

    def close(self):
        codes = {}
        for host in self.hosts.values():
            if host.is_alive():
                host.thaw()
                try:
                    codes[host.name] = host.stop(30)
                except subprocess.TimeoutExpired:
                    codes[host.name] = "no end within 30 s"
                    host.kill()
        self.observer.end()
        self.etcd.close()
        self.network.close()
        return [f"belfry of {name} ended with {code}" for name, code in codes.items() if code != 0]


def live_through(asked, folder):
    """The complaints."""
    trial = Trial(asked.seed, asked.faults, folder)
    try:
        complaints, verdict, done = [], None, 0
        if not trial.come_up():
            complaints = ["it never came up: " + text for text in trial.unfinished()]
        else:
            trial.say("trial", "everything is ready")
            done = trial.live()
            trial.end_faults()
            ended = time.monotonic()
            complaints = trial.come_up_again()
            print(f"{done} of {len(trial.faults)} faults; everything was ready again {trial.ready_again - ended:.1f} s after the last")
        verdict = trial.verdict()
        complaints += verdict.complaints
        complaints += [trial.observer.failure] if trial.observer.failure else trial.what_the_observer_missed()
        print(verdict)
    finally:
        ends = trial.close()
    if asked.tell or complaints:
        print("\n".join(trial.journal()))
    return complaints + ends


def run(asked):
    print(f"the trial of several hosts: seed {asked.seed}, {asked.faults} faults", flush=True)
    # In memory where that can be had: what a disk takes to write is none of our faults.
    folder = tempfile.mkdtemp(prefix="belfry-trial-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    complaints = ["it broke"]
    try:
        complaints = live_through(asked, folder)
    finally:
        if asked.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
        if asked.results:
            with open(asked.results, "w", encoding="utf-8") as out:
                json.dump({"passed": int(not complaints), "failed": int(bool(complaints)),
                           "broken": [{"name": f"several_hosts --seed {asked.seed}", "why": "\n".join(complaints)}] if complaints else []}, out)
    for complaint in complaints:
        print("***", complaint)
    print(f"{int(not complaints)} passed, {int(bool(complaints))} failed")
    return 1 if complaints else 0
