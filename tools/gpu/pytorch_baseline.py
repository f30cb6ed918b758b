"""The baseline in PyTorch, as well as it goes there: one JSON line with the time of a training step in each way that works.

pytorch_baseline.py COLUMNS BATCH ENTRIES_PER_ROW OPTIMIZER HIDDEN,HIDDEN,... TF32 SECONDS

The input layer is an EmbeddingBag that sums, so no dense input is made; the loss is BCE-with-logits over batch x outputs, whose targets are formed from
the same entries on the device; dense gradients. Rows have equally many entries, so shapes never change: compilation and CUDA graphs can do their best."""
import json
import sys
import time

import torch

STEPS, WARM_UP = 30, 8


class Net(torch.nn.Module):
    def __init__(self, columns, hidden):
        super().__init__()
        self.columns = columns
        self.input = torch.nn.EmbeddingBag(columns, hidden[0], mode="sum")
        self.bias = torch.nn.Parameter(torch.zeros(hidden[0]))
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(hidden, [*hidden[1:], columns]))
        self.activation = torch.sigmoid if len(hidden) == 1 else torch.relu

    def forward(self, entries):
        x = self.activation(self.input(entries) + self.bias)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        logits = self.layers[-1](x)
        targets = torch.zeros_like(logits).scatter_(1, entries, 1.0)
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / entries.shape[0]


def optimizer_of(name, parameters, captured):
    if name == "SGD":
        return torch.optim.SGD(parameters, lr=1e-3, fused=True)
    return torch.optim.RMSprop(parameters, lr=1e-4, foreach=True, capturable=captured)


def eager(model, optimizer, batches):
    def step(i):
        optimizer.zero_grad(set_to_none=True)
        model(batches[i % len(batches)]).backward()
        optimizer.step()
    return step


def compiled(model, optimizer, batches, mode=None):
    forward = torch.compile(model, mode=mode)

    def step(i):
        optimizer.zero_grad(set_to_none=True)
        forward(batches[i % len(batches)]).backward()
        optimizer.step()
    return step


def graph(model, optimizer, batches, forward=None):
    """The whole step, update included, recorded once; a batch is copied into its place."""
    forward = forward or model
    place = batches[0].clone()

    def whole():
        optimizer.zero_grad(set_to_none=False)
        forward(place).backward()
        optimizer.step()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(4):
            whole()
    torch.cuda.current_stream().wait_stream(side)
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded):
        whole()

    def step(i):
        place.copy_(batches[i % len(batches)])
        recorded.replay()
    return step


WAYS = {"eager": (eager, False), "graph": (graph, True), "compiled": (compiled, False),
        "compiled, graph": (lambda model, optimizer, batches: graph(model, optimizer, batches, torch.compile(model)), True)}


def milliseconds(step):
    for i in range(WARM_UP):
        step(i)
    torch.cuda.synchronize()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        for i in range(STEPS):
            step(i)
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / STEPS)
    return 1e3 * min(times)


def main():
    columns, batch, entries = map(int, sys.argv[1:4])
    name, hidden, tf32, end = sys.argv[4], [int(n) for n in sys.argv[5].split(",")], sys.argv[6] == "1", time.monotonic() + float(sys.argv[7])
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.manual_seed(1)
    batches = [torch.rand(batch, columns, device="cuda").topk(entries, dim=1).indices for _ in range(4)]
    found, failed = {}, {}
    for way, (make, captured) in WAYS.items():
        if time.monotonic() > end:
            failed[way] = "no time was left"
            continue
        try:
            model = Net(columns, hidden).cuda()
            found[way] = milliseconds(make(model, optimizer_of(name, model.parameters(), captured), batches))
        except Exception as fault:  # whatever a way does not do here is the result
            failed[way] = f"{type(fault).__name__}: {str(fault).strip()[:300]}"
        torch.cuda.empty_cache()
    best = min(found, key=found.get, default=None)
    print(json.dumps({"tf32": tf32, "milliseconds": found, "failed": failed, "best": best, "best_ms": found.get(best), "device": torch.cuda.get_device_name()}))


if __name__ == "__main__":
    main()
