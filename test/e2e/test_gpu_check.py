#!/usr/bin/env python3
"""tools/gpu/pack and tools/gpu/check, with the emulator in place of the GPU: a small folder passes, and each part finds what is spoiled."""
import json
import os
import shutil
import subprocess
import unittest

import commands

TOOLS = os.path.join(commands.ROOT, "tools", "gpu")
# snrt-emulated, but every second training has another learning rate.
UNSTEADY = """#!/usr/bin/env bash
set -euo pipefail
if [ "$1" = train ]; then
  if [ -e odd ]; then rm odd; set -- "$@" --alpha 0.5; else touch odd; fi
fi
exec "{program}" "$@"
"""


class GpuCheck(commands.Commands):
    @classmethod
    def prepare(cls):
        run = cls.tool("pack", "-o", "folder", "--small", "--arch", "none", "--bin", commands.BIN)
        if "folder: 5 plans" not in run.stdout:
            raise AssertionError(run.stdout + run.stderr)

    @classmethod
    def tool(cls, name, *arguments, code=0):
        run = subprocess.run([os.path.join(TOOLS, name), *map(str, arguments)], cwd=cls.folder, capture_output=True, text=True,
                             env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        if run.returncode != code:
            raise AssertionError(f"{name} {arguments}: exit code {run.returncode}, not {code}\n{run.stdout}{run.stderr}")
        return run

    def check(self, folder, part, out, code=0, snrt="snrt-emulated", device="emulated", options=()):
        """The printed lines, and the part's result."""
        run = self.tool("check", folder, "--only", part, "--device", device, "--snrt", os.path.join(commands.BIN, snrt), "-o", out, "--jobs", 2, *options, code=code)
        self.assertEqual(os.listdir(self.path(out)), ["gpu-check.json"])
        result = json.loads(self.read(f"{out}/gpu-check.json"))
        for name in ("date", "commit", "device", "machine", "pack"):
            self.assertIn(name, result)
        return run, result["parts"][part]

    def spoiled(self, name):
        """A copy of the folder, and its first network."""
        shutil.copytree(self.path("folder"), self.path(name))
        case = sorted(os.listdir(self.path(f"{name}/conformance")))[0]
        return self.path(f"{name}/conformance/{case}")

    def test_a_sound_device_passes(self):
        run, found = self.check("folder", "conformance", "sound")
        self.assertSays(run, "conformance: passed: 5 of 5 networks (2 in fp32, 1 in tf32, 1 in bf16x3, 1 in bf16)", "within their tolerances")
        self.assertGreater(min(network["values"] for network in found["networks"]), 1000)
        self.assertIn("Emulated GPU", found["networks"][0]["device"])
        run, found = self.check("folder", "determinism", "sound")
        self.assertSays(run, "determinism: passed: 5 runs, each twice, the same bytes")
        # A part leaves those of earlier runs where they are.
        self.assertEqual(list(json.loads(self.read("sound/gpu-check.json"))["parts"]), ["conformance", "determinism"])

    def test_the_cpu_passes_too(self):
        self.check("folder", "conformance", "cpu", snrt="snrt", device="cpu")

    def test_every_precision_is_checked(self):
        """A folder without the networks of one precision fails, and its weights are held to its own tolerances."""
        self.spoiled("without")
        for case in os.listdir(self.path("without/conformance")):
            if case.endswith("-bf16x3"):
                shutil.rmtree(self.path(f"without/conformance/{case}"))
        run, found = self.check("without", "conformance", "without-out", code=1, snrt="snrt", device="cpu")
        self.assertEqual(found["problems"], ["no network was checked in bf16x3"])
        self.assertEqual(found["precisions"], {"fp32": 2, "tf32": 1, "bf16x3": 0, "bf16": 1})

    def test_another_precision_is_found(self):
        """A plan in bf16 where tf32 is expected: its weights are too far away."""
        self.spoiled("coarse")
        (case,) = (self.path(f"coarse/conformance/{name}") for name in os.listdir(self.path("coarse/conformance")) if name.endswith("-tf32"))
        self.snc("compile", f"{case}/net.json", "-o", f"{case}/net.plan", "--precision", "bf16", "--arch", "none", "--force")
        run, found = self.check("coarse", "conformance", "coarse-out", code=1)
        self.assertSays(run, "-tf32 step 1:", "the oracle's", "allowed")

    def test_wrong_weights_are_found(self):
        case = self.spoiled("weights")
        shutil.copy(f"{case}/state1.h5.gz", f"{case}/state2.h5.gz")  # expected: that the second step does nothing
        run, found = self.check("weights", "conformance", "weights-out", code=1, snrt="snrt", device="cpu")
        self.assertEqual(found["verdict"], "failed")
        self.assertSays(run, "conformance: failed", "step 2:", "the oracle's", "allowed")

    def test_wrong_sums_and_lists_are_found(self):
        case = self.spoiled("sums")
        with open(f"{case}/expected.json", encoding="utf-8") as file:
            expected = json.load(file)
        expected["training"][0]["value"] *= 1.001
        expected["evaluate"]["value"] *= 1.001
        for scores in expected["scores"].values():
            scores[3][scores[3].index(max(scores[3]))] -= 1
        with open(f"{case}/expected.json", "w", encoding="utf-8") as file:
            json.dump(expected, file)
        run, found = self.check("sums", "conformance", "sums-out", code=1, snrt="snrt", device="cpu")
        self.assertEqual(len(found["problems"]), 3)
        self.assertSays(run, "step 1: the loss is", "the loss of eval is", "row 3: place 0")

    def test_a_program_that_fails_is_told(self):
        case = self.spoiled("damaged")
        with open(f"{case}/net.plan", "r+b") as file:
            file.truncate(1000)
        run, found = self.check("damaged", "conformance", "damaged-out", code=1, snrt="snrt", device="cpu")
        self.assertSays(run, "1 differences", "exit code 1", "net.plan")

    def test_unsteady_weights_are_found(self):
        with open(self.path("unsteady"), "w", encoding="utf-8") as file:
            file.write(UNSTEADY.format(program=os.path.join(commands.BIN, "snrt")))
        os.chmod(self.path("unsteady"), 0o755)
        run, found = self.check("folder", "determinism", "unsteady-out", code=1, snrt=self.path("unsteady"), device="cpu")
        self.assertSays(run, "determinism: failed", "two runs gave different weights")
        self.assertEqual(len(found["problems"]), 5)

    def test_a_benchmark_beside_its_prediction(self):
        self.spoiled("bench")
        os.makedirs(self.path("bench/bench"))
        self.snc("compile", f"{commands.EXAMPLES}/movielens/ae.json", "-o", "bench/bench/ae.plan")
        predicted = json.loads(self.snc("explain", "bench/bench/ae.plan", "--device", "h200", "--batch", 64, "--rows", 128, "--size", "input=200:20", "--size",
                                        "output=200:20", "--json").stdout)["prediction"]
        self.write("bench/bench/cases.json", json.dumps({"predicted_by": "the test", "cases": [{
            "name": "tiny", "plan": "ae.plan", "columns": 200, "entries_per_row": 20, "rows": 128, "batch": 64, "optimizer": "SGD",
            "precision": "fp32", "prediction": {"train": predicted["entries"]["train"]}}]}))
        run, found = self.check("bench", "bench", "bench-out")
        self.assertSays(run, "bench: passed: tiny in fp32:", "ms a step", "of the prediction")
        case = found["cases"][0]
        self.assertEqual(case["steps_of_an_epoch"], 2)
        self.assertGreater(case["step"]["ratio"], 1)  # an emulator is no GPU
        self.assertFalse(case["step"]["within_30_percent"])
        self.assertEqual([(row["kernel"], row["label"]) for row in case["kernels"]],
                         [(step["kernel"], step["label"]) for step in predicted["entries"]["train"]["steps"]])
        for row in case["kernels"]:
            self.assertGreater(row["ratio"], 0)

    def test_the_library_beside_our_kernels(self):
        self.spoiled("library")
        os.makedirs(self.path("library/bench"))
        self.snc("compile", f"{commands.EXAMPLES}/movielens/ae.json", "-o", "library/bench/ae.plan")
        self.write("library/bench/cases.json", json.dumps({"predicted_by": "the test", "cases": [{
            "name": "tiny", "plan": "ae.plan", "columns": 200, "entries_per_row": 20, "rows": 128, "batch": 64, "optimizer": "SGD", "precision": "fp32"}]}))
        program = os.path.join(commands.BIN, "sn-gpu-library-emulated")
        run, found = self.check("library", "library", "library-out", options=("--library", program))
        self.assertSays(run, "library: passed: tiny in fp32:", "of the library's rate")
        case = found["cases"][0]
        self.assertEqual([[product[name] for name in ("rows", "inner", "columns")] for product in case["library"]["products"]],
                         [[64, 128, 200], [64, 200, 128], [128, 64, 200]])
        self.assertIn("cuBLASLt 13.1.0", case["library"]["library"])
        self.assertGreater(case["kernels"][0]["of_the_library"], 0)
        run = self.run_program("sn-gpu-library-emulated", 64, 0, 200, "fp32", code=1)
        self.assertSays(run, "sn-gpu-library: '0' is no number of rows or columns")
        self.assertSays(self.run_program("sn-gpu-library-emulated", 64, 8, 200, "half", code=1), "usage: sn-gpu-library BATCH INNER COLUMNS fp32|tf32")

    def test_parts_that_cannot_run_say_why(self):
        for part, words in (("bench", "the folder holds no benchmarks"), ("library", "the folder holds no benchmarks"), ("pytorch", "torch")):
            run, found = self.check("folder", part, "skipped")
            self.assertEqual(found["verdict"], "skipped")
            self.assertSays(run, f"{part}: skipped:", words)

    def test_what_cannot_be_packed(self):
        run = self.tool("pack", "-o", "folder", "--small", "--bin", commands.BIN, code=1)
        self.assertSays(run, "folder exists", "--force")
        os.makedirs(self.path("mine"))
        run = self.tool("pack", "-o", "mine", "--small", "--bin", commands.BIN, "--force", code=1)
        self.assertSays(run, "was not made by tools/gpu/pack")
        # A program that needs more than the C library.
        os.makedirs(self.path("bin"))
        shutil.copy(os.path.join(commands.BIN, "snrt"), self.path("bin/sn-gpu-compare"))
        shutil.copy(shutil.which("bash"), self.path("bin/snrt"))
        run = self.tool("pack", "-o", "foreign", "--small", "--bin", self.path("bin"), code=1)
        self.assertSays(run, "snrt needs libtinfo", "link it statically")

    def test_a_network_that_runs_away(self):
        """Weights that explode say nothing about a device."""
        with open(f"{commands.EXAMPLES}/movielens/ae.json", encoding="utf-8") as file:
            network = json.load(file)
        self.write("wild.json", json.dumps({**network, "Training": {"Alpha": 1e6}}))
        self.assertSays(self.run_program("sn-gpu-expect", "wild", "wild.json", "--random", 0, code=1), "wild.json: its weights run away within 3 steps")

    def test_a_folder_of_another_kind(self):
        self.assertSays(self.tool("check", "mine-not", "--only", "bench", code=1), "was not made by tools/gpu/pack")


if __name__ == "__main__":
    commands.main()
