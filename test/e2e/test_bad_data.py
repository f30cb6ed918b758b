#!/usr/bin/env python3
"""Bad data, wrong files and full disks: exit code 1, a message that says what is right, one JSON object with --json, and no file damaged or half-written;
and what is no error at all: empty rows, a batch larger than the data."""
import json
import os
import subprocess

import commands

FULL = 'mount -t tmpfs -o size="$1" none "$2" && cd "$2" && shift 2 && { "$@"; code=$?; ls -A; exit $code; }'


class BadData(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.datagen(*commands.SMALL, "-o", "data.h5")
        cls.snc("compile", f"{commands.EXAMPLES}/movielens/ae.json", "-o", "ae.plan")
        cls.snrt("train", "ae.plan", "data.h5", "-o", "ae.h5", "--epochs", 1)
        cls.write("lines.txt", "".join(f"u{n} i{n % 97} i{n % 31 + 100} i{n % 7 + 200}\n" for n in range(5000)))
        cls.write("empty", "")
        os.makedirs(cls.path("folder"), exist_ok=True)
        os.makedirs(cls.path("mount"), exist_ok=True)

    def refused(self, command, *words):
        """Exit code 1, these words, nothing of HDF5's own, nothing new in the folder, and the same as one JSON object."""
        before = {name: self.digest(name) for name in os.listdir(self.folder) if os.path.isfile(self.path(name))}
        run = self.snrt(*command, code=1)
        self.assertSays(run, *words)
        self.assertNotIn("HDF5-DIAG", run.stderr)
        objects = [json.loads(line) for line in self.snrt(*command, "--json", code=1).stderr.splitlines() if line.startswith("{")]
        self.assertEqual([(o["code"], sorted(o)) for o in objects], [(1, ["code", "error"])])
        after = {name: self.digest(name) for name in os.listdir(self.folder) if os.path.isfile(self.path(name))}
        self.assertEqual(after, before)

    def test_one_file_for_another(self):
        for data, words in (("ae.plan", ("not an HDF5 file but a ZIP archive", "the order is: snrt COMMAND PLAN [WEIGHTS] DATA")),
                            ("ae.h5", ("it is a weights file; the order is",)), ("lines.txt", ("text becomes one with: snrt import",)),
                            ("empty", ("is empty; an HDF5 file is expected",)), ("folder", ("is a folder; an HDF5 file is expected",)),
                            ("/dev/null", ("is a device or a pipe; an HDF5 file",)), ("absent.h5", ("absent.h5", "No such file"))):
            with self.subTest(data=data):
                self.refused(("init", "ae.plan", data, "-o", "w.h5"), *words)
                self.refused(("predict", "ae.plan", "ae.h5", data, "-o", "r.tsv"), *words)
        for plan, words in (("data.h5", ("is no plan but an HDF5 file, as data and weights are",)), ("empty", ("is empty and no plan",)),
                            (f"{commands.EXAMPLES}/movielens/ae.json", ("looks like a network's JSON. Compile it",)), ("/dev/zero", ("is a device or a pipe; a plan",))):
            with self.subTest(plan=plan):
                self.refused(("init", plan, "data.h5", "-o", "w.h5"), *words)

    def test_weights_of_another_network(self):
        with open(f"{commands.EXAMPLES}/movielens/ae.json", encoding="utf-8") as file:
            text = file.read()
        self.write("tanh.json", text.replace('"N" : 128, "Activation" : "Sigmoid"', '"N" : 128, "Activation" : "Tanh"'))
        self.snc("compile", "tanh.json", "-o", "tanh.plan")
        says = ("was trained with another network", '/Layers/1/Activation it has "Sigmoid", the plan has "Tanh"')
        self.refused(("eval", "tanh.plan", "ae.h5", "data.h5"), *says)
        self.refused(("predict", "tanh.plan", "ae.h5", "data.h5", "-o", "r.tsv"), *says)

    def test_outputs(self):
        for out, words in (("folder", ("folder",)), ("absent/w.h5", ("absent",)), ("n" * 300, ("File name too long",)), ("lines.txt/w.h5", ("lines.txt",)),
                           ("data.h5", ("exists",))):
            with self.subTest(out=out):
                self.refused(("init", "ae.plan", "data.h5", "-o", out), *words)
                self.refused(("import", "lines.txt", "-o", out), *words)
        for out in ("data.h5", "./data.h5", "ae.plan"):
            self.refused(("init", "ae.plan", "data.h5", "-o", out, "--force"), "would overwrite what is read")
            self.refused(("predict", "ae.plan", "ae.h5", "data.h5", "-o", out, "--force"), "would overwrite what is read")
        self.refused(("import", "lines.txt", "-o", "/dev/null", "--force"), "is a device or a pipe; a whole file cannot be put in its place")

    def full(self, size, *command):
        """The command in a file system of `size`, made for it in a name space of its own; None where that is not possible."""
        program = os.path.join(commands.BIN, "snrt")
        run = subprocess.run(["unshare", "-Urm", "sh", "-c", FULL, "sh", size, self.path("mount"), program, *command], capture_output=True, text=True, check=False)
        return None if "unshare" in run.stderr or "mount:" in run.stderr else run

    def test_full_disk(self):
        if self.full("1m", "--version") is None:
            self.skipTest("no user name spaces here")
        lines, plan, weights, data = (self.path(n) for n in ("lines.txt", "ae.plan", "ae.h5", "data.h5"))
        # Also where the last bytes do not fit: sizes just below the whole.
        for size in ("4k", "40k", "100k", "120k"):
            for command in (("import", lines, "-o", "out.h5"), ("init", plan, data, "-o", "w.h5"),
                            ("predict", plan, weights, data, "-o", "r.tsv", "--top-k", "100")):
                with self.subTest(size=size, command=command[0]):
                    run = self.full(size, *command)
                    self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
                    self.assertIn("No space left on device", run.stderr)
                    self.assertEqual(run.stdout.strip(), "", "nothing may stay behind")

    def test_a_limit_on_file_sizes_is_an_error_too(self):
        run = subprocess.run(["sh", "-c", 'ulimit -f 20; exec "$@"', "sh", os.path.join(commands.BIN, "snrt"), "import", "lines.txt", "-o", "limited.h5"],
                             cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("File too large", run.stderr)
        self.assertFalse([name for name in os.listdir(self.folder) if name.startswith("limited")])

    def test_stdout_that_takes_no_more(self):
        data, why = ("ae.plan", "ae.h5", "data.h5"), ": No space left on device"
        for command, says in ((("predict", *data, "-o", "-"), "stdout: the predictions cannot be written" + why),
                              (("eval", *data), "error: the output cannot be written" + why),
                              (("train", "ae.plan", "data.h5", "-o", "w.h5", "--epochs", "2", "--json"), "the output cannot be written: part of it is lost")):
            with self.subTest(command=command), open("/dev/full", "w", encoding="utf-8") as full:
                run = subprocess.run([os.path.join(commands.BIN, "snrt"), *command], cwd=self.folder, stdout=full, stderr=subprocess.PIPE, text=True,
                                     check=False)
                self.assertEqual(run.returncode, 1, run.stderr)
                self.assertIn(says, run.stderr)
        self.assertGreater(self.json("eval", "ae.plan", "w.h5", "data.h5")["loss"], 0, "the weights are there all the same")
        os.remove(self.path("w.h5"))

    def test_what_is_left_out_and_what_is_held_out(self):
        predict = ("predict", "ae.plan", "ae.h5", "data.h5", "-o", "r.tsv")
        self.refused((*predict, "--filter", "absent.txt"), "--filter absent.txt: cannot be read: No such file or directory")
        self.refused((*predict, "--exclude", "clicks"), "--exclude clicks: 'data.h5' has no such data set; it has input, output")
        self.refused((*predict, "--bind", "output"), "NAME=NAME is expected, the plan's data set first")
        for option in (("--hold-out", ".2"), ("--test-output", "t.h5")):
            run = self.run_program("sn-datagen", *commands.SMALL, "-o", "made.h5", *option, code=1)
            self.assertSays(run, "--hold-out and --test-output belong together")
        self.assertFalse(os.path.exists(self.path("made.h5")))

    def test_a_sample_of_flipped_bytes_and_cuts_of_a_plan(self):
        good = self.read("ae.plan")
        for number in range(24):
            at = number * (len(good) - 1) // 23
            with open(self.path("bad.plan"), "wb") as file:
                file.write(good[:at] + bytes([good[at] ^ (1 << number % 8)]) + good[at + 1:] if number % 2 else good[:at])
            self.assertSays(self.snrt("init", "bad.plan", "data.h5", "-o", "w.h5", code=1), "bad.plan")
        self.assertFalse(os.path.exists(self.path("w.h5")))
        os.remove(self.path("bad.plan"))

    def test_empty_rows_and_large_batches_are_fine(self):
        self.write("some.txt", "u0 a b c\nu1\nu2 b c d\nu3\nu4 a c d\n")
        self.snrt("import", "some.txt", "-o", "some.h5")
        self.write("truth.txt", "u0 d\nu2 a\nu4 b\n")
        self.snrt("import", "truth.txt", "-o", "truth.h5", "--vocabulary", "some.h5")
        for name in ("ae", "ae-tuned"):
            self.snc("compile", f"{commands.EXAMPLES}/movielens/{name}.json", "-o", f"some-{name}.plan")
            weights = []
            for batch in (5, 4000):
                self.snrt("train", f"some-{name}.plan", "some.h5", "-o", f"{name}{batch}.h5", "--epochs", 2, "--batch", batch)
                weights.append(self.json("eval", f"some-{name}.plan", f"{name}{batch}.h5", "some.h5"))
            self.assertEqual(weights[0], weights[1], "a batch larger than the data is all of the data")
            ranks = self.json("eval", f"some-{name}.plan", f"{name}5.h5", "some.h5", "--truth", "truth.h5", "--at", 2)
            self.assertEqual((ranks["users"], ranks["skipped"]), (3, 2))


if __name__ == "__main__":
    commands.main()
