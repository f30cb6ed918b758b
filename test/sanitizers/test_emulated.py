#!/usr/bin/env python3
"""Training from end to end on the emulated CUDA device in a sanitized snrt, kernels and runtime alike, on plans of the ordinary snc: $SNC_SANITIZED is the
tree. A finding ends snrt with a report; what is trained comes near to what the ordinary snrt makes on the CPU."""
import json
import unittest

import sanitized
import sanitizers

PROGRAM = "snrt-emulated"
# Between them: sparse and dense products and their updates, wide layers with and without soft-max, lists; tiles of every kind by precision.
NETWORKS = {
    "sigmoid": {"Denoising": {"p": 0.2}, "Layers": [{"DataSet": "input", "N": "auto", "Sparse": True}, {"N": 24, "Activation": "Tanh"}, {"N": 20},
                                                   {"DataSet": "output", "N": "auto"}], "Training": {"Optimizer": "Momentum", "Alpha": 0.05}},
    "softmax": {"Layers": [{"DataSet": "input", "N": "auto", "Sparse": True}, {"N": 16, "Activation": "Tanh"},
                           {"DataSet": "output", "N": "auto", "Activation": "SoftMax"}], "Training": {"Optimizer": "Adam", "Alpha": 0.01}},
}
RUNS = (("sigmoid", "fp32"), ("sigmoid", "tf32"), ("softmax", "bf16x3"), ("sigmoid", "bf16"))
TRAIN = ("data.h5", "--epochs", 1, "--batch", 100, "--json")


class Emulated(sanitized.Sanitized):
    @classmethod
    def prepare(cls):
        cls.datagen(*sanitized.SHAPE, "-o", "data.h5")
        for name, network in NETWORKS.items():
            cls.write(f"{name}.json", json.dumps(network))

    @staticmethod
    def loss(said):
        lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]  # beside remarks
        return [line["error"] for line in lines if line["kind"] == "epoch"][-1]

    def test_train_and_apply(self):
        for name, precision in RUNS:
            with self.subTest(network=name, precision=precision):
                plan = f"{name}-{precision}"
                self.snc("compile", f"{name}.json", "-o", f"{plan}.plan", "--precision", precision)
                on = ("--device", "emulated")
                ours = self.loss(self.sanitized("train", f"{plan}.plan", *TRAIN, "-o", f"{plan}.h5", *on, program=PROGRAM))
                theirs = self.loss(self.snrt("train", f"{plan}.plan", *TRAIN, "-o", f"{plan}-cpu.h5").stdout)
                self.assertLess(abs(ours - theirs), 0.02 * theirs, f"{ours} and {theirs}")
                self.sanitized("predict", f"{plan}.plan", f"{plan}.h5", "data.h5", "--top-k", 10, "-o", f"{plan}.tsv", *on, program=PROGRAM)
                self.assertEqual(len(self.read(f"{plan}.tsv").splitlines()), 300)


if __name__ == "__main__":
    sanitizers.program(sanitized.TREE, PROGRAM)
    unittest.main(verbosity=2)
