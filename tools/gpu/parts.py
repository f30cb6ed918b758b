"""The parts of tools/gpu/check. Each is a function of a Setting that gives a dict with `problems`, `summary` and what it found."""
import concurrent.futures
import glob
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time

PRECISIONS = ("fp32", "tf32", "bf16x3", "bf16")
PLACES = 7  # of the lists of the best columns
WITHIN = 0.3  # of a prediction (issue 4)
LIBRARY_SHARE = 0.6  # of its rate, that wide_output is built for (issue 4)


class Failure(Exception):
    """A program of ours failed, or said something else than it should."""


class Setting:
    def __init__(self, folder, scratch, snrt, device, jobs, seconds, library=None):
        self.folder, self.scratch, self.device, self.jobs = folder, scratch, device, jobs
        self.unpacking = threading.Lock()
        self.snrt_path = snrt or self.carried("snrt")
        self.library_path = library
        self.end = time.monotonic() + seconds

    def carried(self, name):
        """A program of the folder."""
        return self.plain(f"{self.folder}/bin/{name}", 0o755)

    def plain(self, path, mode=0o644):
        """A file that `pack` compressed."""
        to = os.path.join(self.scratch, "plain", os.path.relpath(path, self.folder))
        with self.unpacking:
            if not os.path.exists(to):
                os.makedirs(os.path.dirname(to), exist_ok=True)
                with gzip.open(f"{path}.gz") as packed, open(to, "wb") as file:
                    shutil.copyfileobj(packed, file)
                os.chmod(to, mode)
        return to

    def late(self):
        return time.monotonic() > self.end

    def program(self, path, *arguments, limit=None):
        """What it prints. `limit`: seconds, at most to the end of the part and a little more."""
        command = [path, *map(str, arguments)]
        shown = " ".join([os.path.basename(path), *map(str, arguments)])
        left = max(10.0, self.end - time.monotonic() + 30)
        try:
            done = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=min(left, limit or left))
        except subprocess.TimeoutExpired:
            raise Failure(f"{shown}: stopped after {min(left, limit or left):.0f} s") from None
        if done.returncode:
            raise Failure(f"{shown}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-600:]}")
        return done.stdout

    def snrt(self, *arguments, limit=None):
        """The JSON lines that snrt prints on the device."""
        printed = self.program(self.snrt_path, *arguments, "--device", self.device, "--json", limit=limit)
        return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]

    def networks(self):
        return sorted(glob.glob(f"{self.folder}/conformance/*"))


def of_kind(lines, kind):
    return [line for line in lines if line.get("kind") == kind]


def off(what, actual, expected):
    """"" or how a sum differs from the oracle's."""
    error = abs(actual - expected["value"])
    return "" if error <= expected["allowed"] else f"{what} is {actual:.9g}, the oracle's {expected['value']:.9g}; error {error:.3g}, allowed {expected['allowed']:.3g}"


def wrong_list(items, scores, rounding):
    """"" or what is wrong with the best columns of one row (test/support/Agreement.h, compareLists)."""
    best = sorted(scores, reverse=True)
    allowed = 1e-5 * max(1, abs(best[0]), abs(best[-1])) + rounding
    if len(items) != min(PLACES, len(scores)):
        return f"{len(items)} places"
    if len({item["item"] for item in items}) != len(items):
        return "a column is listed twice"
    for place, item in enumerate(items):
        column = int(item["item"])
        if not 0 <= column < len(scores):
            return f"column {column}"
        for oracle in (scores[column], best[place]):
            if not abs(item["score"] - oracle) <= allowed:
                return f"place {place}: column {column} with score {item['score']:.9g}, the oracle has {oracle:.9g}"
    return ""


