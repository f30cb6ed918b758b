// Names that DSSTNE's parser or documentation knows (reference 1.2, 1.7, 1.12) and that never will be records.
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
std::span<const Planned> planned() {
  constexpr std::string_view kUndefined = "no formula for it is defined anywhere",
                             kDocumented = "DSSTNE's documentation names it, its programs never accepted it";
  static const std::vector<Planned> names{
      {"Activation", "ReluMax", {}, kUndefined},
      {"Activation", "LinearMax", {}, kUndefined},
      {"Activation", "ParametricRectifiedLinear", {"PRelu"}, kDocumented},
      {"Activation", "MaxOut", {}, "it is a pooling function: \"Type\": \"Pooling\", \"Function\": \"Maxout\""},
      {"ErrorFunction", "SMCE", {}, "write ScaledMarginalCrossEntropy"},
      {"Function", "Stochastic", {}, kDocumented},
      {"Function", "LocalContrastNormalization", {"LCN"}, kDocumented},
      {"Function", "GlobalTemporal", {}, kDocumented},
  };
  return names;
}
} // namespace sn::vocab
