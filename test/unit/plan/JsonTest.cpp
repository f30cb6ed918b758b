#include "runtime/plan/Error.h"
#include "test/unit/plan/SmallPlan.h"
#include <gtest/gtest.h>

namespace sn::plan {
namespace {
using nlohmann::json;

std::string refusal(const json &document) {
  try {
    document.get<Plan>();
  } catch (const UserError &error) {
    return error.what();
  }
  return "";
}

TEST(Json, RoundTrip) {
  json document = test::smallPlan();
  Plan again = json::parse(document.dump()).get<Plan>();
  EXPECT_EQ(json(again).dump(), document.dump());
  EXPECT_EQ(again.training.seed, 0xFFFFFFFFFFFFFFFFull);
  EXPECT_EQ(again.parameters[2].out, (Dim{0, "outputs"}));
  EXPECT_EQ(again.parameters[0].init.scale, Expr("div", {Expr(1.0), Expr("nin")}));
  EXPECT_EQ(again.entries[0].steps[1].slots.at("dense").scalars[0].role, Role::TargetScale);
  ASSERT_TRUE(again.optimizers[0].idleWhenZero.has_value());
}

TEST(Json, EveryFieldIsRequiredAndNoOtherTaken) {
  json document = test::smallPlan();
  auto check = [&](json::json_pointer where) {
    for (const auto &[key, value] : document[where].items()) {
      json without = document;
      without[where].erase(key);
      EXPECT_NE(refusal(without).find("'" + key + "' is missing"), std::string::npos)
          << where.to_string() << " " << key;
    }
    json with = document;
    with[where]["surplus"] = 1;
    EXPECT_NE(refusal(with).find("'surplus' is unknown"), std::string::npos) << where.to_string();
  };
  for (const char *where :
       {"", "/symbols/0", "/datasets/0", "/parameters/0", "/parameters/0/init", "/optimizers/0",
        "/optimizers/0/scalars/0", "/optimizers/0/untouched", "/training", "/entries/0", "/entries/0/buffers/0",
        "/entries/0/steps/0", "/entries/0/steps/0/sources/0", "/entries/0/steps/0/sources/0/corruption/0",
        "/entries/0/steps/0/slots/epilogue", "/entries/0/steps/0/slots/epilogue/in/0", "/functions/0"})
    check(json::json_pointer(where));
}

TEST(Json, TypesAreChecked) {
  struct Case {
    const char *where;
    json value;
    const char *says;
  };
  for (const Case &c :
       {Case{"/lanes", 1.5, "plan.lanes: an integer is expected, found 1.5"},
        Case{"/lanes", 1ull << 40, "plan.lanes: an integer"},
        Case{"/shuffleStream", -1, "plan.shuffleStream: a natural number"}, Case{"/network", 3, "a string"},
        Case{"/training/shuffle", 0, "true or false"}, Case{"/symbols", "x", "an array"},
        Case{"/training/hyper", json::array(), "an object"},
        Case{"/entries/0/steps/0/slots/epilogue/in/0/role", "guest", "epilogue.in[0].role: unknown role \"guest\""},
        Case{"/training/alpha", json::array({"erf", 1}),
             "plan.training.alpha: no scalar expression: unknown scalar operation 'erf'"},
        Case{"/parameters/0/in", true, "an extent or a symbol"},
        Case{"/entries/0", 7, "plan.entries[0]: an object is expected, found number"}}) {
    json document = test::smallPlan();
    document[json::json_pointer(c.where)] = c.value;
    EXPECT_NE(refusal(document).find(c.says), std::string::npos) << c.where << ": " << refusal(document);
  }
}

TEST(Hazards, ReadsAndUpdates) {
  Plan plan = test::smallPlan();
  const Entry *train = findEntry(plan, "train");
  ASSERT_NE(train, nullptr);
  EXPECT_EQ(findEntry(plan, "evaluate"), nullptr);
  EXPECT_EQ(parametersRead(train->steps[0]), (std::vector<std::string>{"Input->Hidden/bias", "Input->Hidden/weights"}));
  EXPECT_TRUE(parametersUpdated(train->steps[0]).empty());
  EXPECT_EQ(parametersUpdated(train->steps[1]),
            (std::vector<std::string>{"Hidden->Output/weights", "Hidden->Output/bias"}));
  EXPECT_TRUE(parametersRead(train->steps[4]).empty());
}
} // namespace
} // namespace sn::plan
