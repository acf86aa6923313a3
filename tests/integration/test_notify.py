"""sd_notify as real programs speak it: systemd-notify, libsystemd, PostgreSQL, Redis, MariaDB; and as bad ones do."""
import glob
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from harness import BELFRY, PATIENCE, SAMPLE, Scenario, free_port, until, with_clients

CLIENT = os.path.join(os.path.dirname(SAMPLE), "belfry_notify_client")
ROOT = os.geteuid() == 0


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def client(*steps, notify_socket):
    """Speaks from outside of every service."""
    return subprocess.run([CLIENT, *steps], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          env={**os.environ, "NOTIFY_SOCKET": notify_socket})


class NotifyScenario(Scenario):
    def speaker(self, *steps, more="", name="db"):
        """A service that is libsystemd's client."""
        words = ", ".join(json.dumps(word) for word in (CLIENT, *steps))
        return f"  {name}:\n    command: [{words}]\n    ready: notify\n" + "".join(f"    {line}\n" for line in more.splitlines())

    def service(self, stack, name="db"):
        return stack.services()[name]

    def socket_of(self, stack, name="db"):
        found = []

        def look():  # a process that is just being exec'd shows no environment
            with open(f"/proc/{self.service(stack, name)['pid']}/environ", "rb") as file:
                found.extend(re.findall(rb"NOTIFY_SOCKET=([^\0]*)", file.read()))
            return found

        self.wait_until(stack, "started", look)
        return found[0].decode()

    def wait_until(self, stack, what, true):
        """Asks until it is so: for what has no event of its own outside of belfry."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            self.assertLess(time.monotonic(), deadline, f"never {what}\n" + stack.output.text())

    def refused(self, stack, name="db"):
        return (self.service(stack, name)["notify"] or {"refused": {}})["refused"]


class SystemdNotify(NotifyScenario):
    """The real one, as shells call it."""

    SCRIPT = """  db:
    command: [sh, -c, "{command} && echo notified && exec $SAMPLE --name db"]
    ready: notify
    {more}
"""

    def speak(self, command, more=""):
        stack = self.stack(self.SCRIPT.format(command=command, more=more)).start()
        stack.output.index_of("db | notified")
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200, stack.output.text())
        return stack

    def test_ready_and_status_with_its_barrier(self):
        begun = time.monotonic()
        stack = self.speak("systemd-notify --ready --status='warm and ready'")
        self.assertLess(time.monotonic() - begun, 4, "an unanswered barrier takes 5 s")
        self.assertEqual(self.service(stack)["status_text"], "warm and ready")
        self.assertIn("db: warm and ready", stack.cli("status").stdout)
        self.assert_clean_end(stack)

    def test_without_waiting_although_the_sender_is_gone_when_it_is_heard(self):
        stack = self.speak("systemd-notify --no-block --ready --status=gone")
        self.wait_until(stack, "said", lambda: self.service(stack)["status_text"] == "gone")
        self.assert_clean_end(stack)

    def test_own_bells_too_are_rung_by_who_is_gone_when_it_is_heard(self):
        names = [f"db{i}" for i in range(10)]
        stack = self.stack("".join(f"""
  {name}:
    command: [sh, -c, "systemd-notify --no-block --ready; exec sleep 1000"]
    bells: {{warm: notify}}
""" for name in names)).start().wait_for_control()
        for name in names:
            self.assertEqual(stack.wait(name, condition="warm"), 200, stack.output.text())
        self.assert_clean_end(stack)

    def test_a_hook_may_speak_for_its_service(self):
        stack = self.stack("""
  db:
    command: [sleep, "1000"]
    notify_access: exec
    post_start: [systemd-notify, --status=from-hook]
