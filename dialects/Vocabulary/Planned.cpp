// Names of the reference (1.2, 1.12, 1.20, 1.22) that wait for issue 3: the whole fully connected language.
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
std::span<const Planned> planned() {
  static const std::vector<Planned> names{
      {"Activation", "LeakyRectifiedLinear", {"LRelu"}},
      {"Activation", "ExponentialLinear", {"ELU"}},
      {"Activation", "ScaledExponentialLinear", {"SELU"}},
      {"Activation", "SoftPlus"},
      {"Activation", "SoftSign"},
      {"Activation", "ReluMax", {}, "no formula for it is defined anywhere"},
      {"Activation", "LinearMax", {}, "no formula for it is defined anywhere"},
      {"ErrorFunction", "L1"},
      {"ErrorFunction", "L2Hinge"},
      {"ErrorFunction", "Hinge"},
      {"ErrorFunction", "DataScaledMarginalCrossEntropy"},
      {"Scheme", "CaffeXavier"},
      {"Scheme", "UnitBall"},
      {"Scheme", "SELU"},
      {"Optimizer", "AdaGrad"},
      {"Optimizer", "AdaDelta"},
  };
  return names;
}
} // namespace sn::vocab
