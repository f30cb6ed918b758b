#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: seeds.py [FOLDER [TARGET...]] (default: the committed corpus beside this file).
Needs the built programs (build/release/bin, or $SNC_BIN): plans come from snc, data files from snrt, NetCDF files from ncgen."""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "test/e2e"))
import archive  # noqa: E402

BIN = os.environ.get("SNC_BIN", os.path.join(ROOT, "build/release/bin"))

AUTO = {"N": "auto"}
SMALL = {"Layers": [{"DataSet": "input", **AUTO, "Sparse": True}, {"N": 4}, {"DataSet": "output", **AUTO}]}
NETWORKS = {
    "small": SMALL,
    "penalties": {"Version": 0.7, "Name": "AE", "Kind": "AutoEncoder", "SparsenessPenalty": {"p": 0.5, "beta": 2}, "Denoising": {"p": 0.2},
                  "ScaledMarginalCrossEntropy": {"oneTarget": 1, "zeroTarget": 0, "oneScale": 1, "zeroScale": 1},
                  "ErrorFunction": "ScaledMarginalCrossEntropy", "ShuffleIndices": False,
                  "Layers": [{"Name": "I", "Kind": "Input", **AUTO, "DataSet": "input", "Sparse": True},
                             {"Name": "H", "Kind": "Hidden", "Type": "FullyConnected", "N": 8, "Activation": "Sigmoid", "Sparse": True,
                              "SparsenessPenalty": {"p": 0.1, "beta": 1}},
                             {"Name": "O", "Kind": "Output", **AUTO, "DataSet": "output", "Activation": "Sigmoid", "Sparse": True}]},
    "softmax": {"ErrorFunction": "CrossEntropy",
                "Layers": [{"DataSet": "input", **AUTO}, {"N": 5, "Activation": "Tanh", "pDropout": 0.25},
                           {"DataSet": "output", **AUTO, "Activation": "SoftMax"}],
                "Training": {"Optimizer": "Adam", "Alpha": 0.002, "Batch": 16, "Epochs": 3, "Seed": 7,
                             "Schedule": {"Kind": "Cosine", "Floor": 0.1}}},
    "sources": {"ErrorFunction": "L2",
                "Layers": [{"Name": "a", "Kind": "Input", "N": 6, "DataSet": "one"}, {"Name": "b", "Kind": "Input", **AUTO, "DataSet": "two", "Sparse": True},
                           {"Name": "c", "Kind": "Hidden", "N": [3], "Source": ["a", "b"], "Activation": "Relu",
                            "WeightInit": {"Scheme": "Gaussian", "Scale": 0.1, "Bias": -0.5}},
                           {"Name": "d", "Kind": "Hidden", "N": 2, "Source": "c", "Activation": "SoftMax"},
                           {"Name": "e", "Kind": "Output", "N": 4, "Source": ["d", "c"], "DataSet": "three", "Activation": "Linear"},
                           {"Name": "f", "Kind": "Output", **AUTO, "Source": ["e", "d"], "DataSet": "two", "Activation": "Linear"}],
                "Training": {"Optimizer": "RMSProp", "Lambda": 0.001, "Lambda1": 0.0001, "Mu": 0.9,
                             "Schedule": {"Kind": "Step", "Every": 2, "Factor": 0.5}}},
    "towers": {"ErrorFunction": "L2Hinge", "DeltaBoost": {"one": 2, "zero": 1}, "Decay": 0.001, "Compatibility": "dsstne",
               "Layers": [{"Name": "q", "Kind": "Input", **AUTO, "DataSet": "left", "Sparse": True}, {"Name": "d", "Kind": "Input", **AUTO, "DataSet": "right"},
                          {"Name": "u", "N": 4, "Source": "q", "Activation": "LRelu", "Slope": 0.1, "WeightNorm": 2},
                          {"Name": "v", "N": 4, "Source": "d", "Activation": "SELU", "ELUAlpha": 1.6, "SELULambda": 1.1, "DeltaNorm": 1,
                           "SharedWeights": {"InputLayer": "d", "SourceInputLayer": "q", "SourceOutputLayer": "u"}},
                          {"Name": "o", "Kind": "Output", "Type": "Pooling", "Function": "Cosine", "Source": ["u", "v"], **AUTO, "DataSet": "y"}]},
    "tied": {"ErrorFunction": "DataScaledMarginalCrossEntropy", "DataScaledMarginalCrossEntropy": {"oneScale": 30}, "WeightsData": "start.nc",
             "ELUAlpha": 0.9, "MaxOut": {"k": 2},
             "Layers": [{"Name": "i", **AUTO, "DataSet": "x", "Sparse": True},
                        {"Name": "h", "N": [2, 4], "Activation": "ELU", "BatchNormalization": True, "WeightInit": {"Scheme": "CaffeXavier"}},
                        {"Name": "k", "N": 8, "Skip": ["h"], "Activation": "SoftSign"},
                        {"Name": "o", **AUTO, "DataSet": "x", "SharedWeights": [
                            {"InputLayer": "k", "SourceInputLayer": "i", "SourceOutputLayer": "h", "Transposed": True}]}],
             "Training": {"Optimizer": "AdaGrad"}},
    "predict": {"Layers": [{"Name": "a", "N": 6, "DataSet": "one"}, {"Name": "b", "Kind": "Input", "N": 6, "DataSet": "two"},
                           {"Name": "m", "Kind": "Pooling", "Function": "Maxout", "Source": ["a", "b"], "Skip": "a"},
                           {"Name": "e", "Kind": "Hidden", "N": 3, "Activation": "SoftPlus"}]},
    "limited": {"ErrorFunction": "L2", "DeltaBoost": {"one": 3}, "Compatibility": "dsstne",
                "Layers": [{"Name": "I", "Kind": "Input", **AUTO, "DataSet": "input", "Sparse": True}, {"Name": "H", "N": 4, "WeightNorm": 2, "Skip": "I2"},
                        {"Name": "I2", "Kind": "Input", "N": 4, "DataSet": "more", "pDropout": 0.5},
                        {"Name": "O", "Kind": "Output", **AUTO, "DataSet": "input", "Source": "H", "Activation": "Linear", "SharedWeights":
                         [{"InputLayer": "H", "SourceInputLayer": "I", "SourceOutputLayer": "H", "Transposed": True}]}]},
    "norms": {"WeightsData": "w.h5", "Layers": [{"DataSet": "input", **AUTO}, {"N": 3, "BatchNormalization": True, "DeltaNorm": 1},
                                                {"DataSet": "output", **AUTO, "DeltaNorm": 2}]},
    "direct": {"Layers": [{"DataSet": "input", **AUTO, "Sparse": True}, {"DataSet": "output", "N": 3, "Activation": "Sigmoid"}],
               "Training": {"Optimizer": "Nesterov", "Schedule": "InverseTime"}},
}
CDL = {
    "train": {"Version": 0.1, "Network": "net.json", "Data": "data.nc", "Command": "Train", "RandomSeed": 3,
              "TrainingParameters": {"Epochs": 3, "Optimizer": "Adam", "Alpha": 0.1, "AlphaInterval": 2, "AlphaMultiplier": 0.5, "mu": 0.9, "Mu1": 0.99,
                                     "lambda": 0.001, "Lambda1": 0, "MiniBatch": 64, "ShuffleIndices": True, "CheckpointInterval": 1, "CheckpointName": "c",
                                     "Results": "net.nc"}},
    "predict": {"Network": "net.nc", "Data": ["a.nc", "b.nc"], "Command": "predict", "MiniBatch": 5, "PredictionParameters": {"K": 5, "Layer": "Output"}},
    "validate": {"Network": "net.json", "Data": [], "Command": "Validate", "TrainingParameters": {}, "Comand": 1},
}
BROKEN = {  # network texts that end in a message
    "cut": '{"Layers": [{"Data', "comment": '/* {', "twice": '{"Layers": [], "Layers": {}}', "cycle": json.dumps(
        {"Layers": [{"DataSet": "x"}, {"Name": "p", "Source": ["q"]}, {"Name": "q", "Source": ["p"]}, {"DataSet": "y", "Source": "q"}]}),
    "shares": json.dumps({"Layers": [{"Name": "x", "DataSet": "x"}, {"Name": "p", "SharedWeights": {"InputLayer": "x", "SourceInputLayer": "x",
                                                                                                    "SourceOutputLayer": "p"}}, {"DataSet": "y"}]}),
    "pools": json.dumps({"Layers": [{"DataSet": "x", "N": 3}, {"Kind": "Pooling", "Function": "Max", "pDropout": 0.5}, {"DataSet": "y", "Skip": "Input0"}]}),
    "deep": "[" * 100, "numbers": '{"Layers": [{"N": 1e400, "DataSet": -0.0}], "Version": 00, "Seed": 18446744073709551616}',
    "escapes": '\ufeff{"N\\u0061me": "\\ud83d\\ude00\\u0000\\x", "\\n": 1}', "word": json.dumps({**SMALL, "ErrorFunction": "CrosEntropy", "Lyers": 1}),
}
TEXTS = {  # import: format (auto csv lines dsstne libsvm), options, more options, text
    "csv": (0, 0, 0, "userId,movieId,rating,timestamp\n1,10,4.0,1112486027\n1,20,3.5,1112486028\n2,10,2,1112486029\n"),
    "csv-values": (1, 0b10001111, 0b10, 'user;"item";rating\na;"x;""y";5\nb;z;1\na;"x;""y";3\nb;;2\nc;z;nan\n'),
    "double-colon": (1, 16, 0b111, "1::1193::5::978300760\n1::661::3::978302109\n2::1357::5::978298709\n2::1193::4::1\n"),
    "lines": (0, 16, 0, "u1 a b c d\nu2\ta\tc\r\n\nu3 d e\nu1 f"),
    "dsstne": (0, 33, 0, "alice\tx,1:y,2.5:z\nbob\ty:z,0\nalice\tw:w,3\n"),
    "libsvm": (0, 48, 0, "1,3 0:1 4:0.5 # a comment\n2 qid:7 1:1\n\n0 2:1e-3 2:2\n"),
    "no-end": (2, 0, 0, "only"), "rejects": (3, 8, 0, "no tab\n\tx:y\na\t:,,:b,1,2\na\tb,x\n"),
    "mark": (0, 4, 0, "\ufeffuser,item\n1,2\n1,2\n"), "zero": (0, 0, 0, "a\0b"),
    "huge": (4, 0, 0, "1 4095:1\n1 99999x:1\n1 -1:1\n1 3:1e39\n1 4:1e309\n"),
}
CDL = {  # NetCDF, in the netCDF library's own notation; made by its ncgen
    "sparse": """dimensions: examplesDim0 = 2 ; sparseDataDim0 = 3 ; examplesDim1 = 2 ; sparseDataDim1 = 3 ;
