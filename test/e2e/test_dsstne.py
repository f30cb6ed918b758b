#!/usr/bin/env python3
"""DSSTNE's programs with DSSTNE's flags: text to NetCDF, training, recommendations; and its CDL files."""
import json
import math
import os
import random
import shutil
import signal
import subprocess

import commands

SAMPLE = """{
    "Version" : 0.7, "Name" : "AE", "Kind" : "FeedForward",
    "SparsenessPenalty" : { "p" : 0.5, "beta" : 2.0 },
    "ShuffleIndices" : false,
    "Denoising" : { "p" : 0.2 },
    "ScaledMarginalCrossEntropy" : { "oneTarget" : 1.0, "zeroTarget" : 0.0, "oneScale" : 1.0, "zeroScale" : 1.0 },
    "Layers" : [
        { "Name" : "Input", "Kind" : "Input", "N" : "auto", "DataSet" : "gl_input", "Sparse" : true },
        { "Name" : "Hidden", "Kind" : "Hidden", "Type" : "FullyConnected", "N" : 128, "Activation" : "Sigmoid", "Sparse" : true },
        { "Name" : "Output", "Kind" : "Output", "Type" : "FullyConnected", "DataSet" : "gl_output", "N" : "auto", "Activation" : "Sigmoid", "Sparse" : true }
    ],
    "ErrorFunction" : "ScaledMarginalCrossEntropy"
}"""


def samples(text):
    """{sample: [features]} of DSSTNE's text."""
    lines = (line.partition("\t") for line in text.splitlines() if line)
    return {sample: [field.split(",")[0] for field in rest.split(":") if field] for sample, _, rest in lines}


class Drop(commands.Commands):
    @classmethod
    def dsstne(cls, program, *arguments, **options):
        return cls.run_program(f"dsstne/{program}", *arguments, **options)

    @classmethod
    def generate(cls, name, text, *flags, **options):
        return cls.dsstne("generateNetCDF", "-d", name, "-i", text, "-o", f"{name}.nc", *flags, **options)

    def lists(self, name):
        """{sample: [(feature, score)]} of a file of recommendations, whose form is checked."""
        found = {}
        for line in self.read(name).decode().splitlines():
            sample, tab, rest = line.partition("\t")
            self.assertEqual(tab, "\t")
            self.assertTrue(rest == "" or rest.endswith(":"), line)
            found[sample] = [(field.split(",")[0], float(field.split(",")[1])) for field in rest.split(":") if field]
        return found

    def flow(self, text, batch, *flags):
        """The sample's commands, as its page has them, and what must hold of the result."""
        self.write("config.json", SAMPLE)
        self.generate("gl_input", text, "-f", "features_input", "-s", "samples_input", "-c")
        self.generate("gl_output", text, "-f", "features_output", "-s", "samples_input", "-c")
        run = self.dsstne("train", "-c", "config.json", "-i", "gl_input.nc", "-o", "gl_output.nc", "-n", "gl.nc", "-b", batch, "-e", 10, *flags)
        errors = [float(line.split("average error ")[1].split(",")[0]) for line in run.stdout.splitlines() if "NNNetwork::Train: Epoch" in line]
        self.assertEqual(len(errors), 10)
        self.assertLess(errors[-1], errors[0])
        self.assertTrue(os.path.exists(self.path("gl.nc10.nc")), "a checkpoint every ten epochs")
        self.dsstne("predict", "-b", batch, "-d", "gl", "-i", "features_input", "-o", "features_output", "-k", 10, "-n", "gl.nc", "-f", text,
                    "-s", "recs", "-r", text)
        known, lists = samples(self.read(text).decode()), self.lists("recs")
        self.assertEqual(list(lists), list(known), "a line for each sample, in their order")
        items = set().union(*known.values())
        for sample, found in lists.items():
            self.assertEqual(len(found), 10)
            names, scores = zip(*found)
            self.assertEqual(len(set(names)), 10)
            self.assertLessEqual(set(names), items)
            self.assertFalse(set(names) & set(known[sample]), f"{sample} has seen some of {names}")
            self.assertEqual(sorted(scores, reverse=True), list(scores))
            self.assertTrue(all(0 < score < 1 for score in scores))
        self.assertFalse([name for name in os.listdir(self.folder) if name.startswith(".snc-")], "nothing in between is left")
        return lists


