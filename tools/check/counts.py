#!/usr/bin/env python3
"""Counts test cases from ctest's JUnit file: cases of GoogleTest programs, of lit and of Python unittest files one by one, everything else as
one. Prints a line per part and closes with `N passed, N failed`. Exit code 1 unless something passed and nothing failed."""
import argparse
import re
import sys
import xml.etree.ElementTree as ElementTree

PARTS = (  # name, what its summary looks like: passed, failed, skipped
    ("GoogleTest", re.compile(r"\[==========\] \d+ tests? from"), (r"\[  PASSED  \] (\d+) test", r"\[  FAILED  \] (\d+) tests?, listed", r"\[  SKIPPED \] (\d+) test")),
    ("lit", re.compile(r"Total Discovered Tests: \d+"), (r"^\s*(?:Passed|Expectedly Failed)\s*: (\d+)", r"^\s*(?:Failed|Unresolved|Timed Out|Unexpectedly Passed)\s*: (\d+)",
                                                         r"^\s*(?:Unsupported|Skipped|Excluded)\s*: (\d+)")),
)
KINDS = (("check.", "checks"), ("sanitizer.", "sanitizers"), ("fuzz.", "fuzzing"))  # whatever a test of this name prints
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*$\s*^(OK|FAILED)(?: \((.*)\))?$", re.M)


def cases(output, status):
    """(part, passed, failed, skipped) of one ctest test."""
    part, counts = "other", None
    for name, mark, patterns in PARTS:
        if mark.search(output):
            part, counts = name, [sum(map(int, re.findall(p, output, re.M))) for p in patterns]
    if match := UNITTEST.search(output):
        kinds = dict(re.findall(r"(\w+)=(\d+)", match[3] or ""))
        failed = int(kinds.get("failures", 0)) + int(kinds.get("errors", 0))
        skipped = int(kinds.get("skipped", 0))
        part, counts = "end to end", [int(match[1]) - failed - skipped, failed, skipped]
    if counts is None:
        counts = {"run": [1, 0, 0], "notrun": [0, 0, 1], "disabled": [0, 0, 1]}.get(status, [0, 1, 0])
    if status == "fail" and not counts[1]:
        counts = [counts[0], 1, counts[2]]  # it died outside its cases
    return part, counts


def summary(text):
    """Lines to print, and whether all is well."""
    totals, sizes = {}, [0, 0, 0]
    for case in ElementTree.fromstring(text).iter("testcase"):
        name = case.get("name")
        status = "notrun" if case.find("skipped") is not None else case.get("status")
        # ctest calls a program that it could not find "notrun" too; only a test that skipped itself is a skip.
        skipped = case.find("skipped")
        if skipped is not None and "SKIP" not in (skipped.get("message") or ""):
            status = "fail"
        part, counts = cases(case.findtext("system-out") or "", status)
        part = next((kind for start, kind in KINDS if name.startswith(start)), part)
        totals.setdefault(part, [0, 0, 0])
        for i, count in enumerate(counts):
            totals[part][i] += count
            sizes[i] += count
    lines = [f"  {part:<12}{p:>6} passed {f:>4} failed" + (f" {s:>4} skipped" if s else "") for part, (p, f, s) in sorted(totals.items())]
    return lines + [f"{sizes[0]} passed, {sizes[1]} failed"], sizes[0] > 0 and not sizes[1]


def self_test():
    def junit(*tests):
        from xml.sax.saxutils import escape
        return "<testsuite>" + "".join(f'<testcase name="{n}" status="{s}">{extra}<system-out>{escape(out)}</system-out></testcase>' for n, s, out, extra in tests) + "</testsuite>"

    gtest = "[==========] 3 tests from 1 test suite ran.\n[  PASSED  ] 2 tests.\n[  FAILED  ] 1 test, listed below:\n 1 FAILED TEST\n"
    lit = "Total Discovered Tests: 7\n  Unsupported: 1 (14%)\n  Passed     : 5 (71%)\n  Failed     : 1 (14%)\n"
    unit = "..s\n\nRan 3 tests in 0.1s\n\nOK (skipped=1)\n"
    skip = '<skipped message="SKIP_RETURN_CODE=77"/>'
    trials = [
        (junit(("a", "fail", gtest, "")), "2 passed, 1 failed", False),
        (junit(("lit", "fail", lit, "")), "5 passed, 1 failed", False),
        (junit(("e2e", "run", unit, "")), "2 passed, 0 failed", True),
        (junit(("crash", "fail", "[==========] 3 tests from x\n", "")), "0 passed, 1 failed", False),
        (junit(("check.x", "run", "no problems\n", ""), ("s", "notrun", "", skip)), "1 passed, 0 failed", True),
        (junit(("gone", "notrun", "", '<skipped message="Unable to find executable"/>'), ("b", "run", "", "")), "1 passed, 1 failed", False),
        (junit(), "0 passed, 0 failed", False),
    ]
    wrong = [(text, summary(text)) for text, line, good in trials if (summary(text)[0][-1], summary(text)[1]) != (line, good)]
    for item in wrong:
        print("self-test:", item)
    print(f"self-test: {len(trials)} cases, {len(wrong)} failed")
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("junit", nargs="?", help="what ctest --output-junit wrote")
    parser.add_argument("--self-test", action="store_true", help="prove that failures are counted")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(0 if self_test() else 1)
    with open(arguments.junit, encoding="utf-8", errors="replace") as file:
        lines, good = summary(file.read())
    print("\n".join(lines))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
