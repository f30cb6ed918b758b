#!/usr/bin/env python3
"""A plan that lacks a slot, or is damaged, truncated, newer or no plan at all, is refused by name, and nothing is written."""
import json
import os

import archive
import commands


class Damage(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen(*commands.SMALL, "-o", "data.h5")
        cls.snc("compile", f"{commands.EXAMPLES}/movielens/ae.json", "-o", "good.plan")
        cls.good = cls.read("good.plan")

    def refused(self, data, *words):
        with open(self.path("bad.plan"), "wb") as file:
            file.write(data)
        for command in (("train", "bad.plan", "data.h5", "-o", "w.h5"), ("init", "bad.plan", "data.h5", "-o", "w.h5")):
            self.assertSays(self.snrt(*command, code=1), "plan", *words)
        self.assertFalse(os.path.exists(self.path("w.h5")))

    def steps(self, plan, entry):
        return next(e for e in plan["entries"] if e["name"] == entry)["steps"]

    def test_packing_again_changes_nothing_that_matters(self):
        with open(self.path("same.plan"), "wb") as file:
            file.write(archive.edited(self.good, lambda plan: None))
        for plan in ("good", "same"):
            self.snrt("train", f"{plan}.plan", "data.h5", "-o", f"{plan}.h5", "--epochs", 1)
        self.assertEqual(self.digest("same.h5"), self.digest("good.h5"))

    def test_each_slot_of_training_is_needed(self):
        plan = json.loads(archive.unpack(self.good)["plan.json"])
        slots = [(number, name) for number, step in enumerate(self.steps(plan, "train")) for name in step.get("slots", {})]
        self.assertGreaterEqual(len(slots), 3)
        for number, name in slots:
            with self.subTest(step=number, slot=name):
                def remove(plan):
                    del self.steps(plan, "train")[number]["slots"][name]
                self.refused(archive.edited(self.good, remove), "bad.plan", "train", "slot")

    def test_each_function_is_needed_in_the_object(self):
        entries = archive.unpack(self.good)
        plan = json.loads(entries["plan.json"])
        used = {use["function"] for step in self.steps(plan, "train") for use in step.get("slots", {}).values()}
        self.assertTrue(used)
        for function in sorted(used):
            with self.subTest(function=function):
                name = function.encode() + b"\0"
                renamed = {n: c.replace(name, b"#" + name[1:]) if n.startswith("cpu/") else c for n, c in entries.items()}
                self.assertNotEqual(renamed, entries)
                self.refused(archive.pack(renamed), function)

    def test_objects_are_needed(self):
        entries = archive.unpack(self.good)
        self.refused(archive.pack({n: c for n, c in entries.items() if not n.startswith("cpu/")}), "cpu")

    def test_damaged_files(self):
        middle = len(self.good) // 2
        flipped = self.good[:middle] + bytes([self.good[middle] ^ 1]) + self.good[middle + 1:]
        self.refused(flipped, "bad.plan", "damaged")
        self.refused(self.good[:-1000], "bad.plan", "truncated")
        self.refused(b"", "bad.plan", "no plan")
        self.refused(b'{"Version": 0.7}\n', "bad.plan", "no plan")

    def test_newer_plan(self):
        self.refused(archive.edited(self.good, lambda plan: plan.update(schema=plan["schema"] + 1)), "bad.plan", "schema")


if __name__ == "__main__":
    commands.main()
