#!/usr/bin/env python3
"""The commands on the CUDA device, which the emulator stands in for (snrt-emulated): trained, resumed and used, they agree with --device cpu.
Without an NVIDIA driver `--device cuda` says so."""
import contextlib
import ctypes
import json
import os
import unittest

import commands

NETWORK = """{ "Name": "all", "Denoising": { "p": 0.2 }, "ErrorFunction": "CrossEntropy",
  "Training": { "Optimizer": "Adam", "Alpha": 0.01, "Lambda": 0.0001, "Batch": 64 },
  "Layers": [ { "Kind": "Input", "Name": "Input", "N": "auto", "DataSet": "input", "Sparse": true },
              { "Kind": "Hidden", "Name": "Hidden", "N": 24, "Activation": "Tanh", "pDropout": 0.1 },
              { "Kind": "Hidden", "Name": "Second", "N": 20, "Activation": "Sigmoid" },
              { "Kind": "Output", "Name": "Output", "N": "auto", "DataSet": "output", "Activation": "Sigmoid", "Sparse": true } ] }
"""


def driver_is_there():
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


class Cuda(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen(*commands.SMALL, "-o", "data.h5")
        cls.write("net.json", NETWORK)
        cls.snc("compile", "net.json", "-o", "net.plan")

    def emulated(self, command, *arguments):
        return self.run_program("snrt-emulated", command, *arguments, "--device", "emulated")

    def emulated_as(self, device):
        return lambda command, *arguments: self.run_program("snrt-emulated", command, *arguments, "--device", device)

    @contextlib.contextmanager
    def environment(self, **variables):
        """Of the programs that are run; None: without the variable."""
        before = {name: os.environ.pop(name, None) for name in variables}
        os.environ.update({name: value for name, value in variables.items() if value is not None})
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value

    def epochs(self, run):
        return [line for line in map(json.loads, run.stdout.splitlines()) if line["kind"] == "epoch"]

    def assertNear(self, a, b):
        self.assertLessEqual(abs(a - b), 1e-4 * max(1, abs(a)), f"{a} and {b}")

    def lists(self, name):
        """By row: [(item, score)]"""
        rows = {}
        for line in self.read(name).decode().splitlines():
            row, *cells = line.split("\t")
            rows[row] = list(zip(cells[::2], map(float, cells[1::2])))
        return rows

    def test_training_and_recommending_agree_with_the_cpu(self):
        found = {}
        for device, run in (("cpu", self.snrt), ("emulated", self.emulated)):
            found[device] = self.epochs(run("train", "net.plan", "data.h5", "-o", f"{device}.h5", "--epochs", 3, "--json"))
            run("predict", "net.plan", f"{device}.h5", "data.h5", "-o", f"{device}.tsv", "--top-k", 5, "--exclude", "input")
        self.assertEqual(len(found["cpu"]), 3)
        for ours, theirs in zip(found["cpu"], found["emulated"]):
            for name in ("error", "training", "regularization"):
                self.assertNear(ours[name], theirs[name])
        ours, theirs = self.lists("cpu.tsv"), self.lists("emulated.tsv")
        self.assertEqual(ours.keys(), theirs.keys())
        for row, best in ours.items():
            self.assertEqual(len(best), len(theirs[row]))
            for (_, a), (_, b) in zip(best, theirs[row]):
                self.assertNear(a, b)
        evaluated = [json.loads(run("eval", "net.plan", "cpu.h5", "data.h5", "--json").stdout) for run in (self.snrt, self.emulated)]
        self.assertNear(evaluated[0]["loss"], evaluated[1]["loss"])

    def test_resumed_training_ends_with_the_same_bytes(self):
        self.emulated("train", "net.plan", "data.h5", "-o", "whole.h5", "--epochs", 3)
        self.emulated("train", "net.plan", "data.h5", "-o", "part.h5", "--epochs", 1)
        self.emulated("train", "net.plan", "data.h5", "--resume", "part.h5", "--epochs", 3)
        self.assertEqual(self.digest("whole.h5"), self.digest("part.h5"))

    def test_weights_go_from_device_to_device(self):
        self.emulated("train", "net.plan", "data.h5", "-o", "first.h5", "--epochs", 1)
        for device, run in (("cpu", self.snrt), ("emulated", self.emulated)):
            run("train", "net.plan", "data.h5", "--from", "first.h5", "-o", f"then-{device}.h5", "--epochs", 1)
        losses = [json.loads(self.snrt("eval", "net.plan", f"then-{device}.h5", "data.h5", "--json").stdout)["loss"] for device in ("cpu", "emulated")]
        self.assertNear(*losses)

    def test_steps_are_timed_when_asked_to(self):
        def profile(*arguments):
            run = self.emulated("train", "net.plan", "data.h5", "-o", "timed.h5", "--force", "--epochs", 1, "--json", *arguments)
            return [line for line in map(json.loads, run.stdout.splitlines()) if line["kind"] == "profile"][0]["steps"]

        for step in profile():
            self.assertGreater(step["launches"], 0)
            self.assertEqual(step["seconds"], 0, step["label"])
        unattended = self.digest("timed.h5")
        for step in profile("--profile"):
            self.assertGreater(step["seconds"], 0, step["label"])
        self.assertEqual(self.digest("timed.h5"), unattended)

    def test_a_profile_says_what_steps_did(self):
        self.snrt("train", "net.plan", "data.h5", "-o", "some.h5", "--epochs", 1)

        def profile(device, *arguments):
            run = self.snrt if device == "cpu" else self.emulated_as(device)
            return run("eval", "net.plan", "some.h5", "data.h5", "--profile", *arguments).stdout

        costs = json.loads(self.snc("explain", "net.plan", "--data", "data.h5", "--device", "h200", "--json").stdout)["prediction"]["entries"]["evaluate"]["steps"]
        for device in ("emulated", "emulated-h200"):
            steps = json.loads(profile(device, "--json").splitlines()[-1])["steps"]
            self.assertEqual(len(steps), len(costs))
            for step, cost in zip(steps, costs):
                # Batches of the last rows are smaller, parameters are read for each of them.
                for what in ("bytes", "flops"):
                    self.assertLessEqual(step[what], step["launches"] * cost[what] * 1.001, step["label"])
                    self.assertGreaterEqual(step[what], step["launches"] * cost[what] * 0.5, step["label"])
                if device == "emulated":
                    self.assertIsNone(step["roofline"])
                else:
                    self.assertGreater(step["roofline"], 0)
                    self.assertLess(step["roofline"], 1)
        self.assertIn("ms/launch  MB/launch  Mflop/launch  of roofline\n", profile("emulated-h200"))
        self.assertIn("unknown", profile("emulated"))
        self.assertNotIn("roofline", profile("cpu") + profile("cpu", "--json"))

    def test_a_device_that_is_too_small(self):
        """What lies on the device must fit there, whatever memory the host has."""
        run = self.run_program("snrt-emulated", "train", "net.plan", "data.h5", "-o", "x.h5", "--device", "emulated-small", code=1)
        self.assertSays(run, "training needs about", "and the device has free 256.0 KiB", "too little", "what would help")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "x.h5")))

    def test_hidden_products_by_the_library(self):
        """With and without cuBLASLt training agrees with the CPU's; which of them it was is said, and the same bits come twice."""
        runs = {}
        for name, setting in (("once", None), ("twice", None), ("without", "none")):
            with self.environment(SNRT_CUBLASLT=setting):
                runs[name] = self.emulated_as("emulated-library")("train", "net.plan", "data.h5", "-o", f"{name}.h5", "--epochs", 2, "--json")
        said = {name: json.loads(run.stdout.splitlines()[0])["remarks"] for name, run in runs.items()}
        for name in ("once", "twice"):
            self.assertEqual(len(said[name]), 1)
            self.assertRegex(said[name][0], "^cuBLASLt 13.1.0 computes the products of .*Second")
        self.assertRegex(said["without"][0], "^cuBLASLt is turned off by SNRT_CUBLASLT=none; the plan's own kernels compute the products of .*Second")
        self.assertEqual(self.digest("once.h5"), self.digest("twice.h5"))
        host = self.epochs(self.snrt("train", "net.plan", "data.h5", "-o", "host.h5", "--epochs", 2, "--json"))
        for name, run in runs.items():
            for ours, theirs in zip(host, self.epochs(run), strict=True):
                self.assertNear(ours["error"], theirs["error"])
        with self.environment(SNRT_CUBLASLT="none"):
            told = self.emulated_as("emulated-library")("train", "net.plan", "data.h5", "-o", "told.h5", "--epochs", 1)
        self.assertIn("\ncuBLASLt is turned off by SNRT_CUBLASLT=none; the plan's own kernels", told.stdout)
        with self.environment(SNRT_CUBLASLT="libm.so.6"):
            run = self.run_program("snrt-emulated", "train", "net.plan", "data.h5", "-o", "x.h5", "--device", "emulated-library", code=1)
        self.assertSays(run, "SNRT_CUBLASLT: 'libm.so.6' cannot be used: libm.so.6 has no cublasLtCreate")

    def test_a_kind_that_does_not_exist(self):
        self.assertSays(self.snrt("predict", "net.plan", "none.h5", "data.h5", "-o", "x.tsv", "--device", "tpu", code=1),
                        "--device tpu: there is no such kind of device; it is one of cpu, cuda")

    @unittest.skipIf(driver_is_there(), "this machine has an NVIDIA driver")
    def test_a_machine_without_a_driver(self):
        run = self.snrt("train", "net.plan", "data.h5", "-o", "x.h5", "--device", "cuda", code=1)
        self.assertSays(run, "--device cuda: no NVIDIA driver was found on this machine", "--device cpu")


if __name__ == "__main__":
    commands.main()
