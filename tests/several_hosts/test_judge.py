"""The judge, tried on purpose: what is planted in a history must be found, and nothing else."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from judge import Break, Change, Edge, Event, Fence, judge, judge_end  # noqa: E402: the folder has to be known first

MS = 1_000_000
KAFKA = Edge("quorum", "kafka", ("a", "b", "c"), 2)
EDGES = {("z", "app"): (KAFKA,)}
ONE = {"z": 0}


def put(host, revision, at, boot=None, generation=None, width=1):
    return Change("kafka", host, revision, at * MS, (at + width) * MS, boot or f"boot-{host}", generation or revision)


def gone(host, revision, at, width=1):
    return Change("kafka", host, revision, at * MS, (at + width) * MS)


def event(at, service, before, state, cause="", incarnation=0, life=0):
    return Event("z", life, at * MS, service, before, state, cause, incarnation)


def ring(ready_at, at, waits_at=0):
    return [event(waits_at, "app", "inactive", "waiting"), event(ready_at, "quorum", "waiting", "ready"),
            event(at, "app", "waiting", "starting", incarnation=1)]


class FalseRings(unittest.TestCase):
    def test_a_start_with_enough_hosts_is_none(self):
        verdict = judge([put("a", 1, 10), put("b", 2, 20)], ring(30, 40), [], EDGES)
        self.assertEqual((verdict.complaints, verdict.rings), ([], 1))

    def test_a_planted_one_is_found(self):
        verdict = judge([put("a", 1, 10), put("b", 2, 20), gone("b", 3, 25)], ring(30, 40), [], EDGES)
        self.assertEqual(len(verdict.complaints), 1)
        self.assertIn("a false ring on z: app starts, and kafka was there on ['a'], not on 2 hosts", verdict.complaints[0])

    def test_a_host_that_was_not_asked_for_does_not_count(self):
        self.assertIn("a false ring", judge([put("a", 1, 10), put("x", 2, 20)], ring(30, 40), [], EDGES).complaints[0])

    def test_one_host_with_two_generations_is_one_host(self):
        changes = [put("a", 1, 10), gone("a", 2, 31), put("a", 3, 33)]
        self.assertIn("a false ring", judge(changes, ring(30, 40), [], EDGES).complaints[0])

    def test_what_comes_after_the_start_does_not_count(self):
        self.assertIn("a false ring", judge([put("a", 1, 10), put("b", 2, 50)], ring(30, 40), [], EDGES).complaints[0])

    def test_what_was_there_before_the_edges_held_and_not_since_is_older_than_the_wait(self):
        changes = [put("a", 1, 1), put("b", 2, 2), gone("b", 3, 20), put("c", 4, 60)]
        self.assertIn("a false ring", judge(changes, ring(30, 40), [], EDGES).complaints[0])

    def test_each_at_some_moment_is_enough(self):
        changes = [put("a", 1, 10), put("b", 2, 20), gone("b", 3, 32), put("c", 4, 33), gone("a", 5, 31)]
        self.assertEqual(judge(changes, ring(30, 40), [], EDGES).complaints, [])

    def test_doubt_about_the_moment_of_a_change_speaks_for_belfry(self):
        changes = [put("a", 1, 10), put("b", 2, 20), gone("b", 3, 25, width=10)]
        self.assertEqual(judge(changes, ring(30, 40), [], EDGES).complaints, [])

    def test_an_edge_that_has_never_held_is_one(self):
        events = [event(0, "app", "inactive", "waiting"), event(40, "app", "waiting", "starting")]
        self.assertIn("has never held", judge([put("a", 1, 10), put("b", 2, 20)], events, [], EDGES).complaints[0])

    def test_the_life_of_another_belfry_of_this_host_says_nothing(self):
        before = [event(5, "quorum", "waiting", "ready")]
        events = before + [event(30, "app", "inactive", "waiting", life=1), event(40, "app", "waiting", "starting", life=1)]
        self.assertIn("has never held", judge([put("a", 1, 1), put("b", 2, 2)], events, [], EDGES).complaints[0])

    def test_after_a_backup_what_is_not_in_it_is_gone(self):
        changes = [put("a", 1, 1), put("b", 2, 2), Break(5 * MS, 6 * MS, 7 * MS, (put("a", 1, 1),))]
        self.assertIn("a false ring", judge(changes, ring(2000, 3000), [], EDGES).complaints[0])

    def test_around_a_backup_nobody_can_tell(self):
        changes = [put("a", 1, 1), Break(5 * MS, 6 * MS, 7 * MS, ())]
        verdict = judge(changes, ring(3, 6), [], EDGES)
        self.assertEqual((verdict.complaints, verdict.rings, verdict.unjudged), ([], 0, 1))


class FalseLosses(unittest.TestCase):
    def lost(self, changes, at=100, cause="lost quorum ready"):
        return judge(changes, ring(30, 40) + [event(at, "app", "ready", "stopping", cause)], [], EDGES)

    def test_a_loss_of_one_too_many_is_none(self):
        verdict = self.lost([put("a", 1, 1), put("b", 2, 2), gone("b", 3, 50)])
        self.assertEqual((verdict.complaints, verdict.losses), ([], 1))

    def test_a_planted_one_is_found(self):
        events = [event(10, "app", "starting", "waiting"), event(30, "quorum", "waiting", "ready"), event(40, "app", "waiting", "starting"),
                  event(100, "app", "ready", "stopping", "lost quorum ready")]
        changes = [put("a", 1, 1), put("b", 2, 2), put("c", 3, 3), gone("c", 4, 50)]
        self.assertEqual(judge(changes, events, [], EDGES).complaints,
                         ["a false loss on z: app stops, and kafka was there on 2 hosts for all of its run"])

    def test_a_stop_for_another_reason_is_none(self):
        self.assertEqual(self.lost([put("a", 1, 0, width=0), put("b", 2, 0, width=0)], cause="stopped by command").losses, 0)

    def test_another_history_has_a_moment_of_its_own(self):
        self.assertEqual(self.lost([put("a", 1, 0, width=0), put("b", 2, 0, width=0),
                                    Break(50 * MS, 51 * MS, 52 * MS, (put("a", 1, 0), put("b", 2, 0)))]).complaints, [])


class Generations(unittest.TestCase):
    def test_one_after_the_other_is_right(self):
        changes = [put("a", 1, 1), gone("a", 2, 2), put("a", 3, 3, boot="next"), gone("a", 4, 4), put("a", 5, 5, boot="next")]
        self.assertEqual(judge(changes, [], [], EDGES).complaints, [])

    def test_a_put_over_another_is_found(self):
        self.assertIn("put over another", judge([put("a", 1, 1), put("a", 2, 2, generation=1)], [], [], EDGES).complaints[0])

    def test_a_belfry_that_publishes_after_the_next_one_is_found(self):
        changes = [put("a", 1, 1), gone("a", 2, 2), put("a", 3, 3, boot="next"), gone("a", 4, 4), put("a", 5, 5)]
        self.assertIn("after next has followed it", judge(changes, [], [], EDGES).complaints[0])

    def test_the_fence_is_one_of_them(self):
        changes = [put("a", 1, 10), put("b", 2, 20)]
        good = judge(changes, ring(30, 40), [Fence("z", 0, "app", 1, 2)], EDGES)
        self.assertEqual((good.complaints, good.fences), ([], 1))
        self.assertIn("a false fence", judge(changes, ring(30, 40), [Fence("z", 0, "app", 1, 7)], EDGES).complaints[0])


class TheEnd(unittest.TestCase):
    UP = [event(5, "quorum", "waiting", "ready"), event(6, "app", "starting", "ready")]
    TWO = [put("a", 1, 1), put("b", 2, 2)]

    def test_whoever_can_run_runs(self):
        self.assertEqual(judge_end(self.TWO, self.UP, [], EDGES, ONE), [])

    def test_a_lost_ring_is_found(self):
        waits = [event(5, "quorum", "waiting", "ready"), event(6, "app", "ready", "waiting")]
        self.assertEqual(judge_end(self.TWO, waits, [], EDGES, ONE), ["a lost ring: at the end app on z is waiting, and could run"])

    def test_whoever_runs_without_its_quorum_is_found(self):
        said = judge_end([put("a", 1, 1)], self.UP, [], EDGES, ONE)
        self.assertEqual(said, ["at the end quorum on z is ready, and the quorum is not there",
                                "at the end app on z runs, and should not"])

    def test_who_stopped_for_good_may_stay(self):
        edges = {("z", "app"): (Edge("quorum", "kafka", ("a", "b", "c"), 2, "stop"),)}
        events = [event(5, "quorum", "waiting", "ready"), event(6, "app", "stopping", "inactive")]
        self.assertEqual(judge_end(self.TWO, events, [], edges, ONE), [])

    def test_only_the_last_belfry_of_a_host_counts(self):
        events = self.UP + [event(9, "quorum", "inactive", "waiting", life=1), event(9, "app", "inactive", "waiting", life=1)]
        self.assertEqual(len(judge_end(self.TWO, events, [], EDGES, {"z": 1})), 2)

    def test_a_belfry_that_has_written_nothing_down_yet_has_come_to_nothing(self):
        self.assertEqual(len(judge_end(self.TWO, self.UP, [], EDGES, {"z": 1})), 2)

    def test_etcd_has_exactly_what_is_ready(self):
        events = [Event("a", 0, 5 * MS, "kafka", "starting", "ready"), Event("b", 0, 5 * MS, "kafka", "ready", "stopped")]
        self.assertEqual(judge_end([put("b", 2, 2)], events, [("a", "kafka"), ("b", "kafka")], {}, {"a": 0, "b": 0}),
                         ["at the end etcd says of a that kafka is not ready, and there it is ready",
                          "at the end etcd says of b that kafka is ready, and there it is stopped"])


if __name__ == "__main__":
    unittest.main()
