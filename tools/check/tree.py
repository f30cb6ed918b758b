"""What the checks share: the tree's files, C++ text without comments, reporting, and self-tests.

A check is a script with a function `problems(root) -> list[str]`, one line per problem, and a function `self_test(make)`.
It is run over the checkout, or with --self-test over small bad trees that it must find fault with.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

CPP = (".cpp", ".h", ".inc", ".cu", ".cuh")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def files(root):
    """Paths relative to root: what git tracks or would track; in a folder without git, everything outside build/."""
    if os.path.exists(os.path.join(root, ".git")):
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, check=True).stdout.decode().split("\0")
        return sorted({p for p in listed if p and os.path.isfile(os.path.join(root, p))})
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in ("build", ".git")]
        found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


_LEXEME = re.compile(r'R"(?P<d>[^()\s\\]{0,16})\((?P<raw>.*?)\)(?P=d)"'
                     r'|"(?P<str>(?:[^"\\\n]|\\.)*)"'
                     r"|'(?:[^'\\\n]|\\.)+'"
                     r"|(?P<line>//[^\n]*)|(?P<block>/\*.*?\*/)", re.S)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """C++ text with its comments blanked out; lines and columns stay."""
    # A digit separator (1'000) must not open a character literal.
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text)
    return _LEXEME.sub(lambda m: _blank(m[0]) if m["line"] is not None or m["block"] is not None else m[0], text)


def strings(text):
    """(line, content) of every string literal of C++ text."""
    for m in _LEXEME.finditer(without_comments(text)):
        content = m["str"] if m["str"] is not None else m["raw"]
        if content is not None:
            yield text.count("\n", 0, m.start()) + 1, content


def words(token):
    """fooBarHTTPServer_2 -> [foo, bar, http, server, 2]"""
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", token)]


class SelfTest:
    """Runs `problems` over small trees written for the purpose."""

    def __init__(self, problems):
        self.problems, self.failed, self.count = problems, 0, 0

    def expect(self, tree, fragment, what):
        """The tree {path: text} must have a problem that contains `fragment`; None: it must have none."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "wb") as file:
                    file.write(text if isinstance(text, bytes) else text.encode())
            self.verdict(self.problems(root), fragment, what)

    def verdict(self, found, fragment, what):
        self.count += 1
        good = not found if fragment is None else any(fragment in line for line in found)
        if not good:
            self.failed += 1
            print(f"self-test: {what}: expected {'no problem' if fragment is None else repr(fragment)}, found {found}")


def main(doc, problems, self_test, options=()):
    """`options`: (flag, help) pairs, handed to `problems` by keyword. Exit code 1 if there are problems."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=ROOT, help="the tree to look at (this checkout)")
    parser.add_argument("--self-test", action="store_true", help="prove that the check can fail")
    for flag, text in options:
        parser.add_argument(flag, help=text)
    arguments = vars(parser.parse_args())
    root = os.path.abspath(arguments.pop("root"))
    if arguments.pop("self_test"):
        test = SelfTest(problems)
        self_test(test)
        print(f"self-test: {test.count} cases, {test.failed} failed")
        sys.exit(1 if test.failed or not test.count else 0)
    found = problems(root, **arguments)
    for line in found:
        print(line)
    print(f"{len(found)} problems" if found else "no problems")
    sys.exit(1 if found else 0)
