"""Eight hosts, each with a belfry, and what each of them asks of the others:

  h0 h1 h2   publish kafka; audit runs while two of them are ready
  h3 h4 h5   store needs two of the three kafkas, and is published
  h6 h7      app and report need two of the three stores; app is not disturbed by the loss of kafka, without which it does not start;
             report of h6 stops for good
"""
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "integration"))

from harness import BELFRY, SAMPLE, UnixConnection, alive, descendants  # noqa: E402: the folder has to be known first
from judge import Edge, Event, Fence  # noqa: E402
from network import wait_for_end  # noqa: E402

PORT = 9000
KAFKAS, STORES = ("h0", "h1", "h2"), ("h3", "h4", "h5")
ALL = (*KAFKAS, *STORES, "h6", "h7")


def role(name):
    """What a host publishes, and its dependents with their edges."""
    kafka, stores = Edge("kafkas", "kafka", KAFKAS, 2), Edge("stores", "store", STORES, 2)
    if name in KAFKAS:
        return "kafka", {"audit": (kafka,)}
    if name in STORES:
        return "store", {"store": (kafka,)}
    return None, {"app": (stores, Edge("kafkas", "kafka", KAFKAS, 2, "ignore")),
                  "report": (Edge("stores", "store", STORES, 2, "stop" if name == "h6" else "restart"),)}


EDGES = {(name, service): edges for name in ALL for service, edges in role(name)[1].items()}
PUBLISHERS = [(name, role(name)[0]) for name in ALL if role(name)[0]]


def stack_of(host, endpoints, ttl):
    """The belfry file of a host."""
    published, dependents = role(host.name)
    lines = [f"name: on-{host.name}", f"control: {{socket: {host.control}}}",
             f"cluster: {{etcd: {json.dumps(endpoints)}, name: trial, host: {host.name}, ttl: {ttl}s}}", "services:"]
    gates = {edge.gate: edge for edges in dependents.values() for edge in edges}
    for gate, edge in gates.items():
        # Some ask those who say that they are ready, at the moment of the ring.
        confirm = ", confirm: {tcp: \"${address}\"}" if host.number % 2 else ""
        lines.append(f"  {gate}: {{type: external, ready: {{cluster: {edge.service}, hosts: [{', '.join(edge.hosts)}], require: {edge.require}{confirm}}}}}")
    for service in sorted({*dependents, *([published] if published else [])}):
        edges = dependents.get(service, ())
        note = f"echo {service} $$$$ $$FENCE >> {host.folder}/fences; " if edges else ""
        serves = f"exec {SAMPLE} --host {host.address} --port {PORT}" if service == published else "exec sleep 1000000"
        lines.append(f"  {service}:")
        lines.append(f"    command: [sh, -c, \"{note}{serves}\"]")
        lines.append("    restart: {delay: 200ms}")
        if edges:
            lines.append(f"    environment: {{FENCE: \"${{{edges[0].gate}.FENCE}}\"}}")
            lines.append("    depends_on: {" + ", ".join(f"{edge.gate}: {{condition: ready, on_loss: {edge.on_loss}}}" for edge in edges) + "}")
        if service == published:
            lines.append(f"    ready: {{tcp: \"{host.address}:{PORT}\"}}")
            lines.append(f"    publish: {{address: \"{host.address}:{PORT}\"}}")
    return "\n".join(lines) + "\n"


class Host:
    def __init__(self, network, number, folder, endpoints, ttl, changed):
        self.network, self.number, self.name = network, number, f"h{number}"
        self.address = network.add(self.name, 10 + number)
        self.folder = os.path.join(folder, self.name)
        os.mkdir(self.folder)
        self.control = os.path.join(self.folder, "control.sock")
        self.file = os.path.join(self.folder, "belfry.yaml")
        with open(self.file, "w", encoding="utf-8") as out:
            out.write(stack_of(self, endpoints, ttl))
        self.changed = changed           # a Condition, notified with every event
        self.events, self.pids = [], {}  # Event; pid → (life, service, incarnation)
        self.life, self.process, self.is_frozen, self.reader = -1, None, False, None

    # --- its life

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        self.life += 1
        self.is_frozen = False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.control)
        with open(os.path.join(self.folder, "output"), "ab") as output:
            self.process = subprocess.Popen([*self.network.within(self.name), BELFRY, "run", "-c", self.file], cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, env={**os.environ, "XDG_STATE_HOME": self.folder, "XDG_RUNTIME_DIR": self.folder},
                                            start_new_session=True)  # or whoever is stopped gets a SIGHUP when our group loses its parent
        self.reader = threading.Thread(target=self._read, args=(self.life, self.process), daemon=True)
        self.reader.start()

    def kill(self):
        """As a power cut: belfry, and all that runs below it."""
        below = descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pid in alive(below):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.reader.join()

    def stop(self, patience):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(patience)
        self.reader.join()
        return code

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
        self.is_frozen = False

    # --- what it is asked for

    def command(self, service, what):
        """Without waiting for what comes of it: the status of the answer."""
        connection = UnixConnection(self.control, 10)
        try:
            connection.request("POST", f"/v1/services/{service}/{what}?wait=0")
            return connection.getresponse().status
        finally:
            connection.close()

    def pid(self, service):
        with self.changed:
            running = [(life, incarnation, pid) for pid, (life, name, incarnation) in self.pids.items() if name == service and life == self.life]
        return max(running)[2] if running else None

    # --- its journal

    def _connect(self, process):
        """The stream of its events, as soon as it can be had; None: it has ended before that."""
        while process.poll() is None:
            connection = UnixConnection(self.control, None)
            try:
                connection.request("GET", "/v1/events?since=0")
                return connection.getresponse()
            except (OSError, http.client.HTTPException):
                connection.close()
                wait_for_end(process, 0.02)  # belfry tells nobody when its socket is there
        return None

    def _read(self, life, process):
        stream = self._connect(process)
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            for line in stream or ():
                if line.startswith(b"data: "):
                    self._take(life, json.loads(line[6:]))

    def _take(self, life, told):
        with self.changed:
            if told.get("kind") == "state":
                self.events.append(Event(self.name, life, told["monotonic_ns"], told["service"], told["from"], told["state"],
                                         told["cause"] or "", told["incarnation"]))
            elif told.get("kind") == "bell" and told["bell"] == "started" and told["evidence"]:
                self.pids[told["evidence"]["pid"]] = (life, told["service"], told["incarnation"])
            self.changed.notify_all()

    def fences(self):
        """What each run was told. (Process ids may come again, and the last one counts; the trial is too short for it.)"""
        told = []
        with contextlib.suppress(FileNotFoundError), open(os.path.join(self.folder, "fences"), encoding="utf-8") as file:
            for line in file:
                service, pid, fence = (line.split() + ["", ""])[:3]
                run = self.pids.get(int(pid))
                if run and run[1] == service and fence:
                    told.append(Fence(self.name, run[0], service, run[2], int(fence)))
        return told
