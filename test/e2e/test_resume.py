#!/usr/bin/env python3
"""Nothing lost: training that was interrupted, resumed, killed or checkpointed ends with the bytes and the metrics of a run that never stopped."""
import json
import os
import random
import signal
import subprocess
import time

import commands

# Everything that draws random numbers or counts steps: dropout, denoising, shuffling, a schedule over steps and epochs.
NETWORK = """{ "Name": "all", "Denoising": { "p": 0.2 }, "ErrorFunction": "CrossEntropy",
  "Training": { "Optimizer": "Adam", "Alpha": 0.01, "Schedule": "Cosine" },
  "Layers": [ { "Kind": "Input", "Name": "Input", "N": "auto", "DataSet": "input", "Sparse": true },
              { "Kind": "Hidden", "Name": "Hidden", "N": 32, "Activation": "Relu", "pDropout": 0.3 },
              { "Kind": "Output", "Name": "Output", "N": "auto", "DataSet": "output", "Activation": "Sigmoid", "Sparse": true } ] }
"""
OPTIMIZERS = ("SGD", "Momentum", "Nesterov", "RMSProp", "Adam")
KILLS, SEED = 50, 20


def usual_signals():
    """A shell may have started the tests with SIGINT ignored, which programs keep."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Resume(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen("--rows", 1200, "--columns", 2000, "--mean", 15, "--minimum", 5, "--seed", 1, "-o", "data.h5")
        cls.write("all.json", NETWORK)
        cls.write("steps.json", NETWORK.replace('"Cosine"', '"InverseTime"'))  # counts steps, and not how many there will be
        for name in ("all", "steps"):
            cls.snc("compile", f"{name}.json", "-o", f"{name}.plan")

    def place(self, name):
        """A folder of its own, for the metrics file beside the weights."""
        os.makedirs(self.path(name), exist_ok=True)
        return f"{name}/w.h5"

    def start(self, *arguments, plan="all.plan"):
        """snrt train --json on its way."""
        command = [os.path.join(commands.BIN, "snrt"), "train", plan, "data.h5", "--json", *map(str, arguments)]
        return subprocess.Popen(command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, preexec_fn=usual_signals)

    def until(self, process, kind, count=1):
        """Reads lines of the run until `count` of the kind have come; the last of them."""
        while count:
            line = process.stdout.readline()
            self.assertTrue(line, f"the run ended early: {process.stderr.read()}" if not line else "")
            found = json.loads(line)
            count -= found["kind"] == kind
        return found

    def stopped(self, process, number=signal.SIGINT):
        """Sends a signal; what the program says, its exit status checked."""
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 128 + number, err)
        end = json.loads(out.splitlines()[-1])
        self.assertEqual((end["kind"], end["reason"]), ("end", "interrupted"))
        return end, err

    def epochs(self, weights):
        """Epoch lines of the metrics; of an epoch that appears twice the last one. What a clock says is left out."""
        found = {}
        with open(os.path.join(os.path.dirname(self.path(weights)), "metrics.jsonl"), encoding="utf-8") as file:
            for line in map(json.loads, file):
                if line["kind"] == "epoch":
                    found[line["epoch"]] = {k: v for k, v in line.items() if k not in ("seconds", "examples_per_second")}
        return found

    def assertSame(self, weights, whole):
        self.assertEqual(self.digest(weights), self.digest(whole))
        self.assertEqual(self.epochs(weights), self.epochs(whole))

    def assertClean(self, weights):
        folder = os.path.dirname(self.path(weights))
        self.assertEqual(sorted(os.listdir(folder)), ["metrics.jsonl", "w.h5"])

    def test_every_optimizer_goes_on_from_inside_an_epoch(self):
        for optimizer in OPTIMIZERS:
            with self.subTest(optimizer=optimizer):
                common = ("--epochs", 8, "--batch", 16, "--optimizer", optimizer, "--alpha", 0.005)
                whole, weights = self.place(f"whole-{optimizer}"), self.place(f"part-{optimizer}")
                self.snrt("train", "all.plan", "data.h5", "-o", whole, *common, "--validation", "data.h5")
                run = self.start("-o", weights, *common, "--validation", "data.h5", "--threads", 1)
                self.until(run, "epoch")
                self.until(run, "batches", 20)
                end, said = self.stopped(run)
                self.assertGreater(end["example"], 0)
                self.assertIn(f"interrupted after step {end['step']}", said)
                self.assertIn(f"snrt train all.plan data.h5 --resume {weights} --validation data.h5", said)
                self.assertEqual(end["resume"], f"snrt train all.plan data.h5 --resume {weights} --validation data.h5")
                # As printed, word for word.
                again = self.snrt(*end["resume"].split()[1:])
                self.assertSays(again, f"resumed after step {end['step']}: epoch {end['epoch'] + 1}, example {end['example']}")
                self.assertSame(weights, whole)
                self.assertClean(weights)

    def test_no_signal_interrupts_a_product(self):
        """oneDNN's AVX-512 product has its stack pointer in the heap, where the frame of a handler would land: no signal
        is caught, and those that save are blocked in every thread (a thread of its own waits for them)."""
        run = self.start("-o", self.place("caught"), "--epochs", 10 ** 6, "--batch", 16, "--threads", 3)
        self.until(run, "batches")
        saving = sum(1 << (number - 1) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        open_to_them = []
        try:
            tasks = os.listdir(f"/proc/{run.pid}/task")
            for task in tasks:
                with open(f"/proc/{run.pid}/task/{task}/status", encoding="ascii") as file:
                    masks = {k: int(v, 16) for k, v in (line.split(":") for line in file if line.startswith(("SigBlk", "SigCgt")))}
                self.assertEqual(masks["SigCgt"] & 0x7fffffff, 0, task)  # the C library's own are beyond
                open_to_them += [task] * (masks["SigBlk"] & saving != saving)
        finally:
            self.stopped(run)
        self.assertGreaterEqual(len(tasks), 4)
        self.assertEqual(len(open_to_them), 1, "the one that waits for them")
        self.assertNotEqual(open_to_them[0], str(run.pid))

    def test_fifty_kills(self):
        numbers = random.Random(SEED)
        knobs = ("--batch", 16, "--optimizer", "RMSProp", "--alpha", 0.0001)
        weights, steps, torn = self.place("killed"), [], 0
        for kill in range(KILLS):
            begin = ("--resume", weights) if os.path.exists(self.path(weights)) else ("-o", weights, *knobs, "--epochs", 10 ** 6)
            run = self.start(*begin, "--checkpoint-every", "0.0005s", plan="steps.plan")
            try:
                if kill % 5:  # while it trains and saves; else wherever it is, the start included
                    steps.append(self.until(run, "run").get("resumed", {"step": 0})["step"])
                time.sleep(numbers.uniform(0, 0.12))
            finally:
                run.kill()
                run.communicate()
            torn += any(".tmp" in name for name in os.listdir(self.path("killed")))
        self.assertGreater(torn, 5, "kills met checkpoints being written")
        self.assertEqual(steps, sorted(steps), "no checkpoint was lost")
        self.assertGreater(len(set(steps)), 5, "the kills met training")
        # The way to the end, and the same way without a stop.
        run = self.start("--resume", weights, plan="steps.plan")
        epochs = self.until(run, "run")["resumed"]["epoch"] + 2
        self.stopped(run)
        whole = self.place("never-killed")
        self.snrt("train", "steps.plan", "data.h5", "--resume", weights, "--epochs", epochs)
        self.snrt("train", "steps.plan", "data.h5", "-o", whole, *knobs, "--epochs", epochs)
        self.assertSame(weights, whole)
        self.assertClean(weights)

    def test_checkpoints_do_not_change_the_result(self):
        common = ("--epochs", 4, "--batch", 64)
        whole, weights = self.place("plain"), self.place("often")
        self.snrt("train", "all.plan", "data.h5", "-o", whole, *common)
        run = self.snrt("train", "all.plan", "data.h5", "-o", weights, *common, "--checkpoint-every", 1, "--json")
        lines = list(map(json.loads, run.stdout.splitlines()))
        found = [(line["epoch"], line["example"]) for line in lines if line["kind"] == "checkpoint"]
        self.assertEqual(found, [(1, 0), (2, 0), (3, 0), (4, 0)])
        self.assertSame(weights, whole)
        self.assertClean(weights)

    def test_more_epochs_after_the_end(self):
        weights, whole = self.place("longer"), self.place("long")
        self.snrt("train", "steps.plan", "data.h5", "-o", weights, "--epochs", 2)
        before = self.read(weights)
        self.assertSays(self.snrt("train", "steps.plan", "data.h5", "--resume", weights), "has finished its 2 epochs", "--epochs 4 goes on")
        self.assertEqual(self.read(weights), before)
        self.snrt("train", "steps.plan", "data.h5", "--resume", weights, "--epochs", 4)
        self.snrt("train", "steps.plan", "data.h5", "-o", whole, "--epochs", 4)
        self.assertSame(weights, whole)

    def test_a_copy_is_resumed_elsewhere(self):
        weights, copy = self.place("first"), self.place("second")
        self.snrt("train", "all.plan", "data.h5", "-o", weights, "--epochs", 2)
        before = self.read(weights)
        self.snrt("train", "all.plan", "data.h5", "--resume", weights, "-o", copy, "--epochs", 3)
        self.assertEqual(self.read(weights), before)
        self.assertSays(self.snrt("train", "all.plan", "data.h5", "--resume", weights, "-o", copy, "--epochs", 3, code=1), "exists")

    def test_other_networks_and_data_are_refused(self):
        weights = self.place("other")
        run = self.start("-o", weights, "--epochs", 1000, "--batch", 16)
        self.until(run, "batches", 3)
        self.stopped(run)
        before = self.read(weights)
        self.write("tanh.json", NETWORK.replace('"Relu"', '"Tanh"'))
        self.snc("compile", "tanh.json", "-o", "tanh.plan")
        self.assertSays(self.snrt("train", "tanh.plan", "data.h5", "--resume", weights, "-o", "x.h5", code=1), "Tanh", "Relu", weights)
        tuned = self.snrt("train", "tanh.plan", "data.h5", "--from", weights, "-o", "x.h5", "--epochs", 1)  # takes the parameters alone
        self.assertSays(tuned, "Tanh", "Relu", weights, "its parameters are taken as they are")
        self.datagen("--rows", 1201, "--columns", 2000, "--mean", 15, "--minimum", 5, "--seed", 1, "-o", "more.h5")
        self.assertSays(self.snrt("train", "all.plan", "more.h5", "--resume", weights, code=1), "stopped inside an epoch of 1200 examples", "1201")
        self.assertSays(self.snrt("train", "all.plan", "data.h5", "--resume", weights, "--batch", 17, code=1), "--batch 17", "began with 16")
        self.snrt("init", "all.plan", "data.h5", "-o", "untrained.h5")
        self.assertSays(self.snrt("train", "all.plan", "data.h5", "--resume", "untrained.h5", code=1), "untrained", "--from untrained.h5")
        self.assertSays(self.snrt("train", "all.plan", "data.h5", "--resume", weights, "--from", weights, code=1), "--resume", "--from")
        self.assertEqual(self.read(weights), before)
        self.assertClean(weights)


if __name__ == "__main__":
    commands.main()