class MovieLens(Drop):
    @classmethod
    def prepare(cls):
        cls.unpack(f"{commands.shared_data('movielens-1024')}/input.txt.gz", "ml20m-all")

    def test_the_sample(self):
        lists = self.flow("ml20m-all", 256)
        self.assertEqual(len(lists), 1024)


class Made(Drop):
    """Two tastes: even samples like the first half of the features, odd ones the second."""
    @classmethod
    def prepare(cls):
        draw = random.Random(7)
        lines = []
        for sample in range(120):
            half = range(0, 30) if sample % 2 == 0 else range(30, 60)
            lines.append(f"s{sample}\t" + ":".join(f"f{f},{1100000000 + f}" for f in sorted(draw.sample(half, 12))))
        cls.write("made.txt", "\n".join(lines) + "\n")
        cls.write("small.json", SAMPLE.replace("128", "8").replace('"p" : 0.2', '"p" : 0.0'))

    def train(self, out, *flags, **options):
        return self.dsstne("train", "-c", "small.json", "-i", "made_input.nc", "-o", "made_output.nc", "-n", out, *flags, **options)

    def prepared(self):
        """The data sets and a trained network, once."""
        if not os.path.exists(self.path("made.nc")):
            for side in ("input", "output"):
                self.generate(f"gl_{side}", "made.txt", "-f", f"f_{side}", "-s", "samples", "-c")
                os.rename(self.path(f"gl_{side}.nc"), self.path(f"made_{side}.nc"))
            self.train("made.nc", "-b", 16, "-e", 60, "-optimizer", "Adam", "-alpha", 0.02)

    def predict(self, out, *flags, **options):
        return self.dsstne("predict", "-d", "gl", "-i", "f_input", "-o", "f_output", "-n", "made.nc", "-r", "made.txt", "-s", out, *flags, **options)

    def test_the_sample(self):
        lists = self.flow("made.txt", 32, "-alpha", 0.1)
        self.assertEqual(len(lists), 120)

    def test_recommendations_follow_the_taste(self):
        self.prepared()
        self.predict("recs.txt", "-k", 5, "-f", "made.txt")
        right = sum((int(f[1:]) < 30) == (int(sample[1:]) % 2 == 0) for sample, found in self.lists("recs.txt").items() for f, _ in found)
        self.assertGreater(right, 0.95 * 5 * 120)

    def test_any_length_and_format(self):
        self.prepared()
        self.predict("long.txt", "-k", 1000, "-p", "5.2e")
        lists = self.lists("long.txt")
        self.assertEqual({len(found) for found in lists.values()}, {60}, "all features, and none of the units beyond them")
        self.assertRegex(self.read("long.txt").decode().splitlines()[0], r"^s0\tf\d+,\d\.\d\de[-+]\d\d:")
        self.predict("default.txt")
        self.assertEqual(len(self.lists("default.txt")["s0"]), 60)

    def test_filters_multiply_and_remove(self):
        self.prepared()
        self.predict("all.txt", "-k", 60, "-p", "9.7f")
        before = self.lists("all.txt")
        first, second, third, last = (before["s3"][place][0] for place in (0, 1, 2, 59))
        os.mkdir(self.path("filters"))
        self.write("filters/a", f"s3\t{first}\n\nnobody\t{first},0\ns4\tf1,11\n")
        self.write("filters/b", f"s3\t{first}:{second},0.5:{third},10.5:{last},10:nothing,2\n")
        run = self.predict("filtered.txt", "-k", 60, "-p", "9.7f", "-f", "filters")
        self.assertSays(run, "the filter has 1 features that are not in f_output")
        after = self.lists("filtered.txt")
        found, old = dict(after["s3"]), dict(before["s3"])
        self.assertNotIn(first, found, "a factor that is missing is 0")
        self.assertNotIn(third, found, "above 10")
        self.assertAlmostEqual(found[second], 0.5 * old[second], delta=1e-6)
        self.assertAlmostEqual(found[last], 10 * old[last], delta=1e-5)
        self.assertEqual([score for _, score in after["s3"]], sorted(found.values(), reverse=True))
        self.assertNotIn("f1", dict(after["s4"]))
        self.assertEqual(len(after["s4"]), 59)
        self.assertEqual(after["s5"], before["s5"])

    def test_layers(self):
        self.prepared()
        self.predict("named.txt", "-k", 3, "-l", "Output")
        self.predict("unnamed.txt", "-k", 3)
        self.assertEqual(self.read("named.txt"), self.read("unnamed.txt"))
        self.assertSays(self.predict("no.txt", "-l", "Deep", code=1), "the plan ranks no output layer 'Deep'; it has Output")

    def test_values_of_the_input(self):
        self.prepared()
        self.write("valued.txt", "s0\tf1,3.5:f2,0.25\n")
        run = lambda kind: self.dsstne("predict", "-d", "gl", "-i", "f_input", "-o", "f_output", "-n", "made.nc", "-r", "valued.txt", "-s", kind, "-k", 60,
                                       "-p", "9.7f", "-t", kind)
        run("indicator"), run("analog")
        self.assertNotEqual(self.read("indicator"), self.read("analog"))

    def test_index_files_grow(self):
        self.write("one.txt", "a\tx:y\nb\ty\n")
        self.write("two.txt", "c\tz:x\na\tw\n")
        self.generate("g", "one.txt", "-f", "gf", "-s", "gs", "-c")
        self.assertEqual(self.read("gf"), b"x\t0\ny\t1\n")
        self.assertEqual(self.read("gs"), b"a\t0\nb\t1\n")
        run = self.generate("g", "two.txt", "-f", "gf", "-s", "gs")
        self.assertSays(run, "2 entries of 2 features that are not in gf are left out", "3 samples, 1 entries")
        self.assertEqual(self.read("gf"), b"x\t0\ny\t1\n")
        self.assertEqual(self.read("gs"), b"a\t0\nb\t1\nc\t2\n")
        self.generate("g", "two.txt", "-f", "gf", "-s", "gs", "-m")
        self.assertEqual(self.read("gf"), b"x\t0\ny\t1\nz\t2\nw\t3\n")

    def test_a_folder_of_text_and_values(self):
        os.mkdir(self.path("texts"))
        self.write("texts/b", "a\tx,2.5\nno tab here\n")
        self.write("texts/a", "a\tx,1:y,3\nb\tz,0.5:\n")
        run = self.generate("v", "texts", "-f", "vf", "-s", "vs", "-c", "-t", "analog")
        self.assertSays(run, "Indexing 2 files", "no TAB after the sample's name", "Raw max index is: 3", "Rounded up max index to: 128")
        self.snrt("import", "v.nc", "-o", "v.h5")
        listed = self.snrt("export", "v.h5", "-o", "again.nc")
        self.assertEqual(listed.returncode, 0)
        self.assertSays(run, "2 samples, 2 entries")  # the later line of a sample replaces the earlier one

    def test_an_untrained_network_and_the_optimizer(self):
        self.prepared()
        run = self.train("nesterov.nc", "-e", 1, "-optimizer", "nesterov", "-mu", 0.9, "-initial", "initial_network.nc")
        self.assertSays(run, "Nesterov, batch 1024, 1 epochs")
        self.assertNotEqual(self.read("initial_network.nc"), self.read("nesterov.nc"))

    def limited(self, blocks, program, *arguments):
        """With files of at most so many blocks of 512 bytes, as on a disk that is full."""
        command = ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", os.path.join(commands.BIN, program), *map(str, arguments)]
        run = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        return run

    def test_a_full_disk(self):
        self.prepared()
        run = self.limited(3000, "dsstne/predict", "-d", "gl", "-i", "f_input", "-o", "f_output", "-n", "made.nc", "-r", "made.txt", "-s", "full.txt", "-k", 60, "-p", "400.1f")
        self.assertSays(run, "'full.txt': the recommendations cannot be written: File too large")
        self.assertFalse(os.path.exists(self.path("full.txt")))
        self.write("long.txt", "a\t" + ":".join(f"{i}{'x' * 1000}" for i in range(400)) + "\n")
        run = self.limited(400, "dsstne/generateNetCDF", "-d", "l", "-i", "long.txt", "-o", "l.nc", "-f", "lf", "-s", "ls", "-c")
        self.assertSays(run, "lf", "cannot be written")
        self.assertFalse(os.path.exists(self.path("lf")))
        self.write("v.cdl", json.dumps({"Network": "small.json", "Data": ["made_input.nc", "made_output.nc"], "Command": "Validate"}))
        self.assertSays(self.limited(0, "snrt", "run", "v.cdl"), "a file in between, cannot be written: File too large")

    def test_an_interrupted_training_goes_on(self):
        self.prepared()
        command = [os.path.join(commands.BIN, "dsstne/train"), "-c", "small.json", "-i", "made_input.nc", "-o", "made_output.nc", "-n", "stopped.nc", "-e", "1000000"]
        run = subprocess.Popen(command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        for line in run.stdout:
            if "Epoch 3," in line:
                break
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, said)
        resume, export = [line for line in said.splitlines() if "snrt train " in line or "snrt export " in line]
        words = export[export.index("snrt export "):].split()[1:]
        self.assertEqual(words[-1], "stopped.nc")
        self.snrt(*words)
        self.snrt("import", "stopped.nc", "-o", "stopped.h5")
        weights = words[1]
        self.assertIn(f"--resume {weights}", resume)
        self.snrt("eval", weights.replace(".weights.h5", ".plan"), weights, resume.split()[3])
        shutil.rmtree(os.path.dirname(os.path.join(self.folder, weights)))

    def test_mistakes(self):
        self.prepared()
        def says(run, *words):
            self.assertSays(run, *words)
        says(self.train("made.nc", code=1), "-n made.nc: the file exists and is not overwritten")
        says(self.train("new.nc", "-b", code=1), "-b needs a value: number")
        says(self.train("new.nc", "-b", "-e", 3, code=1), "-b needs a value")
        says(self.train("new.nc", "-b", "many", code=1), "-b many: a whole number of at least 1 is expected")
        says(self.train("new.nc", "-alpha", "fast", code=1), "-alpha fast: a number is expected")
        says(self.train("new.nc", "-alhpa", 0.1, code=1), "there is no flag -alhpa", "did you mean -alpha?")
        says(self.train("new.nc", "-d", "gl", code=1), "there is no flag -d (-h shows all)")
        says(self.train("new.nc", "word", code=1), "'word' belongs to no flag (-h shows them)")
        says(self.train("new.nc", "-e", 1, "-e", 2, code=1), "-e is given twice")
        says(self.train("new.nc", "-optimizer", "Speed", code=1), "knows no optimizer 'Speed'")
        says(self.dsstne("train", code=1), "-c file is missing: Network, JSON (-h shows all flags)")
        says(self.dsstne("train", "-h", code=1), "usage: train -c file -i file -o file -n file [flags]")
        says(self.generate("x", "made.txt", "-f", "xf", "-s", "xs", "-c", "-m", code=1), "one of them")
        says(self.generate("x", "made.txt", "-f", "xf", "-s", "xs", code=1), "xf")
        says(self.generate("x", "made.txt", "-f", "xf", "-s", "xs", "-c", "-t", "maybe", code=1), "-t maybe: indicator or analog is expected")
        says(self.predict("x", "-t", "maybe", code=1), "-t maybe: indicator or analog is expected")
        says(self.predict("x", "-p", "d%s", code=1), "a printf format of one number without the % is expected")
        says(self.predict("x", "-k", 0, code=1), "-k 0: a whole number of at least 1")
        self.write("void.txt", "\n\n")
        os.makedirs(self.path("hollow"), exist_ok=True)
        says(self.generate("x", "void.txt", "-f", "xf", "-s", "xs", "-c", code=1), "'void.txt': there are no features")
        says(self.generate("x", "hollow", "-f", "xf", "-s", "xs", "-c", code=1), "'hollow': there are no files in this folder")
        says(self.dsstne("predict", "-d", "gl", "-i", "f_input", "-o", "f_output", "-n", "made.nc", "-r", "void.txt", "-s", "x", code=1),
             "'void.txt': there are no samples")
        says(self.dsstne("predict", "-d", "ml", "-i", "f_input", "-o", "f_output", "-n", "made.nc", "-r", "made.txt", "-s", "x", code=1),
             "-d ml: the network 'made.nc' reads the data set 'gl_input', not 'ml_input'")
        for index, words in {"a\t0\nb\t0\n": "a and b have the same number 0", "a\t0\nb\t9999999\n": "the largest number is 9999999, but there are only 2",
                             "a 0\n": "a label, a TAB and a number"}.items():
            self.write("index", index)
            says(self.dsstne("predict", "-d", "gl", "-i", "index", "-o", "f_output", "-n", "made.nc", "-r", "made.txt", "-s", "x", code=1), words)
            says(self.generate("x", "made.txt", "-f", "index", "-s", "xs", "-m", code=1), words)
        self.write("short.txt", "s0\tf1:f2\n")
        self.generate("gl_output", "short.txt", "-f", "f_output", "-s", "fresh")
        says(self.dsstne("train", "-c", "small.json", "-i", "made_input.nc", "-o", "gl_output.nc", "-n", "new.nc", code=1), "120", "the data sets of a network "
             "need one row for each example")
        self.assertFalse(os.path.exists(self.path("new.nc")))
        self.assertFalse(os.path.exists(self.path("x")))


