#!/usr/bin/env python3
"""Batch normalization and tied weights from training to prediction: the weights file holds one matrix and the running statistics, predictions are what a few
lines of Python make of them, and neither an interruption nor DSSTNE's file in between changes a bit."""
import json
import math
import random

import commands

TIED = {"Version": 0.9, "Name": "tied", "ErrorFunction": "CrossEntropy", "Denoising": {"p": 0.2}, "Layers": [
    {"Kind": "Input", "Name": "Input", "N": "auto", "DataSet": "input", "Sparse": True},
    {"Kind": "Hidden", "Name": "Hidden", "N": 6, "Activation": "Tanh", "BatchNormalization": True, "pDropout": 0.1,
     "WeightNorm": 2},
    {"Kind": "Output", "Name": "Output", "N": "auto", "DataSet": "input", "Activation": "Sigmoid",
     "SharedWeights": {"InputLayer": "Hidden", "SourceInputLayer": "Input", "SourceOutputLayer": "Hidden", "Transposed": True}}],
    "Training": {"Optimizer": "Adam", "Alpha": 0.01, "Batch": 32, "Epochs": 4, "Seed": 3}}


class Language(commands.Commands):
    @classmethod
    def prepare(cls):
        draw = random.Random(5)
        cls.rows = [sorted(draw.sample([i for i in range(40) if i % 3 == user % 3], 5)) for user in range(150)]
        cls.write("lines.txt", "".join(f"user{user} " + " ".join(f"item{item}" for item in row) + "\n" for user, row in enumerate(cls.rows)))
        cls.snrt("import", "lines.txt", "-o", "data.h5", "--name", "input")
        cls.columns = list(dict.fromkeys(f"item{item}" for row in cls.rows for item in row))
        cls.write("tied.json", json.dumps(TIED))
        cls.snc("compile", "tied.json", "-o", "tied.plan")
        cls.snrt("train", "tied.plan", "data.h5", "-o", "tied.h5")
        cls.tensors = cls.read_tensors("tied.h5")

    @classmethod
    def read_tensors(cls, name):
        return json.loads(cls.run_program("sn-e2e-tensors", name).stdout)

    def scores(self, weights, out, plan="tied.plan"):
        """{user: {item: score}}"""
        self.snrt("predict", plan, weights, "data.h5", "-o", out, "-k", len(self.columns))
        lists = {}
        for line in self.read(out).decode().splitlines():
            user, *pairs = line.split("\t")
            lists[user] = dict(zip(pairs[::2], map(float, pairs[1::2])))
        return lists

    def expected(self, row):
        """The network by hand, from the tensors of the weights file."""
        value = lambda name: self.tensors[name]
        weights, width, units = value("Input->Hidden/weights"), len(self.columns), 6
        hidden = []
        for unit in range(units):
            z = value("Input->Hidden/bias")[unit] + sum(weights[self.columns.index(f"item{item}") * units + unit] for item in row)
            mean, variance = value("Hidden/running_mean")[unit], value("Hidden/running_variance")[unit]
            hidden.append(math.tanh(value("Hidden/scale")[unit] * (z - mean) / math.sqrt(variance + 1e-5) + value("Hidden/shift")[unit]))
        logits = [value("Hidden->Output/bias")[column] + sum(hidden[unit] * weights[column * units + unit] for unit in range(units)) for column in range(width)]
        return {name: 1 / (1 + math.exp(-logit)) for name, logit in zip(self.columns, logits)}

    def test_predictions_by_hand(self):
        self.assertNotIn("Hidden->Output/weights", self.tensors)
        self.assertTrue(all(variance > 0 for variance in self.tensors["Hidden/running_variance"]))
        lists = self.scores("tied.h5", "tied.tsv")
        self.assertEqual(len(lists), len(self.rows))
        for user, row in enumerate(self.rows):
            expected, found = self.expected(row), lists[f"user{user}"]
            self.assertEqual(set(found), set(expected))
            for name, score in expected.items():
                self.assertAlmostEqual(found[name], score, delta=2e-5)

    def test_columns_keep_their_norm(self):
        weights = self.tensors["Input->Hidden/weights"]
        for unit in range(6):
            self.assertLess(math.sqrt(sum(value * value for value in weights[unit::6])), 2.0001)

    def test_an_interruption_changes_nothing(self):
        self.snrt("train", "tied.plan", "data.h5", "-o", "half.h5", "--epochs", 2)
        self.snrt("train", "tied.plan", "data.h5", "--resume", "half.h5", "-o", "whole.h5", "--epochs", 4)
        self.assertEqual(self.read_tensors("whole.h5"), self.tensors)

    def test_evaluation_is_of_the_running_statistics(self):
        """The loss of eval is that of the scores above, whatever the batch."""
        loss = 0
        for row in self.rows:
            expected = self.expected(row)
            liked = {f"item{item}" for item in row}
            loss -= sum(math.log(score if name in liked else 1 - score) for name, score in expected.items())
        for batch in (7, 150):
            found = self.json("eval", "tied.plan", "tied.h5", "data.h5", "--batch", batch)
            self.assertAlmostEqual(found["loss"] * len(self.rows) / loss, 1, delta=1e-5)

    def test_through_a_file_of_dsstne(self):
        self.snrt("export", "tied.h5", "-o", "tied.nc")
        self.snrt("import", "tied.nc", "-o", "back.h5", "--network", "back.json")
        self.snc("compile", "back.json", "-o", "back.plan")
        back = self.read_tensors("back.h5")
        for name, values in back.items():
            self.assertEqual(values, self.tensors[name], name)
        self.assertEqual(self.scores("back.h5", "back.tsv", "back.plan"), self.scores("tied.h5", "again.tsv"))


if __name__ == "__main__":
    commands.main()