""").start().wait_for_control()
        self.assertEqual(stack.wait("db"), 200, stack.output.text())
        self.assertEqual(self.service(stack)["status_text"], "from-hook")
        self.assertEqual(self.refused(stack), {})
        self.assert_clean_end(stack)

    def test_pid_names_the_shell_the_main_process(self):
        stack = self.speak("systemd-notify --pid=$$$$ --ready")
        self.assertEqual(self.refused(stack), {})
        self.assert_clean_end(stack)

    @unittest.skipUnless(ROOT, "only root can run services as somebody else")
    def test_as_another_user(self):
        stack = self.stack("""
  db:
    command: [sh, -c, "systemd-notify --ready --status=as-nobody && echo notified && exec sleep 1000"]
    user: nobody
    ready: notify
""").start()
        stack.output.index_of("db | notified")
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200, stack.output.text())
        self.assertEqual(self.service(stack)["status_text"], "as-nobody")
        self.assert_clean_end(stack)

    def test_on_the_socket_that_services_share(self):
        stack = self.stack("""
  one: {command: [sh, -c, "systemd-notify --status=first; echo notified; exec sleep 1000"]}
  two: {command: [sh, -c, "systemd-notify --status=second; echo notified; exec sleep 1000"]}
""").start()
        stack.output.index_of("one | notified")
        stack.output.index_of("two | notified")
        stack.wait_for_control()
        self.assertEqual([self.service(stack, n)["status_text"] for n in ("one", "two")], ["first", "second"])
        self.assert_clean_end(stack)


class Libsystemd(NotifyScenario):
    def test_a_barrier_returns_after_everything_before_it_has_been_heard(self):
        stack = self.stack(self.speaker("say", "READY=1\\nSTATUS=first", "barrier", "wait")).start()
        line = stack.output.lines[stack.output.index_of("db | barrier")]
        self.assertEqual(line, "db | barrier 1")
        stack.wait_for_control()
        self.assertEqual(self.service(stack)["state"], "ready")
        self.assertEqual(self.service(stack)["status_text"], "first")
        self.assert_clean_end(stack)

    def test_stored_descriptors_come_back_after_a_crash_and_go_with_a_stop(self):
        stack = self.stack(self.speaker(
            "show", "store", "state", "forty-two", "store", "other", "seven", "store-pipe", "dead", "say", "READY=1",
            "barrier", "wait", more="fd_store: 8\nrestart: {delay: 10ms}")).start()
        stack.output.index_of("stored in all 0")
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        self.assertEqual(self.service(stack)["notify"]["descriptors_stored"], 3)
        self.assertIn('belfry_service_stored_descriptors{service="db"} 3', stack.get("/metrics")[1])
        os.kill(self.service(stack)["pid"], signal.SIGKILL)
        # The pipe's other end died with the service: that descriptor is of no use to anybody.
        stack.output.index_of("stored in all 2")
        self.assertIn("db | stored 0 state 'forty-two'", stack.output.text())
        self.assertIn("db | stored 1 other 'seven'", stack.output.text())
        self.assertEqual(stack.wait("db"), 200)

        self.assertEqual(stack.cli("restart", "db").returncode, 0)
        again = stack.output.index_of("stored in all", stack.output.index_of("stored in all 2") + 1)
        self.assertIn("stored in all 4", stack.output.lines[again])  # a restart by command is a restart

        self.assertEqual(stack.cli("stop", "db").returncode, 0)
        self.assertEqual(stack.cli("start", "db").returncode, 0)
        last = stack.output.index_of("stored in all", again + 1)
        self.assertIn("stored in all 0", stack.output.lines[last])
        self.assert_clean_end(stack)

    def test_the_store_is_bounded_and_what_is_not_asked_for_is_closed(self):
        more = [word for i in range(6) for word in ("store", f"s{i}", "x")]
        stack = self.stack(self.speaker(*more, "say", "FDSTOREREMOVE=1\\nFDNAME=s1", "say", "READY=1", "barrier", "wait",
                                        more="fd_store: 4") +
                           self.speaker("attach", "200", "FDSTORE=1", "attach", "253", "STATUS=x", "say", "READY=1", "barrier",
                                        "wait", name="none")).start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db", "none"), 200)
        self.assertEqual(self.service(stack)["notify"], {"refused": {}, "descriptors_stored": 3, "descriptors_refused": 2})
        self.assertEqual(self.service(stack, "none")["notify"]["descriptors_refused"], 200)
        self.assertLess(len(os.listdir(f"/proc/{stack.process.pid}/fd")), 60)
        self.assert_clean_end(stack)

    def test_a_daemon_that_forks_names_its_main_process(self):
        stack = self.stack(self.speaker("daemonise", "READY=1", "wait", more="restart: {delay: 10ms}")).start()
        child = int(stack.output.lines[stack.output.index_of("db | child")].split()[-1])
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200, stack.output.text())
        self.assertEqual(self.service(stack)["pid"], child)
        # While the one that forked it is there, how it ended is that one's to know.
        until(lambda: parent_of(child) == stack.process.pid)
        os.kill(child, signal.SIGKILL)
        stack.output.index_of("db failed, will start again: db killed by SIGKILL")
        self.wait_until(stack, "up again", lambda: self.service(stack)["state"] == "ready")
        self.assertEqual(self.service(stack)["restarts"], 1)
        self.assert_clean_end(stack)

    def test_errno_stands_beside_the_exit_code(self):
        stack = self.stack(self.speaker("say", "STATUS=no database\\nERRNO=2", "exit", "3", more="restart: no") +
                           self.speaker("say", "READY=1", "wait", name="other")).start()
        stack.output.index_of("db failed: db exited with code 3 before it was ready (it said ERRNO=2, No such file or directory)")
        stack.wait_for_control()
        self.assert_clean_end(stack)

    def test_only_who_may_speak_is_heard(self):
        stack = self.stack("""
  db:
    command: [sh, -c, "%s say STATUS=child; exec %s say READY=1 barrier wait"]
    ready: notify
    notify_access: main
