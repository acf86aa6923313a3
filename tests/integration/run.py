#!/usr/bin/python3
"""Runs the scenarios of this folder: the real binary, real servers, one scenario each.

  BELFRY=build/dev/cli/belfry SAMPLE=build/dev/tests/support/belfry_sample_service tests/integration/run.py
  tests/integration/run.py --only postgres -v

Shows one line per scenario while it works; the last line is "N passed, N failed".
"""
import argparse
import json
import os
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import LONG_TURNS  # noqa: E402: the folder has to be known first


class Result(unittest.TestResult):
    """Prints every scenario's name and time when it ends, and why it failed at once."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.broken = []  # of each scenario that failed: its name, and why

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def _line(self, mark, test):
        print(f"  {mark:6} {time.monotonic() - self.began:6.2f} s  {self._name(test)}", flush=True)

    @staticmethod
    def _name(test):
        return test.id().replace("test_", "", 1).replace(".test_", ".")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1
        self._line("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line("skip", test)
        print(f"         {reason}", flush=True)

    def _broken(self, test, error):
        why = self._exc_info_to_string(error, test)
        self.broken.append({"name": self._name(test), "why": why})
        self._line("FAILED", test)
        print(why, flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._broken(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.began = getattr(self, "began", time.monotonic())  # setUpClass has no startTest
        self._broken(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._broken(subtest, err)


def each(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each(item)
        else:
            yield item


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    parser.add_argument("--results", help="write the counts there as JSON")
    options = parser.parse_args()
    # A shell starts what is in its background with SIGINT ignored, and everybody below would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    found = [test for test in each(unittest.defaultTestLoader.discover(HERE)) if options.only in test.id()]
    result = Result()
    unittest.TestSuite(found).run(result)
    failed = len(result.failures) + len(result.errors)
    if options.results:
        with open(options.results, "w", encoding="utf-8") as out:
            json.dump({"passed": result.passed, "failed": failed, "skipped": len(result.skipped),
                       "broken": result.broken}, out)
    if LONG_TURNS:
        busy = ", ".join(f"{turns} {culprit}" for culprit, turns in sorted(LONG_TURNS.items(), key=lambda one: -one[1]))
        print(f"turns of the event loop over 10 ms: {busy}")
    print(f"{result.passed} passed, {failed} failed" + (f", {len(result.skipped)} skipped" if result.skipped else ""))
    return 1 if failed or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main())
