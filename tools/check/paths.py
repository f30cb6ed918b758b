#!/usr/bin/env python3
"""Machine paths and package-registry hosts in committed files: home folders, this checkout's own place, and every host named in this
machine's package-manager settings."""
import glob
import os
import re

import tree

HOME = r"(?:root|work|Users/\w+|home/\w+)/"
SETTINGS = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/*", "/etc/pip.conf", "~/.config/pip/*", "~/.pip/*", "~/.npmrc",
            "~/.cargo/config*")


def registry_hosts(patterns=SETTINGS):
    hosts = set()
    for pattern in patterns:
        for path in glob.glob(os.path.expanduser(pattern)):
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    hosts |= set(re.findall(r"://(?:[^/@\s]*@)?([A-Za-z0-9.-]+\.[A-Za-z0-9-]+)", file.read()))
    return hosts


def problems(root, hosts=None):
    hosts = registry_hosts() if hosts is None else hosts
    places = [HOME] + [re.escape(root.lstrip("/")) + r"\b"] * (len(root) > 4)
    bad = re.compile(rf"(?:^|[^A-Za-z0-9_.-])/(?:{'|'.join(places)})"
                     + "".join(rf"|\b{re.escape(host)}\b" for host in sorted(hosts)))
    found = []
    for path in tree.files(root):
        text = tree.read(root, path)
        if "\0" in text:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if bad.search(line):
                found.append(f"{path}:{number}: names a place on one machine: {line.strip()[:120]}")
    return found


def self_test(test):
    hosts = {"packages.example.org"}
    test.problems = lambda root: problems(root, hosts)
    for home in ("root", "home/someone", "work"):
        test.expect({"a.cmake": f'set(X "/{home}/llvm")\n'}, "a.cmake:1", home)
    test.expect({"tools/fetch": "x\ncurl https://packages.example.org/pool\n"}, "tools/fetch:2", "a registry host")
    test.expect({"a.cpp": "// see include/root/x and framework/y, /usr/lib/llvm-19, kernel/root/z\n"}, None, "ordinary paths")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test)