""" % (CLIENT, CLIENT)).start()
        stack.output.index_of("db | barrier 1")
        stack.wait_for_control()
        self.assertIsNone(self.service(stack)["status_text"])
        self.assertEqual(self.refused(stack), {"not_allowed": 1})
        self.assert_clean_end(stack)


class Watchdog(NotifyScenario):
    def test_silence_is_aborted_and_restarted_as_the_watchdogs_doing(self):
        stack = self.stack(self.speaker("show", "say", "READY=1", "feed", "50", "12", "wait",
                                        more="watchdog: 400ms\nrestart: {delay: 10ms}")).start()
        stack.output.index_of("db | watchdog 1 400000")
        begun = time.monotonic()
        stack.output.index_of("db | feed 12")
        self.assertNotIn("failed", stack.output.text())
        stack.output.index_of("db failed, will start again: db is not alive: it did not say WATCHDOG=1 for 400 ms")
        self.assertLess(time.monotonic() - begun, PATIENCE)
        stack.wait_for_control()
        self.wait_until(stack, "restarted", lambda: self.service(stack)["restarts"] >= 1)
        self.assertRegex(stack.get("/metrics")[1], r'belfry_service_restarts_total\{service="db",reason="watchdog"\} [1-9]')
        self.assert_clean_end(stack)

    def test_who_survives_the_abort_is_killed(self):
        stack = self.stack("""
  db:
    command: [sh, -c, "trap 'echo aborted' ABRT; %s say READY=1; while :; do sleep 0.05; done"]
    ready: notify
    watchdog: 200ms
    stop: {timeout: 300ms}
    restart: no
  other: {command: $SAMPLE --name other}