def check_network(setting, case):
    """One network: what differs, and how near the tolerance it came."""
    name, plain = os.path.basename(case), setting.plain
    with open(f"{case}/expected.json", encoding="utf-8") as file:
        expected = json.load(file)
    problems, found = [], {"network": name, "precision": expected["precision"], "values": 0, "ratio": 0.0}
    for step, loss in enumerate(expected["training"], 1):
        to = f"{setting.scratch}/{name}/{step}"
        os.makedirs(to)
        lines = setting.snrt("train", f"{case}/net.plan", plain(f"{case}/step{step}.h5"), "--resume", plain(f"{case}/state{step - 1}.h5"), "-o", f"{to}/w.h5")
        found["device"] = of_kind(lines, "run")[0]["device"]
        if of_kind(lines, "brake"):
            problems.append(f"{name} step {step}: the step was not made")
            continue
        problems.append(off(f"{name} step {step}: the loss", of_kind(lines, "epoch")[0]["training"], loss))
        compared = json.loads(setting.program(setting.carried("sn-gpu-compare"), f"{to}/w.h5", plain(f"{case}/state{step}.h5"),
                                              plain(f"{case}/tolerance{step}.h5")))
        found["values"] += compared["values"]
        found["ratio"] = max(found["ratio"], compared["ratio"])
        if not compared["agrees"]:
            problems.append("{} step {}: {tensor} at {entry} is {actual:.9g}, the oracle's {expected:.9g}; allowed {allowed:.3g}".format(
                name, step, **compared["worst"]))
    inputs = (f"{case}/net.plan", plain(f"{case}/state0.h5"), plain(f"{case}/step1.h5"))
    problems.append(off(f"{name}: the loss of eval", setting.snrt("eval", *inputs)[0]["loss"], expected["evaluate"]))
    for layer, scores in expected["scores"].items():
        rows = [line for line in setting.snrt("predict", *inputs, "-o", "-", "--top-k", PLACES, "--layer", layer) if "items" in line]
        if len(rows) != len(scores):
            problems.append(f"{name}: {len(rows)} lists of {layer} for {len(scores)} rows")
        for row, oracle in zip(rows, scores):
            wrong = wrong_list(row["items"], oracle, expected["rounding"][layer])
            problems += [f"{name}: list of {layer} for row {row['name']}: {wrong}"] if wrong else []
    found["problems"] = [problem for problem in problems if problem]
    return found


def conformance(setting):
    def attempt(case):
        if setting.late():
            return {"network": os.path.basename(case), "skipped": "no time was left"}
        try:
            return check_network(setting, case)
        except (Failure, KeyError, IndexError, ValueError) as fault:
            return {"network": os.path.basename(case), "problems": [f"{os.path.basename(case)}: {fault}"]}
    with concurrent.futures.ThreadPoolExecutor(setting.jobs) as pool:
        networks = list(pool.map(attempt, setting.networks()))
    checked = [found for found in networks if "skipped" not in found]
    problems = [problem for found in checked for problem in found["problems"]]
    precisions = {precision: sum(found.get("precision") == precision for found in checked) for precision in PRECISIONS}
    problems += [f"no network was checked in {precision}" for precision, count in precisions.items() if count == 0]
    values = sum(found.get("values", 0) for found in checked)
    worst = max((found.get("ratio", 0.0) for found in checked), default=0.0)
    return {"problems": problems, "networks": networks, "precisions": precisions,
            "summary": f"{len(checked)} of {len(networks)} networks ({', '.join(f'{count} in {name}' for name, count in precisions.items())}), {values} values within their tolerances, the largest error {worst:.2g} of its tolerance"
                       if not problems else f"{len(problems)} differences"}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def make_data(setting, case):
    path = f"{setting.scratch}/{case['columns']}x{case['rows']}.h5"
    if not os.path.exists(path):
        setting.program(setting.carried("sn-datagen"), "--rows", case["rows"], "--columns", case["columns"], "--mean", case["entries_per_row"],
                        "--no-names", "-o", path, limit=240)
    return path


def bench_cases(setting):
    path = f"{setting.folder}/bench/cases.json"
    if not os.path.exists(path):
        return {"predicted_by": "", "cases": []}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def determinism(setting):
    """Two runs of each: the packed networks for three epochs, and the benchmark's first, in every precision, for one epoch."""
    runs = [(os.path.basename(case), f"{case}/net.plan", lambda case=case: setting.plain(f"{case}/step1.h5"),
             ("--from", setting.plain(f"{case}/state0.h5"), "--epochs", 3, "--batch", 16)) for case in setting.networks()]
    cases = bench_cases(setting)["cases"]
    runs += [(f"{case['name']} in {case['precision']}", f"{setting.folder}/bench/{case['plan']}", lambda case=case: make_data(setting, case),
              ("--epochs", 1, "--batch", case["batch"], "--optimizer", case["optimizer"])) for case in cases if case["name"] == cases[0]["name"]]
    problems, compared, skipped = [], [], []
    for number, (name, plan, data, options) in enumerate(runs):
        if setting.late():
            skipped.append(name)
            continue
        try:
            digests = []
            for turn in "ab":
                to = f"{setting.scratch}/{number}{turn}"
                os.makedirs(to)
                setting.snrt("train", plan, data(), "-o", f"{to}/w.h5", *options)
                digests.append(digest(f"{to}/w.h5"))
                shutil.rmtree(to)
            compared.append({"run": name, "sha256": digests})
            problems += [f"{name}: two runs gave different weights"] if digests[0] != digests[1] else []
        except Failure as fault:
            problems.append(f"{name}: {fault}")
    problems += [] if compared else ["nothing was compared"]
    return {"problems": problems, "runs": compared, "skipped": skipped, "summary": "" if problems else f"{len(compared)} runs, each twice, the same bytes"}


