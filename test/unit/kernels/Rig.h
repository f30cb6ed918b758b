// A device, one step, and the memory it names.
#pragma once
#include "runtime/hal/cpu/CpuDevice.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/Philox.h"
#include "test/unit/kernels/Slots.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace sn::test {
using plan::Role;
using rt::Loader;

inline std::vector<float> randomValues(int64_t count, unsigned seed, double scale = 1) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> draw(-scale, scale);
  std::vector<float> values(static_cast<size_t>(count));
  for (float &value : values)
    value = static_cast<float>(draw(engine));
  return values;
}

/// How a data set's examples relate to what is stored.
struct Form {
  bool indexed = false, weighted = false;
  float offset = 0; // of dense inputs
};
inline std::string nameOf(const Form &form) {
  return fmt::format("indexed {} weighted {} offset {}", form.indexed, form.weighted, form.offset);
}
inline const Form kForms[] = {{}, {true, false, 0}, {false, true, 0}, {false, false, -0.5f}, {true, true, -0.5f}};

/// A random data set held in all three ways; every fifth stored row is empty. As many examples as stored rows; where
/// indexed, some refer to the same row and some rows are not referred to. Some weights are 0.
class TestData {
public:
  int64_t rows, columns;
  TestData(int64_t rows, int64_t columns, double density, unsigned seed) : rows(rows), columns(columns) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> draw(0, 1);
    dense.assign(static_cast<size_t>(rows * columns), 0);
    indptr.push_back(0);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < columns; ++column)
        if (row % 5 != 2 && draw(engine) < density) {
          indices.push_back(static_cast<int32_t>(column));
          values.push_back(static_cast<float>(draw(engine) + 0.25));
          dense[static_cast<size_t>(row * columns + column)] = values.back();
        }
      indptr.push_back(static_cast<int64_t>(indices.size()));
    }
  }
  TestData(int64_t rows, int64_t columns, double density, unsigned seed, const Form &form)
      : TestData(rows, columns, density, seed) {
    offset = form.offset;
    for (int64_t example = 0; example < rows && form.indexed; ++example)
      index.push_back(static_cast<int32_t>((example * example + 3) % rows));
    for (int64_t example = 0; example < rows && form.weighted; ++example)
      weights.push_back(0.25f * static_cast<float>(example % 7));
  }
  rt::DataView view(Loader loader, bool ignoreZeros = false) const {
    rt::DataView view;
    view.loader = loader;
    view.rows = rows;
    view.columns = columns;
    view.ignoreZeros = ignoreZeros;
    view.index = index.empty() ? nullptr : index.data();
    view.weights = weights.empty() ? nullptr : weights.data();
    if (loader == Loader::Dense) {
      view.storedColumns = columns;
      view.values = dense.data();
      view.inputOffset = offset;
    } else {
      view.indptr = indptr.data();
      view.indices = indices.data();
      view.values = loader == Loader::CsrAnalog ? values.data() : nullptr;
    }
    return view;
  }
  int64_t storedRow(int64_t example) const { return index.empty() ? example : index[static_cast<size_t>(example)]; }
  double weight(int64_t example) const {
    return weights.empty() ? 1 : static_cast<double>(weights[static_cast<size_t>(example)]);
  }
  bool stored(int64_t example, int64_t column) const {
    return dense[static_cast<size_t>(storedRow(example) * columns + column)] != 0;
  }
  /// As a target.
  double value(Loader loader, int64_t example, int64_t column) const {
    double v = static_cast<double>(dense[static_cast<size_t>(storedRow(example) * columns + column)]);
    return loader == Loader::CsrBinary ? (v != 0 ? 1.0 : 0.0) : v;
  }
  /// As an input.
  double input(Loader loader, int64_t example, int64_t column) const {
    const double v = value(loader, example, column);
    return loader == Loader::Dense ? v + static_cast<double>(offset) : v * weight(example);
  }
  double scale(Loader loader, int64_t example) const {
    int64_t row = storedRow(example);
    int64_t n = indptr[static_cast<size_t>(row + 1)] - indptr[static_cast<size_t>(row)];
    return loader != Loader::CsrBinary ? 1.0 : n ? 1.0 / static_cast<double>(n) : 0.0;
  }
  double sum(Loader loader, int64_t example) const {
    double total = 0;
    for (int64_t column = 0; column < columns; ++column)
      total += value(loader, example, column) * scale(loader, example);
    return total;
  }

