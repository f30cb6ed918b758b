// Which arguments a formula depends on, found by building it.
#pragma once
#include "dialects/Vocabulary/Records.h"
#include <algorithm>

namespace sn::vocab {
/// Marks every node that is formed from one argument.
class Dependence final : public ScalarBuilder {
public:
  Id argument(bool isTheOne) {
    marks.push_back(isTheOne);
    return static_cast<Id>(marks.size()) - 1;
  }
  Id constant(double) override { return argument(false); }
  Id apply(std::string_view, std::initializer_list<Id> args) override {
    return argument(std::any_of(args.begin(), args.end(), [&](Id id) { return marks[static_cast<size_t>(id)]; }));
  }
  bool isMarked(const Term &term) const { return term.builder && marks[static_cast<size_t>(term.id)]; }

private:
  std::vector<bool> marks;
};

/// Does the formula of `count` arguments and no parameters change with argument `index`?
inline bool dependsOn(const Formula &formula, size_t index, size_t count) {
  Dependence builder;
  std::vector<Term> arguments;
  for (size_t i = 0; i < count; ++i)
    arguments.emplace_back(builder, builder.argument(i == index));
  Term out;
  formula.term(arguments.data(), nullptr, &out);
  return builder.isMarked(out);
}
/// Does the rule change with this hyper-parameter ("Alpha", "Mu", "Mu1")? What does not is without effect in its
/// networks.
inline bool reads(const Optimizer &optimizer, std::string_view hyper) {
  constexpr std::string_view kArguments[] = {"Alpha", "Mu", "Mu1", "Step"};
  size_t index = static_cast<size_t>(std::find(std::begin(kArguments), std::end(kArguments), hyper) - kArguments);
  return std::any_of(optimizer.scalars.begin(), optimizer.scalars.end(),
                     [&](const auto &scalar) { return dependsOn(scalar.second, index, std::size(kArguments)); });
}
/// Does the distribution change with Scale?
inline bool readsScale(const Initializer &initializer) {
  return dependsOn(initializer.scale, 2, 3) || dependsOn(initializer.shift, 2, 3);
}
} // namespace sn::vocab
