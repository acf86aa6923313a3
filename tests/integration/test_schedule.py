"""Oneshots that run by themselves: `schedule`."""
import json
import unittest

from harness import PATIENCE, Scenario, belfry, until


def job(command="$SAMPLE --name job --exit-after 1ms", more="", **schedule):
    words = ", ".join(f"{key}: {value}" for key, value in schedule.items())
    return f"  job: {{type: oneshot, command: {command}, schedule: {{{words}}}{more}}}\n"


class Schedule(Scenario):
    def begun(self, services, top=""):
        return self.stack(services, top).start().wait_for_control()

    def runs(self, stack, count):
        """When the first `count` runs have begun; waits for them."""
        began, place = [], 0
        while len(began) < count:
            began.append(stack.event("job", "main", place))
            place = next(i for i, one in enumerate(stack.events) if i >= place and one[1:3] == ("job", "main")) + 1
        return began

    def schedule(self, stack):
        return stack.services()["job"]["schedule"]

    def test_it_runs_again_and_again(self):
        stack = self.begun(job(every="50ms") + "  web: {command: [sleep, '1000']}\n")
        self.assertEqual(stack.wait("web"), 200)
        self.assertEqual(stack.get("/readyz")[0], 200)
        self.runs(stack, 4)
        self.assertEqual(self.schedule(stack)["text"], "every 50ms")
        self.assert_clean_end(stack)

    def test_before_its_time_it_rests_and_everybody_says_until_when(self):
        stack = self.begun(job(every="1h") + "  web: {command: [sleep, '1000']}\n")
        self.assertEqual(stack.wait("web"), 200)
        shown = stack.services()["job"]
        self.assertEqual((shown["state"], shown["incarnation"]), ("inactive", 0))
        self.assertRegex(shown["schedule"]["next_run"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(stack.cli("status").stdout, r"job +inactive .* its next run, in 59m \d\ds")
        self.assertRegex(stack.cli("why", "job").stdout, r"job waits for its time \(every 1h\), which comes in (59 min|1 h)")
        self.assertNotIn("[-]", stack.get("/readyz?verbose")[1])
        self.assert_clean_end(stack)

    def test_start_runs_it_now_and_stop_takes_it_off_its_schedule(self):
        stack = self.begun(job(every="1h"))
        self.assertEqual(stack.cli("start", "job").returncode, 0)
        self.runs(stack, 1)
        self.assertEqual(stack.services()["job"]["state"], "completed")
        self.assertEqual(stack.cli("stop", "job").returncode, 0)
        self.assertIsNone(self.schedule(stack)["next_run"])
        self.assertIn("not by itself now", stack.cli("status", "job").stdout)
        self.assertEqual(stack.cli("start", "job").returncode, 0)
        self.assertIsNotNone(self.schedule(stack)["next_run"])
        self.assert_clean_end(stack)

    def test_a_stack_of_times_alone_goes_on(self):
        stack = self.begun(job(every="20ms", at_start="true"))
        self.runs(stack, 3)
        self.assertIsNone(stack.process.poll())
        self.assert_clean_end(stack)

    def test_a_run_that_is_due_too_early_is_skipped_and_said(self):
        stack = self.begun(job("$SAMPLE --name job", every="20ms"))
        stack.output.index_of("skips a run that is due: the last one has not ended")
        self.assertEqual(len(stack.all_events("job", "main")), 1)
        self.assertGreater(self.schedule(stack)["skipped"], 0)
        notices = [json.loads(line) for line in stack.cli("events", "--json").stdout.splitlines()]
        self.assertTrue(any("skips a run" in (one.get("cause") or "") for one in notices), notices)
        self.assert_clean_end(stack)

    def test_killed_the_last_run_makes_room_for_the_next(self):
        stack = self.begun(job("$SAMPLE --name job", every="50ms", overlap="kill"))
        first, second = self.runs(stack, 2)
        ended = stack.event("job", "exit")
        self.assertTrue(first < ended < second)
        self.assert_clean_end(stack)

    def test_queued_the_next_run_begins_when_the_last_one_has_ended(self):
        stack = self.begun(job("$SAMPLE --name job", every="50ms", overlap="queue"))
        self.runs(stack, 1)
        until(lambda: self.schedule(stack)["queued"])
        stack.cli("kill", "job")
        self.runs(stack, 2)
        self.assert_clean_end(stack)

    def test_a_failed_run_is_shown_and_the_next_one_comes(self):
        stack = self.begun(job("$SAMPLE --name job --exit-after 1ms --exit-code 3", every="50ms"))
        self.runs(stack, 3)
        self.assertEqual(stack.wait("job", condition="stopped"), 200)
        self.assert_clean_end(stack)

    def test_another_schedule_is_taken_over_in_place(self):
        stack = self.begun(job(every="1h") + "  web: {command: [sleep, '1000']}\n")
        self.assertEqual(stack.wait("web"), 200)
        stack.write(job(every="20ms") + "  web: {command: [sleep, '1000']}\n")
        ran = stack.cli("reload")
        self.assertEqual((ran.returncode, ran.stdout), (0, "changed job\n"), ran.stderr)
        self.runs(stack, 2)
        stack.write("  web: {command: [sleep, '1000']}\n")
        self.assertEqual(stack.cli("reload").returncode, 0)
        self.assertEqual(list(stack.services()), ["web"])
        self.assert_clean_end(stack)

    def test_cron_waits_for_a_time_of_the_day(self):
        stack = self.begun(job(cron='"0 0 29 2 *"', time_zone="Pacific/Chatham"))
        shown = self.schedule(stack)
        self.assertEqual(shown["text"], "0 0 29 2 * (Pacific/Chatham)")
        self.assertIn("-02-28T10:15:00", shown["next_run"])
        self.assert_clean_end(stack)

    def test_exec_does_not_wait_for_it(self):
        stack = self.stack(job(every="1h") + "  web: {command: [sleep, '1000']}\n")
        ran = belfry("exec", "-c", stack.file, "--", "true", timeout=PATIENCE)
        self.assertEqual(ran.returncode, 0, ran.stderr)

    def test_without_tzdata_only_utc_is_known_and_the_message_says_what_to_install(self):
        stack = self.stack(job(cron='"0 3 * * *"', time_zone="Europe/Zurich"))
        environment = {"TZDIR": "/nowhere", "PATH": "/usr/bin:/bin"}
        ran = belfry("check", stack.file, env=environment)
        self.assertEqual(ran.returncode, 65)
        self.assertIn("install the package tzdata", ran.stdout + ran.stderr)
        stack.write(job(cron='"0 3 * * *"', time_zone="UTC"))
        self.assertEqual(belfry("check", stack.file, env=environment).returncode, 0)


if __name__ == "__main__":
    unittest.main()
