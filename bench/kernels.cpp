// Bare matrix products and the kernels of one training step side by side.
#include "bench/Slots.h"
#include "runtime/base/DynamicLibrary.h"
#include "runtime/hal/cpu/CpuDevice.h"
#include "runtime/hal/cpu/OneDnn.h"
#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <thread>
#include <time.h>

namespace sn::bench {
namespace {
using plan::Role;
constexpr int64_t kColumns = 27278, kStored = 144, kDataRows = 20000;

struct Shape {
  int64_t rows = 1024, hidden = 128;
  int threads = 2, runs = 15;
  double flops() const { return 2.0 * static_cast<double>(rows) * static_cast<double>(hidden) * kColumns; }
};

/// Processor time where there is one thread (a busy machine then disturbs less), else wall-clock time.
bool processorTime = false;
double now() {
  timespec time;
  clock_gettime(processorTime ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}
template <typename Work> double seconds(Work work) {
  double start = now();
  work();
  return now() - start;
}
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// z = x W^T, dx = delta W, dW = delta^T x over the whole width, oneDNN dividing the work among the threads.
class BareProducts {
public:
  explicit BareProducts(const Shape &shape)
      : shape(shape), product(rt::cpu::openOneDnn()), x(size(shape.rows * shape.hidden), 0.1f),
        w(size(kColumns * shape.hidden), 0.01f), z(size(shape.rows * kColumns)), dx(x.size()), dw(w.size()) {
    std::string reason;
    library = rt::DynamicLibrary::open("libdnnl.so.2", reason);
    setThreads = library->function<void (*)(int)>("omp_set_num_threads");
  }
  void run() {
    setThreads(shape.threads);
    const int64_t b = shape.rows, h = shape.hidden, n = kColumns;
    product('N', 'T', b, n, h, 1, x.data(), h, w.data(), h, 0, z.data(), n);
    product('N', 'N', b, h, n, 1, z.data(), n, w.data(), h, 0, dx.data(), h);
    product('T', 'N', n, h, b, 1, z.data(), n, x.data(), h, 0, dw.data(), h);
    setThreads(1);
  }

private:
  static size_t size(int64_t count) { return static_cast<size_t>(count); }
  Shape shape;
  rt::cpu::Contraction product;
  std::vector<float> x, w, z, dx, dw;
  std::unique_ptr<rt::DynamicLibrary> library;
  void (*setThreads)(int);
};

plan::SlotArg arg(Role role, const std::string &ref = "") {
  plan::SlotArg result;
  result.role = role;
  result.ref = ref;
  return result;
}
plan::SlotUse use(const std::string &function, std::vector<plan::SlotArg> in, std::vector<plan::SlotArg> out) {
  plan::SlotUse result;
  result.function = function;
  result.in = std::move(in);
  result.out = std::move(out);
  return result;
}

/// The autoencoder's kernels: gather, wide output, csc update.
class Step {
public:
  explicit Step(const Shape &shape) : shape(shape) {
    rt::cpu::SlotTable table("x86-64-v4");
    table.add("background", background);
    table.add("stored", stored);
    table.add("sgd", sgd);
    table.add("sigmoid", sigmoid);
    table.add("copy", copy);
    device = rt::cpu::makeCpuDevice(table, shape.threads);
    makeData();
    optimizer.weights = optimizer.bias = "sgd";
    optimizer.scalars = {{"alpha", plan::Expr("Alpha")}, {"lambda", plan::Expr("Lambda")}};
    parameter("W", kColumns, shape.hidden, "rows", 0.05);
    parameter("b", 1, shape.hidden, "rows", 0);
    parameter("V", shape.hidden, kColumns, "columns", 0.05);
    parameter("c", 1, kColumns, "rows", 0);
    for (const char *name : {"h", "dh"})
      memory.buffers[name] = device->allocate(shape.rows * shape.hidden);
    prepareKernels();
  }
  double gatherTime() {
    return seconds([&] { launch(*gather); });
  }
  double wideTime() {
    return seconds([&] { launch(*wide); });
  }
  double cscTime() {
    return seconds([&] { launch(*csc); });
  }
  double lossPerExample() const { return loss / static_cast<double>(shape.rows); }
  int64_t workspaceBytes() const { return device->workspaceBytes(); }

private:
  /// Popular columns first, about kStored for each row.
  void makeData() {
    std::mt19937_64 engine(1);
    std::uniform_real_distribution<double> uniform(0, 1);
    indptr.push_back(0);
    for (int64_t row = 0; row < kDataRows; ++row) {
      std::vector<int32_t> columns;
      for (int64_t i = 0; i < kStored; ++i)
        columns.push_back(static_cast<int32_t>(static_cast<double>(kColumns - 1) * std::pow(uniform(engine), 3)));
      std::sort(columns.begin(), columns.end());
      columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
      indices.insert(indices.end(), columns.begin(), columns.end());
      indptr.push_back(static_cast<int64_t>(indices.size()));
    }
    rt::DataView view;
    view.rows = kDataRows;
    view.columns = kColumns;
    view.indptr = indptr.data();
    view.indices = indices.data();
    memory.data["input"] = memory.data["output"] = view;
    for (int64_t row = 0; row < shape.rows; ++row)
      ids.push_back(static_cast<int64_t>(engine() % kDataRows));
  }
  void parameter(const std::string &name, int64_t in, int64_t out, const std::string &layout, double scale) {
    plan::Parameter parameter;
    parameter.name = name;
    parameter.in.value = in;
    parameter.out.value = out;
    parameter.layout = layout;
    plan.parameters.push_back(parameter);
    float *values = memory.parameters[name] = device->allocate(in * out);
    std::mt19937 engine(2);
    std::normal_distribution<double> draw(0, 1);
    for (int64_t i = 0; i < in * out; ++i)
      values[i] = static_cast<float>(draw(engine) * scale);
    memory.states[name] = {};
  }
  std::unique_ptr<rt::Kernel> prepare(plan::Step &step, const std::string &kernel, const std::string &ref,
                                      const std::string &weights, int64_t columns) {
    step.kernel = step.label = kernel;
    plan::Source source = step.sources.empty() ? plan::Source{} : step.sources[0];
    source.ref = ref;
    source.weights = weights;
    step.sources = {source};
    step.columns.value = columns;
    rt::Extents extents;
    extents.maxRows = shape.rows;
    return device->prepare(plan, step, &optimizer, memory, extents);
  }
  void prepareKernels() {
    plan::Step step;
    step.sources.resize(1);
    step.sources[0].data = true;
    step.sources[0].corruption = {{3, 0.2}};
    step.slots["epilogue"] =
        use("sigmoid", {arg(Role::Accumulator), arg(Role::Column, "b")}, {arg(Role::Element, "h")});
    gather = prepare(step, "csr_gather", "input", "W", shape.hidden);
    step.delta = "dh";
    step.update = true;
    csc = prepare(step, "csc_update", "input", "W", shape.hidden);
    plan::Step output;
    output.sources.resize(1);
    output.sources[0].gradient = "dh";
    output.sweep = "single";
    output.update = true;
    output.target = "output";
    output.biases = {"c"};
    std::vector<plan::SlotArg> in = {arg(Role::Accumulator), arg(Role::Column, "c")}, delta = {arg(Role::Delta)};
    output.slots["background"] = use("background", in, delta);
    in.push_back(arg(Role::Target));
    output.slots["stored"] = use("stored", in, delta);
    wide = prepare(output, "wide_output", "h", "V", kColumns);
  }
  void launch(rt::Kernel &kernel) {
    rt::Launch launch;
    launch.batch = {shape.rows, ids.data(), 1, 1};
    launch.scalar = [](std::string_view name) { return name == "Alpha" ? 0.025 : 1e-4; };
    kernel.launch(launch);
    if (launch.sum != 0)
      loss = launch.sum;
  }

  Shape shape;
  std::unique_ptr<rt::Device> device;
  plan::Plan plan;
  plan::Optimizer optimizer;
  rt::Memory memory;
  std::vector<int64_t> indptr, ids;
  std::vector<int32_t> indices;
  std::unique_ptr<rt::Kernel> gather, wide, csc;
  double loss = 0;
};

void measure(const Shape &shape) {
  BareProducts bare(shape);
  Step step(shape);
  std::vector<double> products, wide, gather, csc;
  for (int run = 0; run <= shape.runs; ++run) {
    double p = seconds([&] { bare.run(); }), g = step.gatherTime(), w = step.wideTime(), c = step.cscTime();
    if (run == 0) // the first run warms caches and pages
      continue;
    products.push_back(p);
    wide.push_back(w);
    gather.push_back(g);
    csc.push_back(c);
  }
  double p = median(products), w = median(wide), rate = 3 * shape.flops() * 1e-9;
  fmt::print("{} rows, {} hidden, {} columns, {} threads, median of {} runs\n", shape.rows, shape.hidden, kColumns,
             shape.threads, shape.runs);
  fmt::print("  three bare products {:8.2f} ms  {:6.1f} GFLOP/s\n", p * 1e3, rate / p);
  fmt::print("  wide_output, single {:8.2f} ms  {:6.1f} GFLOP/s  {:.0f} % of bare\n", w * 1e3, rate / w, 100 * p / w);
  fmt::print("  csr_gather          {:8.2f} ms\n  csc_update          {:8.2f} ms\n", median(gather) * 1e3,
             median(csc) * 1e3);
  fmt::print("  loss per example {:.3f}, workspace {:.1f} MiB\n", step.lossPerExample(),
             static_cast<double>(step.workspaceBytes()) / 1048576.0);
}
} // namespace
} // namespace sn::bench

int main(int argc, char **argv) {
  auto number = [&](int index, int otherwise) { return argc > index ? std::atoi(argv[index]) : otherwise; };
  if (!sn::rt::cpu::machineRuns("x86-64-v4")) {
    fmt::print(stderr, "bench-kernels: its slots are compiled for x86-64-v4, which this machine does not run\n");
    return 1;
  }
  sn::bench::Shape shape;
  shape.hidden = number(2, 128);
  shape.threads = number(3, static_cast<int>(std::thread::hardware_concurrency()));
  shape.runs = number(4, 15);
  sn::bench::processorTime = shape.threads == 1;
  for (int rows : argc > 1 ? std::vector<int>{std::atoi(argv[1])} : std::vector<int>{256, 1024}) {
    shape.rows = rows;
    sn::bench::measure(shape);
  }
}
