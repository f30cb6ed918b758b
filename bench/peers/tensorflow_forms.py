"""TensorFlow's ways of doing the work: a step with tf.GradientTape inside tf.function; `autograd` as graphs, `XLA` compiled (jit_compile)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(2)
tf.config.threading.set_inter_op_parallelism_threads(1)


class Work:
    compiled = False

    def __init__(self, data):
        self.case, self.data = data.case, data
        batches = list(data.batches())
        inputs, targets = (max(len(batch[i]) for batch in batches) for i in (1, 3))
        self.batches = [self.padded(batch, inputs, targets) for batch in batches]
        self.variables = [tf.Variable(t) for pair in data.layers for t in pair]
        states = {"SGD": 0, "RMSProp": 1, "Adam": 2}[self.case.optimizer]
        self.states = [[tf.Variable(tf.zeros_like(v)) for v in self.variables] for _ in range(states)]
        self.count = tf.Variable(0.0)
        self.step = tf.function(self.lists if self.case.top else self.train, jit_compile=self.compiled)

    def padded(self, batch, inputs, targets):
        """Entries of none lie in a row behind the last, which is cut off."""
        starts, columns, rows, wanted = batch
        owners = np.repeat(np.arange(self.case.batch), np.diff(starts, append=len(columns)))

        def fill(values, length, with_):
            return tf.constant(np.concatenate([values, np.full(length - len(values), with_)]).astype(np.int32))
        return (fill(owners, inputs, self.case.batch), fill(columns, inputs, 0), fill(rows, targets, self.case.batch), fill(wanted, targets, 0))

    def reset(self):
        for variable, value in zip(self.variables, (t for pair in self.data.layers for t in pair)):
            variable.assign(value)
        for variable in [v for state in self.states for v in state] + [self.count]:
            variable.assign(tf.zeros_like(variable))

    def epoch(self):
        return float(sum(float(self.step(*batch)) for batch in self.batches)) / len(self.batches)

    def hidden(self, owners, columns):
        lines = tf.gather(self.variables[0], columns)
        return tf.sigmoid(tf.math.unsorted_segment_sum(lines, owners, self.case.batch + 1)[:self.case.batch] + self.variables[1])

    def loss(self, owners, columns, rows, targets):
        h = self.hidden(owners, columns)
        for w, b in zip(self.variables[2:-2:2], self.variables[3:-2:2]):
            h = tf.sigmoid(tf.matmul(h, w) + b)
        z = tf.matmul(h, self.variables[-2]) + self.variables[-1]
        batch, live = self.case.batch, tf.cast(rows < self.case.batch, tf.float32)
        rows = tf.minimum(rows, batch - 1)
        at = tf.gather_nd(z, tf.stack([rows, targets], 1))
        if self.case.loss == "softmax":
            weights = live / tf.gather(tf.math.unsorted_segment_sum(live, rows, batch), rows)
            return -tf.reduce_sum((at - tf.gather(tf.reduce_logsumexp(z, 1), rows)) * weights) / batch
        return (tf.reduce_sum(tf.math.softplus(z)) - tf.reduce_sum(at * live)) / batch

    def train(self, *batch):
        with tf.GradientTape() as tape:
            loss = self.loss(*batch)
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, self.variables)]
        self.count.assign_add(1.0)
        for i, (w, g) in enumerate(zip(self.variables, gradients)):
            w.assign_sub(self.change(i, g))
        return loss

    def change(self, i, g):
        alpha = self.case.alpha
        if self.case.optimizer == "SGD":
            return alpha * g
        if self.case.optimizer == "RMSProp":
            v = self.states[0][i].assign(0.9 * self.states[0][i] + 0.1 * g * g)
            return alpha * g / tf.sqrt(tf.maximum(1e-9, v))
        m = self.states[0][i].assign(0.9 * self.states[0][i] + 0.1 * g)
        v = self.states[1][i].assign(0.999 * self.states[1][i] + 0.001 * g * g)
        return alpha / (1 - 0.9 ** self.count) * m / (tf.sqrt(v / (1 - 0.999 ** self.count)) + 1e-8)

    def lists(self, owners, columns, rows, targets):
        z = tf.matmul(self.hidden(owners, columns), self.variables[-2]) + self.variables[-1]
        return tf.reduce_mean(tf.math.top_k(z, self.case.top).values[:, 0])


class Xla(Work):
    compiled = True


FORMS = {"autograd": Work, "XLA": Xla, "lists": Work, "lists, XLA": Xla}
