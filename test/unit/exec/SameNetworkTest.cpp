// Which networks count as the same for their weights.
#include "runtime/exec/SameNetwork.h"
#include "runtime/plan/Error.h"
#include <gtest/gtest.h>

namespace sn::rt {
namespace {
constexpr const char *kNetwork = R"({"Version": 0.7, "Name": "AE", "Kind": "FeedForward", "ShuffleIndices": false,
 "Layers": [ // two
   {"Name": "Input", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true},
   {"Name": "Output", "Kind": "Output", "N": 128, "Source": "Input", "Activation": "Sigmoid"}],
 "ErrorFunction": "CrossEntropy", "Training": {"Epochs": 3}})";

std::string difference(const std::string &weights, const std::string &plan = kNetwork) {
  try {
    requireSameNetwork("n.plan", plan, "w.h5", weights);
  } catch (const UserError &error) {
    return error.what();
  }
  return "";
}
std::string with(const std::string &what, const std::string &by) {
  std::string text = kNetwork;
  size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(SameNetwork, WhatMakesNoDifference) {
  EXPECT_EQ(difference(kNetwork), "");
  for (auto [what, by] : {std::pair{"\"AE\"", "\"Another\""},
                          {"\"Epochs\": 3", "\"Epochs\": 30, \"Alpha\": 0.1"},
                          {"// two", "/* 2 */ "},
                          {"0.7", "0.9"},
                          {"\"ShuffleIndices\": false", "\"ShuffleIndices\": true"},
                          {"\"N\": 128", "\"n\": [128.0]"},
                          {"\"Source\": \"Input\"", "\"Source\": [\"Input\"]"},
                          {"\"Sparse\": true", "\"Sparse\": 1"},
                          {"\"Sigmoid\"", "\"SIGMOID\""},
                          {"{\"Version\"", "\xEF\xBB\xBF{\"Version\""}})
    EXPECT_EQ(difference(with(what, by)), "") << by;
  EXPECT_EQ(difference(""), "");
  EXPECT_EQ(difference(kNetwork, ""), "");
}

TEST(SameNetwork, TheFirstDifferenceIsNamed) {
  struct Case {
    const char *what, *by, *says;
  };
  for (const Case &c :
       {Case{"\"Sigmoid\"", "\"Relu\"", "at /Layers/1/Activation it has \"Relu\", the plan has \"Sigmoid\""},
        Case{", \"Activation\": \"Sigmoid\"", "", "at /Layers/1/Activation it has nothing, the plan has \"Sigmoid\""},
        Case{"\"N\": 128", "\"N\": 64", "at /Layers/1/N it has 64, the plan has 128"},
        Case{"\"Sparse\": true", "\"Sparse\": false", "at /Layers/0/Sparse it has false, the plan has true"},
        Case{"\"Sparse\": true", "\"Sparse\": true, \"pDropout\": 0.5", "at /Layers/0/pDropout it has 0.5"},
        Case{"\"CrossEntropy\"", "\"L2\"", "at /ErrorFunction it has \"L2\", the plan has \"CrossEntropy\""},
        Case{"\"Activation\": \"Sigmoid\"}", "\"Activation\": \"Sigmoid\"}, {\"Name\": \"More\"}",
             "at /Layers/2 it has {\"Name\":\"More\"}, the plan has nothing"}}) {
    std::string said = difference(with(c.what, c.by));
    EXPECT_NE(said.find("'w.h5' was trained with another network than 'n.plan'"), std::string::npos) << said;
    EXPECT_NE(said.find(c.says), std::string::npos) << said;
  }
}

TEST(SameNetwork, TheDifferenceAlone) {
  EXPECT_EQ(networkDifference("n.plan", kNetwork, "w.h5", kNetwork), "");
  EXPECT_EQ(networkDifference("n.plan", "", "w.h5", kNetwork), "");
  EXPECT_EQ(networkDifference("n.plan", kNetwork, "w.h5", with("\"CrossEntropy\"", "\"L2\"")),
            "'w.h5' was trained with another network than 'n.plan': at /ErrorFunction it has \"L2\", the plan has "
            "\"CrossEntropy\"");
}

TEST(SameNetwork, ADamagedTextIsRefused) {
  for (const char *text : {"{", "[]", "\xFF"}) {
    std::string said = difference(text);
    EXPECT_NE(said.find("'w.h5': the network stored in it is not the JSON object"), std::string::npos) << said;
  }
}
} // namespace
} // namespace sn::rt
