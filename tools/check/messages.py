#!/usr/bin/env python3
"""Every message a user can get is demanded by a test, in its words.

Messages are the string literals handed to userError and the functions around it. A message is covered if three words of it in a row that no other
message has (all of its longest piece, where it is shorter or has none) stand somewhere in test/, in any case, blanks as one, strings put together as
the compiler does. Messages of fewer than 6 letters between two places that are filled in have nothing to ask for. Messages that no test can provoke
stand in messages.txt, each with its reason.
"""
import collections
import os
import re

import tree

SOURCES = ("runtime/", "tools/", "compiler/", "kernels-templates/")
# Functions whose string arguments are said to the user. Where several strings are handed over, each of them counts.
SAYS = re.compile(r"\b(?:userError|fail|refuse|complain|problem|reject|note|error|warning|check|checked|expect|grow)\s*\(")
# Where a file says what is the matter through such a name and the user never sees it.
NOT_SAID = re.compile(r"^(?:tools/check/|compiler/Target/|compiler/Transforms/|compiler/Conversion/|compiler/Reference/|tools/sn-opt/)")
ALLOWED = "tools/check/messages.txt"
LEAST, WORDS = 6, 3  # letters of a message, words in a row
TESTS = (".cpp", ".h", ".py", ".test", ".mlir", ".json", ".txt", ".md")


def arguments(text, start):
    """The text between the parenthesis that opens before `start` and its match."""
    depth, at = 1, start
    while at < len(text) and depth:
        lexeme = tree._LEXEME.match(text, at)
        if lexeme:
            at = lexeme.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return text[start:at]


def unescaped(text):
    """A literal's content as the user sees it."""
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), text)


def literals(text):
    """(offset, content) of every string in C++ text; literals that stand side by side are one string."""
    found, end = [], None
    for lexeme in tree._LEXEME.finditer(text):
        content = lexeme["str"] if lexeme["str"] is not None else lexeme["raw"]
        if content is None:
            continue
        content = unescaped(content) if lexeme["str"] is not None else content
        if end is not None and not text[end:lexeme.start()].strip():
            found[-1] = (found[-1][0], found[-1][1] + content)
        else:
            found.append((lexeme.start(), content))
        end = lexeme.end()
    return found


def plain(text):
    return re.sub(r"\s+", " ", text).lower()


def pieces(message):
    """The pieces of a message between places that are filled in, the longest first; empty if it has nothing to say of its own."""
    parts = re.split(r"\{[^{}]*\}", message.replace("{{", "\x01").replace("}}", "\x02"))
    parts = sorted((plain(p).strip().replace("\x01", "{").replace("\x02", "}") for p in parts), key=len, reverse=True)
    return parts if len(re.sub(r"[^a-z]", "", parts[0])) >= LEAST and " " in parts[0] else []


def runs(parts):
    """What may stand for a message: any three words in a row."""
    found = set()
    for words in (part.split(" ") for part in parts):
        found |= {" ".join(words[i:i + WORDS]) for i in range(len(words) - WORDS + 1)}
    return {run for run in found if len(re.sub(r"[^a-z]", "", run)) >= LEAST}


def messages(root):
    """(path, line, pieces) of everything that is said to the user."""
    for path in tree.files(root):
        if not path.endswith(tree.CPP) or not path.startswith(SOURCES) or NOT_SAID.match(path):
            continue
        text = tree.without_comments(tree.read(root, path))
        seen = set()
        for call in SAYS.finditer(text):
            for offset, content in literals(arguments(text, call.end())):
                at = call.end() + offset
                if at not in seen and pieces(content):
                    seen.add(at)
                    yield path, text.count("\n", 0, at) + 1, pieces(content)


