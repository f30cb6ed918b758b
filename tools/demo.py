#!/usr/bin/env python3
"""The demo after the build: data, two networks, evaluation, recommendations, and where the time went. tools/demo runs it."""
import argparse
import collections
import json
import os
import re
import shlex
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "build", "demo")
BIN = os.path.join(ROOT, "build", "release", "bin")
NETWORKS = os.path.relpath(os.path.join(ROOT, "examples", "movielens"), FOLDER)
DATAGEN = ("sn-datagen --rows 20000 --columns 27278 --mean 144 --minimum 20 --seed 1 -o data.h5 --hold-out .2 --test-output test.h5"
           " --force")
ROWS, ITEMS = 20000, 27278
TERMINAL = sys.stdout.isatty()


def bold(text):
    return f"\033[1m{text}\033[0m" if TERMINAL else text


class Demo:
    def __init__(self, spent):
        self.spent = list(spent)
        os.makedirs(FOLDER, exist_ok=True)
        os.environ["PATH"] = BIN + os.pathsep + os.environ["PATH"]

    def title(self, text):
        print(f"\n{bold(text)}", flush=True)

    def run(self, command, part=None, capture=False):
        """Runs a command in build/demo, as typed; `part` is the row of the closing table that its time goes to."""
        if part:
            print(f"$ {command}", flush=True)
        start = time.monotonic()
        run = subprocess.run(shlex.split(command), cwd=FOLDER, text=True, stdout=subprocess.PIPE if capture else None,
                             stderr=subprocess.PIPE if capture else None)
        if run.returncode:
            sys.exit(f"{run.stderr or ''}tools/demo: '{command}' ended with exit code {run.returncode}")
        if part:
            self.spent.append((part, time.monotonic() - start))
        return run.stdout

    def data(self):
        self.title(f"1. Data of MovieLens-20M's shape: {ROWS:,} users with tastes, {ITEMS:,} movies, a fifth of each user's choices held out")
        stamp = os.path.join(FOLDER, "data.command")
        if os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == DATAGEN:
            print("already in build/demo: data.h5, test.h5")
            return
        self.run(DATAGEN, "data")
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(DATAGEN)

    def networks(self):
        self.title("2. The founding network: compiled ahead of time, trained two epochs")
        self.run(f"snc compile {NETWORKS}/ae.json -o ae.plan --force", "compile ae.json")
        self.run("snrt train ae.plan data.h5 --epochs 2 --force", "train ae.json")
        self.title("3. The same language with a Training object (Adam, outputs that start rare)")
        self.run(f"snc compile {NETWORKS}/ae-tuned.json -o ae-tuned.plan --force", "compile ae-tuned.json")
        self.run("snrt train ae-tuned.plan data.h5 --force --profile", "train ae-tuned.json")

    def evaluation(self):
        self.title("4. What each finds of the choices held out (known ones left out)")
        evaluate = "snrt eval {0}.plan {0}.weights.h5 data.h5 --truth test.h5 --exclude input --at 20,100{1} --json"
        tuned = json.loads(self.run(evaluate.format("ae-tuned", " --baseline popularity,item-knn"), "evaluate, with baselines", True))
        first = json.loads(self.run(evaluate.format("ae", ""), "evaluate, with baselines", True))
        named = {"popularity": "popularity", "item-knn": "item-kNN", "network": "ae-tuned.json"}
        rows = collections.defaultdict(dict)
        for label, results in (("ae.json, 2 epochs", [r for r in first["results"] if r["name"] == "network"]), (None, tuned["results"])):
            for result in results:
                rows[label or named[result["name"]]][result["at"]] = result
        print(f"\n  {'':<20}" + "".join(f"{m + '@' + str(k):>15}" for m in ("recall", "ndcg", "precision") for k in (20, 100)))
        for name in ("popularity", "item-kNN", "ae.json, 2 epochs", "ae-tuned.json"):
            print(f"  {name:<20}" + "".join(f"{rows[name][k][m]:>15.4f}" for m in ("recall", "ndcg", "precision") for k in (20, 100)))

    def ranking(self, data, rows, extra):
        """Every item in the network's order, for each of the rows."""
        listed = self.run(f"snrt predict ae-tuned.plan ae-tuned.weights.h5 {data} -o - --top-k {ITEMS} --rows {shlex.quote(','.join(rows))} {extra}",
                          capture=True)
        return {fields[0]: fields[1::2] for fields in (line.split("\t") for line in listed.splitlines())}

    def entries(self, data, rows):
        """The items of rows: those that --exclude takes out of the full ranking."""
        every, others = self.ranking(data, rows, ""), self.ranking(data, rows, "--exclude input")
        unknown = {row: set(items) for row, items in others.items()}
        return {row: [item for item in every[row] if item not in unknown[row]] for row in rows}

    def recommendations(self):
        self.title("5. Ten recommendations for three users, by name (* = the user did choose it: it was held out)")
        self.run("snrt predict ae-tuned.plan ae-tuned.weights.h5 data.h5 --top-k 10 --exclude input -o recs.tsv --force", "predict, all users")
        with open(os.path.join(FOLDER, "recs.tsv"), encoding="utf-8") as file:
            lines = [line.rstrip("\n").split("\t") for line in file]
        chosen = {line[0]: line[1::2] for line in (lines[0], lines[len(lines) // 3], lines[2 * len(lines) // 3])}
        liked, held = self.entries("data.h5", list(chosen)), self.entries("test.h5", list(chosen))
        for user, items in chosen.items():
            tastes = collections.Counter(match[1] for item in liked[user] if (match := re.search(r"\((\w+), \d+\)", item)))
            counted = ", ".join(f"{genre} {count}" for genre, count in tastes.most_common(4))
            print(f"\n  {bold(user)}: {len(liked[user])} choices known, most of them {counted}")
            print(f"    {'among what they chose':<48}  recommended")
            # Evenly over the ranking of what is known, so that the list is not only what the network likes best.
            known = liked[user][:: max(1, len(liked[user]) // 10)][:10]
            for old, new in zip(known, items):
                print(f"    {old:<46}  {'*' if new in held[user] else ' '} {new}")

    def times(self):
        self.title("6. Where the time went")
        total = collections.OrderedDict()
        for part, seconds in self.spent:
            total[part] = total.get(part, 0) + seconds
        for part, seconds in total.items():
            print(f"  {part:<28}{seconds:>8.1f} s")
        print(f"  {'together':<28}{sum(total.values()):>8.1f} s")
        print(f"\nAll files are in {os.path.relpath(FOLDER, ROOT)}/. Next: snc explain build/demo/ae.plan; your own data: README.md")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spent", nargs="*", default=[], metavar="PART=SECONDS", help="what went before")
    arguments = parser.parse_args()
    demo = Demo((part, float(seconds)) for part, seconds in (text.split("=") for text in arguments.spent))
    demo.data()
    demo.networks()
    demo.evaluation()
    demo.recommendations()
    demo.times()


if __name__ == "__main__":
    main()
