#!/usr/bin/env python3
"""Networks without an Output, with several, with WeightsData, and with the training that "Compatibility": "dsstne" asks for."""
import json
import os

import commands


class Parts(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen("--rows", 300, "--columns", 200, "--mean", 12, "--minimum", 3, "--seed", 1, "-o", "data.h5")
        cls.base = {"Version": 0.9, "Name": "whole", "ErrorFunction": "CrossEntropy", "Layers": [
            {"Kind": "Input", "Name": "Input", "N": "auto", "DataSet": "input"},
            {"Kind": "Hidden", "Name": "Hidden", "N": 6, "Activation": "Tanh"},
            {"Kind": "Output", "Name": "Output", "N": "auto", "DataSet": "output", "Activation": "Sigmoid"}]}
        cls.compile("whole", cls.base)
        cls.snrt("train", "whole.plan", "data.h5", "-o", "whole.weights.h5", "--epochs", 2, "--batch", 50)

    @classmethod
    def compile(cls, name, network, **options):
        cls.write(f"{name}.json", json.dumps(network))
        return cls.snc("compile", f"{name}.json", "-o", f"{name}.plan", "--force", **options)

    def epochs(self, folder="."):
        with open(os.path.join(self.folder, folder, "metrics.jsonl"), encoding="utf-8") as file:
            return [row for row in map(json.loads, file) if row["kind"] in ("epoch", "brake")]

    def test_a_network_without_an_output(self):
        encoder = {**self.base, "Name": "encoder", "Layers": self.base["Layers"][:2]}
        self.compile("encoder", encoder)
        says = self.snrt("train", "encoder.plan", "data.h5", "-o", "e.h5", code=1)
        self.assertSays(says, "'encoder.plan': nothing to train: the network 'encoder' has no Output layer")
        self.assertSays(self.snrt("eval", "encoder.plan", "whole.weights.h5", "data.h5", code=1),
                        "has no entry 'evaluate', because it has no Output layer: it can only predict")
        run = self.snrt("predict", "encoder.plan", "whole.weights.h5", "data.h5", "-o", "codes.tsv", "-k", 6)
        self.assertSays(run, "was trained with another network", "of its parameters those of the plan are taken")
        rows = [line.split("\t") for line in self.read("codes.tsv").decode().splitlines()]
        self.assertEqual(len(rows), 300)
        for _, *pairs in rows:
            self.assertEqual(sorted(map(int, pairs[::2])), list(range(6)), "the units of the last layer, ranked")
            self.assertTrue(all(-1 < float(value) < 1 for value in pairs[1::2]))
        wider = json.loads(json.dumps(encoder))
        wider["Layers"][1]["N"] = 7
        self.compile("wider", wider)
        self.assertSays(self.snrt("predict", "wider.plan", "whole.weights.h5", "data.h5", "-o", "no.tsv", code=1), "Input->Hidden/weights")

    def test_several_outputs(self):
        layers = self.base["Layers"][:2] + [{**self.base["Layers"][2], "Name": name, "Source": "Hidden"} for name in ("First", "Second")]
        self.compile("twins", {**self.base, "Layers": layers})
        self.snrt("train", "twins.plan", "data.h5", "-o", "twins.weights.h5", "--epochs", 1, "--batch", 50)
        predict = lambda out, *flags, **options: self.snrt("predict", "twins.plan", "twins.weights.h5", "data.h5", "-o", out, *flags, **options)
        self.assertSays(predict("x.tsv", code=1), "the plan ranks several layers: --layer NAME chooses one of First, Second")
        predict("first.tsv", "--layer", "First"), predict("second.tsv", "--layer", "Second")
        self.assertNotEqual(self.read("first.tsv"), self.read("second.tsv"))
        layers[3]["Name"] = "Output"
        self.compile("named", {**self.base, "Layers": layers})
        self.snrt("train", "named.plan", "data.h5", "-o", "named.weights.h5", "--epochs", 1, "--batch", 50, "--truth", "data.h5", "--layer", "First", "--at", 5)
        self.snrt("predict", "named.plan", "named.weights.h5", "data.h5", "-o", "usual.tsv")
        self.snrt("predict", "named.plan", "named.weights.h5", "data.h5", "-o", "chosen.tsv", "--layer", "Output")
        self.assertEqual(self.read("usual.tsv"), self.read("chosen.tsv"))

    def test_weights_to_start_from(self):
        os.makedirs(self.path("sub"), exist_ok=True)
        self.write("sub/tuned.json", json.dumps({**self.base, "WeightsData": "../whole.weights.h5"}))
        self.snc("compile", "sub/tuned.json", "-o", "tuned.plan")
        run = self.snrt("train", "tuned.plan", "data.h5", "-o", "tuned.h5", "--epochs", 1, "--batch", 50)
        self.assertSays(run, "training starts with the weights of", "whole.weights.h5' (the network's WeightsData)")
        self.snrt("train", "whole.plan", "data.h5", "-o", "from.h5", "--epochs", 1, "--batch", 50, "--from", "whole.weights.h5")
        self.snrt("train", "whole.plan", "data.h5", "-o", "fresh.h5", "--epochs", 1, "--batch", 50)
        tensors = {name: self.run_program("sn-e2e-tensors", f"{name}.h5").stdout for name in ("tuned", "from", "fresh")}
        self.assertEqual(tensors["tuned"], tensors["from"])
        self.assertNotEqual(tensors["tuned"], tensors["fresh"])
        self.snrt("train", "tuned.plan", "data.h5", "-o", "other.h5", "--epochs", 1, "--batch", 50, "--from", "fresh.h5")
        self.snrt("train", "whole.plan", "data.h5", "-o", "same.h5", "--epochs", 1, "--batch", 50, "--from", "fresh.h5")
        self.assertEqual(*(self.run_program("sn-e2e-tensors", f"{name}.h5").stdout for name in ("other", "same")), "--from goes before")
        self.snrt("eval", "whole.plan", "tuned.h5", "data.h5")
        self.compile("lost", {**self.base, "WeightsData": "gone.h5"})
        self.assertSays(self.snrt("train", "lost.plan", "data.h5", "-o", "lost.h5", code=1), "gone.h5', and there is no such file; --from names another one")

    def test_states_begin_anew_every_epoch(self):
        losses = {}
        for setting in ("none", "dsstne"):
            self.compile(setting, {**self.base, "Compatibility": setting, "Training": {"Optimizer": "Momentum", "Mu": 0.9, "Alpha": 0.05}})
            os.makedirs(self.path(f"m-{setting}"))
            self.snrt("train", f"{setting}.plan", "data.h5", "-o", f"m-{setting}/w.h5", "--epochs", 3, "--batch", 50)
            losses[setting] = [row["training"] for row in self.epochs(f"m-{setting}")]
        self.assertEqual(losses["none"][0], losses["dsstne"][0])
        self.assertNotEqual(losses["none"][2], losses["dsstne"][2])

    def test_the_divergence_brake(self):
        # A row of nearly everything among rows of three: its loss stands out.
        lines = [f"r{row} " + " ".join(f"c{(row + i) % 5}" for i in range(3)) for row in range(140)]
        lines[120] = "r120 " + " ".join(f"c{i}" for i in range(90))
        self.write("outlier.txt", "\n".join(lines) + "\n")
        self.snrt("import", "outlier.txt", "-o", "outlier.h5")
        network = {**self.base, "ShuffleIndices": False, "Training": {"Alpha": 0.2, "Batch": 1, "Epochs": 2}}
        self.compile("calm", network), self.compile("brake", {**network, "Compatibility": "dsstne"})
        for name in ("calm", "brake"):
            os.makedirs(self.path(name))
        quiet = self.snrt("train", "calm.plan", "outlier.h5", "-o", "calm/w.h5")
        run = self.snrt("train", "brake.plan", "outlier.h5", "-o", "brake/w.h5")
        self.assertNotIn("moving average", quiet.stderr)
        self.assertSays(run, "step 121: the loss of the batch,", "is more than twice its moving average,", "24 steps at a tenth of the learning rate")
        brakes = [row for row in self.epochs("brake") if row["kind"] == "brake"]
        self.assertEqual([(row["epoch"], row["step"]) for row in brakes][0], (1, 121))
        self.assertGreater(brakes[0]["loss"], 2 * brakes[0]["average"])
        page = self.snrt("report", "brake/metrics.jsonl", "-o", "brake/report.html")
        self.assertNotIn("skipped", page.stderr)
        # Stopped in the middle of the braked steps, it goes on with the same bytes.
        self.snrt("train", "brake.plan", "outlier.h5", "-o", "brake/once.h5", "--epochs", 1)
        self.snrt("train", "brake.plan", "outlier.h5", "--resume", "brake/once.h5", "--epochs", 2)
        self.assertEqual(*(self.run_program("sn-e2e-tensors", f"brake/{name}.h5").stdout for name in ("w", "once")))


if __name__ == "__main__":
    commands.main()
