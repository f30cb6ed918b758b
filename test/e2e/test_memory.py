#!/usr/bin/env python3
"""What a run needs is known before it begins: the predicted peak is within 5 % of the measured one, what does not fit is refused with
the numbers, and a limit that admits a run is honoured."""
import json
import os
import resource
import unittest

import commands

MIB = 1 << 20


def network(hidden, layers=1):
    with open(f"{commands.EXAMPLES}/movielens/ae.json", encoding="utf-8") as file:
        net = json.load(file)
    first, middle, last = net["Layers"]
    net["Layers"] = [first, *(dict(middle, Name=f"Hidden{i}", N=hidden) for i in range(layers)), last]
    return json.dumps(net)


class Memory(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen("-o", "movies.h5", "--rows", "2000", "--seed", "1")
        cls.datagen("-o", "wide.h5", "--rows", "600", "--columns", "300000", "--mean", "100", "--seed", "1")
        for name, text in {"n128": network(128), "n64": network(64), "deep": network(512, 3)}.items():
            cls.write(f"{name}.json", text)
            cls.snc("compile", f"{name}.json", "-o", f"{name}.plan")

    def measured(self, *arguments, code=0):
        """What snrt printed, and its peak of resident memory."""
        command = [os.path.join(commands.BIN, "snrt"), *map(str, arguments)]
        said, pid = self.path("said"), os.fork()
        if pid == 0:
            try:
                os.chdir(self.folder)
                out = os.open(said, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
                os.dup2(out, 1)
                os.dup2(out, 2)
                os.execv(command[0], command)
            finally:
                os._exit(127)
        _, status, usage = os.wait4(pid, 0)
        text = self.read("said").decode()
        self.assertEqual(os.waitstatus_to_exitcode(status), code, text)
        return text, usage.ru_maxrss * 1024

    def train(self, plan, data, *more, code=0):
        if os.path.exists(self.path("metrics.jsonl")):
            os.remove(self.path("metrics.jsonl"))
        return self.measured("train", plan, data, "-o", "w.h5", "--force", "--epochs", 1, "--alpha", "1e-6", *more, code=code)

    def lines(self, kind):
        return [line for line in map(json.loads, self.read("metrics.jsonl").decode().splitlines()) if line["kind"] == kind]

    def test_predicted_peaks(self):
        shapes = [("n128.plan", "movies.h5", "SGD", 256, 1), ("n128.plan", "movies.h5", "SGD", 1024, 2),
                  ("n128.plan", "movies.h5", "Adam", 2000, 3), ("deep.plan", "movies.h5", "RMSProp", 256, 2),
                  ("n64.plan", "wide.h5", "Adam", 256, 2)]
        for plan, data, optimizer, batch, threads in shapes:
            with self.subTest(plan=plan, optimizer=optimizer, batch=batch, threads=threads):
                said, peak = self.train(plan, data, "--optimizer", optimizer, "--batch", batch, "--threads", threads)
                run = self.lines("run")[0]
                memory = run["memory"]
                print(f"{plan} {optimizer} {batch} rows {threads} threads: predicted {memory['total'] / MIB:.1f} MiB, "
                      f"measured {peak / MIB:.1f}; about {run['estimate']['seconds_per_epoch']:.2f} s, "
                      f"was {self.lines('epoch')[0]['seconds']:.2f} s")
                self.assertEqual(memory["total"], sum(value for kind, value in memory.items() if kind != "total"))
                self.assertLess(abs(memory["total"] - peak), 0.05 * peak, memory)
                for word in ("parameters", "workspace", "data", "program", "an epoch takes about"):
                    self.assertIn(word, said)
                self.assertGreater(run["estimate"]["seconds_per_epoch"], 0)

    def test_limit(self):
        shape = ("n64.plan", "wide.h5", "--optimizer", "Adam", "--batch", 256, "--threads", 2)
        self.train(*shape)
        total = self.lines("run")[0]["memory"]["total"]
        os.remove(self.path("w.h5"))
        said, peak = self.train(*shape, "--memory-limit", total - 8 * MIB, code=1)
        self.assertFalse(os.path.exists(self.path("w.h5")))
        self.assertLess(peak, 0.3 * total, "refused before anything large")
        for words in ("training needs about", "--memory-limit allows", "too little", "optimizer state", "what would help", "--optimizer sgd fits"):
            self.assertIn(words, said.lower())
        limit = total + 8 * MIB
        _, peak = self.train(*shape, "--memory-limit", limit)
        self.assertLessEqual(peak, limit)

    def test_largest_batch(self):
        shape = ("n128.plan", "movies.h5", "--optimizer", "SGD", "--threads", 2)
        self.train(*shape, "--batch", 500)
        limit = self.lines("run")[0]["memory"]["total"] + MIB
        said, _ = self.train(*shape, "--batch", 2000, "--memory-limit", limit, code=1)
        batch = int(said.split("--batch ")[1].split()[0])
        self.assertLess(abs(batch - 500), 150, said)
        _, peak = self.train(*shape, "--batch", batch, "--memory-limit", limit + MIB)
        self.assertLessEqual(peak, limit + MIB)

    def test_limit_of_the_process(self):
        """A control group cannot be had in every sandbox; nonsense and the other commands can."""
        self.train("n128.plan", "movies.h5")
        for command in (("eval", "n128.plan", "w.h5", "movies.h5"), ("predict", "n128.plan", "w.h5", "movies.h5", "-o", "p.tsv"),
                        ("eval", "n128.plan", "w.h5", "movies.h5", "--truth", "movies.h5", "--exclude", "input")):
            said, peak = self.measured(*command)
            self.assertIn("a pass over the data takes about", said)
            said, _ = self.measured(*command, *(("--force",) if command[0] == "predict" else ()), "--memory-limit", "30MiB", code=1)
            self.assertSaysText(said, "needs about", "--memory-limit allows 30.0 MiB", "is not enough: with a batch of 1 it still needs")
        said, _ = self.measured("init", "n128.plan", "movies.h5", "-o", "i.h5", "--memory-limit", "20M", code=1)
        self.assertSaysText(said, "writing untrained weights needs about", "a machine with more memory")
        for text in ("12X", "0", "much"):
            said, _ = self.train("n128.plan", "movies.h5", "--memory-limit", text, code=1)
            self.assertSaysText(said, f"--memory-limit {text}: an amount of memory is expected, as in 24GiB, 500MiB, 8G or a number of bytes")

    def assertSaysText(self, said, *parts):
        for part in parts:
            self.assertIn(part, said)


@unittest.skipUnless(hasattr(resource, "getrusage"), "no getrusage")
class Explained(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen("-o", "data.h5", "--rows", "1000", "--seed", "1")
        cls.write("n.json", network(128))
        cls.snc("compile", "n.json", "-o", "n.plan")

    def explained(self, *more):
        return json.loads(self.snc("explain", "n.plan", "--data", "data.h5", "--json", *more).stdout)["training"]

    def test_the_same_numbers_as_training(self):
        told = self.explained("--batch", 500, "--optimizer", "Adam", "--threads", 2)
        self.snrt("train", "n.plan", "data.h5", "--batch", 500, "--optimizer", "Adam", "--threads", 2, "--epochs", 0)
        with open(self.path("metrics.jsonl"), encoding="utf-8") as file:
            run = json.loads(file.readline())
        for kind in ("parameters", "states", "buffers", "workspace", "data", "passing"):
            self.assertEqual(told["memory"][kind], run["memory"][kind], kind)
        self.assertLess(abs(told["memory"]["program"] - run["memory"]["program"]), 8 * MIB)
        self.assertEqual(told["rows"], 1000)
        self.assertGreater(told["estimate"]["seconds_per_epoch"], 0)
        self.assertTrue(told["fits"])

    def test_whether_it_fits(self):
        self.assertFalse(self.explained("--memory-limit", "40MiB")["fits"])
        said = self.snc("explain", "n.plan", "--data", "data.h5", "--memory-limit", "40MiB").stdout
        for part in ("it does not fit: training needs about", "--memory-limit allows 40.0 MiB", "an epoch takes about"):
            self.assertIn(part, said)
        self.assertIn("it fits: --memory-limit allows 4.0 GiB", self.snc("explain", "n.plan", "--data", "data.h5", "--memory-limit", "4G").stdout)

    def test_refusals(self):
        self.assertSays(self.snc("explain", "n.plan", "--data", "data.h5", "--size", "input=5", code=1), "--size gives an extent that --data has")
        self.assertSays(self.snc("explain", "n.plan", "--memory-limit", "5G", code=1), "--memory-limit: what training needs is known with --data only")
        self.assertSays(self.snc("explain", "n.plan", "--size", "input=wide", code=1), "--size: 'input=wide' holds no number where one is due")
        self.assertSays(self.snc("explain", "n.plan", "--size", "inputs=5", code=1), "--size takes DATASET=COLUMNS")
        self.assertSays(self.snc("explain", "n.plan", "--data", "none.h5", code=1), "none.h5: cannot be read")


if __name__ == "__main__":
    commands.main()
