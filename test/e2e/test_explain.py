#!/usr/bin/env python3
"""`snc explain` shows the kernels, what was fused and why, bytes and flops; the plan opens with ordinary tools."""
import json
import zipfile

import archive
import commands


class Explain(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.network = f"{commands.EXAMPLES}/movielens/ae.json"
        cls.snc("compile", cls.network, "-o", "ae.plan")

    def test_kernels(self):
        said = self.snc("explain", "ae.plan").stdout
        for word in ("train", "evaluate", "predict", "csr_gather", "wide_output", "csc_update", "wide_topk", "flop", "bytes", "fus"):
            self.assertIn(word, said.lower())

    def test_json(self):
        self.assertIn("csr_gather", str(json.loads(self.snc("explain", "ae.plan", "--json").stdout)))

    def test_schedules_are_explained(self):
        said = {}
        for schedule in ("single", "recompute", "unfused"):
            self.snc("compile", self.network, "-o", f"{schedule}.plan", f"--schedule={schedule}")
            said[schedule] = self.snc("explain", f"{schedule}.plan").stdout
        self.assertEqual(len(set(said.values())), 3)

    def test_ordinary_tools_read_a_plan(self):
        with zipfile.ZipFile(self.path("ae.plan")) as plan:
            self.assertIsNone(plan.testzip())
            with open(self.network, encoding="utf-8") as file:
                self.assertEqual(plan.read("network.json").decode(), file.read())
        entries = archive.unpack(self.read("ae.plan"))
        for level in ("x86-64-v2", "x86-64-v3", "x86-64-v4"):
            self.assertEqual(entries[f"cpu/{level}.so"][:4], b"\x7fELF")
        self.assertEqual(json.loads(entries["plan.json"])["network"], "AE")


if __name__ == "__main__":
    commands.main()
