"""archive.py PLAN: what a plan file holds for CUDA, and its buffers that are as large as the batch times a data set's columns."""
import json
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as archive:
    names = sorted(name for name in archive.namelist() if name.startswith("cuda/"))
    manifest = json.loads(archive.read("cuda/manifest.json"))
    plan = json.loads(archive.read("plan.json"))
print("\n".join(names))
print("abi", manifest["abi"])
for entry, kernels in sorted(manifest["entries"].items()):
    print(f"{entry}:", *("|".join(step) for step in kernels))
for kernel, name in sorted(manifest["names"].items()):
    if kernel != name:
        print(kernel, "is", name)
for kernel, variant in sorted(manifest["variants"].items()):
    print(kernel, "by", variant)
symbols = {symbol["name"] for symbol in plan["symbols"]}
wide = [buffer["name"] for entry in plan["entries"] for buffer in entry["buffers"] if "B" in buffer["dims"] and symbols & set(map(str, buffer["dims"]))]
print("batch x outputs buffers:", *(wide or ["none"]))
