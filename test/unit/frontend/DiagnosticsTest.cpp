// What the messages of a file look like together: all of them, in order, as text and as JSON.
#include "compiler/Frontend/Spelling.h"
#include "test/unit/frontend/Support.h"
#include <nlohmann/json.hpp>

namespace sn::frontend::test {
namespace {
using Lines = std::vector<std::string>;
} // namespace

TEST(Text, LineCaretAndNotes) {
  EXPECT_EQ(messageOf("{\n\t\"Layers\": [\n" + kInputLayer + ",\n\t{\"Name\": \"In\"}, " + kOutputLayer + "]}"),
            "net.json:4:11: error: a second layer is named 'In' [net_11]\n"
            "  \t{\"Name\": \"In\"}, " +
                kOutputLayer +
                "]}\n"
                "  \t         ^~~~\n"
                "net.json:3:24: note: layer 'In' is declared here\n"
                "  " +
                kInputLayer +
                ",\n"
                "                         ^~~~\n");
}

TEST(Text, EveryErrorOfAFileInItsOrder) {
  EXPECT_EQ(messageOf(R"({
    "Name": "AE",
    "Denoisng": { "p": 0.2 },
    "Training": { "Optimizer": "Adm", "Mu": 1.5, "Batch": 0.5 },
    "Layers": [
        { "Name": "In", "Kind": "Input", "N": "auto", "DataSet": "input", "Activation": "Relu" },
        { "Name": "Hid", "N": "auto", "Activation": "Sigmod" },
        { "Name": "Out", "Kind": "Output", "Source": "Hidd", "N": "auto", "DataSet": "output" }
    ]
})"),
            R"(net.json:3:5: error: unknown key 'Denoisng' in the network; did you mean 'Denoising'? [net_3]
      "Denoisng": { "p": 0.2 },
      ^~~~~~~~~~
net.json:4:32: error: unknown Optimizer 'Adm'; did you mean 'Adam'? [net_3]
      "Training": { "Optimizer": "Adm", "Mu": 1.5, "Batch": 0.5 },
                                 ^~~~~
net.json:4:45: error: 'Mu' must be at least 0 and below 1, not 1.5 [net_4]
      "Training": { "Optimizer": "Adm", "Mu": 1.5, "Batch": 0.5 },
                                              ^~~
net.json:4:59: error: 'Batch' must be a whole number, not 0.5 [net_4]
      "Training": { "Optimizer": "Adm", "Mu": 1.5, "Batch": 0.5 },
                                                            ^~~
net.json:6:75: error: 'Activation' has no place on Input layers, only on Hidden and Output layers [net_9]
          { "Name": "In", "Kind": "Input", "N": "auto", "DataSet": "input", "Activation": "Relu" },
                                                                            ^~~~~~~~~~~~
net.json:6:25: note: this layer is Input
          { "Name": "In", "Kind": "Input", "N": "auto", "DataSet": "input", "Activation": "Relu" },
                          ^~~~~~
net.json:7:31: error: "auto" takes 'N' from a data set, which a Hidden layer does not have; give a number [net_12]
          { "Name": "Hid", "N": "auto", "Activation": "Sigmod" },
                                ^~~~~~
net.json:7:9: note: this layer is Hidden by its position
          { "Name": "Hid", "N": "auto", "Activation": "Sigmod" },
          ^
net.json:7:53: error: unknown Activation 'Sigmod'; did you mean 'Sigmoid'? [net_3]
          { "Name": "Hid", "N": "auto", "Activation": "Sigmod" },
                                                      ^~~~~~~~
net.json:8:54: error: no layer is named 'Hidd'; did you mean 'Hid'? [net_13]
          { "Name": "Out", "Kind": "Output", "Source": "Hidd", "N": "auto", "DataSet": "output" }
                                                       ^~~~~~
net.json:7:19: note: layer 'Hid' is declared here
          { "Name": "Hid", "N": "auto", "Activation": "Sigmod" },
                    ^~~~~
8 errors
)");
}

