"""JAX's ways of doing the work: the whole step (gradients by jax.value_and_grad, update) as one function compiled by XLA, its parameters donated.
Batches are padded to equal lengths, so that it is compiled once."""
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np


class Work:
    dense = False

    def __init__(self, data):
        self.case, self.data = data.case, data
        batches = list(data.batches())
        inputs, targets = (max(len(batch[i]) for batch in batches) for i in (1, 3))
        self.batches = [self.padded(batch, inputs, targets) for batch in batches]
        self.reset()

    def padded(self, batch, inputs, targets):
        """Row and column of each entry of input and target; those of no entry lie in the row behind the last."""
        starts, columns, rows, wanted = batch
        lengths = np.diff(starts, append=len(columns))
        owners = np.repeat(np.arange(self.case.batch), lengths)

        def fill(values, length, with_):
            return jnp.asarray(np.concatenate([values, np.full(length - len(values), with_)]).astype(np.int32))
        return (fill(owners, inputs, self.case.batch), fill(columns, inputs, 0), fill(rows, targets, self.case.batch), fill(wanted, targets, 0))

    def reset(self):
        self.parameters = [tuple(jnp.asarray(t) for t in pair) for pair in self.data.layers]
        states = {"SGD": 0, "RMSProp": 1, "Adam": 2}[self.case.optimizer]
        self.states = [jax.tree.map(jnp.zeros_like, self.parameters) for _ in range(states)]
        self.count = 0

    def epoch(self):
        losses = []
        for batch in self.batches:
            self.count += 1
            self.parameters, self.states, loss = step(self.case, self.dense, self.parameters, self.states, jnp.float32(self.count), *batch)
            losses.append(loss)
        return float(sum(float(loss) for loss in losses)) / len(losses)


def forward(case, dense, parameters, owners, columns, rows, targets):
    w, b = parameters[0]
    if dense:
        x = jnp.zeros((case.batch, case.inputs)).at[owners, columns].set(1.0, mode="drop")
        h = jax.nn.sigmoid(x @ w + b)
    else:
        h = jax.nn.sigmoid(jax.ops.segment_sum(w[columns], owners, case.batch, indices_are_sorted=True) + b)
    for w, b in parameters[1:-1]:
        h = jax.nn.sigmoid(h @ w + b)
    w, b = parameters[-1]
    z = h @ w + b
    if case.loss == "softmax":
        counts = jnp.zeros(case.batch).at[rows].add(1.0, mode="drop")
        at = z.at[rows, targets].get(mode="fill", fill_value=0) - jax.nn.logsumexp(z, 1).at[rows].get(mode="fill", fill_value=0)
        weights = 1 / counts.at[rows].get(mode="fill", fill_value=jnp.inf)
        return -(at * weights).sum() / case.batch
    return (jax.nn.softplus(z).sum() - z.at[rows, targets].get(mode="fill", fill_value=0).sum()) / case.batch


@partial(jax.jit, static_argnums=(0, 1), donate_argnums=(2, 3))
def step(case, dense, parameters, states, count, *batch):
    loss, gradients = jax.value_and_grad(lambda p: forward(case, dense, p, *batch))(parameters)
    alpha = case.alpha
    if case.optimizer == "SGD":
        return jax.tree.map(lambda w, g: w - alpha * g, parameters, gradients), states, loss
    if case.optimizer == "RMSProp":
        v = jax.tree.map(lambda v, g: 0.9 * v + 0.1 * g * g, states[0], gradients)
        return jax.tree.map(lambda w, g, v: w - alpha * g / jnp.sqrt(jnp.maximum(1e-9, v)), parameters, gradients, v), [v], loss
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, states[0], gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, states[1], gradients)
    rate, correction = alpha / (1 - 0.9 ** count), 1 / (1 - 0.999 ** count)
    return jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v * correction) + 1e-8), parameters, m, v), [m, v], loss


class Dense(Work):
    dense = True


class Lists(Work):
    def epoch(self):
        scores = [lists(self.case, self.parameters, *batch[:2]) for batch in self.batches]
        return float(sum(float(score) for score in scores)) / len(scores)


@partial(jax.jit, static_argnums=0)
def lists(case, parameters, owners, columns):
    (w, b), (wide, bias) = parameters
    h = jax.nn.sigmoid(jax.ops.segment_sum(w[columns], owners, case.batch, indices_are_sorted=True) + b)
    return jax.lax.top_k(h @ wide + bias, case.top)[0][:, 0].mean()


FORMS = {"dense": Dense, "jit": Work, "lists": Lists}
