#!/usr/bin/env python3
"""snrt report: the page's numbers are the file's, it is well-formed and needs nothing else, damage is skipped and said; and what
snrt train --truth measures is what snrt eval finds."""
import html.parser
import json
import math
import os
import re
import xml.etree.ElementTree as xml

import commands
from test_import import NETWORK, interactions

SVG = "{http://www.w3.org/1999/xhtml}"
STEPS = [
    {"kernel": "csr_gather", "sweep": "", "label": "Hidden (Tanh)", "target": "", "reads": ["input", "I->H/weights"], "writes": ["h"]},
    {"kernel": "wide_output", "sweep": "single", "label": "Output <b>&", "target": "output",
     "reads": ["h", "H->O/weights", "output"], "writes": ["dh", "H->O/weights"]},
    {"kernel": "map", "sweep": "", "label": "Hidden (Tanh)", "target": "", "reads": ["h", "dh"], "writes": ["d"]},
    {"kernel": "csc_update", "sweep": "", "label": "Hidden", "target": "", "reads": ["input", "d", "I->H/weights"], "writes": ["I->H/weights"]}]
SECONDS = [1.0, 5.0, 0.5, 1.5]


def run_line(**members):
    return {"kind": "run", "version": 1, "network": "Small", "plan": "s.plan", "data": "d.h5", "weights": "s.weights.h5", "device": "CPU",
            "settings": {"optimizer": "SGD", "hyper": {"Alpha": 0.1}, "alpha": "Alpha", "batch": 10, "epochs": 4, "seed": 1, "shuffle": True},
            "examples": 100, "parameters": 1234, "datasets": {"input": {"rows": 100, "columns": 50, "entries": 250}},
            "memory": {"parameters": 3 << 20, "data": 1 << 20, "total": 4 << 20}, "estimate": {"seconds_per_epoch": 2}, "graph": STEPS, **members}


def losses(count, scale=1.0):
    """A run of epochs with lines within them; values without a short decimal form."""
    lines = []
    for epoch in range(1, count + 1):
        for part in range(1, 5):
            at = epoch - 1 + part / 4
            lines.append({"kind": "batches", "epoch": epoch, "step": epoch * 10 - 10 + part * 10 // 4, "examples": part * 25,
                          "training": scale * math.exp(-at) + 0.01, "alpha": 0.1 / (1 + at), "seconds": at * 2})
        lines.append({"kind": "epoch", "epoch": epoch, "steps": 10, "examples": 100, "training": scale * math.exp(-epoch) + 0.02,
                      "regularization": 0.1, "validation": scale * math.exp(-epoch / 2), "alpha": 0.1, "seconds": 2.0, "examples_per_second": 50.0,
                      "ranking": {"recall@20": 1 - math.exp(-epoch), "recall@100": 1 - math.exp(-2 * epoch)}})
    return lines


def closing():
    return [{"kind": "checkpoint", "path": "s.weights.h5", "step": 40, "epoch": 4, "example": 0, "seconds": 0.1},
            {"kind": "profile", "entry": "train", "seconds": 8, "steps": [
                {"kernel": s["kernel"], "sweep": s["sweep"], "label": s["label"], "launches": 40, "seconds": t} for s, t in zip(STEPS, SECONDS)]},
            {"kind": "end", "reason": "finished", "step": 40, "epoch": 4, "example": 0, "seconds": 9, "weights": "s.weights.h5"}]


def text_of(lines):
    return "".join(json.dumps(line) + "\n" for line in lines)


class Balanced(html.parser.HTMLParser):
    """Fails on a tag that is not closed, or refers to something outside."""
    def __init__(self):
        super().__init__()
        self.open, self.references = [], []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.references += [value for name, value in attributes if name in ("src", "href", "srcset", "data")]

    def handle_startendtag(self, tag, attributes):
        self.references += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.open, tag)
        self.open.pop()


