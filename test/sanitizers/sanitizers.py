#!/usr/bin/env python3
"""Runs a program of a sanitized tree: sanitizers.py TREE PROGRAM [ARGUMENT...], TREE being a folder with the tree of the preset asan or tsan.
Exit code 77, which ctest counts as skipped, where the tree has not been built; a tree without the program is a failure."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SKIPPED = 77


def environment(fake_stacks=True):
    """The sanitizers' settings; what is suppressed, and why, is in the .supp files beside this one. `fake_stacks`: look for uses of a
    function's variables after its return; frames that exceptions leave behind slow that down until it stands still, so fuzzing goes without."""
    settings = dict(os.environ)
    symbolizer = "/usr/lib/llvm-19/bin/llvm-symbolizer"
    common = f":external_symbolizer_path={symbolizer}" if os.path.exists(symbolizer) else ""
    settings["ASAN_OPTIONS"] = f"detect_stack_use_after_return={int(fake_stacks)}:strict_string_checks=1:detect_leaks=1" + common
    settings["LSAN_OPTIONS"] = f"suppressions={HERE}/leak.supp:print_suppressions=0"
    settings["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1" + common
    settings["TSAN_OPTIONS"] = f"halt_on_error=1:suppressions={HERE}/thread.supp:print_suppressions=0" + common
    return settings


def program(tree, name):
    """The path of a program, or exit."""
    if not os.path.exists(os.path.join(tree, "build.ninja")):
        print(f"skipped: no {tree}; tools/test builds it, or tools/dev/build {os.path.basename(tree)}")
        sys.exit(SKIPPED)
    path = os.path.join(tree, "bin", name)
    if not os.path.exists(path):
        sys.exit(f"{path} has not been built: tools/dev/build {os.path.basename(tree)} {name}")
    return path


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    path = program(os.path.abspath(sys.argv[1]), sys.argv[2])
    sys.stdout.flush()
    os.execve(path, [path, *sys.argv[3:]], environment())


if __name__ == "__main__":
    main()
