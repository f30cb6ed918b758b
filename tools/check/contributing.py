#!/usr/bin/env python3
"""The diffs that CONTRIBUTING.md shows are real: the lines each hunk leaves behind stand together, in that order, in the file it names."""
import os
import re

import tree

PAGE = "CONTRIBUTING.md"
BLOCK = re.compile(r"^```diff\n(.*?)^```$", re.S | re.M)


def hunks(block):
    """(path, lines after the change) of each hunk."""
    path, lines = None, []
    for line in block.split("\n"):
        if line.startswith(("--- ", "+++ ", "@@")):
            if lines:
                yield path, lines
            lines = []
            if line.startswith("+++ b/"):
                path = line[len("+++ b/"):]
        elif line.startswith(("+", " ")):
            lines.append(line[1:].strip())
    if lines:
        yield path, lines


def problems(root):
    found, shown = [], 0
    for match in BLOCK.finditer(tree.read(root, PAGE)):
        for path, lines in hunks(match[1]):
            shown += 1
            if not path or not os.path.exists(os.path.join(root, path)):
                found.append(f"{PAGE}: shows a change of {path}, which is not there")
                continue
            text = "\n".join(line.strip() for line in tree.read(root, path).split("\n")) + "\n"
            if "\n".join(lines) + "\n" not in text:
                found.append(f"{PAGE}: {path} does not hold the lines shown from '{lines[0]}' on")
    return found + ([] if shown else [f"{PAGE}: shows no diff"])


def self_test(test):
    page = "# Page\n```diff\n--- a/x.cpp\n+++ b/x.cpp\n@@ somewhere @@\n one\n+  two\n@@ further @@\n+three\n```\n"
    test.expect({PAGE: page, "x.cpp": "  one\ntwo\nmore\nthree\n"}, None, "lines that stand there")
    test.expect({PAGE: page, "x.cpp": "one\n2\nthree\n"}, "x.cpp does not hold the lines shown from 'one' on", "a changed line")
    test.expect({PAGE: page, "x.cpp": "one\ntwo\n"}, "from 'three' on", "a line gone")
    test.expect({PAGE: page, "x.cpp": "two\none\nthree\n"}, "from 'one' on", "another order")
    test.expect({PAGE: page}, "x.cpp, which is not there", "no such file")
    test.expect({PAGE: "# Page\n"}, "shows no diff", "a page without a diff")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test)
