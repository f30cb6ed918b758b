"""What the tests of this folder share: programs of a sanitized tree, run as a user does."""
import os
import signal
import subprocess
import sys
import time

import sanitizers

sys.path.insert(0, os.path.join(sanitizers.ROOT, "test/e2e"))
import commands  # noqa: E402

TREE = os.environ.get("SNC_SANITIZED", os.path.join(sanitizers.ROOT, "build/asan"))
SHAPE = ("--rows", "300", "--columns", "700", "--mean", "12", "--minimum", "1", "--seed", "1")


class Sanitized(commands.Commands):
    @classmethod
    def sanitized(cls, *arguments, code=0, stop=None, program="snrt"):
        """Runs a sanitized program; an exit code other than `code` fails with what it said. `stop`, called over and over while it runs,
        says when to interrupt it."""
        command = [sanitizers.program(TREE, program), *map(str, arguments)]
        process = subprocess.Popen(command, cwd=cls.folder, env=sanitizers.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, stdin=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        latest = time.monotonic() + 120
        while stop and process.poll() is None and not stop() and time.monotonic() < latest:
            time.sleep(0.01)
        if stop:
            process.send_signal(signal.SIGINT)
        said = process.communicate()[0]
        if process.returncode != code:
            raise AssertionError(f"{' '.join(command)}\nexit code {process.returncode}, not {code}\n{said}")
        return said
