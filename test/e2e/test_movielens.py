#!/usr/bin/env python3
"""1,024 users of MovieLens-20M: import DSSTNE text, train, recommend by name."""
import commands


class MovieLens(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.unpack(f"{commands.shared_data('movielens-1024')}/input.txt.gz", "ml.txt")

    def test_import_train_predict(self):
        self.snrt("import", "ml.txt", "-o", "ml.h5", "--hold-out", ".2", "--seed", 1, "--test-output", "test.h5")
        self.snc("compile", f"{commands.EXAMPLES}/movielens/ae-tuned.json", "-o", "ml.plan")
        self.snrt("train", "ml.plan", "ml.h5", "-o", "ml.weights.h5", "--epochs", 10, "--batch", 128)
        self.snrt("predict", "ml.plan", "ml.weights.h5", "ml.h5", "--top-k", 10, "--exclude", "input", "-o", "recs.tsv")
        known = {}
        for line in self.read("ml.txt").decode().splitlines():
            user, _, rest = line.partition("\t")
            known[user] = {field.split(",")[0] for field in rest.split(":") if field}
        items = set().union(*known.values())
        rows = [row.split("\t") for row in self.read("recs.tsv").decode().splitlines()]
        self.assertEqual({row[0] for row in rows}, set(known))
        for user, *rest in rows:
            self.assertEqual(len(rest), 20)
            self.assertLessEqual(set(rest[::2]), items)
        self.assertGreater(len({item for row in rows for item in row[1::2]}), 10, "everybody gets the same ten")


if __name__ == "__main__":
    commands.main()
