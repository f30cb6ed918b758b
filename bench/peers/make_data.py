"""`make_data.py CASE FILE`: random sparse rows of a case, popular columns more often; the input and, where the case has its own, the target."""
import sys

import h5py
import numpy as np

from cases import CASES


def write(file, name, rows, columns, entries, random):
    lengths = np.maximum(1, random.poisson(entries, rows))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    drawn = [np.unique((columns * random.random(length) ** 2).astype(np.int64)) for length in lengths]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in drawn])])
    group = file.create_group(name)
    group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", np.array([rows, columns])
    group["indptr"], group["indices"] = starts.astype(np.int64), np.concatenate(drawn).astype(np.int32)


def main():
    case, path = CASES[sys.argv[1]], sys.argv[2]
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        write(file, "input", case.rows, case.inputs, case.entries, random)
        if case.targets:
            write(file, "output", case.rows, case.outputs, case.targets, random)
        else:
            file["output"] = file["input"]


if __name__ == "__main__":
    main()
