#!/usr/bin/env python3
"""Equal runs give equal bytes: weights with 1, 2, 3 and 5 threads and run to run, plans compile to compile, data sets by seed."""
import commands

# Wide and odd enough that lanes hold several tiles and the last ones are ragged.
SHAPE = ("--rows", "517", "--columns", "9001", "--mean", "25", "--minimum", "5", "--seed", "1")


class Determinism(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen(*SHAPE, "-o", "data.h5")

    def trained(self, plan, stem, threads):
        name = f"{stem}-{threads}.h5"
        self.snrt("train", plan, "data.h5", "-o", name, "--epochs", 2, "--batch", 128, "--threads", threads, "--force")
        return self.digest(name)

    def test_threads(self):
        for number, network in enumerate(commands.examples()):
            with self.subTest(example=network):
                plan = f"n{number}.plan"
                self.snc("compile", f"{commands.EXAMPLES}/{network}", "-o", plan)
                digests = {threads: self.trained(plan, f"n{number}", threads) for threads in (1, 2, 3, 5)}
                self.assertEqual(len(set(digests.values())), 1, digests)
                self.assertEqual(self.trained(plan, f"n{number}", 2), digests[2], "run to run")

    def test_seeds_matter(self):
        network = f"{commands.EXAMPLES}/movielens/ae.json"
        self.snc("compile", network, "-o", "a.plan")
        for seed in (1, 2):
            self.snrt("train", "a.plan", "data.h5", "-o", f"seed{seed}.h5", "--epochs", 1, "--seed", seed)
        self.assertNotEqual(self.digest("seed1.h5"), self.digest("seed2.h5"))
        self.snc("compile", network, "-o", "b.plan")
        self.assertEqual(self.digest("a.plan"), self.digest("b.plan"))

    def test_generated_data(self):
        self.datagen(*SHAPE, "-o", "again.h5")
        self.assertEqual(self.digest("again.h5"), self.digest("data.h5"))


if __name__ == "__main__":
    commands.main()
