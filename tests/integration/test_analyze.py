"""belfry analyze: the start and the stop of real stacks, whose times are known in order and roughly in length."""
import json
import os
import re
import xml.etree.ElementTree

from harness import Scenario

SHOP = """  db: {command: $SAMPLE --name db --notify --ready-delay 200ms --on-stop-delay 50ms, ready: notify, stop: {timeout: 20s}}
  cache: {command: $SAMPLE --name cache --notify, ready: notify}
  migrate: {type: oneshot, command: $SAMPLE --name migrate --exit-after 50ms, depends_on: [db]}
  api: {command: $SAMPLE --name api --notify --on-stop-delay 100ms, ready: notify, depends_on: [migrate, cache]}"""


class Analyze(Scenario):
    def up(self, services=SHOP):
        stack = self.stack(services, name="shop").start()
        stack.output.index_of("belfry | ready after")
        return stack

    def analysis(self, stack, *arguments):
        ended = stack.cli("analyze", "--json", *arguments)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        return json.loads(ended.stdout)

    def test_the_critical_chain_is_as_long_as_the_start(self):
        stack = self.up()
        found = self.analysis(stack)
        self.assertEqual([one["service"] for one in found["critical_path"]], ["db", "migrate", "api"])
        self.assertEqual([one["until"] for one in found["critical_path"]], ["ready", "completed", None])
        self.assertEqual(sum(one["took_ns"] + one["waited_ns"] for one in found["critical_path"]), found["took_ns"])
        slack = {one["name"]: one["slack_ns"] for one in found["services"]}
        self.assertEqual((slack["db"], slack["migrate"], slack["api"]), (0, 0, 0))
        self.assertGreater(slack["cache"], 200_000_000)
        self.assertEqual((found["what"], found["source"]), ("start", "daemon"))
        gain = {one["service"]: one["earlier_ns"] for one in found["gains"]}
        self.assertGreater(gain["db"], 150_000_000)
        self.assert_clean_end(stack)

    def test_people_are_told_in_words(self):
        stack = self.up()
        told = stack.cli("analyze", "--faster", "db=50ms", "--faster", "cache=1ms").stdout
        self.assertRegex(told, r"^shop came up in \d+ ms \(")
        self.assertRegex(told, r"db +[2-9]\d\d ms +until it was ready(, [\d.]+ ms after it could begin)?\n")
        self.assertIn("db 50 ms faster → all ready 50 ms earlier", told)
        self.assertIn("cache 1.0 ms faster → nothing is ready any earlier", told)
        self.assertRegex(told, r"slack .*\n +cache +\d+ ms")
        wrong = stack.cli("analyze", "--faster", "dbb=1s")
        self.assertEqual(wrong.returncode, 64)
        self.assertIn("did you mean db?", wrong.stderr)
        self.assertEqual(stack.cli("analyze", "--faster", "db").returncode, 64)

    def test_the_picture_is_a_whole_one(self):
        stack = self.up()
        path = os.path.join(stack.path, "start.svg")
        self.assertEqual(stack.cli("analyze", "--svg", path).returncode, 0)
        root = xml.etree.ElementTree.parse(path).getroot()
        texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
        for name in ("db", "cache", "migrate", "api"):
            self.assertIn(name, texts)
        printed = stack.cli("analyze", "--svg", "-").stdout
        self.assertTrue(printed.startswith("<svg ") and printed.endswith("</svg>\n"))
        self.assertEqual(stack.cli("analyze", "--svg", "/no/such/folder/x.svg").returncode, 71)

    def test_what_has_ended_is_read_from_the_history(self):
        stack = self.up()
        self.assert_clean_end(stack)
        started = stack.cli("analyze", "-c", stack.file)
        self.assertIn("no daemon answers: this is its last start", started.stdout)
        found = self.analysis(stack, "-c", stack.file)
        self.assertEqual([one["service"] for one in found["critical_path"]], ["db", "migrate", "api"])
        self.assertEqual(found["source"], "history")
        stopped = self.analysis(stack, "--stop", "-c", stack.file)
        self.assertEqual([one["service"] for one in stopped["critical_path"]], ["api", "db"])
        self.assertGreater(stopped["critical_path"][0]["took_ns"], 100_000_000)
        self.assertRegex(stack.cli("analyze", "--stop", "-c", stack.file).stdout, r"^shop went down in \d+ ms")

    def test_runs_are_compared_and_a_trend_is_told(self):
        stack = self.stack(SHOP, name="shop")
        for delay in ("1ms", "1ms", "1ms", "400ms"):
            stack.write(SHOP.replace("200ms", delay), name="shop")
            stack.start()
            stack.output.index_of("belfry | ready after")
            self.assertEqual(stack.stop(), 0, stack.output.text())
        told = stack.cli("analyze", "-c", stack.file).stdout
        self.assertRegex(told, r"trend of the last 4:\n  the whole: .* against its median\n  slowest against its own: db, 4\d\d ms, \+\d+ ms against its median")
        compared = stack.cli("analyze", "--compare", "2", "1", "-c", stack.file).stdout
        self.assertRegex(compared, r"service +before +after +difference\n +db +[\d.]+ ms +4\d\d ms +\+\d+ ms\n")
        sides = self.analysis(stack, "--compare", "2", "1", "-c", stack.file)
        self.assertEqual(sides["services"][0]["name"], "db")
        missing = stack.cli("analyze", "--compare", "9", "1", "-c", stack.file)
        self.assertEqual(missing.returncode, 69)
        self.assertIn("there are only 4 in the history", missing.stderr)

    def test_a_stack_that_is_not_up_yet_shows_what_has_come(self):
        stack = self.stack("  db: {command: sleep infinity}\n  api: {command: sleep infinity, ready: notify, depends_on: [db]}", name="shop").start()
        self.assertEqual(stack.wait_for_control().wait("db"), 200)
        told = stack.cli("analyze").stdout
        self.assertIn("it is not up yet: this is what has come so far", told)
        self.assertIn("not ready, and so not part of it: api", told)
        self.assertTrue(re.search(r"\n +0 ms +db", told) or re.search(r"\n +[\d.]+ ms +db", told), told)

    def test_nothing_to_analyze_is_said(self):
        stack = self.stack("  db: {command: sleep infinity}", name="shop")
        ended = stack.cli("analyze", "--stop", "-c", stack.file)
        self.assertEqual(ended.returncode, 66)
        self.assertIn("cannot read the history in ", ended.stderr)
