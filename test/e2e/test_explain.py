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

    def test_prediction(self):
        run = self.snc("explain", "ae.plan", "--device", "h200", "--batch", 1024)
        self.assertSays(run, "on one H200 SXM 141GB by its data sheet", "a prediction, nothing was measured", "138493 rows, 136 batches",
                        "bound by", "it fits")
        found = self.predict("h200", "--rows", 1000)
        train = found["entries"]["train"]
        self.assertEqual(train["pass"]["batches"], 1)
        self.assertAlmostEqual(sum(step["floor_seconds"] for step in train["steps"]), train["batch"]["floor_seconds"])
        for step in train["steps"]:  # the longer of moving and computing, never below either
            sheet = found["data_sheet"]
            self.assertGreaterEqual(step["floor_seconds"] * 1.0001, step["bytes"] / sheet["bytes_per_second"])
            self.assertEqual(step["precision"], "fp32")
            self.assertGreaterEqual(step["floor_seconds"] * 1.0001, step["flops"] / sheet["flops_per_second"]["fp32"])
            self.assertGreater(step["expected_seconds"], step["floor_seconds"])
        self.assertTrue(found["memory"]["fits"])

    def test_prediction_of_other_machines_and_sizes(self):
        seconds = [self.predict(name)["entries"]["train"]["batch"]["floor_seconds"] for name in ("h200", "a100", "t4")]
        self.assertEqual(seconds, sorted(seconds))
        wide = ("--size", "input=10000000:144", "--size", "output=10000000:144")
        self.assertFalse(self.predict("l4", *wide, "--optimizer", "Adam")["memory"]["fits"])
        self.assertTrue(self.predict("h200", *wide, "--optimizer", "Adam")["memory"]["fits"])

    def test_prediction_from_a_data_file(self):
        self.datagen(*commands.SMALL, "-o", "data.h5")
        self.assertEqual(self.predict("h200", "--data", "data.h5")["rows"], 300)
        self.assertSays(self.snc("explain", "ae.plan", "--data", "data.h5", "--device", "l4"), "on one L4 24GB")
        self.assertSays(self.snc("explain", "ae.plan", "--data", "data.h5", "--device", "l4", "--rows", 5, code=1),
                        "--rows gives a number that --data has: give one of the two")

    def test_predictions_that_cannot_be(self):
        self.assertSays(self.snc("explain", "ae.plan", "--device", "h300", code=1), "--device h300: explain knows the data sheets of", "h200")
        self.assertSays(self.snc("explain", "ae.plan", "--rows", 5, code=1), "--rows is for the prediction: name its GPU with --device")

    def predict(self, device, *arguments, plan="ae.plan"):
        return json.loads(self.snc("explain", plan, "--device", device, "--json", *arguments).stdout)["prediction"]

    def test_the_plan_says_the_precision(self):
        """Rates of products go by a step's precision, bytes by how its weights are stored; a device without the units computes in fp32."""
        sizes = ("--size", "input=1000000:144", "--size", "output=1000000:144")
        found, explained = {}, {}
        for precision in ("fp32", "tf32", "bf16"):
            self.snc("compile", self.network, "-o", f"{precision}.plan", "--precision", precision, "--arch", "none")
            found[precision] = self.predict("h200", *sizes, plan=f"{precision}.plan")
            explained[precision] = json.loads(self.snc("explain", f"{precision}.plan", "--json").stdout)
        wide = {precision: one["entries"]["train"]["steps"][1] for precision, one in found.items()}
        self.assertEqual([step["kernel"] for step in wide.values()], ["wide_output"] * 3)
        self.assertEqual({precision: step["precision"] for precision, step in wide.items()}, {name: name for name in found})
        self.assertEqual({step["flops"] for step in wide.values()}, {wide["fp32"]["flops"]})
        self.assertEqual(wide["fp32"]["bytes"], wide["tf32"]["bytes"])
        self.assertLess(wide["bf16"]["bytes"], 0.6 * wide["tf32"]["bytes"])
        self.assertLess(wide["tf32"]["floor_seconds"], wide["fp32"]["floor_seconds"])
        self.assertLess(wide["bf16"]["floor_seconds"], wide["tf32"]["floor_seconds"])
        self.assertEqual(found["bf16"]["entries"]["train"]["steps"][0]["precision"], "fp32")  # sums over stored entries
        self.assertLess(found["bf16"]["memory"]["parameters"], 0.51 * found["fp32"]["memory"]["parameters"])
        old = self.predict("t4", *sizes, plan="bf16.plan")
        self.assertEqual({step["precision"] for step in old["entries"]["train"]["steps"]}, {"fp32"})
        self.assertEqual(set(old["data_sheet"]["flops_per_second"]), {"fp32"})
        # How the products are computed on which devices.
        for precision, one in explained.items():
            steps = one["entries"]["train"]["steps"]
            self.assertEqual(steps[1]["precision"], precision)
            names = [variant["variant"] for variant in steps[1]["variants"]]
            self.assertLessEqual(len(names), 4)
            self.assertEqual(len(set(names)), len(names))
            self.assertEqual(steps[1]["variants"][-1]["devices"], "from sm_75")
            self.assertTrue(all(f"_{precision}_" in name for name in names[:-1]) or precision == "fp32", names)
            self.assertEqual([step["variants"] for step in steps if step["kernel"] in ("map", "column_reduce")], [[]] * 3)
        said = self.snc("explain", "tf32.plan")
        self.assertSays(said, "products, by the first of these that the device runs", "tf32    ", " from sm_80", ", ffma_64")
        said = self.snc("explain", "tf32.plan", "--device", "h200")
        self.assertSays(said, "67.0 Tflop/s in fp32, 494.5 Tflop/s in tf32", "precision")

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
