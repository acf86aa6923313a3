"""Where the lines of services go: files that are rotated, log daemons, and what a flood may cost."""
import array
import ctypes
import gzip
import json
import os
import re
import select
import signal
import socket
import statistics
import struct
import subprocess
import time
import unittest

from harness import PATIENCE, Scenario, belfry

PYTHON = "/usr/bin/python3, -S, -c"
FAST = 'import os; b=(b"x"*99+b"\\n")*655; all(os.write(1,b) for _ in iter(int,1))'


def journal_fields(entry):
    """As journald reads it: NAME=VALUE lines, or NAME, a length, and so many bytes."""
    fields = {}
    while entry:
        line, _, rest = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack_from("<Q", rest)
            value, rest = rest[8:8 + size], rest[9 + size:]
        fields[name.decode()] = value
        entry = rest
    return fields


class LogScenario(Scenario):
    def text(self, stack, name):
        with open(os.path.join(stack.path, name), "rb") as file:
            return file.read()

    def changed(self, path, holds):
        """What `holds` gives once it is something; looked at when anything is written below `path`."""
        libc = ctypes.CDLL(None, use_errno=True)
        watch = libc.inotify_init1(os.O_CLOEXEC)
        self.addCleanup(os.close, watch)
        libc.inotify_add_watch(watch, os.fsencode(path), 0x2 | 0x40 | 0x80 | 0x100 | 0x200)  # modify, move, create, delete
        deadline = time.monotonic() + PATIENCE
        while not (found := holds()):
            ready = select.select([watch], [], [], max(0, deadline - time.monotonic()))[0]
            self.assertTrue(ready, "it never came to that")
            os.read(watch, 65536)
        return found

    def dropped(self, stack, service):
        found = re.search(rf'belfry_service_log_lines_dropped_total{{service="{service}"}} (\d+)', stack.get("/metrics")[1])
        return int(found[1])


