#!/usr/bin/env python3
"""Training from end to end in a sanitized snrt, on plans of the ordinary snc: $SNC_SANITIZED is the tree. A finding ends snrt with a report."""
import json
import os
import signal
import unittest

import sanitized
import sanitizers

NETWORKS = {
    "ae": {"Denoising": {"p": 0.2}, "SparsenessPenalty": {"p": 0.5, "beta": 2},
           "Layers": [{"DataSet": "input", "N": "auto", "Sparse": True}, {"N": 16, "Sparse": True}, {"DataSet": "output", "N": "auto"}]},
    "softmax": {"Layers": [{"DataSet": "input", "N": "auto"}, {"N": 16, "Activation": "Tanh", "pDropout": 0.25},
                           {"N": 12, "Activation": "Relu"}, {"DataSet": "output", "N": "auto", "Activation": "SoftMax"}],
                "Training": {"Optimizer": "Adam", "Schedule": "Cosine"}},
    "two": {"ErrorFunction": "L2", "Layers": [{"Name": "i", "DataSet": "input", "N": "auto", "Sparse": True}, {"Name": "h", "N": 8, "Activation": "SoftMax"},
                                               {"Name": "o", "Kind": "Output", "DataSet": "output", "N": "auto", "Activation": "Linear"},
                                               {"Name": "p", "Kind": "Output", "DataSet": "output", "N": "auto", "Activation": "Tanh", "Source": ["h", "o"]}],
            "Training": {"Optimizer": "RMSProp"}},
}


class Train(sanitized.Sanitized):
    @classmethod
    def prepare(cls):
        cls.datagen(*sanitized.SHAPE, "-o", "data.h5")
        for name, network in NETWORKS.items():
            cls.write(f"{name}.json", json.dumps(network))
            cls.snc("compile", f"{name}.json", "-o", f"{name}.plan")

    def test_train(self):
        for name in NETWORKS:
            for threads in (2, 4):
                with self.subTest(network=name, threads=threads):
                    self.sanitized("train", f"{name}.plan", "data.h5", "-o", f"{name}{threads}.h5", "--epochs", 2, "--batch", 100, "--threads", threads)
            self.assertEqual(self.digest(f"{name}2.h5"), self.digest(f"{name}4.h5"), name)

    def test_interrupted_and_resumed(self):
        common = ("train", "softmax.plan", "data.h5", "--batch", 50, "--threads", 3)
        saved = self.path("i.h5")
        self.sanitized(*common, "--epochs", 10 ** 6, "-o", "i.h5", "--checkpoint-every", 1, code=128 + signal.SIGINT, stop=lambda: os.path.exists(saved))
        self.sanitized("train", "softmax.plan", "data.h5", "--resume", "i.h5", "--checkpoint-every", 1, code=128 + signal.SIGINT,
                       stop=lambda before=os.stat(saved).st_ino: os.stat(saved).st_ino != before)

    def test_apply(self):
        self.sanitized("init", "ae.plan", "data.h5", "-o", "w.h5")
        self.sanitized("eval", "ae.plan", "w.h5", "data.h5", "--exclude", "input", "--at", "5,20", "--baseline", "popularity,item-knn", "--threads", 3)
        self.sanitized("predict", "ae.plan", "w.h5", "data.h5", "--top-k", 10, "-o", "recs.tsv", "--threads", 3)
        self.assertEqual(len(self.read("recs.tsv").splitlines()), 300)


if __name__ == "__main__":
    sanitizers.program(sanitized.TREE, "snrt")
    unittest.main(verbosity=2)
