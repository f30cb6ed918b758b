"""PyTorch's ways of doing the work. `dense` is what one writes first, `autograd` the ordinary best (EmbeddingBag with sum for the sparse input),
`compiled` the same through torch.compile, `by hand` what can be written when one derives the gradients oneself and updates in place."""
import torch
import torch.nn.functional as F

torch.set_num_threads(2)


class Work:
    def __init__(self, data):
        self.case, self.data = data.case, data
        self.batches = [tuple(torch.from_numpy(part.copy()) for part in batch) for batch in data.batches()]
        self.reset()

    def first_layers(self):
        return [(torch.from_numpy(w.copy()), torch.from_numpy(b.copy())) for w, b in self.data.layers]

    def epoch(self):
        return sum(float(self.step(*batch)) for batch in self.batches) / len(self.batches)


def updater(optimizer, alpha):
    """The rule of the case for a list of (value, state...) and gradients, in place; formulas of docs/generated/optimizers.md."""
    steps = 0

    @torch.no_grad()
    def update(values, states, gradients):
        nonlocal steps
        steps += 1
        if optimizer == "SGD":
            torch._foreach_add_(values, gradients, alpha=-alpha)
        elif optimizer == "RMSProp":
            v = states[0]
            torch._foreach_mul_(v, 0.9)
            torch._foreach_addcmul_(v, gradients, gradients, 0.1)
            divisors = torch._foreach_clamp_min(v, 1e-9)
            torch._foreach_sqrt_(divisors)
            torch._foreach_addcdiv_(values, gradients, divisors, -alpha)
        else:  # Adam
            m, v = states
            torch._foreach_lerp_(m, gradients, 0.1)
            torch._foreach_mul_(v, 0.999)
            torch._foreach_addcmul_(v, gradients, gradients, 0.001)
            divisors = torch._foreach_div(v, 1 - 0.999 ** steps)
            torch._foreach_sqrt_(divisors)
            torch._foreach_add_(divisors, 1e-8)
            torch._foreach_addcdiv_(values, m, divisors, -alpha / (1 - 0.9 ** steps))
    return update


STATES = {"SGD": 0, "RMSProp": 1, "Adam": 2}


class Autograd(Work):
    compiled = dense = False

    def reset(self):
        self.parameters = [torch.nn.Parameter(tensor) for pair in self.first_layers() for tensor in pair]
        self.states = [[torch.zeros_like(p) for p in self.parameters] for _ in range(STATES[self.case.optimizer])]
        self.update = updater(self.case.optimizer, self.case.alpha)
        self.loss = torch.compile(self.forward) if self.compiled else self.forward

    def hidden(self, starts, columns):
        w, b = self.parameters[:2]
        if self.dense:
            x = torch.zeros(self.case.batch, self.case.inputs)
            lengths = torch.diff(starts, append=torch.tensor([len(columns)]))
            x[torch.repeat_interleave(torch.arange(self.case.batch), lengths), columns] = 1
            return torch.sigmoid(torch.addmm(b, x, w))
        return torch.sigmoid(F.embedding_bag(columns, w, starts, mode="sum") + b)

    def forward(self, starts, columns, rows, targets):
        h = self.hidden(starts, columns)
        for i in range(2, len(self.parameters) - 2, 2):
            h = torch.sigmoid(torch.addmm(self.parameters[i + 1], h, self.parameters[i]))
        z = torch.addmm(self.parameters[-1], h, self.parameters[-2])
        if self.case.loss == "softmax":
            weights = 1.0 / torch.bincount(rows, minlength=self.case.batch)[rows]
            return -(F.log_softmax(z, 1)[rows, targets] * weights).sum() / self.case.batch
        t = torch.zeros_like(z)
        t[rows, targets] = 1
        return F.binary_cross_entropy_with_logits(z, t, reduction="sum") / self.case.batch

    def step(self, *batch):
        loss = self.loss(*batch)
        loss.backward()
        self.update([p.data for p in self.parameters], self.states, [p.grad for p in self.parameters])
        for p in self.parameters:
            p.grad = None
        return loss.detach()


