"""`up`, `down` and `ls`: a stack in the background, and what is said when it does not come up."""
import json
import os
import re
import signal
import subprocess

from harness import BELFRY, PATIENCE, Scenario, alive, descendants, until
from terminal import Terminal


class UpDown(Scenario):
    def stack(self, services, top="", name="test"):
        stack = super().stack(services, top, name)
        self.addCleanup(self.end, stack)
        return stack

    def cli(self, stack, *arguments, **environment):
        return subprocess.run([BELFRY, *arguments], cwd=stack.path, env=stack.environment(**environment), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False)

    def end(self, stack):
        if os.path.exists(stack.path):
            self.cli(stack, "down", "--timeout", "10s")

    def pid_in(self, text):
        return int(re.search(r"\(pid (\d+)", text).group(1))

    def test_up_returns_when_everything_is_ready_and_down_when_nothing_is_left(self):
        stack = self.stack("  db: {command: [sh, -c, 'mkfifo f; exec sleep 1000'], ready: {file: f}}\n  api: {command: [sleep, '1000'], depends_on: [db]}")
        up = self.cli(stack, "up")
        self.assertEqual((up.returncode, up.stderr), (0, ""))
        self.assertRegex(up.stdout, r"^test is up: 2 of 2 services ready \(pid \d+, log .*/test\.log\)\n$")
        self.assertEqual({name: s["state"] for name, s in stack.services().items()}, {"db": "ready", "api": "ready"})
        belfry = self.pid_in(up.stdout)
        self.assertEqual(os.getsid(belfry), belfry, "it has a session of its own")
        self.assertEqual(os.readlink(f"/proc/{belfry}/fd/0"), "/dev/null")
        processes = descendants(belfry) | {(belfry, 0)}
        down = self.cli(stack, "down")
        self.assertEqual((down.returncode, down.stderr), (0, ""))
        self.assertRegex(down.stdout, r"^down after [0-9.]+m?s\n$")
        self.assertEqual(alive(processes), set())
        with open(os.path.join(stack.path, "belfry/test.log"), encoding="utf-8") as log:
            self.assertIn("belfry | stopped after", log.read())
        again = self.cli(stack, "down")
        self.assertEqual(again.returncode, 0)
        self.assertIn("nothing to take down", again.stderr)
        lost = subprocess.run([BELFRY, "down"], cwd="/proc", env=stack.environment(), capture_output=True, text=True, check=False)
        self.assertEqual(lost.returncode, 69)
        self.assertIn("there is no belfry.yaml here", lost.stderr)

    def test_the_log_of_a_stack_that_writes_for_months_stays_small(self):
        stack = self.stack("  noisy: {command: [sh, -c, 'head -c 30000000 /dev/zero | tr \"\\\\0\" x | fold -w 99; touch done; exec sleep 1000'], "
                           "ready: {file: done}}")
        up = self.cli(stack, "up")
        self.assertEqual((up.returncode, up.stderr), (0, ""))
        self.assertEqual(self.cli(stack, "down").returncode, 0)
        logs = {name: os.stat(os.path.join(stack.path, "belfry", name)).st_size
                for name in os.listdir(os.path.join(stack.path, "belfry")) if name.startswith("test.log")}
        self.assertEqual(set(logs), {"test.log", "test.log.1"})
        self.assertLessEqual(max(logs.values()), 8 << 20)
        with open(os.path.join(stack.path, "belfry/test.log"), encoding="utf-8") as log:
            self.assertIn("belfry | stopped after", log.read())

    def test_run_says_where_it_runs_what_goes_wrong_and_into_its_log_what_happens(self):
        stack = self.stack("  db: {command: [./nope], essential: true}")
        ran = self.cli(stack, "run", "--logs", "lines.log")
        self.assertEqual((ran.returncode, ran.stdout), (69, ""))
        with open(os.path.join(stack.path, "lines.log"), encoding="utf-8") as log:
            self.assertRegex(log.read(), "belfry . db .*nope")
        lost = self.cli(stack, "run", "--logs", "none/lines.log")
        self.assertIn("cannot write its output: No such file or directory", lost.stderr)

    def test_a_second_one_is_refused_with_the_pid_of_the_first(self):
        stack = self.stack("  db: {command: [sleep, '1000']}")
        first = self.cli(stack, "up")
        for command in (("up",), ("run",)):
            second = self.cli(stack, *command)
            self.assertEqual(second.returncode, 71, second.stderr)
            self.assertIn(f"pid {self.pid_in(first.stdout)}", second.stderr)
        self.assertEqual(stack.services()["db"]["state"], "ready")

    def test_who_is_to_blame_is_said_and_the_stack_stays_to_be_looked_at(self):
        stack = self.stack("  db: {command: ./postgress}\n  api: {command: [sleep, '1000'], depends_on: [db]}\n  ok: {command: [sleep, '1000']}")
        up = self.cli(stack, "up", "--timeout", "1h")
        self.assertEqual(up.returncode, 69, up.stderr)
        self.assertRegex(up.stderr, "^belfry: cannot get test ready: the stack will not be ready\n  db is failed: .*postgress")
        self.assertIn("api is blocked", up.stderr)
        self.assertIn("belfry status", up.stderr)
        self.assertEqual(stack.services()["ok"]["state"], "ready")

    def test_a_crash_loop_is_given_up(self):
        stack = self.stack("  db: {command: [sh, -c, 'echo no disk >&2; exit 3'], ready: {file: never}, restart: {delay: 1ms, max_delay: 2ms}}")
        up = self.cli(stack, "up", "--timeout", "1h")
        self.assertEqual(up.returncode, 69, up.stderr)
        self.assertIn("has failed", up.stderr)
        self.assertIn("was never ready", up.stderr)

    def test_a_timeout_says_who_is_waited_for_and_leaves_it_going(self):
        stack = self.stack("  db: {command: [sleep, '1000'], ready: {file: $DIR/go}}\n  api: {command: [sleep, '1000'], depends_on: [db]}")
        up = self.cli(stack, "up", "--timeout", "300ms")
        self.assertEqual(up.returncode, 124, up.stderr)
        self.assertIn("cannot wait any longer for test: db (starting", up.stderr)
        self.assertEqual(stack.services()["db"]["state"], "starting")

    def test_a_belfry_that_ends_before_it_is_ready_shows_what_it_wrote(self):
        stack = self.stack("  db: {command: [sleep, '1000'], ready: {file: never}}\n  e: {command: [sh, -c, 'exit 3'], essential: true, restart: {policy: 'no'}}")
        up = self.cli(stack, "up")
        self.assertEqual(up.returncode, 69, up.stderr)
        self.assertIn("belfry | e failed", up.stderr)
        self.assertIn("before it was ready", up.stderr)

    def test_a_bad_file_is_refused_before_anything_starts(self):
        stack = self.stack("  db: {comand: [sleep, '1000']}")
        up = self.cli(stack, "up")
        self.assertEqual(up.returncode, 65)
        self.assertIn("did you mean `command`", up.stderr)
        self.assertFalse(os.path.exists(stack.control))
        self.assertEqual(self.cli(stack, "up", "-c", "nowhere.yaml").returncode, 66)

    def test_a_stack_of_which_all_work_is_done_has_come_up(self):
        stack = self.stack("  build: {type: oneshot, command: [sh, -c, 'exit 0']}")
        self.assertEqual(self.cli(stack, "up").returncode, 0)

    def test_several_stacks_stand_side_by_side_and_ls_lists_those_that_live(self):
        stacks = [self.stack("  db: {command: [sleep, '1000']}", name=f"side-{n}-{os.getpid()}") for n in range(3)]
        for stack in stacks:
            self.assertEqual(self.cli(stack, "up").returncode, 0)
        crashed = json.loads(self.cli(stacks[2], "ls", "--json").stdout)["stacks"]
        mine = {s["name"]: s for s in crashed if s["name"].endswith(f"-{os.getpid()}")}
        self.assertEqual(sorted(mine), [f"side-{n}-{os.getpid()}" for n in range(3)])
        one = mine[f"side-1-{os.getpid()}"]
        self.assertEqual((one["state"], one["ready"], one["wanted"], one["files"]), ("ready", 1, 1, [stacks[1].file]))
        # A socket that nobody listens at any more is no stack.
        os.kill(one["pid"], signal.SIGKILL)
        until(lambda: not os.path.exists(f"/proc/{one['pid']}"))
        self.assertTrue(os.path.exists(stacks[1].control))
        left = self.cli(stacks[0], "ls").stdout
        self.assertIn(f"side-0-{os.getpid()}", left)
        self.assertNotIn(f"side-1-{os.getpid()}", left)
        self.assertEqual(self.cli(stacks[0], "down").returncode, 0)
        self.assertEqual(stacks[2].services()["db"]["state"], "ready")

    def test_a_stack_at_the_usual_place_is_listed_and_found_by_its_name(self):
        stack = self.stack("  db: {command: [sleep, '1000']}")
        with open(stack.file, "w", encoding="utf-8") as file:
            file.write("name: usual\nservices:\n  db: {command: [sleep, '1000']}\n")
        self.assertEqual(self.cli(stack, "up").returncode, 0)
        self.assertRegex(self.cli(stack, "ls").stdout, r"(?m)^usual +ready +1/1 +\d+ +/.*belfry.yaml$")
        attach = subprocess.Popen([BELFRY, "attach", "usual"], cwd="/", env=stack.environment(), stdout=subprocess.PIPE, text=True)
        self.addCleanup(attach.stdout.close)
        self.assertIn("usual: ready", attach.stdout.readline())
        attach.terminate()
        self.assertEqual(attach.wait(PATIENCE), 143)
        self.assertIn("cannot find a stack named other", self.cli(stack, "attach", "other").stderr)
        self.assertEqual(self.cli(stack, "down").returncode, 0)

    def test_interrupted_while_it_waits_it_takes_down_what_it_has_started(self):
        stack = self.stack("  db: {command: [sleep, '1000'], ready: {file: never}}")
        env = stack.environment(TERM="xterm", LC_ALL="C.UTF-8")
        terminal = Terminal("up", cwd=stack.path, env=env)
        self.addCleanup(terminal.close)
        terminal.until("db is starting")
        terminal.type("\x03")
        self.assertEqual(terminal.end(), 130)
        self.assertIn("test is down again", terminal.screen.text())
        self.assertFalse(os.path.exists(stack.control))

    def test_json_says_where_everything_is(self):
        stack = self.stack("  db: {command: [sleep, '1000']}")
        said = json.loads(self.cli(stack, "up", "--json").stdout)
        self.assertEqual((said["stack"], said["log"]), ("test", f"{stack.path}/belfry/test.log"))
        os.kill(said["pid"], 0)

    def test_without_a_place_for_state_the_log_is_beside_the_socket(self):
        stack = self.stack("  db: {command: [sleep, '1000']}")
        up = self.cli(stack, "up", XDG_STATE_HOME="/proc/nowhere")
        self.assertEqual(up.returncode, 0, up.stderr)
        self.assertIn(f"log {stack.path}/test.log", up.stdout)