variables: int sparseStart0(examplesDim0) ; int sparseEnd0(examplesDim0) ; int sparseIndex0(sparseDataDim0) ;
int sparseStart1(examplesDim1) ; int sparseEnd1(examplesDim1) ; int sparseIndex1(sparseDataDim1) ; float sparseData1(sparseDataDim1) ;
:datasets = 2 ; :name0 = "input" ; :attributes0 = 3 ; :dataType0 = 0 ; :dimensions0 = 1 ; :width0 = 9 ;
:name1 = "output" ; :attributes1 = 1 ; :dataType1 = 4 ; :dimensions1 = 1 ; :width1 = 9 ;
data: sparseStart0 = 0, 1 ; sparseEnd0 = 1, 3 ; sparseIndex0 = 8, 0, 5 ; sparseStart1 = 1, 0 ; sparseEnd1 = 3, 1 ; sparseIndex1 = 1, 2, 3 ; sparseData1 = 1, 2, 0.5 ;""",
    "indexed": """dimensions: examplesDim0 = UNLIMITED ; uniqueExamplesDim0 = 2 ; sparseDataDim0 = 3 ;
variables: int sparseStart0(uniqueExamplesDim0) ; short sparseEnd0(uniqueExamplesDim0) ; int sparseIndex0(sparseDataDim0) ; char sparseData0(sparseDataDim0) ;
int index0(examplesDim0) ; float dataWeight0(examplesDim0) ;
:datasets = 1 ; :name0 = "x" ; :attributes0 = 225 ; :dataType0 = 9 ; :dimensions0 = 2 ; :width0 = 3 ; :height0 = 3. ;
data: sparseStart0 = 0, 1 ; sparseEnd0 = 1, 3 ; sparseIndex0 = 8, 0, 5 ; sparseData0 = "@AB" ; index0 = 1, 1, 0 ; dataWeight0 = 1, 0.5, 2 ;""",
    "dense": """dimensions: examplesDim0 = 2 ; dataDim0 = 8 ; examplesDim1 = 2 ;
