#!/usr/bin/env python3
"""Data larger than memory: rows come from the file batch by batch, with the bytes of a run on data in memory; what is wrong with the file is
found where it is read, and no checkpoint is lost."""
import json
import os
import signal
import struct
import subprocess

import commands

MIB = 1 << 20
NETWORK = """{ "Name": "wide", "Denoising": { "p": 0.2 }, "ErrorFunction": "CrossEntropy", "ShuffleIndices": true,
  "Training": { "Optimizer": "SGD", "Alpha": 0.01 },
  "Layers": [ { "Kind": "Input", "Name": "Input", "N": "auto", "DataSet": "input", "Sparse": true },
              { "Kind": "Hidden", "Name": "Hidden", "N": 4, "Activation": "Sigmoid", "pDropout": 0.3 },
              { "Kind": "Output", "Name": "Output", "N": "auto", "DataSet": "output", "Activation": "Sigmoid", "Sparse": true } ] }
"""


class Stream(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen("-o", "data.h5", "--rows", "12000", "--columns", "6000", "--mean", "1200", "--minimum", "50", "--seed", "1")
        cls.datagen("-o", "small.h5", "--rows", "600", "--columns", "3000", "--mean", "30", "--minimum", "5", "--seed", "2")
        cls.write("wide.json", NETWORK)
        cls.snc("compile", "wide.json", "-o", "wide.plan")

    def place(self, name):
        os.makedirs(self.path(name), exist_ok=True)
        return f"{name}/w.h5"

    def train(self, name, *more, data="data.h5", code=0):
        weights = self.place(name)
        run = self.snrt("train", "wide.plan", data, "-o", weights, "--epochs", 2, "--batch", 300, *more, code=code)
        return weights, run

    def lines(self, weights, kind):
        with open(os.path.join(os.path.dirname(self.path(weights)), "metrics.jsonl"), encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line["kind"] == kind]

    def test_the_same_bytes_under_a_limit(self):
        whole, run = self.train("whole")
        self.assertSays(run, "data in memory")
        told = self.lines(whole, "run")[0]
        self.assertEqual(told["data_way"], {"from": "memory", "streamed": False})
        memory = told["memory"]
        self.assertGreater(memory["data"], 8 * MIB)
        limit = memory["total"] - memory["data"] // 4
        streamed, run = self.train("streamed", "--memory-limit", limit)
        self.assertSays(run, "data streamed from the file, up to", "a batch: --memory-limit allows", "with the data there it would take")
        told = self.lines(streamed, "run")[0]
        self.assertEqual(told["data_way"]["from"], "file")
        self.assertIn("--memory-limit allows", told["data_way"]["why"])
        self.assertGreater(told["data_way"]["batch_bytes"], 300 * 50 * 4)
        self.assertLessEqual(told["memory"]["total"], limit)
        self.assertEqual(self.digest(streamed), self.digest(whole))
        losses = [[line["error"] for line in self.lines(weights, "epoch")] for weights in (whole, streamed)]
        self.assertEqual(*losses)
        explained = json.loads(self.snc("explain", "wide.plan", "--data", "data.h5", "--batch", 300, "--json", "--memory-limit", limit).stdout)
        self.assertEqual(explained["training"]["data_way"]["from"], "file")
        self.assertTrue(explained["training"]["fits"])
        said = self.snc("explain", "wide.plan", "--data", "data.h5", "--batch", 300, "--stream").stdout
        self.assertIn("data streamed from the file, up to", said)
        self.assertSays(self.snc("explain", "wide.plan", "--stream", code=1), "--stream: which way data take is known with --data only")
        refused = self.snrt("train", "wide.plan", "data.h5", "-o", "no.h5", "--batch", 300, "--memory-limit", memory["total"] - memory["data"], code=1)
        self.assertSays(refused, "training needs about")

    def test_uses_of_a_trained_network(self):
        weights, _ = self.train("uses", "--stream", "--validation", "small.h5", "--truth", "small.h5", "--exclude", "input", data="small.h5")
        whole, _ = self.train("uses-whole", "--validation", "small.h5", "--truth", "small.h5", "--exclude", "input", data="small.h5")
        self.assertEqual(self.digest(weights), self.digest(whole))
        def epochs(path):
            return [{k: v for k, v in line.items() if k not in ("seconds", "examples_per_second")} for line in self.lines(path, "epoch")]
        self.assertEqual(epochs(weights), epochs(whole))
        self.snrt("predict", "wide.plan", weights, "small.h5", "-o", "lists.tsv")
        lines = [line.split("\t") for line in self.read("lists.tsv").decode().splitlines()]
        self.write("drop.txt", f"{lines[9][0]}\t{lines[9][1]}\t{lines[9][3]}\n{lines[8][0]}\t{lines[8][1]}\n")
        for command in (("eval",), ("eval", "--truth", "small.h5", "--exclude", "input", "--baseline", "popularity,item-knn"),
                        ("predict", "-o", "-"), ("predict", "-o", "-", "--exclude", "input"),
                        ("predict", "-o", "-", "--exclude", "input", "--filter", "drop.txt"),
                        ("predict", "-o", "-", "--exclude", "input", "--rows", ",".join(lines[i][0] for i in (7, 7, 3)))):
            out = [self.snrt(command[0], "wide.plan", weights, "small.h5", *command[1:], *more).stdout for more in ((), ("--stream",))]
            self.assertTrue(out[0])
            self.assertEqual(out[0], out[1], command)

    def test_stopped_inside_an_epoch(self):
        whole, _ = self.train("straight", "--stream")
        weights = self.place("stopped")
        process = subprocess.Popen([os.path.join(commands.BIN, "snrt"), "train", "wide.plan", "data.h5", "-o", weights, "--epochs", "2", "--batch", "300",
                                    "--stream", "--json"], cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        seen = 0
        for line in process.stdout:
            seen += json.loads(line)["kind"] == "batches"
            if seen == 2:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        end = json.loads(out.splitlines()[-1])
        self.assertEqual(end["reason"], "interrupted")
        self.assertIn("--stream", end["resume"])
        self.assertGreater(end["example"], 0)
        self.snrt("train", "wide.plan", "data.h5", "--resume", weights, "--stream")
        self.assertEqual(self.digest(weights), self.digest(whole))

    def test_a_damaged_row_is_found_when_it_is_read(self):
        """One column number of the file is far out of range: the data set is opened without a word, and training ends where its row comes up."""
        content = self.read("small.h5")
        weights, _ = self.train("damaged", "--stream", data="small.h5")
        before = self.digest(weights)
        # Indices lie in one piece as 32-bit numbers below 3,000: the longest run of such, and in its middle one is changed.
        words = struct.unpack(f"<{len(content) // 4}I", content[:len(content) // 4 * 4])
        best, run = (0, 0), 0
        for i, word in enumerate(words):
            run = run + 1 if word < 3000 else 0
            best = max(best, (run, i))
        middle = best[1] - best[0] // 4
        broken = bytearray(content)
        struct.pack_into("<I", broken, 4 * middle, 77777)
        with open(self.path("broken.h5"), "wb") as file:
            file.write(broken)
        run = self.snrt("train", "wide.plan", "broken.h5", "--resume", weights, "--epochs", "3", "--stream", code=1)
        self.assertSays(run, "broken.h5: input: row", "stores column 77777", "but columns run from 0 to 2999")
        self.assertEqual(self.digest(weights), before)
        with open(self.path("cut.h5"), "wb") as file:
            file.write(content[:len(content) // 2])
        run = self.snrt("train", "wide.plan", "cut.h5", "--resume", weights, "--epochs", "3", "--stream", code=1)
        self.assertSays(run, "cut.h5: is a damaged or truncated HDF5 file")
        self.assertEqual(self.digest(weights), before)


class ToTheDevice(commands.Commands):
    """What is streamed to a device with memory of its own (the emulator's) has the bytes of data on the device."""
    @classmethod
    def prepare(cls):
        cls.datagen("-o", "data.h5", "--rows", "12000", "--columns", "40", "--mean", "8", "--minimum", "4", "--seed", "1")
        cls.write("wide.json", NETWORK)
        cls.snc("compile", "wide.json", "-o", "wide.plan")

    def train(self, device, name, *more):
        run = self.run_program("snrt-emulated", "train", "wide.plan", "data.h5", "-o", name, "--epochs", 1, "--batch", 250, "--device", device, *more)
        return self.digest(name), run.stderr

    def test_the_same_bytes(self):
        whole, said = self.train("emulated", "whole.h5")
        self.assertIn("; data in memory", said)
        asked, said = self.train("emulated", "asked.h5", "--stream")
        self.assertIn("; data streamed from the file to the device, up to", said)
        self.assertEqual(asked, whole)
        needed, said = self.train("emulated-small", "needed.h5")
        self.assertIn("; data streamed from memory to the device, up to", said)
        self.assertIn("a batch: the device has free 256.0 KiB, and with the data there it would take", said)
        self.assertEqual(needed, whole)
        self.snrt("predict", "wide.plan", "whole.h5", "data.h5", "-o", "lists.tsv")
        rows = ",".join(line.split("\t")[0] for line in self.read("lists.tsv").decode().splitlines()[5::300])
        for more in ((), ("--exclude", "input")):
            lists = [self.run_program("snrt-emulated", "predict", "wide.plan", "whole.h5", "data.h5", "-o", "-", "--batch", 9, "--rows", rows,
                                      "--device", "emulated", *more, *stream).stdout for stream in ((), ("--stream",))]
            self.assertEqual(lists[0], lists[1])


if __name__ == "__main__":
    commands.main()
