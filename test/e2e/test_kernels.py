"""snc compile --arch: CUDA kernels compiled into the plan, and what snc says where that cannot be."""
import json
import os
import unittest
import zipfile

import commands

NETWORK = "net.json"


class Kernels(commands.Commands):
    @classmethod
    def prepare(cls):
        os.environ.pop("SNC_ARCH", None)
        with open(os.path.join(commands.EXAMPLES, "movielens", "ae.json"), encoding="utf-8") as file:
            network = json.load(file)
        network.setdefault("Training", {})["Batch"] = 32  # small tiles, which are compiled sooner
        cls.write(NETWORK, json.dumps(network))
        cls.snc("compile", NETWORK, "-o", "text.plan", "--arch", "none")
        found = cls.snc("compile", NETWORK, "-o", "ptx.plan", "--json")
        if not json.loads(found.stdout)["architectures"]:
            raise unittest.SkipTest("no NVRTC on this machine")
        cls.compiled = json.loads(cls.snc("compile", NETWORK, "-o", "both.plan", "--precision", "tf32", "--arch", "sm_75,80", "--json").stdout)

    @classmethod
    def entries(cls, plan):
        with zipfile.ZipFile(cls.path(plan)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def test_a_plan_holds_what_was_asked_for(self):
        self.assertEqual(self.compiled["architectures"], ["sm_75", "sm_80", "compute_75", "compute_80"])
        entries = self.entries("both.plan")
        manifest = json.loads(entries["cuda/manifest.json"])
        tensor = {kernel for kernel, variant in manifest["variants"].items() if variant.startswith("mma_tf32_")}
        plain = {kernel for kernel, variant in manifest["variants"].items() if variant.startswith("ffma_")}
        others = set(manifest["names"]) - set(manifest["variants"]) | {"common"}
        self.assertTrue(tensor and plain)
        # Of a step's kernels each architecture has the one that its devices take; PTX has each once.
        kernels = {"sm_75": others | plain, "sm_80": others | tensor, "compute_75": others | plain, "compute_80": tensor}
        for architecture in self.compiled["architectures"]:
            images = [image for image in manifest["images"] if image["architecture"] == architecture]
            self.assertEqual({image["kernel"] for image in images}, kernels[architecture], architecture)
            ptx = architecture.startswith("compute_")
            for image in images:
                content = entries[image["entry"]]
                self.assertTrue(content.startswith(b"//" if ptx else b"\x7fELF"), image["entry"])
                self.assertTrue(image["names"])
                for function in image["names"].values():
                    self.assertIn(function.encode(), content)
                self.assertEqual(len(image["resources"]), 0 if ptx else len(image["names"]))
        loaders = {(image["kernel"], image["loader"]) for image in manifest["images"] if image["architecture"] == "sm_80"}
        for loader in ("Csr", "Dense"):
            self.assertIn(("Hidden_csr_gather_mma_tf32_64", loader), loaders)
        for loader in ("Csr", "CsrStoredOnly", "Dense"):
            self.assertIn(("Output_wide_output_single_mma_tf32_64", loader), loaders)
        self.assertIn(("Hidden_map", "NoData"), loaders)
        self.assertEqual({image["optimizer"] for image in manifest["images"] if "single" in image["kernel"]}, {"SGD"})
        listed = {image["entry"] for image in manifest["images"]}
        self.assertEqual(listed, {name for name in entries if name.startswith(("cuda/sm_", "cuda/compute_"))})

    def test_ptx_travels_in_every_plan(self):
        images = json.loads(self.entries("ptx.plan")["cuda/manifest.json"])["images"]
        self.assertEqual({image["architecture"] for image in images}, {"compute_75"})
        self.assertIn("Csr", {image["loader"] for image in images})
        self.assertIn(".target sm_75", self.entries("ptx.plan")["cuda/compute_75/Hidden_csr_gather.ptx"].decode())

    def test_none_leaves_it_out(self):
        self.assertEqual(json.loads(self.entries("text.plan")["cuda/manifest.json"])["images"], [])
        self.assertIn("cuda/kernels/Hidden_csr_gather.cu", self.entries("text.plan"))
        said = self.snc("explain", "text.plan").stdout
        self.assertIn("CUDA kernels: 8 as text\n  products, by the first of these that the device runs\n", said)
        self.assertIn("registers, shared memory and spills are known where", said)
        os.environ["SNC_ARCH"] = "none"
        self.addCleanup(os.environ.pop, "SNC_ARCH", None)
        said = self.snc("compile", NETWORK, "-o", "environment.plan", "--json").stdout
        self.assertEqual(json.loads(said)["architectures"], [])
        said = self.snc("compile", NETWORK, "-o", "environment.plan", "--force", "--arch", "80", "--json").stdout
        self.assertEqual(json.loads(said)["architectures"], ["sm_80", "compute_75"])

    def test_equal_plans_without_the_cache(self):
        """What the compiler makes anew is what it kept, byte for byte."""
        before = os.environ["SNRT_CACHE"]
        self.addCleanup(os.environ.__setitem__, "SNRT_CACHE", before)
        for cache in ("fresh", ""):
            os.environ["SNRT_CACHE"] = cache and self.path(cache)
            self.snc("compile", NETWORK, "-o", "again.plan", "--force")
            self.assertEqual(self.bytes_of("again.plan"), self.bytes_of("ptx.plan"), cache)
        self.assertTrue(os.listdir(self.path("fresh")))

    def bytes_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def test_explain_reports_resources(self):
        report = json.loads(self.snc("explain", "both.plan", "--json").stdout)["cuda"]
        self.assertEqual(set(report["architectures"]), set(self.compiled["architectures"]))
        for architecture in ("sm_75", "sm_80"):
            functions = [of for of in report["functions"] if of["architecture"] == architecture]
            self.assertGreater(len(functions), 20)
            self.assertTrue(all(0 < of["registers"] <= 255 for of in functions))
            self.assertEqual(sum(of["spillStoreBytes"] + of["spillLoadBytes"] for of in functions), 0)
        steps = json.loads(self.snc("explain", "both.plan", "--json").stdout)["entries"]["train"]["steps"]
        self.assertTrue(all(of["sharedBytes"] > 16384 for step in steps for of in step["variants"]))
        self.assertIn("finish_sums", self.snc("explain", "both.plan").stdout)

    def test_mistakes(self):
        said = self.snc("compile", NETWORK, "-o", "never.plan", "--arch", "sm_80,volta", code=1).stderr
        self.assertIn("--arch: 'volta' (at character 7 of 'sm_80,volta') is no known GPU architecture; known are sm_75,", said)
        said = self.snc("compile", NETWORK, "--arch", "80", "--emit", "cuda", code=1).stderr
        self.assertIn("--emit excludes --arch", said)
        self.assertFalse(os.path.exists(self.path("never.plan")))

    def test_no_compiler(self):
        os.environ["SNRT_NVRTC"] = "/nowhere/libnvrtc.so"
        self.addCleanup(os.environ.pop, "SNRT_NVRTC", None)
        said = self.snc("compile", NETWORK, "-o", "without.plan", "--arch", "80", code=1).stderr
        self.assertIn("SNRT_NVRTC: cannot use '/nowhere/libnvrtc.so' as NVRTC: /nowhere/libnvrtc.so: cannot open", said)
        self.assertFalse(os.path.exists(self.path("without.plan")))
        said = self.snc("compile", NETWORK, "-o", "without.plan").stderr
        self.assertIn("note: the plan holds no PTX (`--arch none` says so on purpose): SNRT_NVRTC: cannot use", said)
        self.assertEqual(self.bytes_of("without.plan"), self.bytes_of("text.plan"))
        self.assertEqual(self.snc("compile", NETWORK, "-o", "quiet.plan", "--quiet").stderr, "")
        for library in ("libm.so.6", "libc.so.6"):
            os.environ["SNRT_NVRTC"] = library
            said = self.snc("compile", NETWORK, "-o", "never.plan", "--arch", "80", code=1).stderr
            self.assertIn(f"{library}: no NVRTC of CUDA 12 or later", said)


if __name__ == "__main__":
    unittest.main()
