#!/usr/bin/env python3
"""Every network below examples/ compiles, explains itself, trains on small data, evaluates and predicts."""
import commands


class Examples(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen(*commands.SMALL, "-o", "data.h5", "--hold-out", ".2", "--test-output", "test.h5")

    def test_examples(self):
        names = commands.examples()
        self.assertGreaterEqual(len(names), 3)
        for number, name in enumerate(names):
            with self.subTest(example=name):
                self.whole_way(f"{commands.EXAMPLES}/{name}", f"n{number}")

    def whole_way(self, network, stem):
        plan, weights = f"{stem}.plan", f"{stem}.weights.h5"
        self.snc("compile", network, "-o", plan)
        self.assertSays(self.snc("explain", plan), "csr_gather", "wide_", "flop", "bytes")
        self.snrt("train", plan, "data.h5", "-o", weights, "--epochs", 2)
        metrics = self.json("eval", plan, weights, "data.h5", "--truth", "test.h5", "--exclude", "input", "--at", "10")
        self.assertIn("recall", str(metrics))
        self.snrt("predict", plan, weights, "data.h5", "--top-k", 10, "--exclude", "input", "-o", f"{stem}.tsv")
        rows = self.read(f"{stem}.tsv").decode().splitlines()
        self.assertEqual(len(rows), 300)
        for row in rows:
            fields = row.split("\t")
            self.assertEqual(len(fields), 21, row)  # name, then ten times item and score
            scores = [float(score) for score in fields[2::2]]
            self.assertEqual(scores, sorted(scores, reverse=True))
            self.assertEqual(len(set(fields[1::2])), 10)


if __name__ == "__main__":
    commands.main()
