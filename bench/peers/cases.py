"""The work that is compared: networks, data and batches. Standard library only: `run` and the peers' workers both read it."""
import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Case:
    """Training (`steps` batches an epoch, in the order of the file) or, with `top`, listing the best outputs of each row."""
    name: str
    title: str
    inputs: int
    hidden: tuple
    outputs: int
    batch: int
    optimizer: str = "SGD"
    alpha: float = 0.025
    loss: str = "binary"  # binary: sigmoid and cross-entropy of each output; softmax: cross-entropy, a target of n entries weighing 1/n each
    steps: int = 8
    entries: int = 144    # of an input row, about
    targets: int = 0      # of a target row; 0: the input itself is the target
    top: int = 0

    @property
    def rows(self):
        return self.batch * self.steps

    def flops(self):
        """Of a training step's dense products, a multiplication and an addition counting as two. The sparse input's are small and left out."""
        widths = [*self.hidden, self.outputs]
        return sum(3 * 2 * self.batch * left * right for left, right in zip(widths, widths[1:]))

    def network(self):
        def layer(**keys):
            return keys
        hidden = [layer(Name=f"Hidden{i}", Kind="Hidden", N=width, Activation="Sigmoid") for i, width in enumerate(self.hidden, 1)]
        softmax = self.loss == "softmax"
        network = {"Version": 0.7, "Name": self.name, "Kind": "FeedForward", "ShuffleIndices": False,
                   "ErrorFunction": "CrossEntropy" if softmax else "ScaledMarginalCrossEntropy",
                   "Layers": [layer(Name="Input", Kind="Input", N="auto", DataSet="input", Sparse=True), *hidden,
                              layer(Name="Output", Kind="Output", N="auto", DataSet="output", Sparse=True,
                                    Activation="SoftMax" if softmax else "Sigmoid")],
                   "Training": {"Optimizer": self.optimizer, "Alpha": self.alpha, "Batch": self.batch}}
        if not softmax:
            network["ScaledMarginalCrossEntropy"] = {"oneTarget": 1.0, "zeroTarget": 0.0, "oneScale": 1.0, "zeroScale": 1.0}
        return json.dumps(network, indent=1)


CASES = {case.name: case for case in (
    Case("a256", "27,278-128-27,278, sigmoid, SGD, batch 256", 27278, (128,), 27278, 256),
    Case("a1024", "27,278-128-27,278, sigmoid, SGD, batch 1,024", 27278, (128,), 27278, 1024, steps=6),
    Case("b", "27,278-3x1,024-27,278, sigmoid, RMSProp, batch 256", 27278, (1024, 1024, 1024), 27278, 256, "RMSProp", 1e-4),
    Case("c", "135,909-128-670,091, SoftMax, Adam, batch 256", 135909, (128,), 670091, 256, "Adam", 1e-3, "softmax", 4, 75, 5),
    Case("d", "top 100 of 1,000,000 outputs, hidden 128, batch 256", 27278, (128,), 1000000, 256, steps=4, targets=5, top=100),
)}
