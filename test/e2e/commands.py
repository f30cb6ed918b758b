"""What the end-to-end tests share: running the programs as a user does, in a folder of their own."""
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("SNC_BIN", os.path.join(ROOT, "build/release/bin"))
EXAMPLES = os.path.join(ROOT, "examples")
# Plans without compiled CUDA kernels, which take seconds to make; tests of those ask for them. What is made is kept in the build tree.
os.environ.setdefault("SNC_ARCH", "none")
os.environ.setdefault("SNRT_CACHE", os.path.join(os.path.dirname(BIN), "kernel-cache"))
SMALL = ("--rows", "300", "--columns", "500", "--mean", "20", "--minimum", "5", "--seed", "1")


def shared_data(folder):
    """A folder of real data, or a skip that says where it was looked for."""
    base = os.environ.get("SNC_SHARED_DATA", os.path.join(os.path.dirname(ROOT), "shared", "data"))
    path = os.path.join(base, folder)
    if not os.path.isdir(path):
        raise unittest.SkipTest(f"no {path} (set SNC_SHARED_DATA to the folder that holds {folder}/)")
    return path


def examples():
    """Every network below examples/, relative to it."""
    return sorted(os.path.relpath(os.path.join(folder, name), EXAMPLES)
                  for folder, _, names in os.walk(EXAMPLES) for name in names if name.endswith(".json"))


class Commands(unittest.TestCase):
    """Runs commands in `self.folder`, which is new for each test class and shared by its tests."""
    @classmethod
    def setUpClass(cls):
        cls._temporary = tempfile.TemporaryDirectory(prefix="snc-e2e-")
        cls.addClassCleanup(cls._temporary.cleanup)
        cls.folder = cls._temporary.name
        cls.prepare()

    @classmethod
    def prepare(cls):
        """Makes what the class's tests share."""

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def run_program(cls, program, *arguments, code=0):
        """Runs a program of ours; an exit code other than `code` fails the test with what the program said."""
        command = [os.path.join(BIN, program), *map(str, arguments)]
        run = subprocess.run(command, cwd=cls.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if run.returncode != code:
            raise AssertionError(f"{' '.join(command)}\nexit code {run.returncode}, not {code}\n{run.stdout}{run.stderr}")
        return run

    @classmethod
    def snc(cls, *arguments, **options):
        return cls.run_program("snc", *arguments, **options)

    @classmethod
    def snrt(cls, *arguments, **options):
        return cls.run_program("snrt", *arguments, **options)

    @classmethod
    def json(cls, *arguments):
        """The object that a snrt command prints with --json."""
        return json.loads(cls.snrt(*arguments, "--json").stdout)

    @classmethod
    def datagen(cls, *arguments):
        return cls.run_program("sn-datagen", *arguments)

    @classmethod
    def write(cls, name, text):
        with open(cls.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return name

    @classmethod
    def read(cls, name):
        with open(cls.path(name), "rb") as file:
            return file.read()

    @classmethod
    def digest(cls, name):
        return hashlib.sha256(cls.read(name)).hexdigest()

    @classmethod
    def unpack(cls, source, name):
        with gzip.open(source, "rb") as file, open(cls.path(name), "wb") as out:
            out.write(file.read())
        return name

    def assertSays(self, run, *words):
        """The program's messages hold each of the words, in any case."""
        said = (run.stdout + run.stderr).lower()
        for word in words:
            self.assertIn(word.lower(), said)


def main():
    unittest.main(module=sys.modules["__main__"], verbosity=2)
