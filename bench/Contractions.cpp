#include "bench/Contractions.h"
#include "runtime/base/DynamicLibrary.h"
#include "runtime/hal/cpu/OneDnn.h"
#include "runtime/plan/Error.h"
#include <algorithm>

namespace sn::bench {
namespace {
const plan::Parameter &parameterOf(const plan::Plan &plan, const std::string &name) {
  return *std::find_if(plan.parameters.begin(), plan.parameters.end(),
                       [&](const plan::Parameter &p) { return p.name == name; });
}

/// The right factor E [inner, outer] of x E, stored [outer][inner] where `outerFirst`.
struct Factor {
  int64_t inner, outer;
  bool outerFirst;
};
Factor factorOf(const plan::Plan &plan, const plan::Source &source, const rt::Extents &extents) {
  const plan::Parameter &weights = parameterOf(plan, source.weights);
  const int64_t in = extents.of(weights.in), out = extents.of(weights.out);
  return {source.transposed ? out : in, source.transposed ? in : out,
          (weights.layout == "columns") != source.transposed};
}

Product forward(const Factor &e, int64_t rows) { return {'N', e.outerFirst ? 'T' : 'N', rows, e.outer, e.inner}; }
Product backward(const Factor &e, int64_t rows) { return {'N', e.outerFirst ? 'N' : 'T', rows, e.inner, e.outer}; }
Product gradient(const Factor &e, int64_t rows) {
  return e.outerFirst ? Product{'T', 'N', e.outer, e.inner, rows} : Product{'T', 'N', e.inner, e.outer, rows};
}
} // namespace

StepContractions contractionsOf(const plan::Plan &plan, const plan::Step &step, const rt::Extents &extents,
                                int64_t rows) {
  StepContractions found;
  const bool wide = step.kernel == "wide_output" || step.kernel == "wide_softmax";
  const bool updates = step.kernel == "csc_update" || step.kernel == "gemm_update";
  for (const plan::Source &source : step.sources) {
    const Factor e = factorOf(plan, source, extents);
    if (source.data) {
      found.perEntry.emplace_back(source.ref, 2.0 * static_cast<double>(e.outer));
      continue;
    }
    if (!updates)
      found.dense.push_back(forward(e, rows));
    if (wide && !source.gradient.empty() && step.sweep != "update")
      found.dense.push_back(backward(e, rows));
    if (updates || (wide && step.update && (step.sweep == "single" || step.sweep == "update")))
      found.dense.push_back(gradient(e, rows));
  }
  return found;
}

BareProducts::BareProducts(std::vector<Product> wanted, int threads)
    : products(std::move(wanted)), threads(threads), product(rt::cpu::openOneDnn()) {
  for (const Product &p : products) {
    auto filled = [](int64_t count, float value) { return std::vector<float>(static_cast<size_t>(count), value); };
    operands.push_back({filled(p.m * p.k, 0.1f), filled(p.k * p.n, 0.01f), filled(p.m * p.n, 0)});
  }
}

void BareProducts::run() {
  std::string reason;
  static const std::unique_ptr<rt::DynamicLibrary> library = rt::DynamicLibrary::open("libdnnl.so.2", reason);
  static const auto setThreads = library->function<void (*)(int)>("omp_set_num_threads");
  setThreads(threads);
  for (size_t i = 0; i < products.size(); ++i) {
    const Product &p = products[i];
    Operands &o = operands[i];
    product(p.transA, p.transB, p.m, p.n, p.k, 1, o.a.data(), p.transA == 'N' ? p.k : p.m, o.b.data(),
            p.transB == 'N' ? p.n : p.k, 0, o.c.data(), p.n);
  }
  setThreads(1);
}

double BareProducts::flops() const {
  double sum = 0;
  for (const Product &p : products)
    sum += p.flops();
  return sum;
}
} // namespace sn::bench
