#!/usr/bin/env python3
"""Book recommendations on real data: recall@20 of at least 0.13, and at least item-kNN's, on interactions held out by the data set's authors.
Takes minutes."""
import glob

import commands


class AmazonBook(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.source = commands.shared_data("amazon-book")

    def test_recall(self):
        self.snrt("import", f"{self.source}/train.txt", "-o", "book.h5", "--test", f"{self.source}/test.txt", "--test-output", "book-test.h5")
        networks = glob.glob(f"{commands.EXAMPLES}/amazon-book/*.json")
        self.assertEqual(len(networks), 1)
        self.snc("compile", networks[0], "-o", "book.plan")
        self.snrt("train", "book.plan", "book.h5", "-o", "book.weights.h5")
        found = self.json("eval", "book.plan", "book.weights.h5", "book.h5", "--truth", "book-test.h5", "--exclude", "input", "--at", "20",
                          "--baseline", "popularity,item-knn")
        print(found)
        recall = {row["name"]: row["recall"] for row in found["results"] if row["at"] == 20}
        self.assertGreaterEqual(recall["network"], 0.13)
        self.assertGreaterEqual(recall["network"], recall["item-knn"])
        self.assertAlmostEqual(recall["popularity"], 0.029, delta=0.005)


if __name__ == "__main__":
    commands.main()
