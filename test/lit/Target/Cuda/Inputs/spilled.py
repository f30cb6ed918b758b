"""spilled.py RESOURCES NETWORK SNC: a record in which every unit of the network is, and one of them spills on sm_75."""
import importlib.util
import json
import sys
import tempfile

resources, network, snc = sys.argv[1:]
spec = importlib.util.spec_from_file_location("resources", resources)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with tempfile.TemporaryDirectory() as folder:
    entries, _ = module.compiled(snc, network, "fp32", (), folder)
    units = module.hashes(entries)
print(json.dumps({key: {"kernel": f"movielens/ae {kernel}", "sm_75": [40, 0, 0, 8 if kernel == "Hidden_map" else 0]} for kernel, key in units.items()}))
