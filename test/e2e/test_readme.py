#!/usr/bin/env python3
"""The README does what it says: its commands run as they stand there, in their order, and the network it shows is the example's."""
import os
import re
import shlex

import commands
from test_import import interactions


def readme():
    with open(os.path.join(commands.ROOT, "README.md"), encoding="utf-8") as file:
        return file.read()


def block(text, heading):
    """The first code block below a heading."""
    return re.search(rf"^## {heading}$.*?^```\w*\n(.*?)^```$", text, re.M | re.S)[1]


class Readme(commands.Commands):
    @classmethod
    def prepare(cls):
        os.symlink(commands.EXAMPLES, cls.path("examples"))
        cls.write("ratings.csv", "userId,movieId,rating,timestamp\n" + "".join(f"{u},{i},4.0,1112486027\n" for u, i in interactions()))

    def test_own_data(self):
        lines = [shlex.split(line, comments=True) for line in block(readme(), "Your own data").splitlines()]
        expected = ["import", "compile", "explain", "train", "eval", "predict", "report"]
        self.assertEqual([line[1] for line in lines if line[1] in expected], expected)
        said = {line[1]: self.run_program(*line).stdout for line in lines}
        for word in ("network", "popularity", "item-knn", "recall@20", "recall@100"):
            self.assertIn(word, said["eval"])
        self.assertIn("an epoch takes about", said["explain"])
        self.assertIn(b"</html>", self.read("report.html"))
        self.assertEqual(len(self.read("recs.tsv").decode().splitlines()), 200)

    def test_the_two_founding_commands(self):
        self.assertIn("\nsnc compile ae.json -o ae.plan\nsnrt train ae.plan data.h5\n", readme())  # e2e.founding runs them

    def test_the_network_shown_is_the_example(self):
        with open(os.path.join(commands.EXAMPLES, "movielens/ae.json"), encoding="utf-8") as file:
            self.assertEqual(re.search(r"```json\n(.*?)```", readme(), re.S)[1], file.read())

    def test_scripts_and_pages_named_are_there(self):
        names = set(re.findall(r"(?:tools|docs|examples|dialects|runtime|bench|test)/[\w./-]+\w|[A-Z]+\.md", readme()))
        self.assertIn("tools/demo", names)
        for name in names:
            self.assertTrue(os.path.exists(os.path.join(commands.ROOT, name)), name)


if __name__ == "__main__":
    commands.main()