class Files(LogScenario):
    def test_lines_of_all_runs_are_in_the_file_when_belfry_has_gone(self):
        stack = self.stack("""
  app: {command: [/bin/sh, -c, "echo one; echo two >&2; printf last; exit 3"], log: {file: $DIR/app.log},
        restart: {delay: 1ms, limit: 1}, essential: true}
""").start()
        self.assertEqual(stack.exit_code(), 69)
        self.assertEqual(self.text(stack, "app.log"), b"app | one\napp | two\napp | last\n" * 2)
        self.assertNotIn("app | one", stack.output.text())

    def test_json_says_time_run_and_stream(self):
        stack = self.stack("""
  app: {command: [/bin/sh, -c, "echo out; echo err >&2; exit 3"], log: {file: $DIR/app.log, format: json, stdout: true},
        restart: {delay: 1ms, limit: 1}, essential: true}
""").start()
        self.assertEqual(stack.exit_code(), 69)
        entries = [json.loads(line) for line in self.text(stack, "app.log").splitlines()]
        self.assertEqual(sorted((e["incarnation"], e["stream"], e["line"]) for e in entries),
                         [(1, "stderr", "err"), (1, "stdout", "out"), (2, "stderr", "err"), (2, "stdout", "out")])
        for entry in entries:
            self.assertRegex(entry["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertEqual(entry["service"], "app")
        printed = [line for line in stack.output.text().splitlines() if line.startswith('{"time"')]
        self.assertEqual(len(printed), 4)

    def test_raw_bytes_are_the_services_own(self):
        stack = self.stack("""
  app: {main: true, command: [/bin/sh, -c, "cat $DIR/noise"], log: {file: $DIR/app.log, format: raw, max_line: 1KiB}}
""")
        noise = os.urandom(3_000_000) + b"no end"
        with open(os.path.join(stack.path, "noise"), "wb") as file:
            file.write(noise)
        self.assertEqual(stack.start().exit_code(), 0)
        self.assertEqual(self.text(stack, "app.log"), noise)

    def test_files_are_rotated_and_compressed_and_hold_every_line(self):
        stack = self.stack("""
  app: {main: true, command: [/bin/sh, -c, "seq 300000"], log: {file: $DIR/app.log, format: raw, max_size: 400KiB,
        max_files: 20, compress: true}}
  keeper: {command: [/bin/sh, -c, "seq 30000; exec sleep 1000"], log: {file: $DIR/keeper.log, max_size: 100KiB, max_files: 3,
        compress: true, timestamps: true}}
""").start()
        self.assertEqual(stack.exit_code(), 0)
        found = sorted((name for name in os.listdir(stack.path) if name.startswith("app.log")),
                       key=lambda name: -int(re.sub(r"\D", "", name) or 0))
        self.assertEqual(len(found), 5)
        lines = b""
        for name in found:
            data = self.text(stack, name)
            data = gzip.decompress(data) if name.endswith(".gz") else data
            self.assertLessEqual(len(data), 400 << 10)
            lines += data
        self.assertEqual(lines, b"".join(b"%d\n" % n for n in range(1, 300_001)))
        self.assertNotIn("keeper.log.3", os.listdir(stack.path))

    def test_sigusr2_opens_them_again(self):
        stack = self.stack("""
  app: {command: [/bin/sh, -c, "echo before; read _ <$DIR/go; echo after; exec sleep 1000"], log: {file: $DIR/app.log}}
""")
        os.mkfifo(os.path.join(stack.path, "go"))
        stack.start().wait_for_control()
        log = os.path.join(stack.path, "app.log")
        self.changed(stack.path, lambda: os.path.exists(log) and os.path.getsize(log))
        os.rename(log, log + ".old")
        stack.send(signal.SIGUSR2)
        self.changed(stack.path, lambda: os.path.exists(log))
        with open(os.path.join(stack.path, "go"), "w", encoding="ascii") as go:
            go.write("\n")
        self.changed(stack.path, lambda: os.path.getsize(log))
        self.assertEqual(self.text(stack, "app.log"), b"app | after\n")
        self.assertEqual(self.text(stack, "app.log.old"), b"app | before\n")
        self.assert_clean_end(stack)

    def test_a_full_disk_loses_lines_into_a_counter_and_nothing_else(self):
        stack = self.stack("""
  app: {command: [/bin/sh, -c, "seq 1000; exec sleep 1000"], ready: {log: "^1000$"}, log: {file: /dev/full}}
  after: {command: $SAMPLE --name after, depends_on: [app]}
""").start()
        stack.event("after", "main")
        stack.output.index_of("belfry cannot write log lines to /dev/full: No space left on device")
        self.assertIn('belfry_log_lines_unwritten_total{output="/dev/full"} 1000', stack.get("/metrics")[1])
        self.assert_clean_end(stack)

    def test_a_directory_that_is_not_there_is_warned_of_and_stops_nobody(self):
        stack = self.stack("""
  app: {command: $SAMPLE --name app --log-lines 3, log: {file: $DIR/none/app.log, journald: $DIR/no.socket}}
""")
        said = belfry("check", stack.file)
        self.assertIn(f"none/app.log` cannot be made: {stack.path}/none does not exist", said.stdout + said.stderr)
        self.assertIn("no.socket`: it does not exist", said.stdout + said.stderr)
        stack.start()
        stack.event("app", "main")
        stack.output.index_of("cannot open the log file")
        self.assert_clean_end(stack)

    def test_a_service_that_waits_for_its_file_loses_nothing(self):
        stack = self.stack("""
  app: {main: true, command: [/bin/sh, -c, "seq 3000000"], log: {file: $DIR/app.log, format: raw, overflow: block}}
""").start()
        self.assertEqual(stack.exit_code(), 0)
        data = self.text(stack, "app.log")
        self.assertEqual(data.count(b"\n"), 3_000_000)
        self.assertTrue(data.endswith(b"\n2999999\n3000000\n"))


class LogDaemons(LogScenario):
    def listen(self, stack, name):
        server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        server.settimeout(PATIENCE)
        server.bind(os.path.join(stack.path, name))
        return server

    def test_the_journal_gets_each_line_with_its_fields_and_long_ones_in_a_file(self):
        stack = self.stack("""
  app: {command: [/bin/sh, -c, "echo out; echo '<3>err' >&2; head -c 900000 /dev/zero | tr '\\\\0' x; echo; exec sleep 1000"],
        log: {journald: $DIR/journal}}
""", name="shop")
        server = self.listen(stack, "journal")
        stack.start()
        entries = []
        while len(entries) < 3:
            data, control, _, _ = server.recvmsg(1 << 20, socket.CMSG_SPACE(4))
            for level, kind, value in control:
                self.assertEqual((level, kind), (socket.SOL_SOCKET, socket.SCM_RIGHTS))
                with os.fdopen(array.array("i", value)[0], "rb") as file:
                    file.seek(0)
                    data = file.read()
            entries.append(journal_fields(data))
        by_stream = {(e["BELFRY_STREAM"], len(e["MESSAGE"])): e for e in entries}
        self.assertEqual(by_stream[b"stdout", 3]["MESSAGE"], b"out")
        error = by_stream[b"stderr", 3]
        self.assertEqual((error["MESSAGE"], error["PRIORITY"]), (b"err", b"3"))
        self.assertEqual((error["BELFRY_SERVICE"], error["BELFRY_STACK"], error["BELFRY_INCARNATION"], error["SYSLOG_IDENTIFIER"]),
                         (b"app", b"shop", b"1", b"app"))
        self.assertEqual(by_stream[b"stdout", 900_000]["MESSAGE"], b"x" * 900_000)
        self.assert_clean_end(stack)

    def test_syslog_gets_what_syslog_3_would_send(self):
        stack = self.stack("  app: {command: [/bin/sh, -c, 'echo hello; exec sleep 1000'], log: {syslog: $DIR/syslog}}")
        server = self.listen(stack, "syslog")
        stack.start()
        self.assertRegex(server.recv(9000), rb"^<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d app\[1\]: hello$")
        self.assert_clean_end(stack)

    def test_a_log_daemon_that_stands_still_holds_nobody_up(self):
        """Its queue is full and it does not read: the service goes on, what is lost is counted, belfry ends in time."""
        stack = self.stack("""
  app: {command: [/bin/sh, -c, "seq 1000000; exec sleep 1000"], ready: {log: "^1000000$"}, log: {journald: $DIR/journal}}
  after: {command: $SAMPLE --name after, depends_on: [app]}
""", top="shutdown: {timeout: 3s}")
        self.listen(stack, "journal")
        stack.start()
        stack.event("after", "main")
        self.assertGreater(self.dropped(stack, "app"), 500_000)
        self.assert_clean_end(stack)
        stack.output.index_of("lines were lost at the end: journald at")


JOURNALD = "/lib/systemd/systemd-journald"
# In namespaces of its own: a journald, belfry to its end, and then what the journal holds.
BESIDE_A_JOURNAL = """
import os, select, subprocess, sys
sys.path.insert(0, sys.argv[1])
from harness import BELFRY, watch_folder
def run(*command): subprocess.run(command, check=True)
run("mount", "--make-rprivate", "/")
run("mount", "-t", "tmpfs", "tmpfs", "/run")
journal = "/run/log/journal/" + "0123456789abcdef" * 2
os.makedirs(journal)
os.makedirs("/run/systemd/journal")
with open("/run/machine-id", "w") as file: file.write("0123456789abcdef" * 2)
if os.path.exists("/etc/machine-id"): run("mount", "--bind", "/run/machine-id", "/etc/machine-id")
created = watch_folder("/run/systemd/journal")
journald = subprocess.Popen([sys.argv[2]])
while not {"dev-log", "socket"} <= set(os.listdir("/run/systemd/journal")):
    select.select([created], [], [])
    os.read(created, 65536)
belfry = subprocess.run([BELFRY, "run", "-c", sys.argv[3]], stdout=sys.stderr)
run("journalctl", "--sync")  # what has been sent is written when it returns
run("journalctl", "-D", journal, "-o", "json", "--all", "--no-pager")
journald.terminate()
sys.exit(belfry.returncode)
"""


class RealJournal(LogScenario):
    @unittest.skipUnless(os.geteuid() == 0 and os.path.exists(JOURNALD), "needs root and systemd's journald")
    def test_a_real_journal_has_the_lines_by_service_run_and_stream(self):
        """Two by syslog, which say nothing but who and what; three by the native protocol, one of them a long one."""
        stack = self.stack("""
  app: {main: true, depends_on: {app-old: completed}, log: {journald: true},
        command: [/bin/sh, -c, "echo out; echo '<3>err' >&2; head -c 300000 /dev/zero | tr '\\\\0' x; echo"]}
  app-old: {type: oneshot, command: [/bin/sh, -c, "echo one; echo '<4>two'"], log: {syslog: /run/systemd/journal/dev-log}}
""", name="shop")
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "/usr/bin/python3", "-c",
                               BESIDE_A_JOURNAL, os.path.dirname(os.path.abspath(__file__)),
                               JOURNALD, stack.file], capture_output=True, text=True, timeout=2 * PATIENCE, check=False,
                              env=stack.environment(XDG_RUNTIME_DIR=stack.path))
        self.assertEqual(done.returncode, 0, done.stderr)
        entries = [entry for entry in map(json.loads, filter(None, done.stdout.splitlines()))
                   if entry.get("SYSLOG_IDENTIFIER", "").startswith("app")]
        native = {(e["BELFRY_STREAM"], e["PRIORITY"], len(e["MESSAGE"])) for e in entries if e["_TRANSPORT"] == "journal"}
        self.assertEqual(native, {("stdout", "6", 3), ("stderr", "3", 3), ("stdout", "6", 300_000)})
        self.assertTrue(all(e["BELFRY_SERVICE"] == "app" and e["BELFRY_INCARNATION"] == "1" and e["BELFRY_STACK"] == "shop"
                            for e in entries if e["_TRANSPORT"] == "journal"))
        by_syslog = {(e["MESSAGE"], e["PRIORITY"], e["SYSLOG_FACILITY"], e["SYSLOG_PID"]) for e in entries if e["_TRANSPORT"] == "syslog"}
        self.assertEqual(by_syslog, {("one", "6", "3", "1"), ("two", "4", "3", "1")})


