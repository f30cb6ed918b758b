#!/usr/bin/env python3
"""Include directions: every #include "..." is spelled from the repository root and follows the table below (design.md section 2)."""
import os
import re

import tree

OURS = ("dialects/", "compiler/", "runtime/", "kernels-templates/", "tools/", "test/", "bench/")
# folder -> what of ours it may include. The longest matching folder decides.
ALLOWED = {
    "dialects/": ("dialects/", "runtime/plan/"),
    "dialects/Vocabulary/": ("dialects/Vocabulary/",),
    "compiler/": ("compiler/", "dialects/", "runtime/plan/"),
    "compiler/Target/Cuda/": ("compiler/", "runtime/plan/", "kernels-templates/cuda/"),
    "kernels-templates/": ("kernels-templates/", "runtime/plan/", "runtime/base/", "runtime/hal/Device.h", "runtime/hal/DeferredRows.h"),
    "runtime/": ("runtime/", "kernels-templates/"),
    "runtime/plan/": ("runtime/plan/",),
    "runtime/base/": ("runtime/base/", "runtime/plan/"),
    "tools/": OURS,
    "tools/convert/": ("runtime/", "compiler/Frontend/", "dialects/Vocabulary/", "tools/convert/"),
    "tools/snrt/": ("runtime/", "tools/snrt/", "tools/convert/"),
    "tools/datagen/": ("runtime/", "tools/datagen/"),
    "test/": OURS,
    "bench/": OURS,
    "cmake/": (),
}
# Where LLVM's and MLIR's headers may be named: the compiler's half.
LLVM_PREFIXES = ("llvm/", "llvm-c/", "mlir/", "mlir-c/", "lld/", "clang/")
LLVM_FORBIDDEN = ("runtime/", "kernels-templates/", "dialects/Vocabulary/", "tools/convert/", "tools/snrt/", "tools/datagen/",
                  "test/unit/plan/", "test/unit/runtime/", "test/unit/kernels/", "test/unit/data/", "test/unit/exec/", "test/unit/report/")
# The vocabulary stands on the standard library alone, whose headers have neither a slash nor a suffix.
STANDARD = re.compile(r"[a-z_0-9]+")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)


def allowed(path):
    best = max((folder for folder in ALLOWED if path.startswith(folder)), key=len, default=None)
    return (best, ALLOWED[best]) if best else (None, OURS)


def problems(root):
    found = []
    for path in tree.files(root):
        if not path.endswith(tree.CPP):
            continue
        folder, may = allowed(path)
        text = tree.without_comments(tree.read(root, path))
        for match in INCLUDE.finditer(text):
            name, quoted = match[1] or match[2], match[1] is not None
            where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
            ours = name.startswith(OURS)
            if ours and not name.startswith(may):
                found.append(f"{where}: {folder} may not include {name} (only {', '.join(may) or 'nothing of ours'})")
            if name.startswith(LLVM_PREFIXES) and path.startswith(LLVM_FORBIDDEN):
                found.append(f"{where}: {path.rsplit('/', 1)[0]}/ may not include {name}: it knows no LLVM")
            if quoted and not ours and not name.startswith(LLVM_PREFIXES):
                found.append(f'{where}: "{name}" is not spelled from the repository root')
            if path.startswith("dialects/Vocabulary/") and not ours and not STANDARD.fullmatch(name):
                found.append(f"{where}: the vocabulary uses the standard library only, not {name}")
            if "../" in name:
                found.append(f"{where}: {name} climbs out of its folder")
    return found


def self_test(test):
    bad = {
        "runtime/exec/a.cpp": ('#include "compiler/Frontend/Network.h"\n', "may not include compiler/"),
        "runtime/base/b.cpp": ('#include "dialects/Net/Net.h"\n', "may not include dialects/"),
        "runtime/plan/c.h": ('#include "runtime/base/Pool.h"\n', "runtime/plan/ may not include"),
        "runtime/data/d.cpp": ("#include <llvm/ADT/StringRef.h>\n", "knows no LLVM"),
        "kernels-templates/cpu/e.h": ('#include "runtime/exec/Executor.h"\n', "may not include runtime/exec"),
        "dialects/Vocabulary/f.cpp": ("#include <fmt/format.h>\n", "standard library only"),
        "dialects/Net/g.cpp": ('#include "compiler/Analysis/x.h"\n', "may not include compiler/"),
        "compiler/Frontend/h.cpp": ('  #  include "runtime/exec/Executor.h"\n', "may not include runtime/exec"),
        "compiler/Frontend/i.cpp": ('#include "Network.h"\n', "not spelled from the repository root"),
        "tools/snrt/j.cpp": ('#include "compiler/Pipeline/Pipeline.h"\n', "may not include compiler/"),
    }
    for path, (text, fragment) in bad.items():
        test.expect({path: text}, fragment, path)
    test.expect({"runtime/exec/a.cpp": '#include "runtime/plan/Plan.h"\n#include <vector>\n// #include "compiler/x.h"\n',
                 "compiler/Frontend/b.cpp": '#include "dialects/Net/Net.h"\n#include "mlir/IR/Builders.h"\n',
                 "test/unit/plan/c.cpp": '#include "runtime/plan/Plan.h"\n'}, None, "a good tree")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test)
