#!/usr/bin/env python3
"""The tutorial does what it says: its commands run in their order in one folder, and what they print is what it shows.

A block ```sh is run; `exit=N` beside it is the exit code of its last command, 0 if there is none. A block ```text below it is
what came, line by line: a line of `…` stands for any number of lines, `…` in a line for anything. Times, rates, sizes in memory
and the machine's description may differ; other numbers with a decimal point agree within 5 %, all others are equal."""
import os
import re
import subprocess
import unittest

import commands

FENCE = re.compile(r"^```(sh|text)(?: exit=(\d+))?\n(.*?)^```$", re.M | re.S)
NUMBER = r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?"
MACHINE = [(re.compile(rf"{NUMBER} (?:[KMGT]i)?B\b"), "# B"), (re.compile(rf"{NUMBER} (?:s|examples/s)\b"), "# s"),
           (re.compile(r"CPU, \d+ threads?, x86-64-v\d"), "CPU")]


def tutorial():
    with open(os.path.join(commands.ROOT, "docs/tutorial.md"), encoding="utf-8") as file:
        return file.read()


def blocks(text):
    """(command, exit code, lines shown or None) for each command."""
    found = []
    for language, code, body in FENCE.findall(text):
        if language == "sh":
            found.append([body, int(code or 0), None])
        else:
            found[-1][2] = body.splitlines()
    return found


def masked(line):
    for pattern, instead in MACHINE:
        line = pattern.sub(instead, line)
    return " ".join(line.split())


def numbers_agree(shown, came):
    for a, b in zip(shown, came):
        if a != b and not ("." in a and "." in b and abs(float(a) - float(b)) <= 0.05 * abs(float(a))):
            return False
    return True


def line_agrees(shown, came):
    shown, came = masked(shown), masked(came)
    number = r"(\d+(?:\.\d+)?)"
    pattern, values = "", []
    for part in re.split(rf"(…|{number[1:-1]})", shown):
        if part == "…":
            pattern += ".*"
        elif re.fullmatch(number, part):
            pattern += number
            values.append(part)
        else:
            pattern += re.escape(part)
    match = re.fullmatch(pattern, came)
    return bool(match) and numbers_agree(values, match.groups())


def agrees(shown, came):
    """Whether the lines that came are those shown; the first shown line that has no match, or None."""
    at, loose = 0, False
    for line in shown:
        if line.strip() == "…":
            loose = True
            continue
        while loose and at < len(came) and not line_agrees(line, came[at]):
            at += 1
        if at >= len(came) or not line_agrees(line, came[at]):
            return line
        at, loose = at + 1, False
    return None if loose or at == len(came) else came[at]


class Tutorial(commands.Commands):
    def test_every_command(self):
        steps = blocks(tutorial())
        self.assertGreater(len(steps), 10)
        environment = dict(os.environ, PATH=commands.BIN + os.pathsep + os.environ["PATH"], LC_ALL="C.UTF-8")
        for command, code, shown in steps:
            run = subprocess.run(["sh", "-c", command], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(run.returncode, code, f"{command}{run.stdout}")
            if shown is not None:
                wrong = agrees(shown, run.stdout.splitlines())
                self.assertIsNone(wrong, f"{command}shows, or lacks: {wrong}\nwhat came:\n{run.stdout}")

    def test_pages_named_are_there(self):
        for page in ("docs/tutorial.md", "docs/README.md"):
            folder = os.path.join(commands.ROOT, os.path.dirname(page))
            with open(os.path.join(commands.ROOT, page), encoding="utf-8") as file:
                names = re.findall(r"\]\(([^)#]+)", file.read())
            self.assertTrue(names, page)
            for name in names:
                self.assertTrue(os.path.exists(os.path.join(folder, name)), f"{page} names {name}")

    def test_it_is_short(self):
        self.assertLessEqual(len(tutorial().splitlines()), 250)


class Comparison(unittest.TestCase):
    """The comparison can fail."""
    def test_lines(self):
        for shown, came, same in (("a 1.00 b", "a 1.04 b", True), ("a 1.00 b", "a 1.06 b", False), ("3 rows", "4 rows", False),
                                  ("in 0.06 s", "in 12.5 s", True), ("takes 5.1 MiB: …", "takes 7 KiB: all", True),
                                  ("a … z", "a b c z", True), ("a … z", "a b c", False), ("x   1", "x 1", True)):
            self.assertEqual(line_agrees(shown, came), same, (shown, came))

    def test_blocks(self):
        self.assertIsNone(agrees(["a", "…", "c"], ["a", "b", "b", "c"]))
        self.assertIsNone(agrees(["…", "c", "…"], ["a", "c", "d"]))
        self.assertEqual(agrees(["a", "c"], ["a", "b", "c"]), "c")
        self.assertEqual(agrees(["a"], ["a", "b"]), "b")
        self.assertEqual(agrees(["…", "d"], ["a", "b"]), "d")


if __name__ == "__main__":
    commands.main()
