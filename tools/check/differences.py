#!/usr/bin/env python3
"""docs/spec/dsstne-differences.md has one row for each trap T-01 to T-69, in order; each names tests that exist, or the issue that brings what it is about."""
import os
import re

import tree

PAGE = "docs/spec/dsstne-differences.md"
TRAPS = 69
ROW = re.compile(r"^\| T-(\d\d) \|(.*)\|(.*)\|(.*)\|$")


def tests(root):
    return {name for folder, _, names in os.walk(os.path.join(root, "test")) for name in names if name.endswith((".cpp", ".py"))}


def problems(root):
    found, numbers, known = [], [], tests(root)
    page = tree.read(root, PAGE)
    for line in page.split("\n"):
        if not line.startswith("| ") or line.startswith(("| # ", "| DSSTNE ")):
            continue
        row = ROW.match(line)
        named = re.findall(r"`([\w.]+\.(?:cpp|py))`", line.rsplit("|", 2)[1])
        what = f"T-{row[1]}" if row else line[2:40]
        if row:
            numbers.append(int(row[1]))
        if not named and not (row and re.search(r"with issue [67]", row[3])):
            found.append(f"{PAGE}: {what} names no test")
        found += [f"{PAGE}: {what} names {name}, which is no test" for name in named if name not in known]
    if numbers != list(range(1, TRAPS + 1)):
        missing = sorted(set(range(1, TRAPS + 1)) - set(numbers))
        found.append(f"{PAGE}: rows are not T-01 to T-{TRAPS} in order" + "".join(f"; T-{number:02} is missing" for number in missing))
    return found


def self_test(test):
    rows = [f"| T-{number:02} | then | now | `A.cpp` |" for number in range(1, TRAPS + 1)]
    page = lambda lines: "# Page\n| # | DSSTNE | here | tested in |\n|---|---|---|---|\n" + "\n".join(lines) + "\n"
    good = {"test/unit/A.cpp": ""}
    test.expect({**good, PAGE: page(rows)}, None, "a whole page")
    test.expect({**good, PAGE: page(rows[:5] + ["| T-06 | then | with issue 6 | |"] + rows[6:])}, None, "a later issue")
    test.expect({**good, PAGE: page(rows[:5] + rows[6:])}, "T-06 is missing", "a row too few")
    test.expect({**good, PAGE: page(rows + rows[:1])}, "in order", "a row twice")
    test.expect({**good, PAGE: page(rows[:5] + ["| T-06 | then | now | |"] + rows[6:])}, "T-06 names no test", "nothing tested")
    test.expect({**good, PAGE: page(rows[:5] + ["| T-06 | then | now | `B.cpp` |"] + rows[6:])}, "B.cpp, which is no test", "no such test")
    test.expect({**good, PAGE: page(rows + ["| then | now | |"])}, "names no test", "a row without a number")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test)
