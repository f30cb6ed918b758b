#!/usr/bin/env python3
"""The built programs: snrt holds no LLVM or MLIR symbol and needs nothing but the C library; snc carries
LLVM inside instead of needing its shared libraries; and the runtime-only build read no LLVM header and linked no LLVM archive.

The arguments are files and folders of a build; what is not given is not looked at."""
import os
import re
import shutil
import subprocess
import tempfile

import tree

RUNTIME_NEEDS = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
LLVM_SYMBOL = re.compile(r"\b(?:llvm|mlir|lld)::|\b(?:LLVM|mlir)[A-Z]\w*")
LLVM_LIBRARY = re.compile(r"lib(?:LLVM|MLIR|clang|lld)[^/\s]*")
# clang's own headers (stddef.h, immintrin.h) lie below LLVM's folder too and are no LLVM.
LLVM_HEADER = re.compile(r"/include/(?:llvm|llvm-c|mlir|mlir-c|lld|clang)/")


def tool(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


def needed(program):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", tool("readelf", "-d", program))


def snrt_problems(program):
    symbols = [line.split(None, 2)[-1] for line in tool("nm", "-C", program).splitlines()]
    if not symbols:
        return [f"{program}: stripped, its symbols cannot be looked at"]
    found = [f"{program}: holds {s[:100]}" for s in symbols if LLVM_SYMBOL.search(s)][:5]
    return found + [f"{program}: needs {name} at run time" for name in needed(program) if name not in RUNTIME_NEEDS]


def snc_problems(program):
    return [f"{program}: needs {name}: link LLVM and MLIR statically" for name in needed(program) if LLVM_LIBRARY.match(name)]


def build_problems(build):
    found = sorted({line.strip() for line in tool("ninja", "-C", build, "-t", "deps").splitlines() if LLVM_HEADER.search(line)})
    commands = tool("ninja", "-C", build, "-t", "commands", "snrt")
    found += sorted(set(re.findall(r"\S*" + LLVM_LIBRARY.pattern, commands)))
    return [f"{build}: the runtime-only build uses {path}" for path in found[:5]]


def problems(root, snrt=None, snc=None, runtime_only=None):
    found = snrt_problems(snrt) if snrt else []
    found += snc_problems(snc) if snc else []
    if runtime_only:
        if not os.path.exists(os.path.join(runtime_only, "bin/snrt")):
            return found + [f"{runtime_only}: no snrt was built there (tools/test does)"]
        found += build_problems(runtime_only) + snrt_problems(os.path.join(runtime_only, "bin/snrt"))
    return found


def self_test(test):
    compiler = shutil.which("clang++-19") or shutil.which("c++")
    with tempfile.TemporaryDirectory() as folder:
        def program(name, text, *options):
            source, out = os.path.join(folder, name + ".cpp"), os.path.join(folder, name)
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            subprocess.run([compiler, "-O0", source, "-o", out, "-Wl,--as-needed", *options], check=True)
            return out

        main = "int main() { return 0; }\n"
        good = program("good", main)
        test.verdict(snrt_problems(good), None, "a plain program")
        bad = program("symbols", "namespace llvm { int twice(int x) { return 2 * x; } }\n" + main)
        test.verdict(snrt_problems(bad), "holds llvm::twice", "a program with an LLVM function in it")
        test.verdict(snrt_problems(program("stripped", main, "-s")), "stripped", "a stripped program")
        test.verdict(snrt_problems(program("stream", "#include <iostream>\nint main() { std::cout << 1; }\n")), "needs libstdc++",
                     "a runtime that needs the compiler's libraries")
        shared = program("libLLVM-19.so", 'extern "C" int twice(int x) { return 2 * x; }\n', "-shared", "-fPIC", "-Wl,-soname,libLLVM-19.so")
        user = program("user", 'extern "C" int twice(int);\nint main() { return twice(0); }\n', shared)
        test.verdict(snrt_problems(user), "needs libLLVM-19.so", "a runtime that needs libLLVM")
        test.verdict(snc_problems(user), "needs libLLVM-19.so", "a compiler that needs libLLVM")
        test.verdict(snc_problems(good), None, "a compiler that does not")
        test.verdict(problems(folder, runtime_only=folder), "no snrt was built", "a build that is not there")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test, [("--snrt", "the program snrt"), ("--snc", "the program snc"),
                                             ("--runtime-only", "the build folder of the preset runtime-only")])
