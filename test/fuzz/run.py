#!/usr/bin/env python3
"""Runs one fuzz target: first every input of its corpus, then new ones for some seconds. Says how many, and how much of the code they reached.
A finding ends the run; the input that shows it is named."""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "test/sanitizers"))
import sanitizers  # noqa: E402

TREE = os.path.join(ROOT, "build/asan")
THROUGH_HDF5 = ("data", "weights", "import", "hdf5", "netcdf")
LONGEST = {"network": 8192, "cdl": 4096, "plan": 65536, "archive": 20000, "hdf5": 16384, "netcdf": 4096, "import": 4096, "data": 512, "weights": 512}


def number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def fuzz(target, seconds, runs, seed, kept):
    """Runs the target over its corpus, then for `seconds` or, if given, `runs` inputs in all; new inputs go to the folder `kept`. Returns the exit code."""
    program = sanitizers.program(TREE, f"fuzz-{target}")
    corpus, findings = os.path.join(HERE, "corpus", target), os.path.join(TREE, "findings")
    os.makedirs(findings, exist_ok=True)
    count = len(os.listdir(corpus))
    command = [program, f"-max_len={LONGEST[target]}", f"-seed={seed}", "-timeout=20", "-rss_limit_mb=3000", "-print_final_stats=1",
               f"-artifact_prefix={findings}/{target}-"]
    command += [f"-runs={runs}"] if runs is not None else [f"-max_total_time={seconds}"]
    if target in THROUGH_HDF5:  # its free lists would have leaks looked for after every single input; the look at the end remains
        command.append("-detect_leaks=0")
    if os.path.exists(dictionary := os.path.join(HERE, f"{target}.dict")):
        command.append(f"-dict={dictionary}")
    run = subprocess.run([*command, kept, corpus], env=sanitizers.environment(fake_stacks=False), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, errors="replace")
    if "libFuzzer: run interrupted" in run.stderr:
        print(f"fuzz-{target}: interrupted")
        return 130
    if run.returncode:
        print(run.stderr[-20000:])
        print(f"fuzz-{target}: a finding; again: {program} {findings}/{target}-...")
        return 1
    executed, edges, features = (number(pattern, run.stderr) for pattern in
                                 (r"stat::number_of_executed_units: (\d+)", r"cov: (\d+)", r"ft: (\d+)"))
    print(f"fuzz-{target}: {count} inputs of the corpus, {executed} executions, {edges} edges, {features} features")
    return 0 if count and executed >= count else 1  # a target that ran nothing has shown nothing


def merge(target, kept):
    """Takes over into the committed corpus what of `kept` reaches something new."""
    command = [sanitizers.program(TREE, f"fuzz-{target}"), "-set_cover_merge=1", "-use_counters=0", f"-max_len={LONGEST[target]}", os.path.join(HERE, "corpus", target), kept]
    subprocess.run(command, env=sanitizers.environment(fake_stacks=False), check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=sorted(LONGEST))
    parser.add_argument("--seconds", type=int, default=60, help="time for new inputs")
    parser.add_argument("--runs", type=int, help="inputs in all, in place of a time: with a seed, nearly the same ones every time; 0: the corpus alone")
    parser.add_argument("--seed", type=int, default=0, help="of libFuzzer's random numbers; 0: another one each time")
    parser.add_argument("--kept", help="folder for inputs that reach something new (one that is removed afterwards)")
    parser.add_argument("--merge", action="store_true", help="take over what is new in the folder --kept into the committed corpus, and stop")
    arguments = parser.parse_args()
    if arguments.kept:
        os.makedirs(arguments.kept, exist_ok=True)
    if arguments.merge:
        return merge(arguments.target, arguments.kept)
    with tempfile.TemporaryDirectory(prefix="sn-fuzz-") as folder:
        return fuzz(arguments.target, arguments.seconds, arguments.runs, arguments.seed, arguments.kept or folder)


if __name__ == "__main__":
    sys.exit(main())
