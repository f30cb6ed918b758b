#!/usr/bin/env python3
"""Text to recommendations by name: ratings CSV, lines of items, DSSTNE text; shared vocabularies; hold-out; rejects with line numbers."""
import random

import commands

NETWORK = """{"Version": 0.7, "Name": "Small", "Kind": "FeedForward", "ShuffleIndices": true,
 "Layers": [
  {"Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true},
  {"Name": "Hidden", "Kind": "Hidden", "Type": "FullyConnected", "N": 24, "Activation": "Tanh"},
  {"Name": "Output", "Kind": "Output", "Type": "FullyConnected", "DataSet": "output", "N": "auto", "Activation": "SoftMax", "Sparse": true}],
 "ErrorFunction": "CrossEntropy",
 "Training": {"Optimizer": "Adam", "Alpha": 0.01, "Lambda": 0, "Batch": 64, "Epochs": 15}}
"""


def interactions(users=200, items=60, tastes=4):
    """Each user likes items of one taste (item number modulo `tastes`) and, rarely, any other."""
    draw = random.Random(7)
    for user in range(users):
        taste = [i for i in range(items) if i % tastes == user % tastes]
        for item in sorted(set(draw.sample(taste, 9) + draw.sample(range(items), 1))):
            yield f"user{user}", f"item{item}"


class Import(commands.Commands):
    @classmethod
    def prepare(cls):
        pairs = list(interactions())
        cls.write("ratings.csv", "userId,movieId,rating,timestamp\n" + "".join(f"{u},{i},4.0,1112486027\n" for u, i in pairs))
        users = {}
        for user, item in pairs:
            users.setdefault(user, []).append(item)
        cls.users = users
        cls.write("lines.txt", "".join(" ".join([user, *items]) + "\n" for user, items in users.items()))
        cls.write("dsstne.txt", "".join(user + "\t" + ":".join(f"{item},1112486027" for item in items) + "\n" for user, items in users.items()))
        cls.write("net.json", NETWORK)
        cls.snc("compile", "net.json", "-o", "net.plan")

    def test_csv_the_whole_way(self):
        self.snrt("import", "ratings.csv", "-o", "data.h5", "--hold-out", ".2", "--seed", 1, "--test-output", "test.h5")
        self.snrt("train", "net.plan", "data.h5", "-o", "net.weights.h5")
        arguments = ("eval", "net.plan", "net.weights.h5", "data.h5", "--truth", "test.h5", "--exclude", "input", "--at", "10")
        said = self.snrt(*arguments, "--baseline", "popularity,item-knn").stdout
        for word in ("recall", "ndcg", "precision", "popularity", "item-knn"):
            self.assertIn(word, said.lower())
        self.snrt("predict", "net.plan", "net.weights.h5", "data.h5", "--top-k", 5, "--exclude", "input", "-o", "recs.tsv")
        self.check_recommendations("recs.tsv")

    def check_recommendations(self, name):
        """Most of what is recommended is of the user's taste: a quarter would be by chance."""
        hits = count = 0
        rows = [row.split("\t") for row in self.read(name).decode().splitlines()]
        self.assertEqual([row[0] for row in rows], list(self.users))
        for user, *rest in rows:
            for item in rest[::2]:
                hits += int(item.removeprefix("item")) % 4 == int(user.removeprefix("user")) % 4
                count += 1
        self.assertEqual(count, 5 * len(rows))
        self.assertGreater(hits / count, 0.6)

    def test_the_three_forms_hold_the_same(self):
        for name in ("ratings.csv", "lines.txt", "dsstne.txt"):
            stem = name.split(".")[0]
            self.snrt("import", name, "-o", f"{stem}.h5")
            self.snrt("train", "net.plan", f"{stem}.h5", "-o", f"{stem}.w.h5", "--epochs", 1)
        self.assertEqual(self.digest("ratings.w.h5"), self.digest("lines.w.h5"))
        self.assertEqual(self.digest("ratings.w.h5"), self.digest("dsstne.w.h5"))

    def test_timestamps_are_not_ratings(self):
        self.assertSays(self.snrt("import", "dsstne.txt", "-o", "said.h5"), "timestamp")

    def test_test_file_shares_the_vocabulary(self):
        self.write("later.txt", "user3 item7 item59 unheard\nuser999 item7\n")
        said = self.snrt("import", "lines.txt", "-o", "train.h5", "--test", "later.txt", "--test-output", "later.h5")
        self.assertSays(said, "unknown")

    def test_rejects_are_numbered(self):
        self.write("bad.csv", "userId,movieId,rating\nu1,i1,3\nu2\nu3,i3,4\n")
        arguments = ("import", "bad.csv", "-o", "bad.h5", "--format", "csv")
        self.assertSays(self.snrt(*arguments, code=1), "bad.csv:3: 1 columns instead of 3", "--max-rejects")
        self.assertSays(self.snrt(*arguments, "--max-rejects", 1), "bad.csv:3: 1 columns instead of 3")
        self.write("empty.csv", "")
        self.assertSays(self.snrt("import", "empty.csv", "-o", "empty.h5", code=1), "empty.csv")
        self.assertSays(self.snrt("import", "absent.csv", "-o", "absent.h5", code=1), "absent.csv")


if __name__ == "__main__":
    commands.main()