class Page:
    """The parts of a page."""
    def __init__(self, data):
        self.text = data.decode()
        self.root = xml.fromstring(self.text)

    def all(self, tag, kind=None):
        return [e for e in self.root.iter(SVG + tag) if kind is None or kind in e.get("class", "").split()]

    def figure(self, name):
        return next(e for e in self.all("figure") if e.get("id") == name)

    def curves(self, name):
        """{name of the curve: points} as the page holds them."""
        return {c["name"]: c["points"] for c in json.loads(next(self.figure(name).iter(SVG + "script")).text)}

    def paths(self, name):
        """The drawn curves of a figure, turned back into values."""
        svg = next(e for e in self.figure(name).iter(SVG + "svg") if e.get("data-x"))
        x0, x1, left, right = map(float, svg.get("data-x").split())
        y0, y1, bottom, top, kind = (float(v) if i < 4 else v for i, v in enumerate(svg.get("data-y").split()))
        drawn = []
        for path in (e for e in svg.iter(SVG + "path") if e.get("class", "").startswith("curve")):
            points = []
            for px, py in re.findall(r"[ML]([\d.]+) ([\d.]+)", path.get("d")):
                share = (float(py) - bottom) / (top - bottom)
                points.append((x0 + (float(px) - left) / (right - left) * (x1 - x0),
                               y0 * (y1 / y0) ** share if kind == "log" else y0 + share * (y1 - y0)))
            drawn.append(points)
        return drawn

    def table(self, kind):
        """Cells of a table's rows, the foot too."""
        table = self.all("table", kind)[0]
        return [["".join(cell.itertext()) for cell in row if cell.tag == SVG + "td"] for row in table.iter(SVG + "tr")][1:]