TEST(Text, LongLinesAreCutAroundTheCaret) {
  std::string before = "{\"Name\":\"" + std::string(300, 'x') + "\",",
              after = "\"Bogus\":" + std::string(300, '1') + ",\"Layers\":[" + kInputLayer + "," + kOutputLayer + "]}";
  std::string shown = (before + after).substr(before.size() - 60, 120);
  EXPECT_EQ(messageOf(before + after),
            fmt::format("net.json:1:{}: error: unknown key 'Bogus' in the network [net_3]\n  ...{}...\n  {}^~~~~~~\n",
                        before.size() + 1, shown, std::string(63, ' ')));
}

TEST(Text, ATokenIsUnderlinedAsFarAsItIsShown) {
  std::string text = network("\"" + std::string(200, 'z') + "\":1");
  EXPECT_EQ(messageOf(text),
            fmt::format("net.json:1:2: error: unknown key '{}...' in the network [net_3]\n  {}...\n   ^{}\n",
                        std::string(60, 'z'), text.substr(0, 120), std::string(118, '~')));
}

TEST(Text, CaretStandsUnderTheTokenColumnsCountBytes) {
  auto caretAfter = [](const std::string &name) {
    std::string message = messageOf("{\t\"Name\":\"" + name + "\",\"B\xC3\xA9gus\":1,\"Layers\":[" + kInputLayer + "," +
                                    kOutputLayer + "]}");
    size_t line = message.find('\n', message.find('\n') + 1) + 1;
    return std::pair(message.substr(0, message.find(" error")), message.substr(line));
  };
  std::string before = "   \t        "; // {, the tab, "Name":"
  EXPECT_EQ(caretAfter("\xC3\xA9t\xC3\xA9"), std::pair(std::string("net.json:1:18:"), before + "     ^~~~~~~\n"));
  EXPECT_EQ(caretAfter("\xE5\xB1\x82"), std::pair(std::string("net.json:1:16:"), before + "    ^~~~~~~\n")); // wide
  EXPECT_EQ(caretAfter("e\xCC\x81"), std::pair(std::string("net.json:1:16:"), before + "   ^~~~~~~\n"));     // a mark
  EXPECT_EQ(messageOf("\xEF\xBB\xBF[]"), "net.json:1:4: error: the network must be an object, not an array [net_4]\n"
                                         "  \xEF\xBB\xBF[]\n  ^\n");
}

