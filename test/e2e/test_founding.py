#!/usr/bin/env python3
"""The two founding commands, exactly so; nothing is overwritten without --force; mistakes end in exit code 1 and say what is wrong."""
import os
import shutil

import commands


class Founding(commands.Commands):
    @classmethod
    def prepare(cls):
        shutil.copy(os.path.join(commands.EXAMPLES, "movielens/ae.json"), cls.folder)
        cls.datagen(*commands.SMALL, "-o", "data.h5")

    def test_1_compile_and_train(self):
        self.snc("compile", "ae.json", "-o", "ae.plan")
        self.snrt("train", "ae.plan", "data.h5")
        self.assertGreater(os.path.getsize(self.path("ae.weights.h5")), 300 * 128 * 4)

    def test_2_compile_keeps_an_existing_plan(self):
        before = self.write("kept.plan", "mine")
        self.assertSays(self.snc("compile", "ae.json", "-o", "kept.plan", code=1), "kept.plan", "--force")
        self.assertEqual(self.read(before), b"mine")
        self.snc("compile", "ae.json", "-o", "kept.plan", "--force")
        self.assertEqual(self.digest("kept.plan"), self.digest("ae.plan"))

    def test_3_train_keeps_existing_weights(self):
        before = self.digest("ae.weights.h5")
        self.assertSays(self.snrt("train", "ae.plan", "data.h5", code=1), "ae.weights.h5", "--force")
        self.assertEqual(self.digest("ae.weights.h5"), before)
        self.snrt("train", "ae.plan", "data.h5", "--epochs", 1, "--force")
        self.assertNotEqual(self.digest("ae.weights.h5"), before)

    def test_4_predict_keeps_an_existing_file(self):
        self.write("recs.tsv", "mine")
        self.assertSays(self.snrt("predict", "ae.plan", "ae.weights.h5", "data.h5", "-o", "recs.tsv", code=1), "recs.tsv", "--force")
        self.assertEqual(self.read("recs.tsv"), b"mine")

    def test_5_mistakes_are_located(self):
        text = self.read("ae.json").decode()
        self.write("typo.json", text.replace("Denoising", "Denoisng"))
        line = text[:text.index("Denoising")].count("\n") + 1
        self.assertSays(self.snc("compile", "typo.json", "-o", "typo.plan", code=1), f"typo.json:{line}:", "Denoisng", "Denoising")
        self.assertFalse(os.path.exists(self.path("typo.plan")))
        self.assertSays(self.snc("compile", "absent.json", "-o", "x.plan", code=1), "absent.json")
        self.assertSays(self.snrt("train", "ae.plan", "absent.h5", "-o", "w.h5", code=1), "absent.h5")
        self.write("text.h5", "this is no HDF5 file\n")
        self.assertSays(self.snrt("train", "ae.plan", "text.h5", "-o", "w.h5", code=1), "text.h5")
        self.snrt("nonsense", code=1)

    def test_6_help_shows_examples(self):
        for program, names in (("snc", ("compile", "explain")), ("snrt", ("import", "init", "train", "eval", "predict"))):
            for name in names:
                with self.subTest(command=f"{program} {name}"):
                    self.assertSays(self.run_program(program, name, "--help"), f"{program} {name}")


if __name__ == "__main__":
    commands.main()
