// Tiny networks around one record, and data for them.
#pragma once
#include "test/support/Check.h"
#include <nlohmann/json.hpp>

namespace sn::test {
using Json = nlohmann::ordered_json;

/// What stands in a tiny network; what is absent is the language's default.
struct Tiny {
  std::string hiddenActivation = {}, outputActivation = {}, loss = {}, optimizer = {}, initializer = {}, schedule = {};
  Storage input = Storage::CsrBinary, target = Storage::CsrBinary;
  double denoising = 0, lambda1 = 0;
  double parameters = 1; // of the records named: the default times this
  bool dsstne = false;   // "Compatibility": "dsstne"
};
/// Input -> Hidden of 6 units -> Output, 11 and 13 columns, batches of 9, 9 and 4 of 17 rows.
Case tinyCase(const Tiny &tiny);

/// A loss that any activation may stand before, and an activation that any loss accepts.
std::string anyLoss();
std::string anyOutput();
/// Values of parameters: the defaults times a factor, inside the accepted range.
std::vector<double> valuesOf(const std::vector<vocab::Param> &params, double factor);
/// The activations that may stand before a loss.
std::vector<const vocab::Activation *> activationsFor(const vocab::Loss &loss);
} // namespace sn::test