class Report(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.lines = [run_line(), *losses(4), *closing()]
        cls.write("metrics.jsonl", text_of(cls.lines))

    def page(self, *arguments, output="page.html"):
        self.snrt("report", *arguments, "-o", output, "--force")
        return Page(self.read(output))

    def test_curves_are_the_files(self):
        page = self.page("metrics.jsonl")
        epochs = [line for line in self.lines if line["kind"] == "epoch"]
        batches = [line for line in self.lines if line["kind"] == "batches"]
        expected = [[[b["epoch"] - 1 + b["examples"] / 100, b["training"]] for b in batches], [[e["epoch"], e["training"]] for e in epochs],
                    [[e["epoch"], e["validation"]] for e in epochs]]
        curves, drawn = list(page.curves("loss").values()), page.paths("loss")
        self.assertEqual(len(curves), 3)
        self.assertEqual(len(drawn), 3)
        for wanted, held, line in zip(expected, curves, drawn):
            self.assertEqual(len(held), len(wanted))
            for (x, y), (hx, hy), (px, py) in zip(wanted, held, line):
                self.assertAlmostEqual(hx, x, places=7)
                self.assertAlmostEqual(hy / y, 1, places=7)
                self.assertAlmostEqual(px, x, delta=0.01)
                self.assertAlmostEqual(py / y, 1, delta=0.02)
        self.assertIn("logarithmic", "".join(page.figure("loss").itertext()))
        ranking = page.curves("ranking-0")
        self.assertEqual(list(ranking), ["recall@20", "recall@100"])
        self.assertAlmostEqual(ranking["recall@20"][2][1], 1 - math.exp(-3), places=7)
        self.assertEqual([point[1] for point in page.curves("throughput")["mean of the epoch"]], [50] * 4)
        self.assertEqual([point[1] for point in page.curves("throughput")["within the epoch"]], [50] * 12)
        self.assertAlmostEqual(page.curves("alpha")["learning rate"][0][1], 0.1 / 1.25, places=7)

    def test_tables_add_up(self):
        page = self.page("metrics.jsonl")
        *rows, foot = page.table("kernels")
        self.assertEqual([row[0] for row in rows], [step["kernel"] for step in STEPS])
        self.assertEqual([row[3:7] for row in rows][1], ["40", "5.000", "125.000", "62.5 %"])
        self.assertAlmostEqual(sum(float(row[6].split()[0]) for row in rows), 100, delta=0.2)
        self.assertEqual(foot[3:5], ["160", "8.000"])
        *rows, foot = page.table("memory")
        self.assertEqual([row[:3] for row in rows], [["parameters", "3.0 MiB", "75.0 %"], ["data", "1.0 MiB", "25.0 %"]])
        self.assertEqual(foot[:2], ["together", "4.0 MiB"])
        self.assertEqual(page.table("data"), [["input", "100", "50", "250", "5.00 %"]])
        self.assertEqual([row[0] for row in page.table("epochs")], ["1", "2", "3", "4"])
        self.assertEqual(page.table("epochs")[0][1], f"{math.exp(-1) + 0.02:.6f}")

    def test_the_plan_is_drawn(self):
        page = self.page("metrics.jsonl")
        plan = page.all("svg", "plan")[0]
        boxes = [e for e in plan.iter(SVG + "g") if e.get("class") == "step"]
        said = [[e.text for e in box if e.tag == SVG + "text"] for box in boxes]
        self.assertEqual(said, [["csr_gather", "Hidden (Tanh)", "12.5 %"], ["wide_output · single", "Output <b>&", "62.5 %"],
                                ["map", "Hidden (Tanh)", "6.2 %"], ["csc_update", "Hidden", "18.8 %"]])
        widths = [float(next(e for e in box if e.get("class") == "box").get("width")) for box in boxes]
        self.assertTrue(widths[1] > 3 * widths[0], "the fused step spans all columns")
        wires = {next(g.iter(SVG + "title")).text: g for g in plan.iter(SVG + "g") if g.get("class", "").startswith("buffer")}
        self.assertEqual(sorted(wires), ["d", "dh", "h"])
        self.assertEqual(len(list(wires["h"].iter(SVG + "circle"))), 2, "h goes to two steps")

    def test_one_file_that_needs_nothing(self):
        data = self.read(self.page("metrics.jsonl") and "page.html")
        parser = Balanced()
        parser.feed(data.decode())
        parser.close()
        self.assertEqual([tag for tag in parser.open if tag not in ("meta",)], [])
        self.assertEqual([r for r in parser.references if not r.startswith("#")], [])
        self.assertNotRegex(data.decode().replace('xmlns="http://www.w3.org/1999/xhtml"', ""), r"https?:|url\(|@import")
        for rule in ("prefers-color-scheme: dark", "@media print"):
            self.assertIn(rule, data.decode())
        self.snrt("report", "metrics.jsonl", "-o", "again.html")
        self.assertEqual(self.read("again.html"), data)

    def test_output_and_overwriting(self):
        os.makedirs(self.path("sub"), exist_ok=True)
        self.write("sub/metrics.jsonl", text_of(self.lines))
        self.assertSays(self.snrt("report", "sub/metrics.jsonl"), "report: sub/report.html")
        before = self.digest("sub/report.html")
        self.assertSays(self.snrt("report", "sub/metrics.jsonl", code=1), "sub/report.html", "--force")
        self.snrt("report", "sub/metrics.jsonl", "--force")
        self.assertEqual(self.digest("sub/report.html"), before)
        self.assertSays(self.snrt("report", "metrics.jsonl", "-o", "no/where.html", code=1), "no/where.html")
        self.assertSays(self.snrt("report", "metrics.jsonl", "-o", "x.html", "--json", code=1), "--output excludes --json")
        self.assertSays(self.snrt("report", code=1), "metrics is required")

    def test_json(self):
        said = self.json("report", "metrics.jsonl")
        run = said["runs"][0]
        self.assertEqual((run["network"], run["end"], run["seconds"], run["memory"]["total"]), ("Small", "finished", 9, 4 << 20))
        self.assertEqual([e["training"] for e in run["epochs"]], [line["training"] for line in self.lines if line["kind"] == "epoch"])
        self.assertEqual(run["best"]["recall@20"], {"epoch": 4, "value": 1 - math.exp(-4)})
        self.assertEqual(run["best"]["validation"]["epoch"], 4)
        self.assertAlmostEqual(sum(step["share"] for step in run["profile"]["steps"]), 1)
        self.assertEqual(run["profile"]["kernels"][0], {"kernel": "wide_output", "launches": 40, "seconds": 5})

    def test_damage_is_skipped_and_said(self):
        whole = text_of([*self.lines[:8], {"kind": "weather", "sun": None}])
        self.write("damaged.jsonl", whole + "{broken}\n" + text_of(self.lines[8:15]) + '{"kind":"epoch","epo')
        run = self.snrt("report", "damaged.jsonl", "-o", "damaged.html")
        self.assertEqual(run.stderr, "snrt: damaged.jsonl:10: skipped: it is not JSON\n"
                                     "snrt: damaged.jsonl:18: skipped: half a line: the run ended while it was written\n")
        page = Page(self.read("damaged.html"))
        self.assertIn("the run still goes on, or was killed", page.text)
        self.assertIn("damaged.jsonl:10: it is not JSON", page.text)
        self.write("bad.jsonl", "no\n" * 10)
        self.write("mixed.jsonl", "no\n" * 10 + text_of(self.lines))
        self.assertSays(self.snrt("report", "mixed.jsonl", "-o", "mixed.html"), "mixed.jsonl:5: skipped", "5 more lines are skipped")

    def test_what_is_no_metrics_file(self):
        self.write("empty.jsonl", "")
        self.write("table.csv", "user,item\n1,2\n")
        for name, message in (("empty.jsonl", "empty.jsonl: is empty; snrt train writes its lines to metrics.jsonl beside the weights"),
                              ("table.csv", "table.csv:1: no metrics file: it is not JSON. Give the metrics.jsonl that snrt train writes"),
                              ("none.jsonl", "none.jsonl: cannot be read: No such file or directory"), (".", ".: is a folder")):
            self.assertSays(self.snrt("report", name, "-o", "never.html", code=1), "error: " + message)
            self.assertSays(self.snrt("report", "metrics.jsonl", name, "--json", code=1), message.split(":")[0])
        self.assertFalse(os.path.exists(self.path("never.html")))

    def test_nulls_and_a_single_epoch(self):
        self.write("null.jsonl", text_of([run_line(), {"kind": "epoch", "epoch": 1, "training": None, "validation": 2.5, "alpha": None},
                                          {"kind": "end", "reason": "diverged", "message": "the loss of 'O' is nan; try a smaller --alpha"}]))
        page = self.page("null.jsonl")
        self.assertEqual(page.curves("loss"), {"validation": [[1, 2.5]]})
        self.assertIn("Diverged after 1 epoch. the loss of &#39;O&#39; is nan; try a smaller --alpha", page.text)
        self.write("bare.jsonl", '{"kind":"end"}\n')
        self.assertIn("No step has been reported yet.", self.page("bare.jsonl").text)

    def test_several_runs_and_resumed_ones(self):
        second = run_line(settings={**run_line()["settings"], "hyper": {"Alpha": 0.02}})
        self.write("second.jsonl", text_of([second, *losses(3, 2.0)]))
        page = self.page("metrics.jsonl", "second.jsonl")
        self.assertEqual([row[0].strip() for row in page.table("runs")], ["1: Alpha 0.1", "2: Alpha 0.02"])
        curves = page.curves("loss")
        self.assertEqual(len(curves["1: Alpha 0.1, training"]), 4)
        self.assertEqual(len(curves["2: Alpha 0.02, validation"]), 3)
        self.assertEqual(len(page.all("svg", "plan")), 1, "equal plans are drawn once")
        late = [line for line in losses(4, 3.0) if line["epoch"] > 2]
        self.write("resumed.jsonl", text_of([run_line(), *losses(3), run_line(resumed={"step": 20, "epoch": 2, "example": 0}), *late]))
        page = self.page("resumed.jsonl")
        means = page.curves("loss")["training, mean of the epoch"]
        self.assertEqual([p[0] for p in means], [1, 2, 3, 4])
        self.assertAlmostEqual(means[2][1], 3 * math.exp(-3) + 0.02, places=7)
        self.assertIn("resumed once", page.text)
        self.assertIn("resumed from step 20", page.text)

    def test_a_hundred_thousand_lines(self):
        lines = [run_line(network="<Large> & 'quoted'")]
        for step in range(1, 100001):
            lines.append({"kind": "batches", "epoch": 1 + (step - 1) // 50, "step": step, "examples": 2 * ((step - 1) % 50 + 1),
                          "training": 1 + math.sin(step) / 2, "alpha": 0.1, "seconds": step / 100})
            if step % 50 == 0:
                lines.append({"kind": "epoch", "epoch": step // 50, "training": 1 / step, "validation": 2 / step})
        lines[54321]["training"] = 99.0
        self.write("large.jsonl", text_of(lines))
        page = self.page("large.jsonl")
        self.assertLess(len(page.text), 1000000)
        curve = page.curves("loss")["training, within the epoch"]
        self.assertLessEqual(len(curve), 2400)
        self.assertEqual(max(point[1] for point in curve), 99.0)
        self.assertEqual(curve[-1][0], 2000)
        self.assertIn("240 of 2,000 epochs, evenly spaced", page.text)
        self.assertEqual(page.all("h1")[0].text, "<Large> & 'quoted'")


class Truth(commands.Commands):
    """A real run."""
    @classmethod
    def prepare(cls):
        cls.write("r.csv", "user,item\n" + "".join(f"{u},{i}\n" for u, i in interactions()))
        cls.write("net.json", NETWORK)
        cls.snc("compile", "net.json", "-o", "net.plan")
        cls.snrt("import", "r.csv", "-o", "data.h5", "--hold-out", ".2", "--seed", 1, "--test-output", "test.h5")
        cls.said = cls.snrt("train", "net.plan", "data.h5", "--epochs", 3, "--truth", "test.h5", "--exclude", "input", "--at", "5,10",
                            "--validation", "test.h5").stdout

    def metrics(self, name="metrics.jsonl"):
        return [json.loads(line) for line in self.read(name).decode().splitlines()]

    def test_it_is_what_eval_finds(self):
        found = self.json("eval", "net.plan", "net.weights.h5", "data.h5", "--truth", "test.h5", "--exclude", "input", "--at", "5,10")
        expected = {f"{measure}@{one['at']}": one[measure] for one in found["results"] for measure in ("recall", "precision", "ndcg")}
        last = [line for line in self.metrics() if line["kind"] == "epoch"][-1]
        self.assertEqual(last["ranking"], expected)
        self.assertIn(f"recall@5 {expected['recall@5']:.4f}, ndcg@5 {expected['ndcg@5']:.4f}, precision@5 {expected['precision@5']:.4f}, "
                      f"recall@10 {expected['recall@10']:.4f}", self.said.splitlines()[-2])

    def test_it_leaves_no_trace_in_the_weights(self):
        os.mkdir(self.path("plain"))
        self.snrt("train", "net.plan", "data.h5", "--epochs", 3, "-o", "plain/net.weights.h5")
        self.assertEqual(self.digest("plain/net.weights.h5"), self.digest("net.weights.h5"))

    def test_what_does_not_fit_together(self):
        train = ("train", "net.plan", "data.h5", "-o", "never.h5")
        self.assertSays(self.snrt(*train, "--exclude", "input", code=1), "--exclude requires --truth")
        self.assertSays(self.snrt(*train, "--truth", "none.h5", code=1), "none.h5: cannot be read: No such file")
        self.assertSays(self.snrt(*train, "--truth", "test.h5", "--exclude", "known", code=1),
                        "--exclude known: data.h5 has no such data set; it has input, output")
        self.write("other.csv", "user,item\nsomebody,something\n")
        self.snrt("import", "other.csv", "-o", "other.h5")
        self.assertSays(self.snrt(*train, "--truth", "other.h5", code=1), "other.h5")
        self.snrt("import", "r.csv", "-o", "third.h5", "--name", "third")
        self.assertSays(self.snrt(*train, "--truth", "third.h5", code=1),
                        "third.h5: has no data set 'output', 'output' or 'input'; it has third")
        self.assertFalse(os.path.exists(self.path("never.h5")))

    def test_the_page_of_a_real_run(self):
        self.snrt("report", "metrics.jsonl", "-o", "real.html", "--force")
        page, lines = Page(self.read("real.html")), self.metrics()
        self.assertEqual(len([g for g in page.all("g") if g.get("class") == "step"]), len(lines[0]["graph"]))
        epochs = [line for line in lines if line["kind"] == "epoch"]
        for point, line in zip(page.curves("loss")["validation"], epochs):
            self.assertAlmostEqual(point[1] / line["validation"], 1, places=7)
        profile = next(line for line in lines if line["kind"] == "profile")
        self.assertEqual(len(page.table("kernels")), len(profile["steps"]) + 1)
        self.assertEqual(page.table("memory")[0][0], "parameters")
        self.assertIn("Finished after 3 epochs", page.text)


if __name__ == "__main__":
    commands.main()