class Status(Scenario):
    def test_ready_is_a_healthcheck(self):
        stack = self.stack("  db: {command: [sleep, '1000']}\n  bad: {command: [sh, -c, 'echo the disk is full >&2; exit 3'], restart: {policy: 'no'}}").start().wait_for_control()
        self.assertEqual(stack.wait("db"), 200)
        stack.output.index_of("bad failed")
        sick = stack.cli("status", "--ready")
        self.assertEqual(sick.returncode, 1)
        self.assertIn("bad exited with code 3", sick.stdout)
        if stack.get("/v1/logs?follow=0&n=1")[0] == 200:  # by a daemon that shows them
            self.assertIn("bad | the disk is full\n", sick.stdout)
        self.assertEqual(stack.cli("status", "--ready", "db").returncode, 0)
        self.assertEqual(stack.cli("status", "--ready", "--json").returncode, 1)
        stack.stop()
        self.assertEqual(stack.cli("status", "--ready").returncode, 69)

    def test_wait_without_names_means_everything(self):
        stack = self.stack("  db: {command: [sleep, '1000'], ready: {file: $DIR/go}}\n  once: {type: oneshot, command: 'true'}").start().wait_for_control()
        late = stack.cli("wait", "--timeout", "200ms")
        self.assertEqual(late.returncode, 124)
        self.assertIn("db (starting", late.stderr)
        with open(os.path.join(stack.path, "go"), "w", encoding="utf-8"):
            pass
        self.assertEqual(stack.cli("wait", "--timeout", "20s").returncode, 0)

    def test_a_file_that_is_newer_than_what_runs_is_named(self):
        stack = self.stack("  db: {command: [sleep, '1000']}").start().wait_for_control()
        stack.wait("db")
        self.assertNotIn("changed", stack.cli("status").stdout)
        os.utime(stack.file, ns=(1, 1))
        self.assertIn("belfry.yaml has changed since belfry read it", stack.cli("status").stdout)
        restart = stack.cli("restart", "db")
        self.assertEqual(restart.returncode, 0)
        self.assertIn("belfry.yaml has changed since belfry read it", restart.stderr)

    def test_what_is_printed_comes_as_json_too(self):
        stack = self.stack("  db: {command: [sleep, '1000']}").start().wait_for_control()
        stack.wait("db")
        for command in ("restart", "reload", "stop", "start", "kill"):
            answer = stack.cli(command, "--json", "db")
            if answer.stdout:
                self.assertIsInstance(json.loads(answer.stdout), dict, command)
        self.assertIn("version", json.loads(stack.cli("version", "--json").stdout))

    def test_a_mistyped_service_is_guessed(self):
        stack = self.stack("  cache: {command: [sleep, '1000']}").start().wait_for_control()
        stack.wait("cache")
        for command in ("stop", "status", "restart"):
            said = stack.cli(command, "cahce")
            self.assertEqual(said.returncode, 64)
            self.assertIn("did you mean cache?", said.stderr)
