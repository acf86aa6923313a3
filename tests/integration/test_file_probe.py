"""Readiness by a file: told by the kernel, and not looked for again and again."""
import os
import re
import shutil
import socket

from harness import Scenario, until


def context_switches(pid):
    """How often a thread of the process has gone to sleep by itself: each wake-up ends with one."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.MULTILINE).group(1))
    return total


class FileProbe(Scenario):
    def test_directories_and_links_that_come_later_are_followed(self):
        stack = self.stack("""
  db: {command: [sleep, "1000"], ready: {file: run/link/deep/ready}}
  api: {command: $SAMPLE --name api, depends_on: [db]}
""").start().wait_for_control()
        self.assertEqual(stack.services()["db"]["state"], "starting")
        self.assertIn("cannot find", stack.services()["db"]["last_error"])
        at = lambda name: os.path.join(stack.path, name)
        os.mkdir(at("run"))
        os.symlink("../real", at("run/link"))
        os.makedirs(at("real/deep"))
        os.rename(at("real"), at("other"))
        os.rename(at("other"), at("real"))
        self.assertEqual(stack.services()["db"]["state"], "starting")
        with open(at("real/deep/ready"), "w", encoding="ascii"):
            pass
        stack.event("api", "main")
        self.assert_clean_end(stack)

    def test_what_the_file_is_to_be_is_waited_for(self):
        stack = self.stack("""
  gone: {command: [sleep, "1000"], ready: {file: lock, exists: false}}
  bound: {command: [sleep, "1000"], ready: {file: s, socket: true}}
  text: {command: [sleep, "1000"], ready: {file: state, contains: "(?m)^state: (up|ready)$"}}
""")
        at = lambda name: os.path.join(stack.path, name)
        for name in ("lock", "s", "state"):
            with open(at(name), "w", encoding="ascii") as file:
                file.write("state: starting\n")
        stack.start().wait_for_control()
        expected = {"gone": f"{at('lock')} is still there", "bound": f"{at('s')} is not a socket",
                    "text": f"what `contains` asks for does not occur in {at('state')}"}
        until(lambda: {name: one["last_error"] for name, one in stack.services().items()} == expected)
        os.remove(at("lock"))
        self.assertEqual(stack.wait("gone"), 200)
        os.remove(at("s"))
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(at("s"))
        self.assertEqual(stack.wait("bound"), 200)
        with open(at("state"), "a", encoding="ascii") as file:
            file.write("state: ready\n")
        self.assertEqual(stack.wait("text"), 200)
        self.assert_clean_end(stack)

    def test_a_file_that_goes_takes_the_level_away_and_brings_it_back(self):
        stack = self.stack("""
  db: {command: [sleep, "1000"], ready: {file: up, recheck: 1h}}
  web: {command: [sleep, "1000"], live: {file: alive, period: 1h, failure_threshold: 1, on_failure: unready}}
""")
        at = lambda name: os.path.join(stack.path, name)
        for name in ("up", "alive"):
            open(at(name), "w", encoding="ascii").close()
        stack.start().wait_for_control()
        self.assertEqual(stack.wait("db", "web"), 200)
        for name, service in (("up", "db"), ("alive", "web")):
            with self.subTest(service):
                shutil.move(at(name), at("away"))
                stack.output.index_of(f"{service} is not ready any more")
                self.assertIn("cannot find", stack.services()[service]["last_error"])
                shutil.move(at("away"), at(name))
                self.assertEqual(stack.wait(service), 200)
        self.assert_clean_end(stack)

    def test_who_waits_for_a_file_costs_nothing(self):
        """No wake-up in the time in which a hundred files would have been looked for thousands of times."""
        services = "".join(f"  s{i}: {{command: [sleep, \"1000\"], ready: {{file: run/{i}/ready}}}}\n" for i in range(100))
        stack = self.stack(services).start().wait_for_control()
        stack.services()
        quiet = []
        for _ in range(5):  # of five, in case the daemon had something else to do: its first word on who is waited for
            before = context_switches(stack.process.pid)
            self.assertEqual(stack.wait("s0", timeout="400ms"), 504)
            quiet.append(context_switches(stack.process.pid) - before)
        self.assertLess(min(quiet), 12)  # the request, its timeout and its end
        self.assert_clean_end(stack)
