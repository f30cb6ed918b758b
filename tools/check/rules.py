#!/usr/bin/env python3
"""The rules of the network language: one number, one text, one name in the code, one test.

docs/spec/network.md states each rule as **net_n**; the enumeration Rule of compiler/Frontend/Diagnostics.h names those that a file can break, and every message
of the front end belongs to one of them. Each of those is used, and a test of the front end demands its label, "[net_n]". The rules that no message
is about stand below, each with its reason. Wherever a rule is named, it is in the specification.
"""
import re

import tree

SPEC, ENUM, SOURCES, TESTS = "docs/spec/network.md", "compiler/Frontend/Diagnostics.h", "compiler/Frontend/", "test/unit/frontend/"
NAMED = (".cpp", ".h", ".py", ".md", ".td", ".mlir", ".test")
WITHOUT_MESSAGE = {
    5: "says how errors look",
    8: "an unknown word is net_3",
    15: "denoising of nothing is warned of under net_7",
    18: "its keys are net_3 and net_4",
    21: "says what a loss means",
    27: "its key is net_4 and net_9",
    30: "says where defaults come from",
    31: "says what an update means",
    32: "says how long state lasts",
    36: "its keys are net_3, net_4 and net_9; without effect, net_7",
}


def problems(root):
    paths = tree.files(root)
    texts = {path: tree.read(root, path) for path in paths if path.endswith(NAMED)}
    stated = [int(n) for n in re.findall(r"\*\*net_(\d+)\*\*", texts.get(SPEC, ""))]
    body = re.search(r"enum class Rule \{(.*?)\};", tree.without_comments(texts.get(ENUM, "")), re.S)
    names = {int(n): name for name, n in re.findall(r"(\w+) = (\d+)", body[1])} if body else {}
    used = " ".join(tree.without_comments(text) for path, text in texts.items() if path.startswith(SOURCES) and path.endswith(".cpp"))
    demanded = {int(n) for path, text in texts.items() if path.startswith(TESTS) for n in re.findall(r"\[net_(\d+)\]", text)}
    found = [] if stated else [f"{SPEC}: states no rule"]
    found += [] if names else [f"{ENUM}: has no enumeration Rule"]
    found += [f"{SPEC}: net_{n} is stated twice" for n in sorted({n for n in stated if stated.count(n) > 1})]
    for number in sorted(set(stated)):
        if number in names and number in WITHOUT_MESSAGE:
            found.append(f"tools/check/rules.py: net_{number} has messages; take it out")
        elif number not in names and number not in WITHOUT_MESSAGE:
            found.append(f"{SPEC}: no message is about net_{number}")
    for number, name in sorted(names.items()):
        if number not in stated:
            found.append(f"{ENUM}: Rule::{name} is net_{number}, which {SPEC} does not state")
        if not re.search(rf"\bRule::{name}\b", used):
            found.append(f"{ENUM}: no message is about Rule::{name}")
        if number not in demanded:
            found.append(f"{ENUM}: no test in {TESTS} demands [net_{number}] (Rule::{name})")
    for path, text in texts.items():
        if path == SPEC or path.startswith(("docs/", "compiler/", "dialects/", "tools/snc/", "tools/snrt/", "test/unit/", "test/e2e/")):
            for line, content in enumerate(text.split("\n"), 1):
                found += [f"{path}:{line}: net_{n} is no rule of {SPEC}" for n in re.findall(r"\bnet_(\d+)\b", content) if int(n) not in stated]
    return found


def self_test(test):
    spec = "* **net_1** A network is a file.\n* **net_5** How errors look.\n"
    enum = "enum class Rule {\n  File = 1, // net_1\n};\n"
    good = {SPEC: spec, ENUM: enum, SOURCES + "a.cpp": "report.error(Rule::File, at, message);", TESTS + "a.cpp": 'expect("it is no file [net_1]");'}
    test.expect(good, None, "a sound tree")
    test.expect({**good, SPEC: spec + spec}, "net_1 is stated twice", "a rule stated twice")
    test.expect({**good, SPEC: spec + "* **net_2** Keys.\n"}, "no message is about net_2", "a rule without messages")
    test.expect({**good, ENUM: enum.replace("1,", "1, Keys = 2,")}, "Rule::Keys is net_2, which docs/spec/network.md does not state", "a rule that is not stated")
    test.expect({**good, SOURCES + "a.cpp": "// Rule::File"}, "no message is about Rule::File", "a rule that is not used")
    test.expect({**good, TESTS + "a.cpp": 'expect("it is no file");'}, "demands [net_1]", "a rule without a test")
    test.expect({**good, SPEC: spec.replace("net_1", "net_5", 1)}, "net_5 is stated twice", "a number taken")
    test.expect({**good, ENUM: enum.replace("1,", "1, Errors = 5,")}, "net_5 has messages; take it out", "an exemption without need")
    test.expect({**good, "docs/tutorial.md": "see net_77"}, "docs/tutorial.md:1: net_77 is no rule", "a rule that nobody stated")
    test.expect({}, "states no rule", "no specification")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test)