variables: byte data0(dataDim0) ; double data1(examplesDim1) ;
:datasets = 2 ; :name0 = "input" ; :attributes0 = 0 ; :dataType0 = 8 ; :dimensions0 = 3 ; :width0 = 2 ; :height0 = 2 ; :length0 = 1 ;
:name1 = "output" ; :attributes1 = 2 ; :dataType1 = 0 ; :dimensions1 = 1 ; :width1 = 5 ;
data: data0 = 0, -1, 2, 3, 4, 5, 127, -128 ; data1 = 4, 0 ;""",
}
# Decisions of the HDF5 targets (support/Choices.h): nothing, the kinds of data sets, and deviations at every place.
DECISIONS = {"plain": b"", "dense": b"\x01\x02\x03\x07", "linked": b"\x02", "soft": b"\x04", "dangling": b"\x0c", "two": b"\x10"}


def plans(folder):
    for name, network in NETWORKS.items():
        source, plan = os.path.join(folder, name + ".json"), os.path.join(folder, name + ".plan")
        with open(source, "w", encoding="utf-8") as file:
            json.dump(network, file)
        subprocess.run([os.path.join(BIN, "snc"), "compile", source, "-o", plan], check=True, capture_output=True)
        with open(plan, "rb") as file:
            yield name, archive.unpack(file.read())


def short(text):
    return json.dumps(json.loads(text), separators=(",", ":")).encode()


def hdf5_files(folder):
    for name, arguments, text in (("binary", [], "u1 a b\nu2 b c d\n"), ("analog", ["--format", "csv", "--values"], "u,i,rating\n1,2,3\n2,4,1.5\n")):
        source, out = os.path.join(folder, name + ".txt"), os.path.join(folder, name + ".h5")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run([os.path.join(BIN, "snrt"), "import", source, "-o", out, *arguments], check=True, capture_output=True)
        with open(out, "rb") as file:
            yield name, file.read()
        exported = os.path.join(folder, name + ".nc")
        subprocess.run([os.path.join(BIN, "snrt"), "export", out, "-o", exported], check=True, capture_output=True)
        with open(exported, "rb") as file:
            yield "netcdf4-" + name, file.read()


def netcdf_files(folder):
    def made(name, kind, text):
        source, out = os.path.join(folder, name + ".cdl"), os.path.join(folder, name + ".nc")
        with open(source, "w", encoding="utf-8") as file:
            file.write(f"netcdf x {{\n{text}\n}}\n")
        subprocess.run(["ncgen", "-k", kind, "-o", out, source], check=True)
        with open(out, "rb") as file:
            return file.read()

    for name, text in CDL.items():
        yield name, made(name, "classic", text)
        yield name + "-5", made(name + "-5", "cdf5", text)
    yield "network", made("network", "64-bit offset", trained_network())


def trained_network():
    """Two layers with the attributes that DSSTNE's files must have (reference section 3)."""
    whole = {"kind": 0, "errorFunction": 2, "bSparsenessPenalty": 1, "bDenoising": 1, "ShuffleIndices": 1, "layers": 2, "weights": 1, "weight0_bShared": 0}
    real = {"version": 0.8, "sparsenessPenalty_p": 0.5, "sparsenessPenalty_beta": 2, "denoising_p": 0.5, "deltaBoost_one": 1, "deltaBoost_zero": 1,
            "SMCE_oneScale": 1, "SMCE_zeroScale": 1, "SMCE_oneTarget": 1, "SMCE_zeroTarget": 0}
    text = {"name": "", "weight0_inputLayer": "I", "weight0_outputLayer": "O", "layer1_source0": "I"}
    for i, (name, data, units) in enumerate((("I", "x", 3), ("O", "y", 2))):
        text.update({f"layer{i}_name": name, f"layer{i}_dataSet": data})
        whole.update({f"layer{i}_{key}": value for key, value in {"kind": 2 * i, "type": 0, "activation": 0, "weightInit": 0, "Nx": units, "Ny": 1, "Nz": 1,
                                                                 "Nw": 1, "dimensions": 1, "attributes": 1, "sources": i, "skips": 0}.items()})
        real.update({f"layer{i}_{key}": 0 for key in ("pDropout", "weightInitScale", "biasInit", "weightNorm", "deltaNorm")})
    attributes = [*(f":{k} = {v} ;" for k, v in whole.items()), *(f":{k} = {float(v)}f ;" for k, v in real.items()), *(f':{k} = "{v}" ;' for k, v in text.items())]
    return ("dimensions: weight0_weightDim = 6 ; weight0_biasDim = 2 ;\nvariables: float weight0_weights(weight0_weightDim) ; float weight0_bias(weight0_biasDim) ;\n"
            + "\n".join(attributes) + "\ndata: weight0_weights = 1, 2, 3, 4, 5, 6 ; weight0_bias = 0.5, -1 ;")


