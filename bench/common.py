"""What the benchmark scripts share: building, running our programs, describing the machine, writing the result."""
import ctypes
import datetime
import glob
import json
import os
import platform
import re
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def build(*targets):
    subprocess.run([os.path.join(ROOT, "tools/dev/build"), "release", *targets], check=True, stdout=sys.stderr)
    return os.path.join(ROOT, "build/release/bin")


def run(*command):
    """What the command prints; a failure ends the script with what it said."""
    command = list(map(str, command))
    print("$ " + shlex.join([os.path.basename(command[0]), *command[1:]]), file=sys.stderr, flush=True)
    done = subprocess.run(command, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}exit code {done.returncode}")
    return done.stdout


def run_measured(*command):
    """The JSON lines that a command prints, and its peak memory in bytes."""
    command = list(map(str, command))
    print("$ " + shlex.join([os.path.basename(command[0]), *command[1:]]), file=sys.stderr, flush=True)
    child = subprocess.Popen(command, text=True, stdout=subprocess.PIPE)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{output}exit code {child.returncode}")
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")], usage.ru_maxrss * 1024


def first_line(path):
    with open(path, encoding="utf-8") as file:
        return file.readline().strip()


def field(path, pattern):
    with open(path, encoding="utf-8") as file:
        match = re.search(pattern, file.read(), re.M)
    return match[1].strip() if match else "unknown"


def caches():
    found = []
    for folder in sorted(glob.glob("/sys/devices/system/cpu/cpu0/cache/index*")):
        level, kind, size = (first_line(f"{folder}/{name}") for name in ("level", "type", "size"))
        found.append(f"L{level}{'' if kind == 'Unified' else kind[0].lower()} {size}")
    return ", ".join(found)


def onednn():
    class Version(ctypes.Structure):
        _fields_ = [(name, ctypes.c_int) for name in ("major", "minor", "patch")]
    try:
        function = ctypes.CDLL("libdnnl.so.2").dnnl_version
    except OSError:
        return "not found"
    function.restype = ctypes.POINTER(Version)
    version = function().contents
    return f"{version.major}.{version.minor}.{version.patch}"


def commit():
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments], text=True, capture_output=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short", "HEAD") + (" with uncommitted changes" if changed else "")


def machine():
    """A markdown list that says where and on what a result was measured."""
    cpu = "/proc/cpuinfo"
    features = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if re.search(rf"\b{name}\b", field(cpu, r"^flags\s*:(.*)$"))]
    model = " ".join(f"{name} {field(cpu, pattern)}" for name, pattern in
                     (("family", r"^cpu family\s*:(.*)$"), ("model", r"^model\s*:(.*)$"), ("stepping", r"^stepping\s*:(.*)$")))
    memory = int(field("/proc/meminfo", r"^MemTotal:\s*(\d+)")) / 2 ** 20
    pages = field("/sys/kernel/mm/transparent_hugepage/enabled", r"\[(.*)\]")
    system = field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)')
    return "\n".join((
        f"- {datetime.date.today()}, commit {commit()}",
        f"- {os.cpu_count()} x {field(cpu, r'^model name.*:(.*)$')} ({model}; {', '.join(features)})",
        f"- caches of a core: {caches()}; memory {memory:.1f} GiB; transparent huge pages: {pages}",
        f"- {system}, kernel {platform.release()}, oneDNN {onednn()}",
        f"- load average when it began: {os.getloadavg()[0]:.2f}"))


def table(header, rows):
    """Markdown; columns with numbers stand to the right; cells are text."""
    text = [isinstance(cell, str) and not any(row[i][:1].isdigit() for row in rows) for i, cell in enumerate(rows[0])]
    lines = [header, ["---" if column else "---:" for column in text], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def write(path, text):
    if path:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        print(f"written: {path}", file=sys.stderr)
    else:
        print(text, end="")
