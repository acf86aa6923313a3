"""tally.py DIRECTORY [FAILED STEP…]: adds up what the suites left there, and repeats who failed and the end of why;
the last line is "N passed, N failed".

A GoogleTest program counts by its tests; any other ctest entry counts as one. A program that died
before it could write its report counts as one failure, and so does a failed step that ran no tests.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as xml


def count_ctest(junit):
    passed = failed = 0
    for case in xml.parse(junit).getroot().iter("testcase"):
        ok = case.get("status") == "run"
        report = junit.parent / (case.get("name") + ".json")
        if report.exists():
            told = json.loads(report.read_text(encoding="utf-8"))
            passed += told["tests"] - told["failures"] - told.get("disabled", 0)
            failed += told["failures"] or (0 if ok else 1)
        else:
            passed += ok
            failed += not ok
    return passed, failed


def failed_cases(junit):
    """Of a suite of ctest: the name of each program that failed, and what it wrote."""
    for case in xml.parse(junit).getroot().iter("testcase"):
        if case.get("status") != "run":
            yield case.get("name"), case.findtext("system-out") or ""


def repeat(name, why):
    print(f"FAILED {name}")
    for line in why.strip().splitlines()[-12:]:
        print(f"    {line[:400]}")


def main():
    directory, failed_steps = pathlib.Path(sys.argv[1]), sys.argv[2:]
    passed = failed = 0
    broken = []
    for junit in sorted(directory.glob("*/ctest.xml")):
        suite = count_ctest(junit)
        print(f"  {junit.parent.name:12} {suite[0]:5} passed {suite[1]:5} failed")
        passed, failed = passed + suite[0], failed + suite[1]
        broken.extend(failed_cases(junit))
    for report in sorted(directory.glob("*.json")):
        told = json.loads(report.read_text(encoding="utf-8"))
        print(f"  {report.stem:12} {told['passed']:5} passed {told['failed']:5} failed")
        passed, failed = passed + told["passed"], failed + told["failed"]
        broken.extend((one["name"], one["why"]) for one in told.get("broken", ()))
    for name, why in broken:
        repeat(name, why)
    if failed_steps and not failed:
        failed = len(failed_steps)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
