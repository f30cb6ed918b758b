// Which way is chosen for rows that a batch does not touch, and the reason that is told.
#include "runtime/plan/Untouched.h"
#include "test/unit/plan/SmallPlan.h"
#include <gtest/gtest.h>

namespace sn::plan {
namespace {
const HyperValues kPlain = {{"Alpha", 0.1}, {"Mu", 0.5}, {"Lambda", 0}, {"Lambda1", 0}};

UntouchedRows rowsOf(const Plan &plan, const HyperValues &hyper = kPlain) {
  const std::vector<UntouchedRows> all = untouchedRows(plan, plan.optimizers[0], hyper);
  return all.size() == 1 ? all[0] : UntouchedRows{"there are " + std::to_string(all.size()), "", {}, ""};
}
HyperValues with(const std::string &name, double value) {
  HyperValues hyper = kPlain;
  hyper[name] = value;
  return hyper;
}
Step &update(Plan &plan) { return plan.entries[0].steps.back(); }

TEST(Untouched, LazyWhereTheUpdateIsLinear) {
  const UntouchedRows rows = rowsOf(test::smallPlan());
  EXPECT_EQ(rows.parameter, "Input->Hidden/weights");
  EXPECT_EQ(rows.dataset, "input");
  EXPECT_EQ(rows.way, UntouchedWay::Lazy);
  EXPECT_EQ(rows.why, "the update of Momentum without a gradient is linear");
}

TEST(Untouched, IdleGoesBeforeLazy) {
  const UntouchedRows rows = rowsOf(test::smallPlan(), with("Mu", 0));
  EXPECT_EQ(rows.way, UntouchedWay::Idle);
  EXPECT_EQ(rows.why, "Momentum changes nothing without a gradient");
}

struct Obstacle {
  const char *name;
  std::function<void(Plan &)> edit;
  HyperValues hyper;
  const char *why;
};
class UntouchedObstacles : public testing::TestWithParam<Obstacle> {};
TEST_P(UntouchedObstacles, AreTold) {
  Plan plan = test::smallPlan();
  GetParam().edit(plan);
  const UntouchedRows rows = rowsOf(plan, GetParam().hyper);
  EXPECT_EQ(rows.way, UntouchedWay::Dense);
  EXPECT_EQ(rows.why, GetParam().why);
}

void nothing(Plan &) {}
const Obstacle kObstacles[] = {
    {"l2", nothing, with("Lambda", 0.1), "the update of Momentum without a gradient is linear only if Lambda is 0"},
    {"l1", nothing, with("Lambda1", 0.1),
     "the update of Momentum without a gradient is linear only if Lambda1 is 0 (L1 decay is not linear)"},
    {"notLinear", [](Plan &p) { p.optimizers[0].untouched.reset(); }, kPlain,
     "the update of Momentum without a gradient is not linear in weight and state"},
    {"buffer", [](Plan &p) { update(p).sources[0].weightGradient = "g"; }, kPlain,
     "its gradient is collected in a buffer and applied as a whole"},
    {"columns", [](Plan &p) { p.parameters[0].layout = "columns"; }, kPlain,
     "the weights of a feature do not lie side by side"},
    {"limited",
     [](Plan &p) {
       Step limit;
       limit.kernel = "limit_norm";
       limit.sources = {test::source(false, "", "Input->Hidden/weights")};
       p.entries[0].steps.push_back(limit);
       std::swap(p.entries[0].steps.end()[-1], p.entries[0].steps.end()[-2]);
     },
     kPlain, "norms are limited over all rows after every step"},
    {"readElsewhere",
     [](Plan &p) { p.entries[0].steps[2].sources = {test::source(false, "h", "Input->Hidden/weights")}; }, kPlain,
     "'Hidden delta' uses all of it"},
    {"otherData", [](Plan &p) { p.entries[0].steps[0].sources[0].ref = "others"; }, kPlain, "'Hidden' uses all of it"},
};
INSTANTIATE_TEST_SUITE_P(Plan, UntouchedObstacles, testing::ValuesIn(kObstacles),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(Untouched, WhereItPays) {
  const Plan plan = test::smallPlan();
  double features = 1e6, perRow = 100;
  CostModel model;
  model.extent = [&](const Dim &dim) {
    return dim.symbol.empty() ? static_cast<double>(dim.value) : dim.symbol == "B" ? 256 : features;
  };
  model.density = [&](const std::string &) { return perRow; };
  model.states = 1;
  auto why = [&](bool sparse = true) {
    const UntouchedRows rows =
        untouchedRows(plan, plan.optimizers[0], kPlain, model, [&](const std::string &) { return sparse; }).at(0);
    return std::string(nameOf(rows.way)) + ": " + rows.why;
  };
  EXPECT_EQ(why(), "lazy: the update of Momentum without a gradient is linear");
  EXPECT_EQ(why(false), "dense: 'input' is dense: every row is touched");
  perRow = 2000;
  EXPECT_EQ(why(), "dense: a batch may touch 400704 of 1000000 rows: too many for it to pay");
  perRow = 1;
  features = 100000;
  EXPECT_EQ(why(), "dense: it is so small that reading all of it costs next to nothing");
}

TEST(Untouched, CostsOfWhatIsPutOff) {
  const Plan plan = test::smallPlan();
  CostModel model;
  model.extent = [](const Dim &dim) { return dim.symbol.empty() ? static_cast<double>(dim.value) : 1e5; };
  model.density = [](const std::string &) { return 1e-3; };
  model.states = 1;
  auto bytes = [&](size_t entry, size_t step) {
    return costOf(plan, plan.entries[entry], plan.entries[entry].steps[step], model).bytes;
  };
  const double gather = bytes(0, 0), update = bytes(0, 4), predict = bytes(1, 0);
  model.putOff = {"Input->Hidden/weights"};
  EXPECT_LT(bytes(0, 4), update / 2) << "only the touched rows";
  EXPECT_GT(bytes(0, 0), gather) << "they are caught up where they are gathered";
  EXPECT_EQ(bytes(1, 0), predict) << "nothing is put off in a prediction";
}
} // namespace
} // namespace sn::plan
