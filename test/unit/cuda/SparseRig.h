// Sparse steps on the emulator: data sources as lists of terms, weights in either orientation, passes in the order that
// the runtime launches them. Include it after every other header.
#pragma once
#include "test/unit/cuda/PointwiseRig.h"
#include <cstdint>
#include <utility>

namespace sn::test {
/// Random zeroing of an input.
inline const std::vector<Corruption> kNoCorruption, kTwoCorruptions{{3, 0.25f}, {9, 0.5f}}, kAlmostAll{{3, 0.999f}};

/// A column of an example that takes part in its sums, and its value: weighted, shifted, masked.
struct Term {
  Int column;
  float value;
};
inline std::vector<Term> termsOf(const StepArgs &args, const std::vector<Corruption> &corruption, Int example) {
  const cuda::DataView &data = args.data;
  const Int row = data.index ? data.index[example] : example;
  std::vector<Term> terms;
  if (data.dense)
    for (Int column = 0; column < data.storedColumns; ++column)
      terms.push_back({column, data.values[row * data.storedColumns + column] + data.inputOffset});
  else
    for (Int i = data.indptr[row]; i < data.indptr[row + 1]; ++i)
      terms.push_back(
          {data.indices[i], (data.values ? data.values[i] : 1.0f) * (data.weights ? data.weights[example] : 1.0f)});
  for (Term &term : terms)
    for (const Corruption &c : corruption)
      term.value *=
          plan::maskValue(plan::randomWord({args.frame->seed, c.stream, args.frame->epoch},
                                           static_cast<uint64_t>(example), static_cast<uint64_t>(term.column)),
                          c.p);
  return terms;
}
/// Offset of E[k, c].
inline size_t offsetOf(const Source &source, Int k, Int c) {
  return static_cast<size_t>(source.outerFirst ? c * source.inner + k : k * source.outer + c);
}

/// Work areas of exactly the bytes that were asked for, all ones.
class WorkAreas {
public:
  WorkAreas(const rt::cuda::Launches &launches, StepArgs &args) : launches(launches) {
    for (size_t i = 0; i < areas.size(); ++i)
      if (const auto bytes = static_cast<size_t>(launches.workBytes[i])) {
        areas[i].reset(new unsigned char[bytes]);
        std::memset(areas[i].get(), 0xff, bytes);
        args.work[i] = areas[i].get();
      }
  }
  void zero(const rt::cuda::Pass &pass) {
    for (size_t area : pass.zeroed)
      std::memset(areas[area].get(), 0, static_cast<size_t>(launches.workBytes[area]));
  }

private:
  const rt::cuda::Launches &launches;
  std::array<std::unique_ptr<unsigned char[]>, kWorkAreas> areas;
};

template <class Template, class Loader, class Optimizer, int... Numbers>
void runPass(int number, const StepArgs &args, std::integer_sequence<int, Numbers...>) {
  ((number == Numbers ? Template::template run<Loader, Optimizer, Numbers>(args) : void()), ...);
}
/// Runs a step's launches; blocks in the order that `order` stands for (sn::emulator::setOrder).
template <class Template, class Loader, class Optimizer, int Passes>
Outcome runPasses(const rt::cuda::Launches &launches, StepArgs args, uint64_t order) {
  sn::emulator::setOrder(order);
  WorkAreas work(launches, args);
  Outcome outcome;
  for (const rt::cuda::Pass &pass : launches.passes) {
    work.zero(pass);
    const int64_t blocks = pass.sums ? pass.blocks * pass.blocksY : 0;
    std::vector<double> sums(static_cast<size_t>(blocks), NAN), regularizations = sums;
    args.sums = pass.sums ? sums.data() : nullptr;
    args.regularizations = pass.sums ? regularizations.data() : nullptr;
    sn::emulator::launch(
        static_cast<unsigned>(pass.blocks), static_cast<unsigned>(pass.blocksY), static_cast<unsigned>(pass.threads),
        static_cast<size_t>(pass.shared),
        [&] { runPass<Template, Loader, Optimizer>(pass.number, args, std::make_integer_sequence<int, Passes>()); });
    for (size_t i = 0; i < sums.size(); ++i) {
      outcome.sum += sums[i];
      outcome.regularization += regularizations[i];
    }
  }
  sn::emulator::setOrder(0);
  return outcome;
}
inline bool sameBits(const Floats &a, const Floats &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

inline rt::Loader loaderOf(const DataSet &data) {
  return data.dense ? rt::Loader::Dense : data.binary ? rt::Loader::CsrBinary : rt::Loader::CsrAnalog;
}
inline std::string nameOf(const DataSet::Kind &kind) {
  return std::string(kind.dense    ? "dense"
                     : kind.binary ? "binary"
                                   : "analog") +
         (kind.indexed ? " indexed" : "") + (kind.weighted ? " weighted" : "");
}
inline const DataSet::Kind kKinds[] = {{.binary = true},
                                       {},
                                       {.binary = true, .indexed = true, .weighted = true},
                                       {.indexed = true, .weighted = true, .density = 0.5},
                                       {.dense = true},
                                       {.dense = true, .indexed = true, .weighted = true, .missing = 2}};
} // namespace sn::test
