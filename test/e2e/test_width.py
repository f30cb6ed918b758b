#!/usr/bin/env python3
"""Memory grows with a network's width by what its weights and optimizer states take, and by nothing else."""
import os
import subprocess

import commands

HIDDEN, BATCH = 64, 16
WIDTHS = (100000, 200000, 400000)
BYTES = 4 * (2 * HIDDEN + 1)  # of an output: weights of the input and the output layer, the bias
REST = 256 << 20

NETWORK = f"""{{
  "Version": 0.7, "Name": "Wide", "Kind": "FeedForward", "ErrorFunction": "ScaledMarginalCrossEntropy",
  "Layers": [
    {{ "Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true }},
    {{ "Name": "Hidden", "Kind": "Hidden", "N": {HIDDEN}, "Activation": "Sigmoid" }},
    {{ "Name": "Output", "Kind": "Output", "N": "auto", "DataSet": "output", "Activation": "Sigmoid", "Sparse": true }}
  ]
}}"""


class Width(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.snc("compile", cls.write("wide.json", NETWORK), "-o", "wide.plan")
        for width in WIDTHS:
            cls.datagen("--rows", 2 * BATCH, "--columns", width, "--mean", 30, "--minimum", 5, "--no-names", "-o", f"{width}.h5")

    def peak(self, *arguments):
        """Peak resident memory of a snrt command, in bytes."""
        command = [os.path.join(commands.BIN, "snrt"), *map(str, arguments)]
        with open(self.path("log"), "w+b") as log:
            child = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            self.assertEqual(child.returncode, 0, log.read().decode())
        return usage.ru_maxrss * 1024

    def check(self, peaks, bytes_each):
        for width, peak in zip(WIDTHS, peaks):
            self.assertGreater(peak, width * bytes_each, "what is trained is in memory")
            self.assertLess(peak, width * bytes_each + REST)
        for i in (1, 2):
            slope = (peaks[i] - peaks[i - 1]) / (WIDTHS[i] - WIDTHS[i - 1])
            self.assertAlmostEqual(slope / bytes_each, 1, delta=0.1, msg=f"{slope:.0f} bytes for each output, {bytes_each} expected; {peaks}")

    def train(self, width, *more):
        return self.peak("train", "wide.plan", f"{width}.h5", "-o", f"{width}.weights.h5", "--epochs", 1, "--batch", BATCH, "--threads", 2,
                         "--force", *more)

    def test_sgd_and_predict(self):
        self.check([self.train(width) for width in WIDTHS], BYTES)
        peak = self.peak("predict", "wide.plan", f"{WIDTHS[2]}.weights.h5", f"{WIDTHS[2]}.h5", "-o", "recs.tsv", "--top-k", 10)
        self.assertLess(peak, WIDTHS[2] * BYTES + REST)

    def test_adam(self):
        self.check([self.train(width, "--optimizer", "Adam", "--alpha", 0.001) for width in WIDTHS], 3 * BYTES)


if __name__ == "__main__":
    commands.main()