class Floods(LogScenario):
    """A service that writes as fast as it can, and another one that gets ready meanwhile."""

    ROUNDS = 15

    def chain(self, flood):
        """How long after its READY=1 each service's dependent is in its main(), in ms."""
        links = "".join(f"  s{n}: {{command: $SAMPLE --name s{n} --notify --ready-delay 20ms, ready: notify, "
                        f"depends_on: [{'s%d' % (n - 1) if n else 'flood'}]}}\n" for n in range(self.ROUNDS))
        stack = self.stack(f"{flood}\n{links}").start()
        stack.event(f"s{self.ROUNDS - 1}", "main")
        waits = [(stack.event(f"s{n}", "main") - stack.event(f"s{n - 1}", "ready")) / 1e6 for n in range(1, self.ROUNDS)]
        return stack, waits

    def test_a_flood_delays_nobodys_readiness_and_takes_one_processor_at_most(self):
        _, quiet = self.chain("  flood: {command: [/bin/sleep, '1000']}")
        for where in ("file: /dev/null, format: raw", "file: $DIR/flood.log, max_size: 20MiB, max_files: 2",
                      "file: /dev/null, format: json", "stdout: false"):
            with self.subTest(where):
                begun = time.monotonic()
                stack, waits = self.chain(f"  flood: {{command: [{PYTHON}, '{FAST}'], log: {{{where}}}}}")
                cpu = time.clock_gettime((~stack.process.pid << 3) | 2)
                took = time.monotonic() - begun
                self.assertLess(statistics.median(waits) - statistics.median(quiet), 50, (waits, quiet))
                self.assertLess(cpu / took, 1.05)
                self.assert_clean_end(stack)