""" % CLIENT).start()
        stack.output.index_of("db | aborted")
        stack.output.index_of("db did not stop within")
        stack.output.index_of("db failed: db is not alive")
        stack.wait_for_control()
        self.assert_clean_end(stack)


class Reload(NotifyScenario):
    def test_the_command_returns_when_the_service_has_reloaded(self):
        stack = self.stack(self.speaker("on-hup", more="reload: SIGHUP")).start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        seen = 0
        for _ in range(3):
            asked = stack.cli("reload", "db")
            self.assertEqual((asked.returncode, asked.stdout), (0, "db has reloaded\n"), asked.stderr)
            seen = stack.output.index_of("db | reloaded", seen) + 1
        self.assertEqual(self.service(stack)["incarnation"], 1)
        self.assert_clean_end(stack)

    def test_a_command_reloads_as_the_services_user_in_its_directory(self):
        stack = self.stack("""
  db:
    command: $SAMPLE --name db --notify
    ready: {port: 1}
    reload: {command: [sh, -c, "kill -0 $$MAINPID && pwd && exit 4"]}
  web:
    command: $SAMPLE --name web --notify
    reload: {command: [sh, -c, "kill -0 $$MAINPID && pwd"]}
  plain: {command: $SAMPLE --name plain --notify}
""").start()
        stack.event("web", "ready")
        stack.wait_for_control()
        self.assertEqual(stack.cli("reload", "web").stdout, "reloaded web\n")
        stack.output.index_of(f"web | {stack.path}")
        refused = stack.cli("reload", "plain")
        self.assertEqual(refused.returncode, 69)
        self.assertIn("cannot reload plain: it has no `reload:`", refused.stderr)
        self.assertIn("only what runs can reload", stack.cli("reload", "db").stderr)
        self.assertEqual(stack.request("POST", "/v1/services/plain/reload")[0], 409)
        self.assert_clean_end(stack)


class Extension(NotifyScenario):
    def test_a_start_and_a_stop_take_as_long_as_they_ask_for(self):
        stack = self.stack("""
  db:
    command: [sh, -c, "trap '%s say EXTEND_TIMEOUT_USEC=5000000; sleep 1.5; echo done; exit 0' TERM;
              %s say EXTEND_TIMEOUT_USEC=5000000 sleep 1500 say READY=1; echo up; while :; do sleep 0.05; done"]
    ready: {notify: true, timeout: 1s}
    stop: {timeout: 1s}
    restart: no
""" % (CLIENT, CLIENT)).start()
        stack.output.index_of("db | up")
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200, stack.output.text())
        self.assert_clean_end(stack)
        self.assertIn("db | done", stack.output.text())
        self.assertNotIn("did not stop within", stack.output.text())


class BadSpeakers(NotifyScenario):
    def test_junk_is_counted_by_its_reason_and_shown(self):
        stack = self.stack(self.speaker("say", "READY=1", "huge", "4097", "huge", "60000", "raw", "STATUS=a\\0READY=1", "raw",
                                        "STATUS=\\xff\\xfe", "attach", "3", "BARRIER=1", "attach", "200", "STATUS=kept", "barrier",
                                        "wait")).start()
        stack.output.index_of("db | barrier 1")
        stack.wait_for_control()
        self.assertEqual(self.refused(stack), {"too_long": 2, "has_nul": 1, "not_utf8": 1, "bad_barrier": 1})
        self.assertEqual(self.service(stack)["status_text"], "kept")
        self.assertIn('belfry_service_notify_refused_total{service="db"} 5', stack.get("/metrics")[1])
        self.assertIn("db: 5 notify messages refused (too long 2, has nul 1, not utf8 1, bad barrier 1)", stack.cli("status").stdout)
        self.assertLess(len(os.listdir(f"/proc/{stack.process.pid}/fd")), 60)
        self.assert_clean_end(stack)

    def test_ready_after_stopping_does_not_resurrect(self):
        stack = self.stack(self.speaker("say", "READY=1", "say", "STOPPING=1", "say", "READY=1", "barrier", "wait")).start()
        stack.output.index_of("db | barrier 1")
        stack.wait_for_control()
        self.assertEqual(self.service(stack)["state"], "unready")
        self.assertIn("STOPPING=1", self.service(stack)["last_error"])
        self.assertEqual(self.refused(stack), {"after_stopping": 1})
        self.assert_clean_end(stack)

    @unittest.skipUnless(ROOT, "only root can claim to be another process")
    def test_belfry_is_nobodys_main_process(self):
        stack = self.stack(self.speaker("wait")).start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db", condition="started"), 200)
        client("as", str(self.service(stack)["pid"]), f"MAINPID={stack.process.pid}\nREADY=1", notify_socket=self.socket_of(stack))
        self.assertEqual(stack.wait("db"), 200)
        self.assertEqual(self.refused(stack), {"bad_main_pid": 1})
        self.assertEqual(stack.cli("stop", "db").returncode, 0)
        self.assert_clean_end(stack)

    def test_a_forged_sender_is_refused_unless_root_speaks_for_the_service_itself(self):
        stack = self.stack(self.speaker("wait")).start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db", condition="started"), 200)
        path = self.socket_of(stack)
        client("as", str(os.getpid()), "READY=1", "say", "READY=1", "barrier", notify_socket=path)
        self.assertEqual(self.service(stack)["state"], "starting")
        self.assertEqual(self.refused(stack), {"stranger": 3})  # the barrier is a stranger's too, and answered
        client("as", str(self.service(stack)["pid"]), "READY=1", notify_socket=path)
        self.assertEqual(stack.wait("db"), 200)
        self.assert_clean_end(stack)

    def bells(self, stack):
        """Starts ten pairs and returns the times from a READY=1 to the dependent's main(), in ms."""
        seen = len(stack.all_events())
        for i in range(10):
            self.assertEqual(stack.request("POST", f"/v1/services/after{i}/start?wait=0")[0], 202)
        delays = []
        for i in range(10):
            rung = stack.event(f"ring{i}", "ready", after=seen)
            delays.append((stack.event(f"after{i}", "main", after=seen) - rung) / 1e6)
        return sorted(delays)

    def flooded(self, *, from_outside):
        """By how many ms the slowest of ten others hears a bell later while a flood runs: against the same bells
        without one, because a machine that is busy with other things delays both."""
        pairs = "".join(f"""
  ring{i}: {{command: $SAMPLE --name ring{i} --notify --ready-delay 100ms, ready: notify, depends_on: {{gate: started}}}}
  after{i}: {{command: $SAMPLE --name after{i}, depends_on: [ring{i}]}}""" for i in range(10))
        flood = ("flood", "3000", "STATUS=" + "x" * 100)
        loud = self.speaker("say", "READY=1", *(() if from_outside else flood), "wait", name="loud")
        stack = self.stack(loud + "  gate: {command: $SAMPLE --name gate --notify, ready: notify}" + pairs).start("loud")
        stack.wait_for_control()
        self.assertEqual(stack.wait("loud"), 200)
        memory = self.memory(stack)
        outside = subprocess.Popen([CLIENT, *flood], stdout=subprocess.PIPE, text=True, env={
            **os.environ, "NOTIFY_SOCKET": self.socket_of(stack, "loud")}) if from_outside else None
        delays = self.bells(stack)
        line = outside.communicate(timeout=PATIENCE)[0] if outside else stack.output.lines[stack.output.index_of("loud | flood")]
        sent, tried = (int(word) for word in line.split()[-2:])
        if from_outside:  # the last of it is in the kernel's queue for as long as the socket rests
            self.wait_until(stack, "heard it all", lambda: self.refused(stack, "loud") == {"stranger": sent})
        tally = self.refused(stack, "loud")
        self.wait_until(stack, "calm", lambda: all(stack.cli("stop", f"ring{i}").returncode == 0 for i in range(10)))
        calm = self.bells(stack)
        print(f"         flood {'of a stranger' if from_outside else 'of a service'}: {tried / 3:.0f} messages/s tried, {sent / 3:.0f} "
              f"heard; bells (median, slowest) {delays[5]:.1f}, {delays[-1]:.1f} ms, without it {calm[5]:.1f}, {calm[-1]:.1f} ms; "
              f"memory +{self.memory(stack) - memory} KiB, refused {tally}")
        # A flood is what keeps the queue full whatever the machine: most of what it tries finds no room.
        self.assertGreater(tried, 10 * sent, "this was no flood")
        self.assertLess(self.memory(stack) - memory, 4096)
        self.assertLess(len(os.listdir(f"/proc/{stack.process.pid}/fd")), 100)
        self.assertEqual(tally, {"stranger": sent} if from_outside else {})
        self.assert_clean_end(stack)
        return delays[-1] - calm[-1]

    @staticmethod
    def memory(stack):
        with open(f"/proc/{stack.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    def assert_delays_nobody(self, **how):
        """Who is delayed by the flood is so every time; who is delayed by the machine is not."""
        by = self.flooded(**how)
        for _ in range(2):
            by = by if by < 50 else self.flooded(**how)
        self.assertLess(by, 50)

    def test_a_service_that_floods_delays_nobody(self):
        self.assert_delays_nobody(from_outside=False)

    def test_a_stranger_who_floods_delays_nobody(self):
        self.assert_delays_nobody(from_outside=True)


class LeftBehind(NotifyScenario):
    def test_the_sockets_of_a_killed_daemon_are_removed_by_the_next_one(self):
        stack = self.stack(self.speaker("say", "READY=1", "wait")).start()
        stack.wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        directory = os.path.dirname(self.socket_of(stack))
        stack.send(signal.SIGKILL)
        stack.process.wait(PATIENCE)
        self.assertTrue(os.path.isdir(directory))
        again = self.stack(self.speaker("say", "READY=1", "wait")).start()
        again.wait_for_control()
        self.assertEqual(again.wait("db"), 200)
        self.assertFalse(os.path.exists(directory))
        self.assert_clean_end(again)


class Upwards(NotifyScenario):
    def test_whoever_is_above_sees_the_start_go_on_and_the_loop_turn(self):
        stack = self.stack("""
  a: {command: $SAMPLE --name a --notify, ready: notify}
  b: {command: $SAMPLE --name b --notify --ready-delay 200ms, ready: notify, depends_on: [a]}
  c: {command: $SAMPLE --name c --notify --ready-delay 200ms, ready: notify, depends_on: [b]}
""")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            name = f"belfry-it-{os.getpid()}"
            manager.bind("\0" + name)
            manager.settimeout(PATIENCE)
            stack.start(NOTIFY_SOCKET="@" + name, WATCHDOG_USEC="100000")
            told = []
            while not told or "READY=1" not in told[-1]:
                told.append(manager.recv(4096).decode().split("\n"))
            self.assertTrue(any("EXTEND_TIMEOUT_USEC=60000000" in one for one in told), told)
            self.assertTrue(any(re.search(r"STATUS=[12] of 3 services ready; [bc] is starting", line) for one in told for line in one), told)
            self.assertIn("STATUS=3 of 3 services ready", told[-1])
            for _ in range(3):  # every 50 ms, from the loop; nothing else is to be told
                self.assertEqual(manager.recv(4096), b"WATCHDOG=1")
            stack.send(signal.SIGHUP)
            while "READY=1" not in told[-1] or "reload" not in told[-1][1]:
                told.append(manager.recv(4096).decode().split("\n"))
            self.assertTrue(any("RELOADING=1" in one for one in told), told)
            stack.send(signal.SIGTERM)
            while "STOPPING=1" not in told[-1]:
                told.append(manager.recv(4096).decode().split("\n"))
            self.assertIn("EXTEND_TIMEOUT_USEC=30000000", told[-1])
            self.assertEqual(stack.exit_code(), 0, stack.output.text())

    def test_belfry_under_belfry(self):
        inner = self.stack("  a: {command: $SAMPLE --name a --notify, ready: notify}", name="inner")
        outer = self.stack(f"""
  inner:
    command: [{BELFRY}, run, -c, {inner.file}]
    ready: notify
    watchdog: 500ms
    environment: {{XDG_RUNTIME_DIR: {inner.path}}}
""", name="outer").start()
        inner.event("a", "ready")
        outer.wait_for_control()
        self.assertEqual(outer.wait("inner"), 200, outer.output.text())
        self.wait_until(outer, "told", lambda: self.service(outer, "inner")["status_text"] == "1 of 1 services ready")
        self.assert_clean_end(outer)


class RealServers(NotifyScenario):
    """Servers from Debian's packages, with nothing but their own notifications."""

    def folder(self):
        path = tempfile.mkdtemp(prefix="belfry-notify-")
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def test_redis_says_when_it_is_ready(self):
        port = free_port()
        stack = self.stack(f"""
  cache:
    command: [redis-server, --supervised, systemd, --port, "{port}", --bind, 127.0.0.1, --save, "", --dir, $DIR]
    ready: notify
  ask: {{type: oneshot, command: [redis-cli, -p, "{port}", ping], depends_on: [cache]}}
""").start()
        stack.output.index_of("ask | PONG")
        stack.wait_for_control()
        self.assertEqual(self.service(stack, "cache")["readiness_method"], "notify")
        self.assertIn("Ready to accept connections", self.service(stack, "cache")["status_text"])
        self.assert_clean_end(stack)

    def test_postgresql_says_when_it_is_ready_and_reloads(self):
        tools = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)))
        data, port = os.path.join(folder := self.folder(), "data"), free_port()
        initdb = [f"{tools}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"]
        if ROOT:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            initdb = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *initdb]
        subprocess.run(initdb, cwd=folder, check=True, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
        stack = self.stack(f"""
  db:
    command: [{tools}/postgres, -D, {data}, -p, "{port}", -c, listen_addresses=127.0.0.1, -c, unix_socket_directories=]
    {"user: postgres" if ROOT else ""}
    ready: notify
    reload: SIGHUP
    stop: {{signal: SIGINT}}
  ask:
    type: oneshot
    command: [{tools}/psql, -X, -h, 127.0.0.1, -p, "{port}", -U, postgres, -At, -c, "SELECT 'answered'"]
    depends_on: [db]
""").start()
        stack.output.index_of("ask | answered")
        stack.wait_for_control()
        self.assertEqual(self.service(stack)["state"], "ready")
        self.assertEqual(self.refused(stack), {})
        asked = stack.cli("reload", "db")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        stack.output.index_of("received SIGHUP, reloading configuration files")
        self.assert_clean_end(stack)

    @with_clients
    def test_mariadb_says_when_it_is_ready(self):
        data, port = os.path.join(folder := self.folder(), "data"), free_port()
        user = pwd.getpwnam("mysql")
        os.chmod(folder, 0o755)
        os.chown(folder, user.pw_uid, user.pw_gid)
        subprocess.run(["mariadb-install-db", f"--datadir={data}", "--user=mysql", "--auth-root-authentication-method=normal",
                        "--skip-test-db"], cwd=folder, check=True, capture_output=True)
        stack = self.stack(f"""
  db:
    command: [mariadbd, --no-defaults, "--datadir={data}", "--port={port}", --bind-address=127.0.0.1, "--socket={folder}/sock",
              "--pid-file={folder}/pid", --user=mysql]
    environment: {{PATH: "/usr/sbin:/usr/bin:/sbin:/bin"}}
    ready: notify
  ask:
    type: oneshot
    command: [mariadb, --protocol=tcp, -h, 127.0.0.1, -P, "{port}", -u, root, -e, "SELECT 'answered'"]
    depends_on: [db]
""").start()
        stack.output.index_of("ask | answered")
        stack.wait_for_control()
        self.assertEqual(self.service(stack)["state"], "ready")
        self.assertIn("Taking your SQL requests now", self.service(stack)["status_text"])
        self.assert_clean_end(stack)
