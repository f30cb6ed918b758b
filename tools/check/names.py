#!/usr/bin/env python3
"""One place per operation (design.md sections 3 and 4).

Record names: an activation, loss, optimizer, initialiser or schedule is named in dialects/Vocabulary, docs, examples, test and bench only. Comments
may name one; code and strings may not. The names come from the vocabulary itself (the program sn-vocabulary-names).
The runtime knows no network: in runtime/ and kernels-templates/ no string is a layer's kind, nothing depends on how many layers there are
or on a label, and what executes a plan compares strings only with the words of the contract (Plan.h, Abi.h, docs/spec/plan.md).
"""
import os
import re
import subprocess

import tree

NAMED_FREELY = ("bench/", "dialects/Vocabulary/", "docs/", "examples/", "test/")
# Records whose name is also an ordinary word, a primitive of the algebra, a norm or part of a schema's name: only the exact spelling as a string of its own counts.
ORDINARY = {"constant", "uniform", "linear", "normal", "gaussian", "tanh", "l1", "l2", "momentum", "step", "exponential", "cosine", "polynomial",
            "warmup", "softmax", "maxout", "hinge"}
# Parameters, keys of the language and attributes of DSSTNE's files, that have a record's name in theirs.
KEYS = {"reluslope", "elualpha", "selulambda"}
# Also a symbol of the plan's expressions (Plan.h, NamedExpr).
SYMBOLS = {"Step"}
# Compared by the executor without standing in quotes on the contract's pages: more symbols, and devices.
FURTHER_WORDS = {"", "map", "gemm", "Alpha", "Step", "Steps", "Epoch", "Epochs", "cpu"}
EXECUTES = ("runtime/exec/", "runtime/hal/", "kernels-templates/")
RUNTIME = ("runtime/", "kernels-templates/")
# A file format that describes a network; nothing is executed by it.
DESCRIBES = ("runtime/checkpoint/DsstneNetwork",)
KINDS = re.compile(r"(?:Input|Hidden|Output|Target)|(?:Input|Hidden|Output)\d*->.*|.*->(?:Input|Hidden|Output)\d*(?:/.*)?")
BRANCHES = (
    (re.compile(r"\blayers\s*(?:\.|->)\s*(?:size|empty|at|front|back)\b|\blayers\s*\["), "depends on the number of layers"),
    (re.compile(r"(?:\.|->)(?:label|network|layer)\s*[!=]=|[!=]=\s*\w+(?:(?:\.|->)\w+)*(?:\.|->)(?:label|network|layer)\b(?!\s*\()"), "compares a name meant for people"),
    (re.compile(r"\b(?:label|network)\s*\.\s*(?:find|starts_with|ends_with|contains|compare|substr)\b"), "reads a name meant for people"),
)
COMPARED = re.compile(r'[!=]=\s*"((?:[^"\\\n]|\\.)*)"|"((?:[^"\\\n]|\\.)*)"\s*[!=]=')


def record_names(program):
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split("\n")
    return [name for name in names if name]


def contains(token, name):
    """Does an identifier hold `name` as whole words, in any case and however joined?"""
    run, joined = tree.words(token), "".join(tree.words(name))
    for i in range(len(run)):
        for j in range(i + 1, len(run) + 1):
            if "".join(run[i:j]) == joined:
                return True
    return False