private:
  std::vector<float> dense, values, weights;
  float offset = 0;
  std::vector<int32_t> index;
  std::vector<int64_t> indptr;
  std::vector<int32_t> indices;
};

inline plan::SlotArg arg(Role role, const std::string &ref = "") {
  plan::SlotArg result;
  result.role = role;
  result.ref = ref;
  return result;
}
inline plan::SlotArg mask(uint32_t stream, double p) {
  plan::SlotArg result = arg(Role::Mask);
  result.stream = stream;
  result.p = p;
  return result;
}
inline plan::SlotArg hyper(const std::string &name) {
  plan::SlotArg result = arg(Role::Hyper);
  result.value = plan::Expr(name);
  return result;
}
inline plan::SlotArg reduction(int64_t index) {
  plan::SlotArg result = arg(Role::Reduction);
  result.index = index;
  return result;
}
inline plan::SlotUse use(const std::string &function, std::vector<plan::SlotArg> in, std::vector<plan::SlotArg> out,
                         std::vector<plan::SlotArg> scalars = {}) {
  plan::SlotUse result;
  result.function = function;
  result.in = std::move(in);
  result.out = std::move(out);
  result.scalars = std::move(scalars);
  return result;
}

class Rig {
public:
  explicit Rig(int threads = 2, const std::string &level = "")
      : device(rt::cpu::makeCpuDevice(slotTable(level), threads)) {
    step.label = "test";
    optimizer.name = "SGD";
    optimizer.weights = "sgd";
    optimizer.bias = "sgdBias";
    optimizer.scalars = {{"alpha", plan::Expr("Alpha")}, {"lambda", plan::Expr("Lambda")}};
  }

  void buffer(const std::string &name, const std::vector<float> &values) {
    float *memory_ = device->allocate(static_cast<int64_t>(values.size()));
    device->upload(memory_, values.data(), static_cast<int64_t>(values.size()));
    memory.buffers[name] = memory_;
    sizes[name] = static_cast<int64_t>(values.size());
  }
  /// `values` are [in][out] whatever the layout; states start at `state`.
  void parameter(const std::string &name, int64_t in, int64_t out, const std::string &layout,
                 const std::vector<float> &values, int states = 0, float state = 0) {
    plan::Parameter parameter;
    parameter.name = name;
    parameter.in.value = in;
    parameter.out.value = out;
    parameter.layout = layout;
    plan.parameters.push_back(parameter);
    memory.parameters[name] = device->allocate(in * out);
    auto stored = permuted(name, values, true);
    device->upload(memory.parameters[name], stored.data(), in * out);
    memory.states[name] = {};
    for (int i = 0; i < states; ++i) {
      std::vector<float> start(static_cast<size_t>(in * out), state);
      memory.states[name].push_back(device->allocate(in * out));
      device->upload(memory.states[name].back(), start.data(), in * out);
    }
  }
  /// A buffer of a parameter's shape and layout; `values` are [in][out].
  void gradientBuffer(const std::string &name, const std::string &parameter, const std::vector<float> &values) {
    buffer(name, permuted(parameter, values, true));
  }
  /// As [in][out].
  std::vector<float> readGradient(const std::string &name, const std::string &parameter) {
    return permuted(parameter, read(name), false);
  }
  plan::Source source(const std::string &ref, const std::string &weights, const std::string &gradient = "",
                      bool transposed = false) {
    plan::Source result;
    result.ref = ref;
    result.weights = weights;
    result.gradient = gradient;
    result.transposed = transposed;
    return result;
  }

