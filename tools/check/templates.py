#!/usr/bin/env python3
"""Every kernel template is real source: each header below kernels-templates compiles alone, as C++20, without a warning of -Wall; those of cuda/ as the emulator
of the tests sees them."""
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import tree


def problems(root, compiler=None):
    compiler = compiler or shutil.which("clang++-19") or "c++"
    headers = {(target, suffix): [p for p in tree.files(root) if p.startswith(f"kernels-templates/{target}/") and p.endswith(suffix)]
               for target, suffix in (("cpu", ".h"), ("cuda", ".cuh"))}
    missing = [f"kernels-templates/{target}: no template found" for (target, _), found in headers.items() if not found]
    if missing:
        return missing

    def compiled(path):
        is_device = path.endswith(".cuh")
        device = '#include "test/emulator/cuda.h"\n' if is_device else ""
        quiet = ["-Wno-unused-function"] if is_device else []  # kernels, of internal linkage there
        run = subprocess.run([compiler, "-std=c++20", "-Wall", *quiet, "-Werror", "-fsyntax-only", "-I", root, "-x", "c++", "-"],
                             input=f'{device}#include "{path}"\n', capture_output=True, text=True)
        return [f"{path}: does not compile alone: {(run.stderr.splitlines() or ['?'])[0]}"] if run.returncode else []

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(compiled, sum(headers.values(), [])), [])


def self_test(test):
    at, device, emulator = "kernels-templates/cpu/Rows.h", "kernels-templates/cuda/rows.cuh", "test/emulator/cuda.h"
    others = {device: "#pragma once\n", emulator: "#define __device__\n"}
    test.expect({at: "#pragma once\ninline std::vector<float> rows;\n", **others}, f"{at}: does not compile alone", "a missing include")
    test.expect({at: "#pragma once\ntemplate <class T> void f(T t) { int unused; }\n", **others}, "does not compile alone", "a warning")
    test.expect({"kernels-templates/README.md": "x\n"}, "no template found", "no templates")
    test.expect({at: "#pragma once\n"}, "kernels-templates/cuda: no template found", "no device templates")
    good = {at: "#pragma once\n#include <vector>\ninline std::vector<float> rows;\n", emulator: others[emulator]}
    test.expect({device: "#pragma once\n__device__ Int rows;\n", **good}, f"{device}: does not compile alone", "a missing include of a device template")
    test.expect({device: "#pragma once\n__device__ int rows;\n", **good}, None, "a good template")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test, [("--compiler", "the C++ compiler (clang++-19)")])