def record_problems(root, names):
    ordinary = {n for n in names if n.lower() in ORDINARY} - SYMBOLS
    telling = [n for n in names if n.lower() not in ORDINARY]
    anyone = re.compile("|".join(re.escape("".join(tree.words(n))) for n in telling) or r"(?!)")
    found = []
    for path in tree.files(root):
        if not path.endswith(tree.CPP + (".td",)) or path.startswith(NAMED_FREELY):
            continue
        text = tree.without_comments(tree.read(root, path))
        if path.endswith(".td"):  # a description is documentation
            text = re.sub(r"description = \[\{.*?\}\]", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
        for number, line in enumerate(text.split("\n"), 1):
            for token in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", re.sub(r'"(?:[^"\\]|\\.)*"', "", line)):
                if token.lower().replace("_", "") not in KEYS and anyone.search(token.lower().replace("_", "")):
                    found += [f"{path}:{number}: names the record {n} ({token}); only its table may"
                              for n in telling if contains(token, n)]
        for number, content in tree.strings(text):
            # In a string a record is a word of its own: "RELUSlope" is a key of the language, not a record.
            said = {word.lower() for word in re.findall(r"\w+", content)}
            found += [f'{path}:{number}: names the record {n} ("{content[:80]}"); only its table may'
                      for n in telling if n.lower() in said]
            found += [f'{path}:{number}: names the record "{content}"; only its table may'] if content in ordinary else []
    return found


def contract_words(root):
    """Every quoted or back-quoted word of the contract's own pages."""
    words = set(FURTHER_WORDS)
    for path in ("runtime/plan/Plan.h", "runtime/plan/Abi.h", "runtime/plan/Archive.h", "docs/spec/plan.md"):
        if os.path.exists(os.path.join(root, path)):
            text = tree.read(root, path)
            words |= set(re.findall(r'"([^"\n]*)"', text)) | set(re.findall(r"`([^`\n]*)`", text))
            # schema names stand unquoted in the comment of Step::kernel
            words |= set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text))
    return words


def runtime_problems(root):
    found, contract = [], contract_words(root)
    for path in tree.files(root):
        if not path.endswith(tree.CPP) or not path.startswith(RUNTIME) or path.startswith(DESCRIBES):
            continue
        text = tree.without_comments(tree.read(root, path))
        found += [f'{path}:{number}: "{content}" is a kind of layer; the runtime knows no network'
                  for number, content in tree.strings(text) if KINDS.fullmatch(content)]
        for number, line in enumerate(text.split("\n"), 1):
            found += [f"{path}:{number}: {why}: {line.strip()[:100]}" for pattern, why in BRANCHES if pattern.search(line)]
            if path.startswith(EXECUTES):
                compared = {a or b for a, b in COMPARED.findall(line)}
                found += [f'{path}:{number}: compares with "{word}", which is no word of the contract' for word in sorted(compared - contract)]
    return found


def problems(root, vocabulary=None):
    program = vocabulary or os.path.join(root, "build/release/bin/sn-vocabulary-names")
    return record_problems(root, record_names(program)) + runtime_problems(root)


def self_test(test):
    names = ["Sigmoid", "Relu", "ScaledMarginalCrossEntropy", "CrossEntropy", "Adam", "SGD", "L2", "Tanh", "Step"]
    test.problems = lambda root: record_problems(root, names)
    for text in ('if (name == "Sigmoid") {}', "float applyRelu(float);", "bool is_cross_entropy = true;", "enum { ADAM };",
                 "void aTermOfScaledMarginalCrossEntropy();", 'auto help = R"(such as sgd)";'):
        test.expect({"runtime/exec/a.cpp": text + "\n"}, "names the record", text)
        test.expect({"compiler/Transforms/a.cpp": "\n" + text + "\n"}, "a.cpp:2", text)
    test.expect({"tools/snrt/a.cpp": 'add("L2");\n'}, "names the record", "an ordinary word, spelled as a string")
    test.expect({"runtime/exec/a.cpp": "// the gradient of Sigmoid is y (1 - y)\nfloat l2 = std::tanh(x); /* Adam */\n"
                                       'auto key = "RELUSlope"; float reluSlope, relu_slope; int step = 1\'000; auto s = "Step";\n',
                 "dialects/Vocabulary/a.cpp": 'auto n = "Sigmoid";\n', "test/unit/a.cpp": 'auto n = "Relu";\n'}, None, "a good tree")
    test.problems = runtime_problems
    contract = {"runtime/plan/Plan.h": '// sweep: "single", "update"\n'}
    for text in ('if (kind == "Hidden") {}', 'auto w = find("Input->Hidden/weights");', "if (step.layers.size() > 2) {}",
                 'if (step.label == other.label) {}', "if (plan.network.starts_with(prefix)) {}", 'if (step.sweep == "twice") {}'):
        test.expect({**contract, "runtime/exec/a.cpp": text + "\n"}, "runtime/exec/a.cpp:1", text)
    test.expect({**contract, "runtime/exec/a.cpp": 'if (step.sweep == "single") print(step.label, "Output file");\n'}, None, "a good runtime")


if __name__ == "__main__":
    tree.main(__doc__, problems, self_test, [("--vocabulary", "the program that lists the records' names")])
