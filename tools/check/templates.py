#!/usr/bin/env python3
"""Every kernel template is real source: each header below kernels-templates/cpu compiles alone, as C++20, without a warning of -Wall."""
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import tree


def problems(root, compiler=None):
    compiler = compiler or shutil.which("clang++-19") or "c++"
    headers = [p for p in tree.files(root) if p.startswith("kernels-templates/cpu/") and p.endswith(".h")]
    if not headers:
        return ["kernels-templates/cpu: no template found"]

    def compiled(path):
        run = subprocess.run([compiler, "-std=c++20", "-Wall", "-Werror", "-fsyntax-only", "-I", root, "-x", "c++", "-"],
                             input=f'#include "{path}"\n', capture_output=True, text=True)
        return [f"{path}: does not compile alone: {(run.stderr.splitlines() or ['?'])[0]}"] if run.returncode else []

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(compiled, headers), [])


def self_test(test):
    at = "kernels-templates/cpu/Rows.h"
    test.expect({at: "#pragma once\ninline std::vector<float> rows;\n"}, f"{at}: does not compile alone", "a missing include")
    test.expect({at: "#pragma once\ntemplate <class T> void f(T t) { int unused; }\n"}, "does not compile alone", "a warning")
    test.expect({"kernels-templates/README.md": "x\n"}, "no template found", "no templates")
    test.expect({at: "#pragma once\n#include <vector>\ninline std::vector<float> rows;\n"}, None, "a good template")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test, [("--compiler", "the C++ compiler (clang++-19)")])
