#!/usr/bin/env python3
"""What `snc compile` says about a file it cannot compile, as text and as JSON; and that then nothing is written, not even in part."""
import json
import os
import random
import resource
import subprocess

import commands

GOOD = """{
    "Name": "AE",
    "Layers": [
        { "Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true },
        { "Name": "Hidden", "Kind": "Hidden", "N": 16, "Activation": "Sigmoid" },
        { "Name": "Output", "Kind": "Output", "N": "auto", "DataSet": "output", "Activation": "Sigmoid" }
    ]
}
"""
BAD = GOOD.replace('"Hidden", "N": 16', '"Hidden", "N": -16').replace('"Activation": "Sigmoid" },', '"Activaton": "Sigmoid" },')


def nested(opening, depth=100000):
    return (opening * depth).encode()


class Diagnostics(commands.Commands):
    @classmethod
    def prepare(cls):
        cls.write("good.json", GOOD)
        cls.write("bad.json", BAD)
        cls.write("warned.json", GOOD.replace('"Name": "AE"', '"Name": "A", "Name": "AE"'))
        cls.snc("compile", "good.json", "-o", "kept.plan")
        cls.kept = cls.digest("kept.plan")

    def refused(self, *arguments, code=1, **options):
        """Runs a compilation that fails and changes no file; returns what it says."""
        before = sorted(os.listdir(self.folder))
        run = self.snc("compile", *arguments, code=code, **options)
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual(self.digest("kept.plan"), self.kept)
        self.assertEqual(run.stdout, "")
        return run.stderr

    def test_every_error_with_its_place(self):
        self.assertEqual(self.refused("bad.json", "-o", "new.plan"), """\
bad.json:5:52: error: 'N' must be at least 1 and at most 2147483647, not -16 [net_4]
          { "Name": "Hidden", "Kind": "Hidden", "N": -16, "Activaton": "Sigmoid" },
                                                     ^~~
bad.json:5:57: error: unknown key 'Activaton' in a layer; did you mean 'Activation'? [net_3]
          { "Name": "Hidden", "Kind": "Hidden", "N": -16, "Activaton": "Sigmoid" },
                                                          ^~~~~~~~~~~
2 errors
""")

    def test_errors_for_machines(self):
        said = json.loads(self.refused("bad.json", "--json", "-o", "new.plan"))
        self.assertEqual((said["errors"], said["warnings"]), (2, 0))
        self.assertEqual(said["diagnostics"][1], {
            "severity": "error", "file": "bad.json", "line": 5, "column": 57, "end_column": 68,
            "message": "unknown key 'Activaton' in a layer; did you mean 'Activation'?", "rule": "net_3", "suggestion": "Activation", "notes": []})

    def test_success_for_machines(self):
        run = self.snc("compile", "good.json", "--json", "-o", "json.plan")
        self.assertEqual(run.stderr, "")
        result = json.loads(run.stdout)
        self.assertGreater(result.pop("kernels"), 1)
        self.assertEqual(result, {"plan": "json.plan", "network": "AE", "parameters": 4, "architectures": [], "warnings": 0})
        self.assertEqual(self.digest("json.plan"), self.kept)

    def test_warnings_do_not_stop(self):
        run = self.snc("compile", "warned.json", "-o", "warned.plan")
        self.assertTrue(run.stderr.startswith("warned.json:2:5: warning: 'Name' is given again, so this one has no effect [net_2]\n"), run.stderr)
        self.assertIn("warned.json:2:18: note: the last one counts\n", run.stderr)
        run = self.snc("compile", "warned.json", "--json", "--force", "-o", "warned.plan")
        self.assertEqual(json.loads(run.stdout)["warnings"], 1)
        self.assertEqual(json.loads(run.stderr)["diagnostics"][0]["notes"][0]["column"], 18)

    def test_an_error_behind_warnings_is_one_object(self):
        said = json.loads(self.refused("warned.json", "--json", "-o", "kept.plan"))
        self.assertEqual((said["errors"], said["warnings"]), (1, 1))
        self.assertEqual(said["diagnostics"][1]["message"], "'kept.plan' exists; --force overwrites it")
        self.assertIsNone(said["diagnostics"][1]["line"])

    def test_bad_files(self):
        """Each with its message, over a plan that exists and stays."""
        good = GOOD.encode()
        files = {
            b"": "1:1: error: the file is empty; a network is one JSON object",
            b" \n\t\r\n": "1:1: error: the file is empty; a network is one JSON object",
            b"\xef\xbb\xbf": "1:1: error: the file is empty; a network is one JSON object",
            good[:-3]: "7:6: error: unexpected end of input; expected ',' or '}'",
            good[:good.index(b'"Hidden"')]: "note: this '{' is not closed",
            good.replace(b'"AE",', b'"AE"'): "3:5: error: unexpected string literal; expected ',' or '}'",
            good + b"\0": "9:1: error: byte 0x00 has no place in text; a network is JSON, saved as UTF-8",
            good.replace(b"AE", b"A\0"): "2:15: error: byte 0x00 has no place in text",
            good.replace(b"AE", b"A\xe9"): "2:15: error: byte 0xe9 has no place in text",
            GOOD.encode("utf-16"): "1:1: error: the file is UTF-16; save it as UTF-8",
            self.read("kept.plan"): "has no place in text; a network is JSON, saved as UTF-8",
            nested("["): "1:65: error: nested more than 64 deep: this is no network",
            nested('{"a":'): "1:321: error: nested more than 64 deep: this is no network",
            good.replace(b"16", b"1e400"): "5:52: error: no number is this large: they end at 1.8e308",
            good.replace(b"16", b"9" * 30): "5:52: error: 'N' must be at least 1 and at most 2147483647, not 999999999999999999999999999999",
            good.replace(b"16", b"0"): "'N' must be at least 1 and at most 2147483647, not 0",
            good.replace(b"16", b"1.5"): "'N' must be a string or a whole number or an array, not 1.5",
            good.replace(b"16", b'"auto"'): "\"auto\" takes 'N' from a data set, which a Hidden layer does not have; give a number",
            good.replace(b"16", b'"many"'): "'N' must be a whole number or \"auto\", not 'many'",
            b"[]": "1:1: error: the network must be an object, not an array",
            b"{}": "1:1: error: the network has no 'Layers'",
            b'{"Layers":[]}': "1:11: error: 'Layers' is empty",
        }
        for content, message in files.items():
            with self.subTest(message=message):
                with open(self.path("file.json"), "wb") as file:
                    file.write(content)
                said = self.refused("file.json", "--force", "-o", "kept.plan")
                self.assertTrue(said.startswith("file.json:"), said)
                self.assertIn(message, said)
                self.assertIn(json.loads(self.refused("file.json", "--json", "--force", "-o", "kept.plan"))["diagnostics"][0]["message"], said)

    def test_a_byte_order_mark_is_fine(self):
        self.write("bom.json", "\ufeff" + GOOD)
        self.snc("compile", "bom.json", "-o", "bom.plan")

    def test_files_that_cannot_be_read(self):
        os.makedirs(self.path("folder"), exist_ok=True)
        for name, message in (("missing.json", "no such file"), ("folder", "is a folder, not a network file"),
                              ("good.json/x", "no such file"), ("n" * 300, "cannot be read: File name too long"),
                              ("/proc/self/mem", "cannot be read: Input/output error"), ("/dev/zero", "is larger than 64 MiB: this is no network")):
            with self.subTest(name=name):
                self.assertEqual(self.refused(name, "-o", "new.plan"), f"{name}: error: {message} [net_1]\n")
                one = json.loads(self.refused(name, "--json", "-o", "new.plan"))["diagnostics"][0]
                self.assertEqual((one["file"], one["line"], one["message"]), (name, None, message))

    def test_a_file_that_may_not_be_read(self):
        if os.geteuid() == 0:
            self.skipTest("root may read every file")
        self.write("secret.json", GOOD)
        os.chmod(self.path("secret.json"), 0)
        self.assertEqual(self.refused("secret.json"), "secret.json: error: cannot be read: Permission denied [net_1]\n")

    def test_plans_that_cannot_be_written(self):
        os.makedirs(self.path("folder"), exist_ok=True)
        for name, message in (("folder", "'folder' is a folder; give the plan file a name with -o"),
                              ("missing/x.plan", "cannot write 'missing/x.plan': No such file or directory"),
                              ("good.json/x", "cannot write 'good.json/x': Not a directory"),
                              ("n" * 300, f"cannot write '{'n' * 300}': File name too long"),
                              ("/proc/x.plan", "cannot write '/proc/x.plan': No such file or directory"),
                              ("/dev/full", "'/dev/full' is no regular file; a plan needs one")):
            with self.subTest(name=name):
                self.assertEqual(self.refused("good.json", "--force", "-o", name), message + "\n")
        self.assertEqual(self.refused("good.json", "-o", "kept.plan"), "'kept.plan' exists; --force overwrites it\n")

    def test_the_network_is_never_overwritten(self):
        self.write("net.plan", GOOD)
        for link, make in (("hard.json", os.link), ("soft.json", os.symlink)):
            if not os.path.lexists(self.path(link)):
                make(self.path("good.json"), self.path(link))
        for network, output in (("good.json", "good.json"), ("good.json", "./good.json"), ("good.json", "hard.json"),
                                ("good.json", "soft.json"), ("soft.json", "good.json")):
            with self.subTest(network=network, output=output):
                said = self.refused(network, "--force", "-o", output)
                self.assertEqual(said, f"'{output}' is the network itself, which is never overwritten; give the plan another name with -o\n")
        self.assertSays(self.snc("compile", "net.plan", "--force", code=1), "'net.plan' is the network itself")
        for name in ("good.json", "hard.json", "soft.json", "net.plan"):
            self.assertEqual(self.read(name).decode(), GOOD)

    def test_full_disk(self):
        """A limit on the size of files stands for it: the write of a temporary file, or of the plan, fails midway."""
        os.makedirs(self.path("temporary"), exist_ok=True)
        self.write("large.json", "// " + random.Random(1).randbytes(300000).hex() + "\n" + GOOD)  # kept in the plan, and hardly compressible
        self.snc("compile", "large.json", "-o", "large.plan")
        before, kept, size = sorted(os.listdir(self.folder)), self.digest("large.plan"), os.path.getsize(self.path("large.plan"))
        for limit, what in ((1000, "the temporary file "), (size // 2, "'"), (size - 1, "'")):
            for force, name in (((), "new.plan"), (("--force",), "large.plan")):
                with self.subTest(limit=limit, name=name):
                    run = subprocess.run([os.path.join(commands.BIN, "snc"), "compile", "large.json", *force, "-o", name], cwd=self.folder,
                                         text=True, capture_output=True, check=False, env=dict(os.environ, TMPDIR=self.path("temporary")),
                                         preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
                    self.assertEqual(run.returncode, 1, run.stderr)
                    self.assertRegex(run.stderr, f"^cannot write {what}.*: File too large\n$")
        self.assertIn("cannot write 'large.plan': File too large", run.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual(os.listdir(self.path("temporary")), [])
        self.assertEqual(self.digest("large.plan"), kept)

    def test_no_folder_for_temporary_files(self):
        run = subprocess.run([os.path.join(commands.BIN, "snc"), "compile", "good.json", "-o", "room.plan"], cwd=self.folder, text=True,
                             capture_output=True, check=False, env=dict(os.environ, TMPDIR=self.path("none")))
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stderr, r"^cannot write the temporary file .* \(TMPDIR chooses its folder\): No such file or directory\n$")
        self.assertFalse(os.path.exists(self.path("room.plan")))

    def test_full_disk_behind_the_output(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            for arguments in (("--compile-to", "net"), ("--emit", "llvm"), ("--json", "--force", "-o", "full.plan")):
                with self.subTest(arguments=arguments):
                    run = subprocess.run([os.path.join(commands.BIN, "snc"), "compile", "good.json", *arguments], cwd=self.folder, stdout=full,
                                         stderr=subprocess.PIPE, text=True, check=False)
                    self.assertEqual(run.returncode, 1, run.stderr)
                    self.assertIn("cannot write the output: No space left on device", run.stderr)


if __name__ == "__main__":
    commands.main()