TEST(Text, NothingReachesTheTerminalThatItWouldObey) {
  std::string message = messageOf("{\"a\":\"\x1B[2J\"}");
  EXPECT_EQ(message.find('\x1B'), std::string::npos) << message;
  EXPECT_NE(message.find("\"\xEF\xBF\xBD[2J\""), std::string::npos) << message;
  message = messageOf(network(R"("\u001b[2J":1)"));
  EXPECT_NE(message.find("unknown key '\\u001b[2J' in the network"), std::string::npos) << message;
}

TEST(Text, NoMoreThanTwentyErrors) {
  std::string keys;
  for (int i = 0; i < 21; ++i)
    keys += fmt::format("\n\"{}{:0>2}\":1{}", std::string(20, 'q'), i, i < 20 ? "," : "");
  Report report = reportOf(network(keys));
  EXPECT_EQ(report.errors, 21u);
  EXPECT_EQ(report.findings.size(), 20u);
  std::string text = report.text();
  EXPECT_TRUE(text.ends_with("\ntoo many errors: the first 20 of 21 are shown\n")) << text;
  EXPECT_NE(text.find("net.json:21:1: error: "), std::string::npos);
  EXPECT_EQ(text.find("net.json:22:1: error: "), std::string::npos);
}

TEST(Text, ManyThousandErrorsTakeNoTime) {
  std::string keys;
  for (int i = 0; i < 20000; ++i)
    keys += "\"zz\":1,\"N" + std::to_string(i) + "\":2,";
  EXPECT_EQ(reportOf(network(keys + "\"Name\":\"\"")).errors, 40000u);
}

TEST(Text, CountsAtTheEnd) {
  std::string one = messageOf(network(R"("zzzz":1)")), two = messageOf(network(R"("zzzz":1,"yyyy":1)"));
  EXPECT_EQ(one.find("1 error"), std::string::npos);
  EXPECT_TRUE(two.ends_with("\n2 errors\n")) << two;
  EXPECT_TRUE(messageOf(network(R"("zzzz":1,"Name":"a","Name":"b")")).ends_with("\n1 error and 1 warning\n"));
  EXPECT_TRUE(messageOf(network(R"("Name":"a","Name":"a","Name":"b")")).ends_with("\n2 warnings\n"));
  EXPECT_EQ(messageOf(network("")), "");
}

TEST(Warnings, TheNetworkIsReadAllTheSame) {
  Report warnings;
  Network net = readNetworkText(network(R"("Name":"a","name":"b")"), "net.json", warnings);
  EXPECT_EQ(net.name, "b");
  EXPECT_EQ(warnings.errors, 0u);
  EXPECT_EQ(warnings.warnings, 1u);
  EXPECT_EQ(warnings.text(), "net.json:1:2: warning: 'Name' is given again, so this one has no effect [net_2]\n"
                             "  " +
                                 network(R"("Name":"a","name":"b")").substr(0, 120) +
                                 "...\n"
                                 "   ^~~~~~\n"
                                 "net.json:1:13: note: the last one counts\n"
                                 "  " +
                                 network(R"("Name":"a","name":"b")").substr(0, 120) +
                                 "...\n"
                                 "              ^~~~~~\n");
}

TEST(Warnings, SettingsWithoutEffect) {
  std::string dense = R"({"Kind":"Input","DataSet":"i"},)", penalty = R"("SparsenessPenalty":{"p":0.5,"beta":2})";
  EXPECT_EQ(findingsOf(R"({"Denoising":{"p":0.2},"Layers":[)" + dense + kOutputLayer + "]}"),
            Lines{"1:2: warning: 'Denoising' has no effect: no Input layer has \"Sparse\": true [net_7]"});
  EXPECT_EQ(findingsOf(network(R"("Denoising":{"p":0.2})")), Lines{});
  EXPECT_EQ(findingsOf(R"({"Denoising":{"p":0},"Layers":[)" + dense + kOutputLayer + "]}"), Lines{}); // off
  EXPECT_EQ(findingsOf(network(penalty, hidden("\"N\":4"))),
            Lines{"1:2: warning: 'SparsenessPenalty' has no effect: no Hidden layer has \"Sparse\": true [net_7]"});
  EXPECT_EQ(findingsOf(network(penalty, hidden("\"Sparse\":true"))), Lines{});
  EXPECT_EQ(findingsOf(network(R"("SparsenessPenalty":{"p":0.5})", hidden("\"N\":4"))), Lines{});
  EXPECT_EQ(findingsOf(network(R"("ScaledMarginalCrossEntropy":{"oneTarget":0.8})")),
            (Lines{"1:2: warning: 'ScaledMarginalCrossEntropy' has no effect: the loss is CrossEntropy [net_7]",
                   "1:1: note: no 'ErrorFunction' is given, so it is CrossEntropy"}));
  EXPECT_EQ(findingsOf(network(R"("ErrorFunction":"L2","ScaledMarginalCrossEntropy":{})")),
            (Lines{"1:23: warning: 'ScaledMarginalCrossEntropy' has no effect: the loss is L2 [net_7]",
                   "1:18: note: the loss is chosen here"}));
}

TEST(Warnings, NothingFollowsFromAnError) {
  EXPECT_EQ(findingsOf(network(R"("Denoising":{"p":0.2},"ErrorFunction":"L3","ScaledMarginalCrossEntropy":{})")),
            Lines{"1:40: error: unknown ErrorFunction 'L3'; did you mean 'L1'? [net_3]"});
}

TEST(Machine, OneObjectHoldsEverything) {
  std::string text = network(R"("Name":"a","Name":"b","Denoisng":1)", hidden(R"("DataSet":"x")"));
  auto report = nlohmann::json::parse(reportOf(text).json());
  EXPECT_EQ(report["errors"], 2);
  EXPECT_EQ(report["warnings"], 1);
  ASSERT_EQ(report["diagnostics"].size(), 3u);
  EXPECT_EQ(report["diagnostics"][0]["severity"], "warning");
  EXPECT_EQ(report["diagnostics"][1],
            nlohmann::json::parse(R"({"severity":"error","file":"net.json","line":1,"column":24,"end_column":34,
    "message":"unknown key 'Denoisng' in the network; did you mean 'Denoising'?","rule":"net_3","suggestion":"Denoising","notes":[]})"));
  const auto &last = report["diagnostics"][2];
  EXPECT_EQ(last["suggestion"], nullptr);
  ASSERT_EQ(last["notes"].size(), 1u);
  size_t kind = text.find("\"Kind\":\"Hidden\"") + 1;
  EXPECT_EQ(last["notes"][0], (nlohmann::json{{"severity", "note"},
                                              {"file", "net.json"},
                                              {"line", 1},
                                              {"column", kind},
                                              {"end_column", kind + 6},
                                              {"message", "this layer is Hidden"}}));
}

TEST(Machine, MistakesOutsideTheNetworkHaveNoPlace) {
  Report warnings = reportOf(network(R"("Name":"a","Name":"b")"));
  auto report = nlohmann::json::parse(jsonOf(UserError("no room"), warnings));
  EXPECT_EQ(report["errors"], 1);
  EXPECT_EQ(report["warnings"], 1);
  EXPECT_EQ(report["diagnostics"][0]["severity"], "warning");
  EXPECT_EQ(report["diagnostics"][1],
            nlohmann::json::parse(R"({"severity":"error","file":null,"line":null,"column":null,"end_column":null,
    "message":"no room","rule":null,"suggestion":null,"notes":[]})"));
}

TEST(Machine, OfAFileThatCannotBeRead) {
  try {
    readNetwork("no-such-folder/net.json");
    FAIL();
  } catch (const NetworkError &error) {
    EXPECT_STREQ(error.what(), "no-such-folder/net.json: error: no such file [net_1]");
    auto one = nlohmann::json::parse(jsonOf(error, {}))["diagnostics"][0];
    EXPECT_EQ(one["file"], "no-such-folder/net.json");
    EXPECT_EQ(one["line"], nullptr);
    EXPECT_EQ(one["message"], "no such file");
    EXPECT_EQ(one["rule"], "net_1");
  }
}

TEST(Machine, NamesThatAreNoUtf8) {
  try {
    readNetworkText("", "a\xFF.json");
    FAIL();
  } catch (const NetworkError &error) {
    EXPECT_EQ(nlohmann::json::parse(error.report().json())["diagnostics"][0]["file"], "a\xEF\xBF\xBD.json");
  }
}

TEST(Spelling, SlipsOfTheHand) {
  std::vector<std::string_view> names{"Sigmoid", "Tanh", "Relu", "CrossEntropy", "N"};
  for (auto [word, meant] : {std::pair("sigmoid", "Sigmoid"),
                             {"Sigmod", "Sigmoid"},
                             {"Tnah", "Tanh"},
                             {"Relu6", "Relu"},
                             {"Cross-Entropy", "CrossEntropy"},
                             {"BinaryCrossEntropy", "CrossEntropy"}})
    EXPECT_EQ(nearest(names, word), meant) << word;
  for (const char *word : {"", "M", "Tree", "SoftSign", "Rate", "Entropy"})
    EXPECT_EQ(nearest(names, word), "") << word;
  EXPECT_EQ(nearest(names, std::string(1 << 20, 'x')), "");
}
} // namespace sn::frontend::test
