#!/usr/bin/env python3
"""Sizes: a source file of more than 600 lines is named, one of more than 1,000 is a problem, so is a committed file over 1 MiB.
Every folder with C++ sources and every top-level folder has a README.md (below test/, every kind of test)."""
import os

import tree

SOURCES = tree.CPP + (".td", ".py", ".sh", ".cmake")
SOFT, HARD, BYTES = 600, 1000, 1 << 20


def problems(root):
    found, folders = [], {}
    paths = tree.files(root)
    for path in paths:
        folder, name = os.path.split(path)
        folders.setdefault(folder, set()).add(name)
        if os.path.getsize(os.path.join(root, path)) > BYTES:
            found.append(f"{path}: over 1 MiB; generated and binary files do not belong in the tree")
        if path.endswith(SOURCES):
            lines = tree.read(root, path).count("\n")
            if lines > HARD:
                found.append(f"{path}: {lines} lines, the limit is {HARD}; split it along an idea")
            elif lines > SOFT:
                print(f"note: {path}: {lines} lines, aim for {SOFT}")
    tops = {path.split("/")[0] for path in paths if "/" in path and not path.startswith(".")}
    sources = {folder for folder, names in folders.items() if folder and any(n.endswith((".cpp", ".h", ".td")) for n in names)}
    sources = {"/".join(folder.split("/")[:2]) if folder.startswith("test/") else folder for folder in sources}
    for folder in sorted(tops | sources):
        if "README.md" not in folders.get(folder, ()):
            found.append(f"{folder}/: no README.md that says who lives there")
    return found


def self_test(test):
    readme = {"runtime/README.md": "x\n"}
    test.expect({**readme, "runtime/a.cpp": "\n" * 1001}, "1001 lines", "a long file")
    test.expect({**readme, "runtime/a.bin": b"\0" * (BYTES + 1)}, "over 1 MiB", "a heavy file")
    test.expect({**readme, "runtime/exec/a.cpp": "\n"}, "runtime/exec/: no README.md", "a folder without README")
    test.expect({"test/README.md": "x\n", "test/unit/plan/a.cpp": "\n"}, "test/unit/: no README.md", "a kind of test without README")
    test.expect({"docs/page.md": "x\n"}, "docs/: no README.md", "a top-level folder without README")
    test.expect({**readme, "runtime/a.cpp": "\n" * 700}, None, "a file between the limits")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test)
