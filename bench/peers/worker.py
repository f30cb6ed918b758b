"""A peer's process: `worker.py PEER FORM CASE FOLDER` prepares one way of doing a case's work, then answers each line on stdin with a line of JSON.

  epoch   one pass over the data from the weights at hand: {"seconds": ..., "loss": mean loss of an example, "peak": bytes}
  reset   back to the first weights

FOLDER holds data.h5 and weights.h5 (written by `snrt init`). What cannot be done is told as {"problem": "..."}."""
import importlib
import json
import resource
import sys
import time

import h5py
import numpy as np

from cases import CASES


class Data:
    """The batches of a case: CSR rows of the input and of the target, in the order of the file, and the first weights."""

    def __init__(self, case, folder):
        self.case = case
        with h5py.File(f"{folder}/data.h5") as file:
            self.input, self.target = self.csr(file["input"]), self.csr(file["output"])
        self.layers = []  # (weights [in, out], bias [out]), from the input on
        names = ["Input", *(f"Hidden{i}" for i in range(1, len(case.hidden) + 1)), "Output"]
        with h5py.File(f"{folder}/weights.h5") as file:
            for source, layer in zip(names, names[1:]):
                self.layers.append((file[f"{source}->{layer}/weights"][:], file[f"{source}->{layer}/bias"][:]))

    @staticmethod
    def csr(group):
        return group["indptr"][:].astype(np.int64), group["indices"][:].astype(np.int64)

    def batches(self):
        """Of each batch: row starts and columns of the input, row of each target entry and its column."""
        size = self.case.batch
        for first in range(0, self.case.rows, size):
            yield *self.slice(self.input, first, size), *self.entries(self.target, first, size)

    @staticmethod
    def slice(csr, first, size):
        starts, columns = csr
        begin, end = starts[first], starts[first + size]
        return starts[first:first + size] - begin, columns[begin:end]

    @staticmethod
    def entries(csr, first, size):
        starts, columns = csr
        lengths = np.diff(starts[first:first + size + 1])
        return np.repeat(np.arange(size, dtype=np.int64), lengths), columns[starts[first]:starts[first + size]]


def main():
    peer, form, case, folder = sys.argv[1:]
    try:
        forms = importlib.import_module(f"{peer}_forms").FORMS
        work = forms[form](Data(CASES[case], folder) if case in CASES else folder)
    except Exception as problem:  # whatever a foreign package throws is the reason to show
        print(json.dumps({"problem": f"{type(problem).__name__}: {problem}"[:300]}), flush=True)
        return
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        try:
            if line.strip() == "reset":
                work.reset()
                answer = {}
            else:
                begin = time.perf_counter()
                loss = work.epoch()
                answer = {"seconds": time.perf_counter() - begin, "loss": loss}
        except Exception as problem:
            answer = {"problem": f"{type(problem).__name__}: {problem}"[:300]}
        answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