class Dense(Autograd):
    dense = True


class Compiled(Autograd):
    compiled = True


class ByHand(Work):
    """Gradients as the chain rule has them; logits are overwritten by deltas, the wide weights updated by the product itself where the rule allows."""

    def reset(self):
        self.layers = self.first_layers()
        self.states = [[[torch.zeros_like(t) for t in pair] for pair in self.layers] for _ in range(STATES[self.case.optimizer])]
        self.update = updater(self.case.optimizer, self.case.alpha)

    @torch.no_grad()
    def step(self, starts, columns, rows, targets):
        case, batch = self.case, self.case.batch
        w, b = self.layers[0]
        hs = [torch.sigmoid_(F.embedding_bag(columns, w, starts, mode="sum").add_(b))]
        for w, b in self.layers[1:-1]:
            hs.append(torch.sigmoid_(torch.addmm(b, hs[-1], w)))
        w, b = self.layers[-1]
        z = torch.addmm(b, hs[-1], w)
        if case.loss == "softmax":
            weights = 1.0 / torch.bincount(rows, minlength=batch)[rows]
            sums = torch.logsumexp(z, 1)
            loss = -((z[rows, targets] - sums[rows]) * weights).sum() / batch
            z.sub_(sums[:, None]).exp_()
            z.index_put_((rows, targets), -weights, accumulate=True)
        else:
            loss = (F.softplus(z).sum() - z[rows, targets].sum()) / batch
            z.sigmoid_()
            z[rows, targets] -= 1
        deltas, gradients = [z], []
        for (w, _), h in zip(reversed(self.layers[1:]), reversed(hs)):
            deltas.append((deltas[-1] @ w.T).mul_(h * (1 - h)))
        deltas.reverse()
        if case.optimizer == "SGD":
            rate = -case.alpha / batch
            for (w, b), h, delta in zip(self.layers[1:], hs, deltas[1:]):
                w.addmm_(h.T, delta, alpha=rate)
                b.add_(delta.sum(0), alpha=rate)
            self.add_rows(self.layers[0][0], starts, columns, deltas[0], rate)
            self.layers[0][1].add_(deltas[0].sum(0), alpha=rate)
            return loss
        first = torch.zeros_like(self.layers[0][0])
        self.add_rows(first, starts, columns, deltas[0], 1 / batch)
        gradients = [first, deltas[0].sum(0).div_(batch)]
        for h, delta in zip(hs, deltas[1:]):
            gradients += [torch.mm(h.T, delta).div_(batch), delta.sum(0).div_(batch)]
        self.update([t for pair in self.layers for t in pair], [[t for pair in state for t in pair] for state in self.states], gradients)
        return loss

    def add_rows(self, matrix, starts, columns, deltas, factor):
        lengths = torch.diff(starts, append=torch.tensor([len(columns)]))
        matrix.index_add_(0, columns, deltas.repeat_interleave(lengths, 0), alpha=factor)


class Lists(Work):
    """The best outputs of each row."""

    def reset(self):
        self.layers = self.first_layers()

    @torch.no_grad()
    def step(self, starts, columns, rows, targets):
        w, b = self.layers[0]
        h = torch.sigmoid_(F.embedding_bag(columns, w, starts, mode="sum").add_(b))
        w, b = self.layers[-1]
        scores, _ = torch.topk(torch.addmm(b, h, w), self.case.top)
        return scores[:, 0].double().mean()


def in_bf16(form):
    """The form with the products of its matrices in BF16, which this processor may have units for; memory and all else stay fp32."""
    class Rounded(form):
        def reset(self):
            torch.set_float32_matmul_precision("medium")
            super().reset()
    return Rounded


FORMS = {"dense": Dense, "autograd": Autograd, "compiled": Compiled, "by hand": ByHand, "lists": Lists,
         "autograd, bf16 products": in_bf16(Autograd), "by hand, bf16 products": in_bf16(ByHand), "lists, bf16 products": in_bf16(Lists)}
