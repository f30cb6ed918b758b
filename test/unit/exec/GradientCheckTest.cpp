#include "runtime/exec/GradientCheck.h"
#include "test/unit/exec/Networks.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::rt {
namespace {
using namespace sn::test;

GradientReport checked(plan::Plan plan, std::map<std::string, std::vector<float>> *kept = nullptr) {
  auto session = sessionOf(std::move(plan), 2);
  auto data = tastes(40, 30, 2);
  Binding binding = bindingOf({{"input", data}, {"output", data}});
  Model model(session->plan(), session->device(), resolveSymbols(session->plan(), &binding, nullptr),
              session->workers());
  Settings settings = settle(session->plan(), {.batch = 16});
  model.initialize(settings.seed);
  auto values = [&] {
    std::map<std::string, std::vector<float>> all;
    for (const plan::Parameter &parameter : session->plan().parameters)
      all[parameter.name] = model.parameter(parameter.name);
    return all;
  };
  auto before = values();
  GradientReport report = checkGradients(model, settings, binding, 12);
  EXPECT_TRUE(values() == before) << "the model stays as it is";
  if (kept)
    *kept = before;
  return report;
}

TEST(GradientCheck, AgreesForATrueGradient) {
  GradientReport report = checked(twoLayerPlan());
  EXPECT_EQ(report.failures, 0);
  EXPECT_GT(report.loss, 0);
  ASSERT_EQ(report.samples.size(), 12u + 8 + 12 + 12) << "twelve of each parameter, or all it has";
  double largest = 0;
  for (const GradientSample &sample : report.samples) {
    largest = std::max(largest, std::fabs(sample.numeric));
    EXPECT_LT(sample.tolerance, 0.02);
  }
  EXPECT_GT(largest, 0.05) << "some gradients are much larger than the tolerance";
}

TEST(GradientCheck, FindsAWrongOne) {
  plan::Plan wrong = twoLayerPlan();
  wrong.entries[0].steps[2].slots["body"].function = "test_linear"; // adds where the derivative multiplies
  GradientReport report = checked(wrong);
  EXPECT_GT(report.failures, 5);
  for (const GradientSample &sample : report.samples)
    if (!sample.agrees())
      EXPECT_TRUE(sample.parameter.rfind("Input->Hidden/", 0) == 0) << sample.parameter;
}

TEST(GradientCheck, SharedMatricesAverage) {
  plan::Plan plan = twoLayerPlan();
  plan.entries[0].steps[4].sources[0].scale = 0.5; // as if two layers used the matrix: their average
  EXPECT_EQ(checked(plan).failures, 0);
}

TEST(GradientCheck, NeedsAnOptimizerWithoutStates) {
  plan::Plan plan = twoLayerPlan();
  plan.optimizers.erase(plan.optimizers.begin());
  plan.training.optimizer = plan.optimizers[0].name;
  EXPECT_NE(refusal([&] { checked(plan); }).find("the plan has no optimizer without states"), std::string::npos);
}
} // namespace
} // namespace sn::rt
