# The lit suite: tests are .mlir, .test and .json files (a network file may hold its RUN lines in // comments); Inputs/ holds what they read.
import os
import subprocess
import tempfile

import lit.formats

config.name = "snc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".json"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.environment["PATH"] = os.pathsep.join([config.llvm_bin, config.bin, os.environ.get("PATH", "")])
# A located message shows the file as it was given; keep colour and locale out of the expected text.
config.environment["LC_ALL"] = "C"
config.environment["SN_LIT_OUT"] = config.test_exec_root
# Plans without compiled CUDA kernels, which take seconds to make; tests of those ask for them.
config.environment["SNC_ARCH"] = "none"
config.environment["SNRT_CACHE"] = os.path.join(os.path.dirname(config.bin), "kernel-cache")
config.substitutions += [
    ("%sn-opt", os.path.join(config.bin, "sn-opt")),
    ("%sn-datagen", os.path.join(config.bin, "sn-datagen")),
    ("%snc", os.path.join(config.bin, "snc")),
    ("%snrt", os.path.join(config.bin, "snrt")),
    ("%examples", os.path.join(config.source_root, "examples")),
    ("%python", config.python),
    ("%lit", f"{config.python} -B {config.lit_program}"),
]
# NVRTC needs no GPU; where it is missing, what compiles device code is not tested.
with tempfile.TemporaryDirectory() as folder:
    network = os.path.join(config.source_root, "examples", "movielens", "ae.json")
    command = [os.path.join(config.bin, "snc"), "compile", network, "-o", os.path.join(folder, "a.plan"), "--json"]
    found = subprocess.run(command, capture_output=True, text=True, env=config.environment | {"SNC_ARCH": ""})
    if "compute_75" in found.stdout:
        config.available_features.add("nvrtc")