def beside(measured, predicted):
    ratio = measured / predicted if predicted > 0 else None
    return {"measured_seconds": measured, "predicted_seconds": predicted, "ratio": ratio, "within_30_percent": ratio is not None and abs(ratio - 1) <= WITHIN}


def measure(setting, case):
    """Time of a step from an epoch without the profile, of kernels from one with it."""
    plan, data = f"{setting.folder}/bench/{case['plan']}", make_data(setting, case)
    options = ("--batch", case["batch"], "--optimizer", case["optimizer"], "--force")
    weights = f"{setting.scratch}/w.h5"
    lines = setting.snrt("train", plan, data, "-o", weights, "--epochs", 4, *options)
    steps = -(-case["rows"] // case["batch"])
    epochs = [line["seconds"] / steps for line in of_kind(lines, "epoch")]
    train = case["prediction"]["train"]
    found = {"name": f"{case['name']} in {case['precision']}", "device": of_kind(lines, "run")[0]["device"], "rows": case["rows"], "steps_of_an_epoch": steps,
             "seconds_per_step_by_epoch": epochs, "step": beside(min(epochs), train["batch"]["expected_seconds"])}
    profiles = of_kind(setting.snrt("train", plan, data, "-o", weights, "--epochs", 1, "--profile", *options), "profile")
    os.unlink(weights)
    predicted = {(step["kernel"], step["sweep"], step["label"]): step for step in train["steps"]}
    found["kernels"] = []
    for step in (step for profile in profiles if profile["entry"] == "train" for step in profile["steps"]):
        wanted = predicted.get((step["kernel"], step["sweep"], step["label"]))
        each = step["seconds"] / max(1, step["launches"])
        row = {"kernel": step["kernel"], "sweep": step["sweep"], "label": step["label"], "launches": step["launches"]}
        row.update(beside(each, wanted["expected_seconds"]) if wanted else {"measured_seconds": each})
        if wanted and each > 0:
            row.update(bytes_per_second=wanted["bytes"] / each, flops_per_second=wanted["flops"] / each)
        row.update({name: value for name, value in step.items() if name not in row and name != "seconds"})
        found["kernels"].append(row)
    return found


def bench(setting):
    packed = bench_cases(setting)
    if not packed["cases"]:
        return {"problems": [], "skipped": "the folder holds no benchmarks (tools/gpu/pack --small)"}
    problems, cases = [], []
    for case in packed["cases"]:
        if setting.late():
            cases.append({"name": f"{case['name']} in {case['precision']}", "skipped": "no time was left"})
            continue
        try:
            cases.append(measure(setting, case))
        except (Failure, KeyError, IndexError, ValueError, ZeroDivisionError) as fault:
            problems.append(f"{case['name']} in {case['precision']}: {fault}")
    steps = [f"{case['name']}: {1e3 * case['step']['measured_seconds']:.3f} ms a step, {case['step']['ratio']:.2f} of the prediction" for case in cases if "step" in case]
    return {"problems": problems, "cases": cases, "predicted_by": packed["predicted_by"], "summary": "; ".join(steps)}


def hidden_widths(case):
    """Of a benchmark's network."""
    return [1024] * 3 if "three" in case["plan"] else [128]


def beside_the_library(setting, case):
    """The rate of each output layer's kernels, and the library's for the products of training one."""
    plan, data, weights = f"{setting.folder}/bench/{case['plan']}", make_data(setting, case), f"{setting.scratch}/w.h5"
    lines = setting.snrt("train", plan, data, "-o", weights, "--epochs", 1, "--profile", "--batch", case["batch"], "--optimizer", case["optimizer"], "--force")
    os.unlink(weights)
    rates = json.loads(setting.program(setting.library_path or setting.carried("sn-gpu-library"), case["batch"], hidden_widths(case)[-1], case["columns"],
                                       case["precision"]))
    found = {"name": f"{case['name']} in {case['precision']}", "library": rates, "kernels": []}
    for step in (step for profile in of_kind(lines, "profile") if profile["entry"] == "train" for step in profile["steps"]):
        if step["kernel"] == "wide_output" and step["seconds"] > 0:
            rate = step["flops"] / step["seconds"]
            found["kernels"].append({"label": step["label"], "sweep": step["sweep"], "flops_per_second": rate, "of_the_library": rate / rates["flops_per_second"]})
    return found


def library(setting):
    """Products of wide_output beside the library's: no difference fails."""
    cases, problems = [], []
    if not bench_cases(setting)["cases"]:
        return {"problems": [], "skipped": "the folder holds no benchmarks (tools/gpu/pack --small)"}
    for case in bench_cases(setting)["cases"]:
        if case["precision"] not in ("fp32", "tf32"):
            continue  # the library is for these
        if setting.late():
            cases.append({"name": f"{case['name']} in {case['precision']}", "skipped": "no time was left"})
            continue
        try:
            cases.append(beside_the_library(setting, case))
        except (Failure, KeyError, IndexError, ValueError, ZeroDivisionError) as fault:
            problems.append(f"{case['name']} in {case['precision']}: {fault}")
    shares = [f"{case['name']}: {kernel['label']} at {kernel['of_the_library']:.2f} of the library's rate" for case in cases for kernel in case.get("kernels", [])]
    return {"problems": problems, "cases": cases, "target": LIBRARY_SHARE, "summary": "; ".join(shares)}


def pytorch(setting):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch_baseline.py")
    try:
        import_torch = subprocess.run([sys.executable, "-c", "import torch; print(torch.__version__, torch.cuda.is_available())"], text=True,
                                      capture_output=True, timeout=120)
    except subprocess.TimeoutExpired:
        return {"problems": [], "skipped": "importing torch took more than two minutes"}
    if import_torch.returncode:
        return {"problems": [], "skipped": "torch cannot be imported: " + import_torch.stderr.strip().splitlines()[-1]}
    if not import_torch.stdout.split()[-1] == "True":
        return {"problems": [], "skipped": f"torch {import_torch.stdout.split()[0]} finds no CUDA device"}
    results = []
    for case in bench_cases(setting)["cases"]:
        if case["precision"] != "fp32":
            continue  # its runs with TF32 stand beside ours in tf32
        if case["columns"] * case["batch"] * 4 > 2 ** 34:
            results.append({"name": case["name"], "skipped": f"the batch x outputs arrays that PyTorch makes take {case['columns'] * case['batch'] * 4 / 1e9:.0f} GB each"})
            continue
        hidden = hidden_widths(case)
        for tf32 in (0, 1):
            try:
                left = max(20, (setting.end - time.monotonic()) / max(1, 4 - len(results)))
                results.append(json.loads(setting.program(sys.executable, script, case["columns"], case["batch"], case["entries_per_row"], case["optimizer"],
                                                          ",".join(map(str, hidden)), tf32, left, limit=left + 60).splitlines()[-1]) | {"name": case["name"]})
            except (Failure, ValueError, IndexError) as fault:
                results.append({"name": case["name"], "tf32": bool(tf32), "failed": str(fault)})
    best = [f"{found['name']}{', TF32' if found['tf32'] else ''}: {found['best_ms']:.3f} ms ({found['best']})" for found in results if found.get("best_ms")]
    return {"problems": [], "version": import_torch.stdout.split()[0], "results": results, "summary": "; ".join(best)}


PARTS = {"conformance": conformance, "determinism": determinism, "bench": bench, "library": library, "pytorch": pytorch}


def run(name, setting):
    start = time.monotonic()
    found = PARTS[name](setting)
    verdict = "failed" if found["problems"] else "skipped" if isinstance(found.get("skipped"), str) else "passed"
    if verdict == "skipped":
        found["summary"] = found["skipped"]
    return {"verdict": verdict, "seconds": time.monotonic() - start, **found}
