"""Prints how a plan's parameters are stored and whether it allows a delta buffer."""
import json
import sys
import zipfile

plan = json.loads(zipfile.ZipFile(sys.argv[1]).read("plan.json"))
for parameter in plan["parameters"]:
    print(parameter["name"], parameter["storage"])
print("delta buffer", plan["allowDeltaBuffer"])