  void prepare(int64_t maxRows) {
    extents.maxRows = maxRows;
    const plan::Optimizer *updates = step.update ? &optimizer : nullptr;
    const int64_t measured = measure(updates), before = device->workspaceBytes();
    kernel = device->prepare(plan, step, updates, memory, extents);
    EXPECT_EQ(std::max(before, measured), device->workspaceBytes()) << "what was told beforehand";
  }
  rt::Launch launch(const std::vector<int64_t> &ids, rt::TopK *topk = nullptr) {
    rt::Launch launch;
    launch.batch = {static_cast<int64_t>(ids.size()), ids.data(), 77, 3};
    launch.scalar = [this](std::string_view name) { return hypers.at(std::string(name)); };
    launch.topk = topk;
    kernel->launch(launch);
    return launch;
  }
  std::vector<float> read(const std::string &name) {
    std::vector<float> values(static_cast<size_t>(sizes.at(name)));
    device->download(values.data(), memory.buffers.at(name), sizes.at(name));
    return values;
  }
  /// As [in][out]; `state` < 0: the parameter itself.
  std::vector<float> readParameter(const std::string &name, int state = -1) {
    const plan::Parameter &p = find(name);
    std::vector<float> values(static_cast<size_t>(p.in.value * p.out.value));
    float *from = state < 0 ? memory.parameters.at(name) : memory.states.at(name)[static_cast<size_t>(state)];
    device->download(values.data(), from, static_cast<int64_t>(values.size()));
    return permuted(name, values, false);
  }

  std::unique_ptr<rt::Device> device;
  plan::Plan plan;
  plan::Step step;
  plan::Optimizer optimizer;
  rt::Memory memory;
  rt::Extents extents;
  std::map<std::string, double> hypers = {{"Alpha", 0.1}, {"Lambda", 0.01}, {"Lambda1", 0}, {"Mu", 0.5}};

private:
  /// Workspace of the step, told from shapes alone.
  int64_t measure(const plan::Optimizer *updates) {
    plan::Entry entry;
    entry.steps = {step};
    rt::Memory nowhere = memory;
    for (auto *pointers : {&nowhere.buffers, &nowhere.parameters})
      for (auto &[name, pointer] : *pointers)
        pointer = nullptr;
    for (auto &[name, view] : nowhere.data) {
      view.indptr = nullptr;
      view.indices = view.index = nullptr;
      view.values = view.weights = nullptr;
    }
    return device->workspaceNeed(plan, entry, updates, nowhere, extents).prepared;
  }
  const plan::Parameter &find(const std::string &name) const {
    return *std::find_if(plan.parameters.begin(), plan.parameters.end(), [&](const auto &p) { return p.name == name; });
  }
  /// [in][out] to the layout, or back.
  std::vector<float> permuted(const std::string &name, const std::vector<float> &values, bool toLayout) const {
    const plan::Parameter &p = find(name);
    if (p.layout != "columns")
      return values;
    std::vector<float> result(values.size());
    for (int64_t i = 0; i < p.in.value; ++i)
      for (int64_t o = 0; o < p.out.value; ++o) {
        size_t logical = static_cast<size_t>(i * p.out.value + o), stored = static_cast<size_t>(o * p.in.value + i);
        result[toLayout ? stored : logical] = values[toLayout ? logical : stored];
      }
    return result;
  }
  std::map<std::string, int64_t> sizes;
  std::unique_ptr<rt::Kernel> kernel;
};

/// Data-set rows of a batch: shuffled, some twice.
inline std::vector<int64_t> someRows(int64_t count, int64_t rows, unsigned seed = 5) {
  std::mt19937 engine(seed);
  std::vector<int64_t> ids(static_cast<size_t>(count));
  for (int64_t &id : ids)
    id = static_cast<int64_t>(engine() % static_cast<unsigned>(rows));
  return ids;
}

/// max|a - b| <= tolerance * max(1, max|b|)
inline void expectNear(const std::vector<float> &a, const std::vector<double> &b, double tolerance,
                       const std::string &what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  double worst = 0, largest = 1;
  for (size_t i = 0; i < a.size(); ++i) {
    double difference = std::abs(static_cast<double>(a[i]) - b[i]);
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
    largest = std::max(largest, std::abs(b[i]));
  }
  EXPECT_LE(worst, tolerance * largest) << what;
}
inline std::vector<double> widened(const std::vector<float> &values) { return {values.begin(), values.end()}; }
/// mask value of the spec
inline double maskOf(uint32_t stream, int64_t row, int64_t column, double p) {
  return static_cast<double>(
      plan::maskValue(plan::randomWord({77, stream, 3}, static_cast<uint64_t>(row), static_cast<uint64_t>(column)),
                      static_cast<float>(p)));
}
} // namespace sn::test
