#!/usr/bin/env python3
"""Signals, two writers, places that cannot be written and weights that cannot be kept: what was saved stays whole."""
import json
import os
import signal
import subprocess
import time

import commands
from test_resume import usual_signals


class Interrupt(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen("--rows", 1200, "--columns", 2000, "--mean", 15, "--minimum", 5, "--seed", 1, "-o", "data.h5")
        cls.datagen("--rows", 30000, "--columns", 2000, "--mean", 40, "--minimum", 5, "--seed", 2, "--no-names", "-o", "large.h5")
        cls.snc("compile", f"{commands.EXAMPLES}/movielens/ae.json", "-o", "ae.plan")

    def start(self, *arguments):
        command = [os.path.join(commands.BIN, "snrt"), "train", "ae.plan", "data.h5", "--json", *map(str, arguments)]
        return subprocess.Popen(command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, preexec_fn=usual_signals)

    def until(self, process, kind):
        for line in process.stdout:
            if json.loads(line)["kind"] == kind:
                return json.loads(line)
        self.fail(process.stderr.read())

    def place(self, name):
        os.mkdir(self.path(name))
        return f"{name}/w.h5"

    def test_each_signal_has_its_status(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                weights = self.place(number.name)
                run = self.start("-o", weights, "--epochs", 100000, "--batch", 16)
                self.until(run, "batches")
                run.send_signal(number)
                out, err = run.communicate(timeout=60)
                self.assertEqual(run.returncode, 128 + number)
                self.assertIn("finishing the step and saving; once more ends at once", err)
                self.assertIn(f"--resume {weights}", err)
                self.assertEqual(sorted(os.listdir(self.path(number.name))), ["metrics.jsonl", "w.h5"])
                self.assertEqual(json.loads(out.splitlines()[-1])["reason"], "interrupted")

    def test_before_training_it_just_ends(self):
        weights = self.place("early")
        for delay in (0, 0.01, 0.03):
            run = self.start("-o", weights, "--epochs", 1, "--batch", 16)
            time.sleep(delay)
            run.send_signal(signal.SIGTERM)
            run.communicate(timeout=60)
            self.assertIn(run.returncode, (-signal.SIGTERM, 128 + signal.SIGTERM))
            for name in os.listdir(self.path("early")):
                self.assertIn(name, ("metrics.jsonl", "w.h5"), "no lock, no temporary file")
                if name == "w.h5":
                    os.remove(self.path(weights))

    def test_during_validation(self):
        weights, whole = self.place("validation"), self.place("validated")
        common = ("--epochs", 2, "--batch", 16, "--validation", "large.h5")
        run = self.start("-o", weights, *common)
        while self.until(run, "batches")["examples"] < 1200:
            pass
        time.sleep(0.05)  # the epoch's steps are done; 1,875 batches of validation follow
        begin = time.monotonic()
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, err)
        self.assertLess(time.monotonic() - begin, 5)
        end = json.loads(out.splitlines()[-1])
        self.assertEqual((end["epoch"], end["example"]), (0, 1200))
        self.assertNotIn('"kind":"epoch"', out)
        self.snrt("train", "ae.plan", "data.h5", "--resume", weights, "--validation", "large.h5")
        self.snrt("train", "ae.plan", "data.h5", "-o", whole, *common)
        self.assertEqual(self.digest(weights), self.digest(whole))
        for name in ("validation", "validated"):
            with open(self.path(f"{name}/metrics.jsonl"), encoding="utf-8") as file:
                found = [line["validation"] for line in map(json.loads, file) if line["kind"] == "epoch"]
            self.assertEqual(len(found), 2)
            expected = found if name == "validation" else expected
            self.assertEqual(found, expected)

    def test_a_second_signal_ends_at_once(self):
        weights = self.place("twice")
        run = self.start("-o", weights, "--epochs", 100000, "--batch", 16, "--checkpoint-every", "0.01s")
        self.until(run, "checkpoint")
        run.send_signal(signal.SIGINT)
        while "once more" not in run.stderr.readline():
            pass
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        self.assertIn(run.returncode, (-signal.SIGINT, 130))
        self.assertFalse(os.path.exists(self.path("twice/w.h5.lock")))
        self.assertIn("loss", self.json("eval", "ae.plan", weights, "data.h5"))

    def test_two_writers(self):
        weights = self.place("two")
        run = self.start("-o", weights, "--epochs", 100000, "--batch", 16, "--checkpoint-every", "0.01s")
        self.until(run, "checkpoint")
        for arguments in (("-o", weights, "--force"), ("--resume", weights)):
            self.assertSays(self.snrt("train", "ae.plan", "data.h5", *arguments, code=1), f"another snrt (process {run.pid}) is writing it")
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130)

    def test_a_checkpoint_that_fails_does_not_end_training(self):
        weights, whole = self.place("gone"), self.place("there")
        common = ("--epochs", 40, "--batch", 64, "--alpha", 0.001)
        self.snrt("train", "ae.plan", "data.h5", "-o", whole, *common)
        run = self.start("-o", weights, *common, "--checkpoint-every", "0.02s")
        self.until(run, "checkpoint")
        os.rename(self.path("gone"), self.path("away"))
        while "training goes on" not in (line := run.stderr.readline()):
            self.assertTrue(line, "no failure was said")
        self.assertIn("no checkpoint after step", line)
        os.rename(self.path("away"), self.path("gone"))
        _, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, err)
        self.assertEqual(self.digest(weights), self.digest(whole))

    def test_divergence_keeps_the_last_checkpoint(self):
        weights = self.place("diverged")
        run = self.snrt("train", "ae.plan", "data.h5", "-o", weights, "--epochs", 5, "--batch", 1200, "--alpha", 1e38, code=1)
        self.assertSays(run, "training has diverged", "epoch 1", "--alpha", "--optimizer", "No weights were written")
        self.assertEqual(os.listdir(self.path("diverged")), ["metrics.jsonl"])
        self.snrt("train", "ae.plan", "data.h5", "-o", weights, "--epochs", 1, "--batch", 1200)
        before = self.read(weights)
        run = self.snrt("train", "ae.plan", "data.h5", "--resume", weights, "--epochs", 5, "--alpha", 1e38, code=1)
        self.assertSays(run, "has diverged", f"'{weights}' is as it was")
        self.assertEqual(self.read(weights), before)
        with open(self.path("diverged/metrics.jsonl"), encoding="utf-8") as file:
            end = [json.loads(line) for line in file][-1]
        self.assertEqual((end["kind"], end["reason"], end["weights"]), ("end", "diverged", None))
        self.assertIn("has diverged", end["message"])

    def test_infinite_weights_behind_a_finite_loss(self):
        # One step: its loss is measured before the update that spoils the weights.
        weights = self.place("infinite")
        run = self.snrt("train", "ae.plan", "data.h5", "-o", weights, "--epochs", 1, "--batch", 1200, "--alpha", 1e300, code=1)
        self.assertSays(run, "has diverged by step 1 (epoch 1)", "holds numbers that are infinite or not numbers", "weights")
        self.assertEqual(os.listdir(self.path("infinite")), ["metrics.jsonl"])

    def test_early_refusals(self):
        self.assertSays(self.snrt("train", "ae.plan", "data.h5", "--checkpoint-every", "10x", code=1), "--checkpoint-every 10x", "30s, 10m, 1.5h")
        self.assertSays(self.snrt("train", "ae.plan", "data.h5", "-o", "data.h5", "--force", code=1), "data.h5", "overwrite what is read")
        self.assertSays(self.snrt("train", "ae.plan", "data.h5", "--resume", "none.h5", code=1), "none.h5")
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith(".lock")], [])


if __name__ == "__main__":
    commands.main()
