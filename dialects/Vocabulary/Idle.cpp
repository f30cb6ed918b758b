// The proof behind idleAtZeroGradient: the update is rebuilt with g' = 0 by a builder that folds as it goes; the
// optimizer is idle if every output folds back to its own input.
#include "dialects/Vocabulary/Folding.h"
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
bool idleAtZeroGradient(const Optimizer &optimizer) {
  FoldingBuilder builder;
  auto symbol = [&] { return Term(builder, builder.symbol()); };
  std::vector<Term> in{symbol(), Term(0.0)}, scalars, out(1 + optimizer.states.size());
  for (size_t i = 0; i < optimizer.states.size(); ++i)
    in.push_back(symbol());
  for (size_t i = 0; i < optimizer.scalars.size(); ++i)
    scalars.push_back(symbol());
  optimizer.update.term(in.data(), scalars.data(), out.data());
  for (size_t i = 0; i < out.size(); ++i)
    if (out[i].builder != &builder || out[i].id != in[i == 0 ? 0 : i + 1].id)
      return false;
  return true;
}
} // namespace sn::vocab