def decisions(target):
    """Mostly ordinary decisions with a few odd ones among them: bytes from 224 on ask for a deviation."""
    yield from DECISIONS.items()
    draw = random.Random(target)
    for number in range(18):
        size = draw.choice((24, 40, 64))
        yield f"odd-{number:02}", bytes(draw.randrange(224, 256) if draw.random() < 0.15 else draw.choice((0, 1, 2, 3, draw.randrange(224))) for _ in range(size))


def seeds(target, folder):
    if target == "network":
        yield from ((name, json.dumps(network).encode()) for name, network in NETWORKS.items())
        yield from ((name, text.encode()) for name, text in BROKEN.items())
    if target == "cdl":
        yield from ((name, json.dumps(cdl).encode()) for name, cdl in CDL.items())
    if target in ("plan", "archive"):
        for name, entries in plans(folder):
            if target == "plan":
                yield name, short(entries["plan.json"])
            elif name == "direct":
                yield name, archive.pack({"plan.json": short(entries["plan.json"])})
        if target == "archive":
            yield "empty", archive.pack({})
            yield "no-plan", archive.pack({"x": b"y" * 300, "plan.json": b"{}"})
    if target == "hdf5":
        yield from hdf5_files(folder)
    if target == "netcdf":
        yield from netcdf_files(folder)
    if target in ("data", "weights"):
        yield from decisions(target)
    if target == "import":
        yield from ((name, bytes(options[:3]) + options[3].encode()) for name, options in TEXTS.items())


def words():
    """Dictionary of the network target: every word in code marks of the language's specification and of the tables of its keys and records."""
    found = set()
    for page in ("spec/network", *(f"generated/{name}" for name in ("keys", "activations", "losses", "optimizers", "initializers", "schedules", "poolings"))):
        with open(os.path.join(ROOT, "docs", page + ".md"), encoding="utf-8") as file:
            found |= set(re.findall(r"`\"?([A-Za-z][A-Za-z0-9 ]*)\"?`", file.read()))
    return "# Written by seeds.py from docs/spec/network.md and docs/generated.\n" + "".join(f'"\\"{word}\\""\n' for word in sorted(found))


def main():
    target_folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "corpus")
    for target in sys.argv[2:] or ("network", "cdl", "plan", "archive", "data", "hdf5", "import", "netcdf", "weights"):
        out = os.path.join(target_folder, target)
        os.makedirs(out, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in seeds(target, folder):
                with open(os.path.join(out, "seed-" + name), "wb") as file:
                    file.write(content)
    if len(sys.argv) == 1:
        with open(os.path.join(HERE, "network.dict"), "w", encoding="utf-8") as file:
            file.write(words())


if __name__ == "__main__":
    main()
