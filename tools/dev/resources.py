#!/usr/bin/env python3
"""What the assembler says of the CUDA kernels of networks, and a record of it.

A line of the record is a unit, by the hash of all that is compiled: its text without comments, headers, the optimizer. For each architecture that takes the
unit it has the most registers of its functions, their most static shared memory and stack in bytes, and the sum of their spilled bytes.

networks  prints what the record is of: the examples, and one of them in the other precisions
check     no unit in the record spills; a network with units that are not in it is compiled for sm_80 and sm_90a, where they must not spill either
write     compiles for all architectures and writes the record anew: minutes without the cache"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile

ALL = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90a", "sm_100", "sm_120")
ALWAYS = ("sm_80", "sm_90a")
FIRST = "examples/movielens/ae.json"
NETWORKS = (FIRST, "examples/movielens/ae-tuned.json", "examples/amazon-book/ae.json", f"{FIRST}:tf32", f"{FIRST}:bf16x3", f"{FIRST}:bf16")
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
COMMENT = re.compile(r"^//.*\n", re.M)


def run(*command):
    done = subprocess.run(command, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}{' '.join(command)}: exit code {done.returncode}")
    return done.stdout


def compiled(snc, network, precision, architectures, folder):
    """The archive's entries and, with architectures, what the assembler said."""
    plan = os.path.join(folder, "a.plan")
    run(snc, "compile", network, "-o", plan, "--force", "--quiet", "--precision", precision, "--arch", ",".join(architectures) or "none")
    with zipfile.ZipFile(plan) as archive:
        entries = {name: archive.read(name).decode() for name in archive.namelist() if name.startswith(("plan.json", "cuda/kernels/", "cuda/include/", "cuda/manifest"))}
    functions = json.loads(run(snc, "explain", plan, "--json"))["cuda"]["functions"] if architectures else []
    return entries, functions


def hashes(entries):
    """By kernel: the hash of its unit. What it includes is followed; comments of the unit name layers, which change nothing."""
    def digest(text, seen):
        parts = [COMMENT.sub("", text)]
        for name in INCLUDE.findall(text):
            if name not in seen:
                seen.add(name)
                parts.append(digest(entries[f"cuda/include/{name}"], seen))
        return "".join(parts)
    found, optimizer = {}, json.loads(entries["plan.json"])["training"]["optimizer"]
    for kernel in [*json.loads(entries["cuda/manifest.json"])["names"], "common"]:
        text = digest(entries[f"cuda/kernels/{kernel}.cu"], set()) + optimizer
        found[kernel] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found


def summary(functions):
    """By kernel and architecture."""
    found = {}
    for of in functions:
        row = found.setdefault(of["kernel"], {}).setdefault(of["architecture"], [0, 0, 0, 0])
        for place, name in enumerate(("registers", "sharedBytes", "stackBytes")):
            row[place] = max(row[place], of[name])
        row[3] += of["spillStoreBytes"] + of["spillLoadBytes"]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("networks", "check", "write"))
    parser.add_argument("record", nargs="?")
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="with :PRECISION, default fp32")
    parser.add_argument("--snc", default=os.path.join(os.environ.get("SNC_BIN", "build/release/bin"), "snc"))
    parser.add_argument("--arch", default=",".join(ALL), help="for write (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.what == "networks":
        print(*NETWORKS)
        return
    if not arguments.record or not arguments.networks:
        parser.error(f"{arguments.what} takes a record and networks")
    record = {}
    if arguments.what == "check" and os.path.exists(arguments.record):
        with open(arguments.record, encoding="utf-8") as file:
            record = json.load(file)
    known = fresh = 0
    spilled = [f"{of['kernel']} on {name}" for of in record.values() for name, row in of.items() if name != "kernel" and row[3]]
    for word in arguments.networks:
        network, _, precision = word.partition(":")
        with tempfile.TemporaryDirectory(prefix="snc-resources-") as folder:
            entries, _ = compiled(arguments.snc, network, precision or "fp32", (), folder)
            units = hashes(entries)
            new = {kernel for kernel, key in units.items() if key not in record}
            known += len(units) - len(new)
            if not new:
                continue
            fresh += len(new)
            names = ALWAYS if arguments.what == "check" else arguments.arch.split(",")
            resources = summary(compiled(arguments.snc, network, precision or "fp32", names, folder)[1])
        label = os.path.splitext("/".join(network.split("/")[-2:]))[0]
        for kernel in sorted(new):
            found = resources.get(kernel, {})
            spilled += [f"{label} {kernel} on {name}" for name, row in found.items() if row[3]]
            record[units[kernel]] = {"kernel": f"{label} {kernel}", **{name: found[name] for name in names if name in found}}
    if arguments.what == "write":
        with open(arguments.record, "w", encoding="utf-8") as file:
            file.write("{\n" + ",\n".join(f" {json.dumps(key)}: {json.dumps(of)}" for key, of in sorted(record.items(), key=lambda one: (one[1]["kernel"], one[0]))) + "\n}\n")
    print(f"{known} units as recorded, {fresh} compiled")
    for one in spilled:
        print(f"spilled: {one}")
    sys.exit(1 if spilled else 0)


if __name__ == "__main__":
    main()
