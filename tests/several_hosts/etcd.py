"""Three members of etcd on hosts of their own, and an observer who writes down all that becomes of the publications of a stack."""
import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess
import threading
import time

from judge import Break, Change
from network import wait_for_end

PATIENCE = 60
PACE = 0.1  # seconds between two marks, by which the moment of a change is bounded


class Member:
    def __init__(self, network, name, address, folder):
        self.network, self.name, self.address, self.folder = network, name, address, folder
        self.process, self.lives = None, 0

    @property
    def url(self):
        return f"http://{self.address}:2379"

    @property
    def peer(self):
        return f"http://{self.address}:2380"

    def data(self):
        return os.path.join(self.folder, f"{self.name}.{self.lives}")

    def start(self, members):
        everybody = ",".join(f"{one.name}={one.peer}" for one in members)
        with open(os.path.join(self.folder, self.name + ".log"), "ab") as log:
            self.process = subprocess.Popen(
                [*self.network.within(self.name), "etcd", f"--name={self.name}", f"--data-dir={self.data()}", f"--listen-client-urls={self.url}",
                 f"--advertise-client-urls={self.url}", f"--listen-peer-urls={self.peer}", f"--initial-advertise-peer-urls={self.peer}",
                 f"--initial-cluster={everybody}", "--initial-cluster-token=belfry-trial"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def ask(self, path, body, timeout=PATIENCE):
        connection = http.client.HTTPConnection(self.address, 2379, timeout=timeout)
        try:
            connection.request("POST", path, json.dumps(body))
            answer = connection.getresponse()
            told = json.loads(answer.read())
            if answer.status != 200:
                raise OSError(f"{self.name} answers {answer.status}: {told}")
            return told
        finally:
            connection.close()

    def revision(self):
        """Of a linearizable read: whoever answers it has a majority."""
        return int(self.ask("/v3/kv/range", {"key": coded("nobody")})["header"]["revision"])


def coded(text):
    return base64.b64encode(text.encode()).decode()


def plain(text):
    return base64.b64decode(text).decode()


class Etcd:
    """The first member is the observer's: it is never cut off, stopped or killed, but when all are restored."""

    def __init__(self, network, folder, names=("m0", "m1", "m2")):
        self.folder = folder
        self.members = [Member(network, name, network.add(name, i + 1), folder) for i, name in enumerate(names)]
        self.by_name = {one.name: one for one in self.members}
        for member in self.members:
            member.start(self.members)

    def control(self, *arguments, **options):
        return subprocess.run(["etcdctl", *arguments], env={**os.environ, "ETCDCTL_API": "3"}, capture_output=True, text=True, timeout=PATIENCE,
                              check=False, **options)

    def wait(self):
        """Until the first member has found a majority."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.members[0].revision()
            except (OSError, ValueError, KeyError, http.client.HTTPException):
                if time.monotonic() > deadline:
                    raise
                wait_for_end(self.members[0].process, 0.05)  # etcd tells nobody when it is ready

    def move_leader(self, chance):
        """False: nobody leads, or nobody but the leader could."""
        ids = {}
        for member in self.members:
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                told = member.ask("/v3/maintenance/status", {}, timeout=1)
                ids[told["header"]["member_id"]] = (member, told.get("leader"))
        leader = next((one for own, (one, leader) in ids.items() if own == leader), None)
        others = sorted((own, one.name) for own, (one, _) in ids.items() if one is not leader)
        if leader is None or not others:
            return None
        own, name = others[int(chance * len(others))]
        moved = self.control(f"--endpoints={leader.url}", "--command-timeout=3s", "move-leader", f"{int(own):x}")
        return f"{leader.name} → {name}" if moved.returncode == 0 else None

    def compact(self):
        revision = self.members[0].revision()
        self.members[0].ask("/v3/kv/compaction", {"revision": str(revision)})
        return revision

    def save(self, path):
        """A backup; the revision in it."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        saved = self.control(f"--endpoints={self.members[0].url}", "snapshot", "save", path)
        assert saved.returncode == 0, saved.stderr
        return int(json.loads(self.control("snapshot", "status", path, "--write-out=json").stdout)["revision"])

    def restore(self, path):
        """All members go at once, and come back with what is in the backup."""
        for member in self.members:
            if member.is_alive():
                member.process.send_signal(signal.SIGSTOP)
        for member in self.members:
            member.kill()
        dead = time.monotonic_ns()
        everybody = ",".join(f"{one.name}={one.peer}" for one in self.members)
        for member in self.members:
            member.lives += 1
            restored = self.control("snapshot", "restore", path, f"--name={member.name}", f"--data-dir={member.data()}", f"--initial-cluster={everybody}",
                                    "--initial-cluster-token=belfry-trial", f"--initial-advertise-peer-urls={member.peer}")
            assert restored.returncode == 0, restored.stderr
        begins = time.monotonic_ns()
        for member in self.members:
            member.start(self.members)
        return dead, begins

    def close(self):
        for member in self.members:
            member.kill()


class Observer:
    """Watches at one member from the first revision on, and puts a mark every moment: what has a smaller revision than a mark was
    committed before the mark was answered, and what has a greater one after it was asked for."""

    def __init__(self, member, stack, changed):
        self.member, self.prefix = member, f"belfry/{stack}/s/"
        self.changed = changed   # a Condition, notified with every change
        self.changes = []        # of all histories, in order: (Change | Break)
        self.marks = [[]]        # of each history: (revision, asked, answered)
        self.history = [0]       # which one a change is of
        self.seen = 0            # the last revision that came
        self.failure = None
        self.threads, self.connection, self.quiet = [], None, threading.Event()
        self.begin(1)

    def begin(self, revision):
        self.quiet.clear()
        ready = threading.Event()
        self.threads = [threading.Thread(target=run, args=args, daemon=True) for run, args in
                        ((self._watch, (revision, ready)), (self._mark, ()))]
        for thread in self.threads:
            thread.start()
        assert ready.wait(PATIENCE), "etcd gives the observer no watch"

    def end(self):
        self.quiet.set()
        if self.connection is not None and self.connection.sock is not None:
            with contextlib.suppress(OSError):
                self.connection.sock.shutdown(2)
        for thread in self.threads:
            thread.join(PATIENCE)

    def catch_up(self):
        """Until all is seen that was committed when it was called; the moment before that."""
        at = time.monotonic_ns()
        told = self.member.ask("/v3/kv/put", {"key": coded("mark"), "value": coded("x")})
        revision = int(told["header"]["revision"])
        with self.changed:
            assert self.changed.wait_for(lambda: self.seen >= revision or self.failure, PATIENCE), "the observer does not see what etcd has"
        return at

    def break_off(self, unseen, dead, begins, backup):
        """Another history begins, with what `changes` had come to in the revision `backup` of the current one."""
        standing = {}
        for change in self.changes:
            if isinstance(change, Break):
                standing = {(one.service, one.host): one for one in change.standing}
            elif change.revision <= backup:
                standing.pop((change.service, change.host), None)
                if change.boot:
                    standing[(change.service, change.host)] = change
        with self.changed:
            self.changes.append(Break(unseen, dead, begins, tuple(standing.values())))
            self.marks.append([])
            self.seen = 0

    def bounded(self):
        """The changes, each with the moments between which it was made."""
        history, told = 0, []
        for change in self.changes:
            if isinstance(change, Break):
                history += 1
                told.append(change)
                continue
            before = [asked for revision, asked, _ in self.marks[history] if revision < change.revision]
            after = [answered for revision, _, answered in self.marks[history] if revision > change.revision]
            told.append(Change(change.service, change.host, change.revision, max(before, default=0),
                               min([change.latest, *after]), change.boot, change.generation))
        return told

    def standing(self):
        """(service, host) → generation, as a list says."""
        told = self.member.ask("/v3/kv/range", {"key": coded(self.prefix), "range_end": coded(self.prefix[:-1] + "0")})
        return {self._parts(plain(one["key"])): int(one["create_revision"]) for one in told.get("kvs", [])}

    def _parts(self, key):
        service, kind, host = key.removeprefix(self.prefix).split("/")
        return (service, host) if kind == "h" else None

    def _mark(self):
        marks = self.marks[-1]
        while not self.quiet.wait(PACE):
            asked = time.monotonic_ns()
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                told = self.member.ask("/v3/kv/put", {"key": coded("mark"), "value": coded("x")}, timeout=15)
                marks.append((int(told["header"]["revision"]), asked, time.monotonic_ns()))

    def _watch(self, revision, ready):
        try:
            self.connection = http.client.HTTPConnection(self.member.address, 2379, timeout=None)
            self.connection.request("POST", "/v3/watch", json.dumps({"create_request": {
                "key": coded("\0"), "range_end": coded("\0"), "start_revision": str(revision), "prev_kv": True}}))
            answer = self.connection.getresponse()
            for line in answer:
                told = json.loads(line)["result"]
                if told.get("canceled"):
                    raise OSError(f"the watch is over: {told}")
                ready.set()
                self._take(told)
        except (OSError, ValueError, KeyError, AttributeError, http.client.HTTPException) as error:
            if not self.quiet.is_set():
                with self.changed:
                    self.failure = f"the observer sees no more: {error!r}"
                    self.changed.notify_all()

    def _take(self, told):
        now = time.monotonic_ns()
        with self.changed:
            for event in told.get("events", []):
                self._take_event(event, now)
            if told.get("events"):
                self.seen = max(self.seen, int(told["events"][-1]["kv"]["mod_revision"]))
            self.changed.notify_all()

    def _take_event(self, event, now):
        key_value = event["kv"]
        key = plain(key_value["key"])
        parts = self._parts(key) if key.startswith(self.prefix) else None
        if parts is None:
            return
        put = event.get("type", "PUT") == "PUT"
        boot = json.loads(plain(key_value["value"]))["boot_id"] if put else ""
        self.changes.append(Change(*parts, int(key_value["mod_revision"]), 0, now, boot, int(key_value["create_revision"]) if put else 0))
