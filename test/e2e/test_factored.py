#!/usr/bin/env python3
"""Outputs trained in factored form, as a user meets them: said and explained, the same weights as the dense form's, the same bytes for any
number of threads and from any checkpoint, and checkpoints inside an epoch that every other command reads."""
import json
import os
import signal
import subprocess

import commands

NETWORK = """{ "Name": "factored", "ErrorFunction": "L2",
  "Training": { "Optimizer": "SGD", "Alpha": 0.02, "Lambda": 0, "Batch": 16, "Epochs": 3 },
  "Layers": [ { "Kind": "Input", "Name": "Input", "N": "auto", "DataSet": "input", "Sparse": true },
              { "Kind": "Hidden", "Name": "Hidden", "N": 16, "Activation": "Sigmoid" },
              { "Kind": "Output", "Name": "Output", "N": "auto", "DataSet": "output", "Activation": "Linear", "Sparse": true } ] }
"""


class Factored(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen("--rows", 1200, "--columns", 2000, "--mean", 15, "--minimum", 5, "--seed", 1, "-o", "data.h5")
        cls.write("net.json", NETWORK)
        for schedule in ("factored", "single"):
            cls.snc("compile", "net.json", "-o", f"{schedule}.plan", f"--schedule={schedule}")
        cls.snc("compile", "net.json", "-o", "free.plan")

    def train(self, plan, folder, *more):
        os.makedirs(self.path(folder), exist_ok=True)
        return self.snrt("train", plan, "data.h5", "-o", f"{folder}/w.h5", *more)

    def epochs(self, folder):
        with open(self.path(f"{folder}/metrics.jsonl"), encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line["kind"] == "epoch"]

    def test_said_and_explained(self):
        said = "Output (L2): factored: 2000 outputs, 16 units, "
        self.assertSays(self.train("factored.plan", "said", "--epochs", 1), said)
        self.assertSays(self.snc("explain", "factored.plan", "--data", "data.h5"), said, "factored on sparse targets")
        self.assertSays(self.snc("explain", "free.plan", "--data", "data.h5"), "not factored:", "it would not pay")
        self.assertSays(self.train("factored.plan", "said2", "--epochs", 1, "--lambda", "0.5"), "not factored: Lambda is 0.5")
        self.assertSays(self.train("factored.plan", "said3", "--epochs", 1, "--optimizer", "Adam"), "not factored: Adam")

    def test_losses_are_the_dense_form_s(self):
        self.train("factored.plan", "losses")
        self.train("single.plan", "losses-dense")
        for ours, dense in zip(self.epochs("losses"), self.epochs("losses-dense"), strict=True):
            self.assertAlmostEqual(ours["training"] / dense["training"], 1, delta=1e-5)

    def test_bytes_do_not_depend_on_threads_or_interruptions(self):
        self.train("factored.plan", "whole", "--threads", 1)
        self.train("factored.plan", "three", "--threads", 3)
        self.assertEqual(self.digest("whole/w.h5"), self.digest("three/w.h5"))
        self.train("factored.plan", "often", "--checkpoint-every", "0.0005s")
        self.assertEqual(self.digest("whole/w.h5"), self.digest("often/w.h5"))

    def test_interrupted_inside_an_epoch(self):
        many = ("--epochs", 30)
        self.train("factored.plan", "long", *many)
        os.makedirs(self.path("part"))
        run = subprocess.Popen([os.path.join(commands.BIN, "snrt"), "train", "factored.plan", "data.h5", "-o", "part/w.h5", "--json",
                                *map(str, many)], cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        seen = 0
        while seen < 20:
            seen += json.loads(run.stdout.readline())["kind"] == "batches"
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=120)
        end = json.loads(out.splitlines()[-1])
        self.assertEqual(end["reason"], "interrupted", err)
        self.assertGreater(end["example"], 0)
        # Whoever reads the file finds the weights: a run that goes on from them in the dense form sees the same loss.
        self.snrt("predict", "single.plan", "part/w.h5", "data.h5", "-o", "recs.tsv")
        of = [self.json("eval", f"{plan}.plan", "part/w.h5", "data.h5", "--truth", "data.h5") for plan in ("factored", "single")]
        self.assertEqual(of[0], of[1])
        self.snrt("train", "factored.plan", "data.h5", "--resume", "part/w.h5", "--threads", 3)
        self.assertEqual(self.digest("part/w.h5"), self.digest("long/w.h5"))


if __name__ == "__main__":
    commands.main()
