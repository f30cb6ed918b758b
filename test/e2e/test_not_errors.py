#!/usr/bin/env python3
"""What is no error, in numbers: a row without entries has z = the bias and counts in no metric, a batch larger than the data is all of the data, unsorted
rows and duplicates are put right in memory and train to the very weights of tidy data."""
import json
import math

import commands

LINES = """u0 a 2\nu0 b 0.5\nu0 c 1\nu1\nu2 b 3\nu2 c 0.25\nu2 d 1\nu3\nu4 a 1.5\nu4 c 2\nu4 d 4\nu5 d 0.75\nu5 e 1\nu6 a 1\nu6 e 5\n"""
NETWORK = """{{"Version": 0.9, "Name": "Direct", "ErrorFunction": "{loss}", "Layers": [
  {{"Kind": "Input", "Name": "In", "N": "auto", "DataSet": "input", "Sparse": true}}, {hidden}
  {{"Kind": "Output", "Name": "Out", "N": "auto", "DataSet": "output", "Activation": "{activation}", "Sparse": true}}],
  "Training": {{"Optimizer": "Adam", "Alpha": 0.05, "Seed": 7}}}}"""


class NotErrors(commands.Commands):
    @classmethod
    def prepare(cls):
        pairs = {line.split()[0]: [] for line in LINES.splitlines()}
        for line in LINES.splitlines():
            pairs[line.split()[0]] += line.split()[1:2]
        cls.write("some.txt", "".join(" ".join([user, *items]) + "\n" for user, items in pairs.items()))
        cls.snrt("import", "some.txt", "-o", "binary.h5")
        cls.write("values.tsv", "".join(line.replace(" ", "\t") + "\n" for line in LINES.splitlines() if line.count(" ") == 2))
        cls.snrt("import", "values.tsv", "-o", "analog.h5", "--values")
        for name, activation, loss, hidden in (("sigmoid", "Sigmoid", "CrossEntropy", ""), ("softmax", "SoftMax", "CrossEntropy", ""),
                                               ("deep", "Sigmoid", "ScaledMarginalCrossEntropy", '{"Kind": "Hidden", "Name": "Middle", "N": 4},')):
            cls.write(f"{name}.json", NETWORK.format(activation=activation, loss=loss, hidden=hidden))
            cls.snc("compile", f"{name}.json", "-o", f"{name}.plan")

    def train(self, network, data, out, *options, batch=3):
        return self.snrt("train", f"{network}.plan", data, "-o", out, "--epochs", 3, "--batch", batch, "--force", *options)

    def tensors(self, weights):
        return json.loads(self.run_program("sn-e2e-tensors", weights).stdout)

    def scores(self, network, weights, data):
        """{row: {item: score}}"""
        run = self.snrt("predict", f"{network}.plan", weights, data, "-o", "-", "--top-k", 100, "--json")
        return {row["name"]: {item["item"]: item["score"] for item in row["items"]} for row in map(json.loads, run.stdout.splitlines())}

    def test_an_empty_row_has_the_bias_for_z(self):
        for network in ("sigmoid", "softmax"):
            with self.subTest(network=network):
                self.train(network, "binary.h5", "w.h5")
                bias = self.tensors("w.h5")["In->Out/bias"]
                self.assertEqual(len(set(bias)), 5, "trained biases differ")
                expected = [1 / (1 + math.exp(-b)) for b in bias]
                if network == "softmax":
                    expected = [math.exp(b) / sum(map(math.exp, bias)) for b in bias]
                scores = self.scores(network, "w.h5", "binary.h5")
                for user in ("u1", "u3"):
                    self.assertEqual(sorted(scores[user]), list("abcde"))
                    for item, value in zip("abcde", expected):  # columns in the order of their first appearance
                        self.assertAlmostEqual(scores[user][item], value, delta=1e-6)
                self.assertGreater(abs(scores["u0"]["a"] - scores["u1"]["a"]), 1e-3)

    def test_a_batch_larger_than_the_data_is_all_of_the_data(self):
        for network in ("sigmoid", "softmax", "deep"):
            with self.subTest(network=network):
                self.train(network, "binary.h5", "exact.h5", batch=7)
                self.train(network, "binary.h5", "large.h5", batch=4000)
                exact, large = self.tensors("exact.h5"), self.tensors("large.h5")
                self.assertGreaterEqual(len(exact), 6, "weights, bias and two states of each")
                self.assertEqual(exact, large)
                self.train(network, "binary.h5", "small.h5")
                self.assertNotEqual(exact, self.tensors("small.h5"))

    def test_unsorted_rows_and_duplicates(self):
        bind = ("--bind", "output=input")  # imported data has no other
        for data, merged in (("binary", "13 duplicate entries merged (kept once)"), ("analog", "13 duplicate entries merged (values summed)")):
            for network in ("sigmoid", "softmax", "deep"):
                with self.subTest(data=data, network=network):
                    self.run_program("sn-e2e-recast", f"{data}.h5", "unsorted", "unsorted.h5")
                    self.run_program("sn-e2e-recast", f"{data}.h5", "duplicates", "duplicates.h5")
                    tidy = self.train(network, f"{data}.h5", "tidy.w.h5", *bind)
                    self.assertNotIn("sorted", tidy.stderr)
                    self.assertNotIn("merged", tidy.stderr)
                    unsorted = self.train(network, "unsorted.h5", "unsorted.w.h5", *bind)
                    self.assertIn("snrt: unsorted.h5: input: 5 rows were not sorted by column; sorted in memory\n", unsorted.stderr)
                    self.assertEqual(self.read("unsorted.w.h5"), self.read("tidy.w.h5"))
                    duplicates = self.train(network, "duplicates.h5", "duplicates.w.h5", *bind)
                    self.assertIn(f"snrt: duplicates.h5: input: {merged}\n", duplicates.stderr)
                    self.assertEqual(self.read("duplicates.w.h5"), self.read("tidy.w.h5"))

    def test_training_may_start_from_weights_of_another_network(self):
        for name, extra, loss in (("tuned", '"Denoising": {"p": 0.3}, ', "L2"), ("same", "", "CrossEntropy")):
            text = NETWORK.format(activation="Sigmoid", loss=loss, hidden="").replace('"Layers"', extra + '"Layers"')
            self.write(f"{name}.json", text.replace('"Direct"', f'"{name}"'))
            self.snc("compile", f"{name}.json", "-o", f"{name}.plan")
        self.train("sigmoid", "binary.h5", "w.h5")
        self.assertNotIn("another network", self.train("same", "binary.h5", "t.h5", "--from", "w.h5").stderr)
        tuned = self.train("tuned", "binary.h5", "t.h5", "--from", "w.h5", "--optimizer", "SGD", "--alpha", 1e-30)
        says = "'w.h5' was trained with another network than 'tuned.plan': at /Denoising it has nothing, the plan has {\"p\":0.3}; "
        self.assertIn(f"snrt: {says}its parameters are taken as they are\n", tuned.stderr)
        start, end = self.tensors("w.h5"), self.tensors("t.h5")
        self.assertEqual(sorted(end), ["In->Out/bias", "In->Out/weights"], "of SGD, which has no states")
        self.assertEqual({name: start[name] for name in end}, end, "steps of 1e-30 go nowhere")
        self.assertTrue(self.scores("tuned", "t.h5", "binary.h5"), "and belong to the plan at hand")
        for command in (("train", "tuned.plan", "binary.h5", "--resume", "w.h5", "--epochs", 9), ("eval", "tuned.plan", "w.h5", "binary.h5"),
                        ("predict", "tuned.plan", "w.h5", "binary.h5", "-o", "-")):
            self.assertIn(f"{says}use the plan it was trained with, or train anew", self.snrt(*command, code=1).stderr)
        self.assertSays(self.snrt("train", "deep.plan", "binary.h5", "-o", "d.h5", "--from", "w.h5", code=1),
                        "has no parameter In->Middle/weights", "it belongs to another network")

    def test_metrics_skip_and_count_rows_without_truth(self):
        self.train("sigmoid", "binary.h5", "w.h5")
        # a row each: found, empty truth, missed ...; the list of u2 without what is known is {a, e}
        self.write("truth.txt", "u0 d e\nu1\nu2 a e\nu4 b e\n")
        self.snrt("import", "truth.txt", "-o", "truth.h5", "--vocabulary", "binary.h5")
        found = self.json("eval", "sigmoid.plan", "w.h5", "binary.h5", "--truth", "truth.h5", "--exclude", "input", "--at", 2)
        self.assertEqual((found["users"], found["skipped"]), (3, 4))
        # Both items left over are relevant for each of the three: averages over 3 users are 1, over 7 rows they would be 3/7.
        self.assertEqual([row["recall"] for row in found["results"]], [1.0])


if __name__ == "__main__":
    commands.main()
