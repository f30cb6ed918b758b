// Which arguments a formula depends on, found by building it.
#pragma once
#include "dialects/Vocabulary/Records.h"
#include <algorithm>

namespace sn::docgen {
/// Marks every node that is formed from one argument.
class Dependence final : public vocab::ScalarBuilder {
public:
  Id argument(bool isTheOne) {
    marks.push_back(isTheOne);
    return static_cast<Id>(marks.size()) - 1;
  }
  Id constant(double) override { return argument(false); }
  Id apply(std::string_view, std::initializer_list<Id> args) override {
    return argument(std::any_of(args.begin(), args.end(), [&](Id id) { return marks[static_cast<size_t>(id)]; }));
  }
  bool isMarked(const vocab::Term &term) const { return term.builder && marks[static_cast<size_t>(term.id)]; }

private:
  std::vector<bool> marks;
};

/// Does the formula of `count` arguments and no parameters change with argument `index`?
inline bool dependsOn(const vocab::Formula &formula, size_t index, size_t count) {
  Dependence builder;
  std::vector<vocab::Term> arguments;
  for (size_t i = 0; i < count; ++i)
    arguments.emplace_back(builder, builder.argument(i == index));
  vocab::Term out;
  formula.term(arguments.data(), nullptr, &out);
  return builder.isMarked(out);
}
} // namespace sn::docgen
