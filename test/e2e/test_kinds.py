#!/usr/bin/env python3
"""One plan trains on binary, analog and dense data, and learns the same from them: how a data set is stored is no matter of the plan."""
import json
import os

import commands


class Kinds(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen(*commands.SMALL, "-o", "data.h5")
        for kind in ("binary", "analog", "dense", "indexed-binary", "indexed-dense"):
            cls.run_program("sn-e2e-recast", "data.h5", kind, f"{kind}.h5")

    def losses(self, plan, kind):
        folder = self.path(f"{plan}-{kind}")
        os.mkdir(folder)
        self.snrt("train", f"{plan}.plan", f"{kind}.h5", "-o", f"{folder}/w.h5", "--epochs", 3, "--batch", 100)
        with open(f"{folder}/metrics.jsonl", encoding="utf-8") as file:
            return [row["training"] for row in map(json.loads, file) if row["kind"] == "epoch"]

    def test_kinds(self):
        for name in ("ae", "ae-tuned"):
            self.snc("compile", f"{commands.EXAMPLES}/movielens/{name}.json", "-o", f"{name}.plan")
            losses = {kind: self.losses(name, kind) for kind in ("binary", "analog", "dense")}
            self.assertEqual(len(losses["binary"]), 3)
            for kind in ("analog", "dense"):
                for loss, same in zip(losses[kind], losses["binary"], strict=True):
                    self.assertAlmostEqual(loss / same, 1, delta=1e-3, msg=f"{name}: {losses}")

    def test_indexed(self):
        """Data whose rows are stored in another order, with an index, are the same data."""
        self.snc("compile", f"{commands.EXAMPLES}/movielens/ae.json", "-o", "indexed.plan")
        for kind in ("binary", "dense"):
            self.assertEqual(self.losses("indexed", kind), self.losses("indexed", f"indexed-{kind}"), kind)
        weights = "indexed-binary/w.h5"
        said = []
        for name in ("binary.h5", "indexed-binary.h5"):
            self.snrt("predict", "indexed.plan", weights, name, "-o", f"{name}.tsv", "--exclude", "input")
            ranked = self.snrt("eval", "indexed.plan", weights, name, "--truth", name, "--baseline", "popularity,item-knn", "--at", "5,20").stdout
            said.append((self.read(f"{name}.tsv"), ranked, self.snrt("eval", "indexed.plan", weights, name).stdout))
        self.assertEqual(*said)
        dense = [self.snrt("eval", "indexed.plan", weights, "binary.h5", "--truth", f"{kind}.h5").stdout for kind in ("dense", "indexed-dense")]
        self.assertEqual(*dense)

    def test_a_wrong_width_is_an_error(self):
        self.datagen("--rows", 300, "--columns", 600, "--mean", 20, "--minimum", 5, "--seed", 1, "-o", "wide.h5")
        self.snc("compile", f"{commands.EXAMPLES}/movielens/ae.json", "-o", "narrow.plan")
        self.snrt("train", "narrow.plan", "data.h5", "-o", "narrow.h5", "--epochs", 1)
        self.assertSays(self.snrt("eval", "narrow.plan", "narrow.h5", "wide.h5", code=1), "wide.h5", "600", "500")


if __name__ == "__main__":
    commands.main()
