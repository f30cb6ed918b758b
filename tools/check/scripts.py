#!/usr/bin/env python3
"""Shell scripts: bash, `set -euo pipefail`, and clean under shellcheck where that is installed. Python files compile."""
import os
import shutil
import subprocess

import tree


def first_line(root, path):
    with open(os.path.join(root, path), "rb") as file:
        return file.readline().decode(errors="replace")


def problems(root):
    found, shells = [], []
    for path in tree.files(root):
        line = first_line(root, path)
        if path.endswith(".py"):
            try:
                compile(tree.read(root, path), path, "exec")
            except SyntaxError as error:
                found.append(f"{path}:{error.lineno}: {error.msg}")
        if not line.startswith("#!"):
            continue
        if not os.access(os.path.join(root, path), os.X_OK):
            found.append(f"{path}: starts with #! and is not executable")
        if line.rstrip() in ("#!/bin/sh", "#!/usr/bin/env sh", "#!/bin/bash"):
            found.append(f"{path}: start shell scripts with #!/usr/bin/env bash")
        if "bash" in line:
            shells.append(path)
            if "set -euo pipefail" not in tree.read(root, path):
                found.append(f"{path}: no `set -euo pipefail`")
    if shells and shutil.which("shellcheck"):
        run = subprocess.run(["shellcheck", "--severity=warning", "--format=gcc", *shells], cwd=root, capture_output=True, text=True)
        found += run.stdout.splitlines()
    elif shells:
        print("note: shellcheck is not installed (tools/setup --tests)")
    return found


def self_test(test):
    bash = "#!/usr/bin/env bash\nset -euo pipefail\n"
    test.problems = problems_when_executable
    test.expect({"tools/a": "#!/usr/bin/env bash\necho\n"}, "set -euo pipefail", "a lax script")
    test.expect({"tools/a": "#!/bin/sh\n"}, "#!/usr/bin/env bash", "a script for another shell")
    test.expect({"tools/a.py": "def f(:\n"}, "tools/a.py:1", "Python that does not compile")
    if shutil.which("shellcheck"):
        test.expect({"tools/a": bash + "for f in $(ls); do rm $f/*; done; cd x; [ $unset_name = 1\n"}, "tools/a:", "shellcheck's findings")
    test.expect({"tools/a": bash + 'echo "$1"\n'}, None, "a good script")
    test.problems = problems
    test.expect({"tools/a": bash}, "not executable", "a script that cannot be run")


def problems_when_executable(root):
    for path in tree.files(root):
        os.chmod(os.path.join(root, path), 0o755)
    return problems(root)


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test)