class Cdl(Drop):
    """CDL files through snrt run."""
    @classmethod
    def prepare(cls):
        draw = random.Random(3)
        half = lambda sample: range(0, 20) if sample % 2 == 0 else range(20, 40)
        cls.write("in.txt", "".join(f"{s}\t" + ":".join(f"f{f}" for f in draw.sample(half(s), 6)) + "\n" for s in range(80)))
        cls.write("out.txt", "".join(f"{s}\t" + ("" if s == 7 else ":".join(f"f{f}" for f in draw.sample(half(s), 3))) + "\n" for s in range(80)))
        for side in ("input", "output"):
            cls.generate(side, "in.txt" if side == "input" else "out.txt", "-f", "features", "-s", "samples", "-c" if side == "input" else "-m")
        cls.network = {"Version": 0.8, "Name": "cdl", "ErrorFunction": "CrossEntropy", "Layers": [
            {"Kind": "Input", "Name": "Input", "N": "auto", "DataSet": "input"},
            {"Kind": "Hidden", "Name": "Hidden", "N": 8, "Activation": "Tanh", "WeightNorm": 5, "pDropout": 0.25},
            {"Kind": "Output", "Name": "Output", "N": "auto", "DataSet": "output", "Activation": "Sigmoid", "DeltaNorm": 10}]}
        cls.write("net.json", json.dumps(cls.network))

    def cdl(self, name, *removed, **keys):
        """Writes a CDL file; `removed`: keys that are left out."""
        whole = {"Version": 0.1, "Network": "net.json", "Data": ["input.nc", "output.nc"], "Command": "Train", **keys}
        return self.write(name, json.dumps({key: value for key, value in whole.items() if key not in removed}, indent=1))

    def test_train_and_predict(self):
        training = {"Epochs": 30, "Optimizer": "Adam", "Alpha": 0.02, "AlphaInterval": 10, "AlphaMultiplier": 0.5, "MiniBatch": 10, "ShuffleIndices": False,
                    "CheckpointInterval": 20, "CheckpointName": "step", "Results": "cdl.nc", "Lambda": 0}
        run = self.snrt("run", self.cdl("train.cdl", RandomSeed=5, TrainingParameters=training))
        self.assertSays(run, "Adam, batch 10, 30 epochs, seed 5", "epoch 30:", "cdl.nc: trained network")
        self.assertNotIn("epoch 31:", run.stdout)
        self.assertTrue(os.path.exists(self.path("step20.nc")))
        self.assertFalse(os.path.exists(self.path("step30.nc")))
        found = self.snrt("run", self.cdl("predict.cdl", Network="cdl.nc", Command="PREDICT"))
        rows = [line.split(",") for line in found.stdout.splitlines()]
        self.assertEqual([int(row[0]) for row in rows], list(range(1, 11)))
        for k, *measures in rows:
            self.assertTrue(all(math.isfinite(float(m)) and 0 <= float(m) <= 1 for m in measures), f"{k}: {measures}")
        recalls = [float(row[2]) for row in rows]
        self.assertEqual(recalls, sorted(recalls))
        self.assertGreater(recalls[-1], 0.3, "10 of 40 by chance give a quarter")
        self.assertSays(found, "1 examples without anything to find are left out")
        five = self.snrt("run", self.cdl("five.cdl", Network="cdl.nc", Command="Predict", PredictionParameters={"K": 5, "Layer": "Output"}))
        self.assertEqual(five.stdout.splitlines(), found.stdout.splitlines()[:5])
        self.assertFalse([name for name in os.listdir(self.folder) if name.startswith(".snc-")], "nothing in between is left")

    def test_the_learning_rate_falls(self):
        losses = []
        for interval in (0, 1):
            training = {"Epochs": 3, "AlphaInterval": interval, "AlphaMultiplier": 0.01, "CheckpointInterval": 0, "Results": "a.nc"}
            run = self.snrt("run", self.cdl("a.cdl", TrainingParameters=training))
            self.assertSays(run, "batch 1024, 3 epochs, seed 12134")
            losses.append([line.split("training ")[1].split(",")[0] for line in run.stdout.splitlines() if line.startswith("epoch")])
        self.assertEqual(losses[0][:2], losses[1][:2], "the first epoch is the same, and the loss is measured before its update")
        self.assertNotEqual(losses[0][2], losses[1][2])

    def test_defaults_of_the_encoder(self):
        self.write("trained.json", json.dumps({**self.network, "Training": {"Alpha": 0.5}}))
        weights = {}
        for name, net, extra in (("plain", "net.json", {}), ("same", "net.json", {"Alpha": 0.1, "Lambda": 0.001, "Mu": 0.9}), ("own", "trained.json", {})):
            self.snrt("run", self.cdl("d.cdl", Network=net, TrainingParameters={"Epochs": 1, "CheckpointInterval": 0, "Results": f"{name}.nc", **extra}))
            weights[name] = self.digest(f"{name}.nc")
        self.assertEqual(weights["plain"], weights["same"])
        self.assertNotEqual(weights["plain"], weights["own"])

    def test_validate(self):
        run = self.snrt("run", self.cdl("validate.cdl", Command="Validate", MiniBatch=16))
        self.assertSays(run, "are left out of the check", " 0 failed")
        looked = int(run.stdout.split(" gradients looked at")[0].split()[-1])
        self.assertGreaterEqual(looked, 60)
        kinked = json.loads(json.dumps(self.network))  # the loss has a kink at 0, where the units beyond the features are
        kinked.update(ErrorFunction="L1")
        kinked["Layers"][2].update(Activation="Tanh")
        self.write("kinked.json", json.dumps(kinked))
        self.assertSays(self.snrt("run", self.cdl("kinked.cdl", Network="kinked.json", Command="Validate", MiniBatch=20)), " 0 failed")
        shared = json.loads(json.dumps(self.network))
        shared["Layers"][1]["N"] = 40
        shared["Layers"].insert(2, {"Kind": "Hidden", "Name": "Again", "N": 40, "Activation": "Tanh", "BatchNormalization": True})
        shared["Layers"].insert(3, {"Kind": "Hidden", "Name": "Third", "N": 40, "Activation": "Sigmoid", "Source": "Again", "SharedWeights": {
            "InputLayer": "Again", "SourceInputLayer": "Hidden", "SourceOutputLayer": "Again", "Transposed": True}})
        self.write("shared.json", json.dumps(shared))
        self.assertSays(self.snrt("run", self.cdl("shared.cdl", Network="shared.json", Command="Validate", MiniBatch=16)), " 0 failed")

    def test_mistakes(self):
        def says(cdl, *words):
            self.assertSays(self.snrt("run", cdl, code=1), *words)
        says(self.cdl("m.cdl", Comand="Train"), "m.cdl:9:2: error: unknown key 'Comand' in a CDL file", "did you mean 'Command'?")
        self.assertNotIn("snrt: error", self.snrt("run", self.cdl("m.cdl", Comand="Train"), code=1).stderr)  # its place comes first, as a compiler's
        says(self.cdl("m.cdl", "Command"), "m.cdl:1:1: error: 'Command' is missing: Train, Predict or Validate")
        says(self.cdl("m.cdl", Command="Tran"), "Command 'Tran'", "did you mean 'Train'?")
        says(self.cdl("m.cdl"), "'TrainingParameters' is missing: the command Train needs its Epochs")
        says(self.cdl("m.cdl", TrainingParameters={"Alpha": 1}), "'Epochs' is missing: how often to go over the data")
        says(self.cdl("m.cdl", TrainingParameters={"Epochs": 1, "Alpha": -1}), "'Alpha' must be above 0")
        says(self.cdl("m.cdl", TrainingParameters={"Epochs": 1, "Optimizer": "Adm"}), "did you mean 'Adam'?")
        says(self.cdl("m.cdl", Data=[], Command="Validate"), "'Data' names no file")
        says(self.cdl("m.cdl", Data=[3], Command="Validate"), "'Data' must be")
        says(self.cdl("m.cdl", "Network", "Data"), "'Network' is missing: the file of the network", "'Data' is missing: the data file, or an array of them")
        says(self.cdl("m.cdl", Command="Validate", Data="gone.nc"), "gone.nc")
        says(self.cdl("m.cdl", Command="Predict", Network="gone.nc"), "gone.nc")
        says("nowhere.cdl", "nowhere.cdl: cannot be read")
        says(self.write("broken.cdl", "{\"Version\": }"), "broken.cdl:1:13: error:")
        run = self.snrt("run", self.cdl("idle.cdl", Command="Validate", TrainingParameters={"Epochs": 3}, PredictionParameters={}))
        self.assertSays(run, "warning: 'TrainingParameters' has no effect on the command Validate", "'PredictionParameters' has no effect on the command")


if __name__ == "__main__":
    commands.main()
