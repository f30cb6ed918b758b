#!/usr/bin/env python3
"""DSSTNE's NetCDF files against the netCDF library's own tools: what ncgen makes is read in every format, what snrt writes is to ncdump the same as what
DSSTNE writes, and trained networks go there and back."""
import json
import os
import re
import shutil
import subprocess
import unittest

import commands

# What generateNetCDF writes (-t indicator, -t analog) and the CIFAR converter, as one file: reference 2.6.
DATA = """netcdf data {
dimensions: examplesDim0 = 3 ; sparseDataDim0 = 5 ; examplesDim1 = 3 ; sparseDataDim1 = 4 ; examplesDim2 = 3 ; dataDim2 = 36 ;
variables:
  uint sparseStart0(examplesDim0) ; uint sparseEnd0(examplesDim0) ; uint sparseIndex0(sparseDataDim0) ;
  uint sparseStart1(examplesDim1) ; uint sparseEnd1(examplesDim1) ; uint sparseIndex1(sparseDataDim1) ; float sparseData1(sparseDataDim1) ;
  ubyte data2(dataDim2) ;
  :datasets = 3U ;
  :name0 = "gl_input" ; :attributes0 = 3U ; :kind0 = 0U ; :dataType0 = 0U ; :dimensions0 = 1U ; :width0 = 128U ;
  :name1 = "gl_output" ; :attributes1 = 1U ; :kind1 = 0U ; :dataType1 = 4U ; :dimensions1 = 1U ; :width1 = 128U ;
  :name2 = "image" ; :attributes2 = 0U ; :kind2 = 1U ; :dataType2 = 8U ; :dimensions2 = 3U ; :width2 = 2U ; :height2 = 2U ; :length2 = 3U ;
data:
  sparseStart0 = 0, 2, 3 ; sparseEnd0 = 2, 3, 5 ; sparseIndex0 = 4, 9, 1, 0, 127 ;
  sparseStart1 = 0, 2, 2 ; sparseEnd1 = 2, 2, 4 ; sparseIndex1 = 3, 64, 0, 9 ; sparseData1 = 0.5, 2, -1, 7 ;
  data2 = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255 ;
}
"""
INDEXED = """netcdf indexed {
dimensions: examplesDim0 = 4 ; uniqueExamplesDim0 = 2 ; sparseDataDim0 = 3 ;
variables:
  uint sparseStart0(uniqueExamplesDim0) ; uint sparseEnd0(uniqueExamplesDim0) ; uint sparseIndex0(sparseDataDim0) ; char sparseData0(sparseDataDim0) ;
  uint index0(examplesDim0) ; float dataWeight0(examplesDim0) ;
  :datasets = 1U ; :name0 = "x" ; :attributes0 = 225U ; :kind0 = 0U ; :dataType0 = 9U ; :dimensions0 = 1U ; :width0 = 9U ;
data:
  sparseStart0 = 0, 1 ; sparseEnd0 = 1, 3 ; sparseIndex0 = 8, 0, 5 ; sparseData0 = "@", "A", "B" ; index0 = 1, 1, 0, 1 ; dataWeight0 = 1, 0.5, 2, 0.25 ;
}
"""
NETWORK = {"Version": 0.8, "Name": "towers", "ErrorFunction": "ScaledMarginalCrossEntropy", "ScaledMarginalCrossEntropy": {
    "oneTarget": 1.0, "zeroTarget": 0.0, "oneScale": 1.0, "zeroScale": 0.5}, "Denoising": {"p": 0.2}, "Layers": [
    {"Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "gl_input", "Sparse": True},
    {"Name": "Hidden", "Kind": "Hidden", "N": 8, "Activation": "Tanh", "pDropout": 0.1},
    {"Name": "Output", "Kind": "Output", "N": "auto", "DataSet": "gl_output", "Activation": "Sigmoid", "Sparse": True}]}
EVERYTHING = {"ErrorFunction": "L2", "Layers": [
    {"Name": "In", "Kind": "Input", "N": "auto", "DataSet": "gl_input", "Sparse": True},
    {"Name": "Image", "Kind": "Input", "N": [2, 2, 3], "DataSet": "image"},
    {"Name": "A", "Kind": "Hidden", "N": 6, "Source": ["In", "Image"], "Activation": "LRelu", "RELUSlope": 0.3, "WeightNorm": 1.5},
    {"Name": "B", "Kind": "Hidden", "N": 6, "Source": "A", "Activation": "Relu", "BatchNormalization": True, "DeltaNorm": 0.25, "Skip": "A"},
    {"Name": "M", "Kind": "Hidden", "Type": "Pooling", "Function": "Maxout", "Source": ["A", "B"]},
    {"Name": "Out", "Kind": "Output", "N": "auto", "DataSet": "gl_output", "Source": "M", "Activation": "Tanh",
     "SharedWeights": {"InputLayer": "M", "SourceInputLayer": "In", "SourceOutputLayer": "A", "Transposed": True}}],
    "Training": {"Optimizer": "Adam", "Batch": 2}}
# Reference section 3: every attribute with its type as ncdump shows it.
UINT, INT, FLOAT, LONG, TEXT = r"\d+U", r"-?\d+", r"[-\d.e]+f", r"\d+ULL", r'"[^"]*"'
OF_NETWORK = {"version": FLOAT, "name": TEXT, "kind": UINT, "errorFunction": UINT, "maxout_k": INT, "decay": FLOAT, "LRN_k": FLOAT, "LRN_alpha": FLOAT,
              "LRN_beta": FLOAT, "LRN_n": INT, "bSparsenessPenalty": UINT, "sparsenessPenalty_p": FLOAT, "sparsenessPenalty_beta": FLOAT, "bDenoising": UINT,
              "denoising_p": FLOAT, "deltaBoost_one": FLOAT, "deltaBoost_zero": FLOAT, "SMCE_oneScale": FLOAT, "SMCE_zeroScale": FLOAT,
              "SMCE_oneTarget": FLOAT, "SMCE_zeroTarget": FLOAT, "ShuffleIndices": UINT, "checkpoint_name": TEXT, "checkpoint_interval": INT,
              "checkpoint_epochs": INT, "layers": UINT, "weights": UINT}
OF_LAYER = {**dict.fromkeys(("name", "dataSet"), TEXT), **dict.fromkeys((
    "kind", "type", "activation", "weightInit", "poolingfunction", "Nx", "Ny", "Nz", "Nw", "dimensions", "kernelX", "kernelY", "kernelZ", "kernelStrideX",
    "kernelStrideY", "kernelStrideZ", "kernelPaddingX", "kernelPaddingY", "kernelPaddingZ", "kernelDimensions", "attributes", "sources", "skips"), UINT),
    **dict.fromkeys(("pDropout", "weightInitScale", "biasInit", "weightNorm", "deltaNorm", "RELUSlope", "ELUAlpha", "SELULambda", "sparsenessPenalty_p",
                     "sparsenessPenalty_beta"), FLOAT)}
OF_WEIGHT = {"inputLayer": TEXT, "outputLayer": TEXT, **dict.fromkeys(("width", "height", "length", "depth", "breadth"), LONG), "bShared": UINT,
             "bLocked": UINT, "norm": FLOAT}


@unittest.skipUnless(all(map(shutil.which, ("ncgen", "ncdump", "nccopy"))), "no ncgen, ncdump and nccopy here (Debian: netcdf-bin)")
class Netcdf(commands.Commands):
    @classmethod
    def prepare(cls):
        for name, text in (("data", DATA), ("indexed", INDEXED)):
            cls.write(name + ".cdl", text)
            cls.tool("ncgen", "-k", "nc4", "-o", name + ".nc", name + ".cdl")
        cls.write("net.json", json.dumps(NETWORK))
        cls.snc("compile", "net.json", "-o", "net.plan")
        cls.snrt("import", "data.nc", "-o", "data.h5")
        cls.snrt("train", "net.plan", "data.nc", "-o", "net.weights.h5", "--epochs", 3)

    @classmethod
    def tool(cls, *command):
        return subprocess.run(command, cwd=cls.folder, check=True, capture_output=True, text=True).stdout

    @classmethod
    def dump(cls, name, *options):
        """What the netCDF library sees, without the file's name."""
        return cls.tool("ncdump", *options, name).split("\n", 1)[1]

    def test_every_format_is_read(self):
        for kind, name in (("nc4", "a"), ("cdf5", "b")):
            self.tool("nccopy", "-k", kind, *(("-d", "6") if kind == "nc4" else ()), "data.nc", f"{name}.nc")
            self.snrt("import", f"{name}.nc", "-o", f"{name}.h5")
            self.assertEqual(self.read(f"{name}.h5"), self.read("data.h5"), kind)
        for kind, name in (("classic", "c"), ("64-bit offset", "d"), ("nc7", "e")):  # without unsigned types
            signed = re.sub(r"\bu(int|byte)\b", r"\1", DATA).replace("U ;", " ;").replace("255", "-1")
            self.write("signed.cdl", signed)
            self.tool("ncgen", "-k", kind, "-o", f"{name}.nc", "signed.cdl")
            self.snrt("import", f"{name}.nc", "-o", f"{name}.h5")
            self.assertEqual(self.read(f"{name}.h5"), self.read("data.h5"), kind)

    def test_what_is_written_is_to_the_library_what_dsstne_writes(self):
        for name, text in (("data", DATA), ("indexed", INDEXED)):
            self.snrt("import", f"{name}.nc", "-o", f"{name}2.h5")
            self.snrt("export", f"{name}2.h5", "-o", f"{name}2.nc")
            self.assertEqual(self.dump(f"{name}2.nc"), self.dump(f"{name}.nc"))
        self.assertIn("= 225U", self.dump("indexed2.nc"))

    def test_the_report(self):
        said = self.snrt("import", "indexed.nc", "-o", "report.h5").stdout
        self.assertIn("report.h5: x: 4 rows x 9 columns, 3 entries, analog, 8-bit, indexed: 2 rows are stored, weighted, zeros ignored", said)
        sets = self.json("import", "data.nc", "-o", "report.h5", "--force")["datasets"]
        self.assertEqual([(s["name"], s["rows"], s["columns"], s["loader"], s["bits"]) for s in sets],
                         [("gl_input", 3, 128, "binary", 32), ("gl_output", 3, 128, "analog", 32), ("image", 3, 12, "dense", 8)])
        self.assertEqual(sets[2]["extents"], [2, 2, 3])

    def test_training_from_either_gives_the_same(self):
        self.snrt("train", "net.plan", "data.h5", "-o", "from-h5.weights.h5", "--epochs", 3)
        self.assertEqual(self.read("from-h5.weights.h5"), self.read("net.weights.h5"))

    def test_a_trained_network_has_every_attribute(self):
        said = self.snrt("export", "net.weights.h5", "-o", "net.nc", "--force").stdout
        self.assertIn("net.nc: trained network for DSSTNE, 4 parameters", said)
        header = self.dump("net.nc", "-h")
        found = dict(re.findall(r"^\t\t:(\w+) = (.*) ;$", header, re.M))
        wanted = dict(OF_NETWORK)
        for i in range(3):
            wanted.update({f"layer{i}_{name}": kind for name, kind in OF_LAYER.items()})
        wanted.update({"layer1_source0": TEXT, "layer2_source0": TEXT})
        for j in range(2):
            wanted.update({f"weight{j}_{name}": kind for name, kind in OF_WEIGHT.items()})
        self.assertEqual(sorted(found), sorted(wanted))
        for name, kind in wanted.items():
            self.assertRegex(found[name], f"^{kind}$", name)
        self.assertEqual((found["denoising_p"], found["SMCE_zeroScale"], found["layer0_attributes"], found["layer1_activation"], found["weight1_width"]),
                         ("0.2f", "0.5f", "3U", "1U", "128ULL"))
        for line in ("float weight0_weights(weight0_weightDim)", "weight0_weightDim = 1024", "float weight1_bias(weight1_biasDim)", "weight1_biasDim = 128"):
            self.assertIn(line, header)

    def test_a_trained_network_there_and_back(self):
        self.snrt("export", "net.weights.h5", "-o", "there.nc", "--force")
        said = self.snrt("import", "there.nc", "-o", "back.weights.h5", "--network", "back.json").stdout
        for word in ("there.nc: trained network of DSSTNE, 3 layers, 4 parameters", "weights: back.weights.h5", "network: back.json"):
            self.assertIn(word, said)
        self.assertEqual(self.json("import", "there.nc", "-o", "back.weights.h5", "--force")["layers"], 3)
        self.snrt("export", "back.weights.h5", "-o", "again.nc")
        self.assertEqual(self.read("again.nc"), self.read("there.nc"))
        self.snc("compile", "back.json", "-o", "back.plan")
        for form in ("nc4", "cdf5", "classic"):  # CDF-1 has no unsigned and no 64-bit attributes: doubles and ints serve
            if form == "classic":
                text = re.sub(r"(\d)ULL ;", r"\1 ;", self.tool("ncdump", "-p", "9,17", "there.nc"))
                self.write("classic.cdl", re.sub(r"(= \d+)U ;", r"\1 ;", text))
                self.tool("ncgen", "-k", "classic", "-o", "form.nc", "classic.cdl")
            else:
                self.tool("nccopy", "-k", form, "there.nc", "form.nc")
            for plan, weights, out in (("net.plan", "net.weights.h5", "ours"), ("net.plan", "form.nc", "theirs"), ("back.plan", "back.weights.h5", "back")):
                self.snrt("predict", plan, weights, "data.h5", "--top-k", 5, "-o", f"{out}.tsv", "--force")
            self.assertEqual(self.read("theirs.tsv"), self.read("ours.tsv"), form)
            self.assertEqual(self.read("back.tsv"), self.read("ours.tsv"))
        self.snrt("train", "net.plan", "data.nc", "--from", "there.nc", "-o", "more.weights.h5", "--epochs", 1)
        self.snrt("train", "net.plan", "data.nc", "--from", "net.weights.h5", "-o", "more2.weights.h5", "--epochs", 1)
        self.assertEqual(self.read("more.weights.h5"), self.read("more2.weights.h5"))

    def test_the_whole_language_there_and_back(self):
        self.write("all.json", json.dumps(EVERYTHING))
        self.snc("compile", "all.json", "-o", "all.plan")
        self.snrt("train", "all.plan", "data.nc", "-o", "all.weights.h5", "--epochs", 4)
        self.snrt("export", "all.weights.h5", "-o", "all.nc")
        header = self.dump("all.nc", "-h")
        for line in ("float layer3_scaleBN(layer3_bnDim)", "float layer3_biasBN(layer3_bnDim)", "float layer3_runningMeanBN(layer3_bnDim)",
                     "float layer3_runningVarianceBN(layer3_bnDim)", "layer3_bnDim = 6", "weight3_bTransposed = 1U", 'weight3_sourceInputLayer = "In"',
                     'layer3_skip0 = "A"', "layer4_poolingfunction = 4U", "layer1_Nz = 3U", "layer1_dimensions = 3U", "weight0_norm = 1.5f"):
            self.assertIn(line, header)
        self.assertNotIn("weight3_weights", header)
        self.snrt("import", "all.nc", "-o", "all2.weights.h5", "--network", "all2.json")
        self.snc("compile", "all2.json", "-o", "all2.plan")
        for plan, weights, out in (("all.plan", "all.weights.h5", "a"), ("all.plan", "all.nc", "b"), ("all2.plan", "all2.weights.h5", "c")):
            self.snrt("predict", plan, weights, "data.h5", "--top-k", 5, "-o", f"all-{out}.tsv")
        self.assertEqual(self.read("all-b.tsv"), self.read("all-a.tsv"))
        self.assertEqual(self.read("all-c.tsv"), self.read("all-a.tsv"))

    def test_index_files_give_names_and_take_them(self):
        self.write("features.txt", "".join(f"item{n}\t{n}\n" for n in range(100)))
        self.write("samples.txt", "bob\t1\nalice\t0\ncarol\t2\n")
        self.write("wide.txt", "a\t128\nb\t5\n")
        self.snrt("import", "data.nc", "-o", "named.h5", "--feature-index", "gl_input=features.txt", "--feature-index", "gl_output=features.txt",
                  "--sample-index", "samples.txt")
        self.snrt("export", "named.h5", "-o", "named.nc", "--name", "gl_input", "--feature-index", "f.txt", "--sample-index", "gl_input=s.txt")
        self.assertEqual(self.read("f.txt"), self.read("features.txt"))
        self.assertEqual(self.read("s.txt").decode(), "alice\t0\nbob\t1\ncarol\t2\n")
        self.assertIn(":datasets = 1U", self.dump("named.nc", "-h"))
        self.refused(("import", "data.nc", "-o", "x.h5", "--feature-index", "gl_input=wide.txt"),
                     "wide.txt: has the number 128, but the data set gl_input has 128 columns")
        self.refused(("export", "data.h5", "--feature-index", "x.txt"), "gl_input: has no column names for x.txt")
        self.refused(("import", "data.nc", "-o", "x.h5", "--feature-index", "other=features.txt"), "there is no data set other; there are gl_input")
        self.refused(("import", "data.nc", "-o", "x.h5", "--feature-index", "features.txt", "--feature-index", "wide.txt"),
                     "names two files for the data set gl_input")

    def test_names_of_a_trained_network(self):
        self.write("names.txt", "".join(f"item{n}\t{n}\n" for n in range(100)))
        self.snrt("export", "net.weights.h5", "-o", "names.nc", "--force")
        self.snrt("import", "names.nc", "-o", "names.weights.h5", "--network", "names.json", "--feature-index", "gl_output=names.txt")
        self.snc("compile", "names.json", "-o", "names.plan")
        self.snrt("predict", "names.plan", "names.weights.h5", "data.h5", "--top-k", 3, "-o", "names.tsv")
        self.assertIn(b"item", self.read("names.tsv"))
        self.snrt("export", "names.weights.h5", "--feature-index", "out.txt")
        self.assertEqual(self.read("out.txt"), self.read("names.txt"))
        self.refused(("export", "names.weights.h5", "-o", "x.nc", "--name", "gl_input"), "is a weights file, which has no data sets to choose from")
        self.refused(("export", "names.weights.h5", "--sample-index", "x.txt"), "is a weights file, which has no row names")
        self.refused(("export", "net.weights.h5", "--feature-index", "x.txt"), "--feature-index: net.weights.h5 has no column names")
        self.refused(("import", "names.nc", "-o", "x.h5", "--sample-index", "names.txt"), "is a trained network, which has no samples for --sample-index")

    def refused(self, command, *words):
        """Exit code 1, these words, and no file more or less."""
        before = sorted(os.listdir(self.folder))
        self.assertSays(self.snrt(*command, code=1), *words)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_options_that_do_not_fit(self):
        self.write("none.cdl", "netcdf none {\n:datasets = 0 ;\n}\n")
        self.tool("ncgen", "-k", "classic", "-o", "none.nc", "none.cdl")
        self.write("lines.txt", "u1 a b c\nu2 b\n")
        self.snrt("export", "net.weights.h5", "-o", "net.nc", "--force")
        self.tool("nccopy", "-k", "cdf5", "net.nc", "net5.nc")
        for command, word in ((("import", "data.nc", "-o", "x.h5", "--format", "csv"), "--format: data.nc is a NetCDF file; the option is for text"),
                              (("import", "data.nc", "-o", "data.nc", "--force"), "data.nc"),
                              (("import", "data.nc", "-o", "x.h5", "--network", "x.json"), "--network: data.nc has data sets in it, not a trained network"),
                              (("import", "lines.txt", "-o", "x.h5", "--network", "x.json"), "--network: lines.txt is no trained network"),
                              (("import", "lines.txt", "-o", "x.h5", "--feature-index", "a", "--feature-index", "b"), "text takes one index file"),
                              (("import", "none.nc", "-o", "x.h5"), "none.nc: has no data sets"),
                              (("export", "none.nc", "-o", "x.nc"), "none.nc: has no data sets"),
                              (("export", "data.h5"), "nothing to write: give --output, --feature-index or --sample-index"),
                              (("export", "data.h5", "-o", "data.nc"), "exists"),
                              (("export", "data.h5", "-o", "x.nc", "--name", "other"), 'has no data set "other"'),
                              (("eval", "net.plan", "data.nc", "data.nc"), "is not a weights file"),
                              (("train", "net.plan", "net.nc", "-o", "x.h5"), "is a trained network of DSSTNE's, which has no data sets; the order is: snrt COMMAND PLAN [WEIGHTS] DATA"),
                              (("train", "net.plan", "net5.nc", "-o", "x.h5"), "is a trained network of DSSTNE's, which has no data sets; the order is: snrt COMMAND PLAN [WEIGHTS] DATA"),
                              (("train", "net.plan", "indexed.nc", "-o", "x.h5"), "gl_input")):
            with self.subTest(command=command):
                self.refused(command, word)

    def test_locked_weights_are_told(self):
        self.snrt("export", "net.weights.h5", "-o", "free.nc", "--force")
        self.write("locked.cdl", self.tool("ncdump", "free.nc").replace("weight0_bLocked = 0U", "weight0_bLocked = 1U"))
        self.tool("ncgen", "-k", "nc4", "-o", "locked.nc", "locked.cdl")
        self.assertIn("the weights Input->Hidden are locked there; here they would be trained", self.snrt("import", "locked.nc", "-o", "locked.h5").stdout)


if __name__ == "__main__":
    commands.main()