def tested(root):
    """All that the tests expect, as one text."""
    parts = []
    for path in tree.files(root):
        if not path.startswith("test/") or not path.endswith(TESTS):
            continue
        text = tree.read(root, path)
        if path.endswith((".cpp", ".h", ".py")):
            # Neighbouring literals become one, whatever the quotes; then escapes are undone.
            text = re.sub(r'(?<!\\)"\s*\n\s*[fr]?"', "", text)
            text = re.sub(r"(?<!\\)'\s*\n\s*[fr]?'", "", text)
            text = unescaped(text)
        parts.append(plain(text))
    return "\n".join(parts)


def allowed(root):
    """{piece: reason} of messages.txt: lines of `piece <TAB> reason`."""
    if not os.path.exists(os.path.join(root, ALLOWED)):
        return {}
    lines = [line for line in tree.read(root, ALLOWED).split("\n") if line and not line.startswith("#")]
    return {plain(line.split("\t")[0]): line.partition("\t")[2].strip() for line in lines}


def problems(root):
    said, without, found, used = tested(root), allowed(root), [], set()
    everything = list(messages(root))
    owners = collections.Counter(run for parts in {tuple(parts) for _, _, parts in everything} for run in runs(parts))
    for path, line, parts in everything:
        covered = parts[0] in said or any(owners[run] == 1 and run in said for run in runs(parts))
        if parts[0] in without:
            used.add(parts[0])
            found += [f'{ALLOWED}: "{parts[0]}" is tested; take it out'] if covered else []
        elif not covered:
            found.append(f'{path}:{line}: no test demands "{parts[0]}"')
    found += [f'{ALLOWED}: "{part}" is no message' for part in without if part not in used]
    found += [f'{ALLOWED}: "{part}" stands there without a reason' for part, reason in without.items() if len(reason) < 10]
    return found


def self_test(test):
    call = 'void f() { userError("{}: has {} axes; a dense data set has "\n "rows and columns", path, n); }\n'
    expectation = "EXPECT_USER_ERROR(f(), \"axes; a dense data set has rows\"\n   \" and columns\");\n"
    test.expect({"runtime/a.cpp": call}, "runtime/a.cpp:1: no test demands \"axes; a dense data set has rows and columns\"", "an untested message")
    test.expect({"runtime/a.cpp": call, "test/unit/a.cpp": expectation}, None, "a tested one")
    test.expect({"runtime/a.cpp": call, "test/e2e/a.py": "says('AXES; a dense data set has '\n     'rows and columns')"}, None, "tested in Python, in any case")
    test.expect({"runtime/a.cpp": call, "test/unit/a.cpp": 'says("a dense");'}, "no test demands", "two words of it")
    test.expect({"runtime/a.cpp": call, "test/unit/a.cpp": 'says("DENSE data set has");'}, None, "three and more")
    twice = call + call.replace("axes", "rows")
    test.expect({"runtime/a.cpp": twice, "test/unit/a.cpp": 'says("a dense data set");'}, "no test demands", "words that two messages have")
    test.expect({"runtime/a.cpp": 'void f() { refuse("\\"{}\\" is not a number", s); }'}, "no test demands \"\" is not a number", "another function")
    test.expect({"runtime/a.cpp": 'void f() { userError("{}: {}", a, b); } // userError("never said at all")'}, None, "nothing of its own to say")
    test.expect({"runtime/a.cpp": 'void f() { userError("{}", a ? "needs a target here" : "takes no target here"); }'}, "takes no target here", "one of two")
    test.expect({"runtime/a.cpp": call, ALLOWED: "axes; a dense data set has rows and columns\tonly a broken library gives that\n"}, None, "allowed")
    test.expect({"runtime/a.cpp": call, ALLOWED: "axes; a dense data set has rows and columns\t\n"}, "without a reason", "allowed without a reason")
    test.expect({"runtime/a.cpp": call, "test/unit/a.cpp": expectation, ALLOWED: "axes; a dense data set has rows and columns\tno longer so\n"}, "take it out",
                "allowed and tested")
    test.expect({ALLOWED: "gone and forgotten\tits message went away\n"}, "is no message", "an allowance for nothing")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test)
