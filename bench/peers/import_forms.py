"""Import of ratings with pandas and scipy, as a user of Python does it: names to numbers, a CSR matrix, an HDF5 file by h5py. And loading it again."""
import os

import h5py
import numpy as np
import pandas as pd
import scipy.sparse


class Import:
    """FOLDER/ratings.csv (user,item,rating,time with a header) -> FOLDER/pandas.h5."""

    def __init__(self, folder):
        self.source, self.target = f"{folder}/ratings.csv", f"{folder}/pandas.h5"

    def reset(self):
        if os.path.exists(self.target):
            os.remove(self.target)

    def epoch(self):
        self.reset()
        ratings = pd.read_csv(self.source)
        users, items = pd.Categorical(ratings["user"]), pd.Categorical(ratings["item"])
        matrix = scipy.sparse.csr_matrix((np.ones(len(ratings), np.float32), (users.codes, items.codes)))
        with h5py.File(self.target, "w") as file:
            group = file.create_group("input")
            group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", np.array(matrix.shape)
            group["indptr"], group["indices"] = matrix.indptr.astype(np.int64), matrix.indices
            group["row_names"] = users.categories.astype(str).to_list()
            group["column_names"] = items.categories.astype(str).to_list()
        return float(matrix.nnz)


FORMS = {"pandas + scipy + h5py": Import}
