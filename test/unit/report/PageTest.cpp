// Axes, thinning, the plan's graph, the page: numbers, bounds, equal bytes.
#include "runtime/report/Page.h"
#include "runtime/report/Chart.h"
#include "runtime/report/Graph.h"
#include "runtime/report/Text.h"
#include "test/unit/report/Support.h"
#include <cmath>
#include <gtest/gtest.h>

namespace sn::report {
namespace {
TEST(Axes, TicksAreRoundNumbersInside) {
  EXPECT_EQ(linearTicks(0, 1, 5), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ(linearTicks(-3, 12, 5), (std::vector<double>{0, 5, 10}));
  EXPECT_EQ(logarithmicTicks(0.5, 2000, 8), (std::vector<double>{1, 3, 10, 30, 100, 300, 1000}));
  EXPECT_EQ(logarithmicTicks(70, 900, 8), (std::vector<double>{100, 200, 300, 500}));
  for (double low : {1e-300, 1e-12, 0.3, 7.0, 1e200})
    for (double factor : {1.01, 3.0, 1e3, 1e90}) {
      for (double tick : logarithmicTicks(low, low * factor, 8))
        EXPECT_TRUE(tick >= low && tick <= low * factor) << low << " " << factor;
      EXPECT_LE(logarithmicTicks(low, low * factor, 8).size(), 8u);
      std::vector<double> ticks = linearTicks(low, low * factor, 6);
      EXPECT_TRUE(!ticks.empty() && ticks.size() <= 7) << low << " " << factor;
    }
}

TEST(Axes, ThinningKeepsEndsAndExtremes) {
  std::vector<Point> points;
  for (int i = 0; i < 100000; ++i)
    points.push_back({double(i), std::sin(i * 0.01)});
  points[54321].y = 50;
  points[777].y = -50;
  points[778].y = kMissing;
  std::vector<Point> kept = thinned(points, 400);
  EXPECT_LE(kept.size(), 400u);
  EXPECT_GE(kept.size(), 300u);
  EXPECT_EQ(kept.front().x, 0);
  EXPECT_EQ(kept.back().x, 99999);
  auto has = [&](double y) { return std::any_of(kept.begin(), kept.end(), [=](const Point &p) { return p.y == y; }); };
  EXPECT_TRUE(has(50) && has(-50));
  for (size_t i = 1; i < kept.size(); ++i)
    EXPECT_LT(kept[i - 1].x, kept[i].x);
  EXPECT_EQ(thinned({{1, 2}, {3, 4}}, 400).size(), 2u);
}

TEST(Text, EscapesShortensAndFormats) {
  EXPECT_EQ(escaped("<a href='x'>&\"\x01"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xEF\xBF\xBF!"), "\xEF\xBF\xBD!");
  EXPECT_EQ(quoted("</script>\n\""), "\"\\u003c/script\\u003e\\u000a\\u0022\"");
  EXPECT_EQ(shortened("äöüß", 4), "äöüß");
  EXPECT_EQ(shortened("äöüßx", 4), "äöü…");
  EXPECT_EQ(whole(1234567), "1,234,567");
  EXPECT_EQ(whole(-999), "-999");
  EXPECT_EQ(general(0.123456), "0.12346");
  EXPECT_EQ(general(1.2e-7), "1.2e-07");
  EXPECT_EQ(general(27278), "27,278");
  EXPECT_EQ(general(kMissing), "–");
  EXPECT_EQ(bytes(1536 * 1024), "1.5 MiB");
  EXPECT_EQ(duration(3723), "1:02:03 h");
  EXPECT_EQ(duration(0.421), "0.42 s");
}

std::vector<GraphStep> autoencoder() {
  return {{"csr_gather", "", "Hidden", "", {"input", "W", "b"}, {"h"}},
          {"wide_output", "single", "Output", "output", {"h", "V", "c", "output"}, {"dh", "V", "c"}},
          {"map", "", "Hidden", "", {"h", "dh"}, {"d"}},
          {"csc_update", "", "Hidden", "", {"input", "d", "W"}, {"W"}},
          {"column_reduce", "", "Hidden", "", {"d", "b"}, {"b"}}};
}

TEST(Graph, PhasesParametersAndPassings) {
  PlanGraph graph = layOut(autoencoder(), {{"input"}});
  ASSERT_EQ(graph.nodes.size(), 5u);
  std::vector<std::pair<Phase, Phase>> phases;
  for (const PlanGraph::Node &node : graph.nodes)
    phases.emplace_back(node.first, node.last);
  EXPECT_EQ(phases, (std::vector<std::pair<Phase, Phase>>{{Phase::Forward, Phase::Forward},
                                                          {Phase::Forward, Phase::Update},
                                                          {Phase::Backward, Phase::Backward},
                                                          {Phase::Update, Phase::Update},
                                                          {Phase::Update, Phase::Update}}));
  EXPECT_EQ(graph.nodes[0].datasets, std::vector<std::string>{"input"});
  EXPECT_EQ(graph.nodes[0].reads, (std::vector<std::string>{"W", "b"}));
  EXPECT_EQ(graph.nodes[1].updates, (std::vector<std::string>{"V", "c"}));
  EXPECT_EQ(graph.nodes[1].datasets, std::vector<std::string>{"output"});
  ASSERT_EQ(graph.passings.size(), 3u);
  EXPECT_EQ(graph.passings[0].name, "h");
  EXPECT_EQ(graph.passings[0].readers, (std::vector<size_t>{1, 2}));
  EXPECT_EQ(graph.passings[2].readers, (std::vector<size_t>{3, 4}));
  EXPECT_NE(graph.passings[0].track, graph.passings[1].track) << "h and dh overlap";
  EXPECT_EQ(graph.passings[2].track, 0u) << "d begins where h ends";
  EXPECT_EQ(graph.tracks, 2u);
}

TEST(Graph, SplitSchedulesKeepToTheirColumns) {
  PlanGraph graph = layOut({{"wide_softmax", "statistics", "O", "", {"h"}, {"max"}},
                            {"wide_softmax", "forward", "O", "output", {"h", "max", "V"}, {"dh"}},
                            {"wide_softmax", "update", "O", "output", {"h", "max", "V"}, {"V"}},
                            {"wide_output", "loss", "O", "output", {"h", "V"}, {}}},
                           {});
  EXPECT_EQ(graph.nodes[0].last, Phase::Forward);
  EXPECT_EQ(graph.nodes[1].last, Phase::Backward);
  EXPECT_EQ(graph.nodes[2].first, Phase::Update);
  EXPECT_EQ(graph.nodes[3].last, Phase::Forward);
}

TEST(Page, EqualInputGivesEqualBytesAndTextIsEscaped) {
  std::string line = kRunLine;
  line.replace(line.find("\"AE\""), 4, R"("<script>alert(1)</script>")");
  std::string text = line + epochLine(1, 0.5);
  std::string once = page(read(text)), twice = page(read(text));
  // The files' names are new ones.
  EXPECT_EQ(once.size(), twice.size());
  EXPECT_EQ(once.find("<script>alert"), std::string::npos);
  EXPECT_NE(once.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  MetricsFile file(text);
  EXPECT_EQ(page(readMetrics({file.path})), page(readMetrics({file.path})));
}

TEST(Page, StaysSmallWhateverTheFile) {
  std::string text;
  for (int run = 0; run < 20; ++run) {
    text += kRunLine;
    for (int i = 0; i < 5000; ++i)
      text += R"({"kind":"batches","epoch":)" + std::to_string(1 + i / 50) + R"(,"step":)" + std::to_string(i) +
              R"(,"examples":)" + std::to_string(i % 50 * 2) + R"(,"training":)" +
              std::to_string(1.0 + (i * 7919) % 997) + R"(,"seconds":)" + std::to_string(i) + "}\n";
    for (int i = 1; i <= 1000; ++i)
      text += epochLine(i, 1.0 / i) + R"({"kind":"checkpoint","path":"w","step":1,"epoch":1})"
                                      "\n";
  }
  std::string html = page(read(text));
  EXPECT_LT(html.size(), 1000000u);
  EXPECT_NE(html.find("20 runs, the last 12 of them shown."), std::string::npos);
  std::vector<GraphStep> steps(5000, {"gemm", "", std::string(5000, '<'), "", {}, {}});
  EXPECT_LT(draw(steps, layOut(steps, {}), {}).size(), 1000000u);
}

TEST(Page, ExtremeNumbersAreDrawn) {
  for (const char *value : {"0", "-5", "1e300", "-1e300", "5e-324", "1e-300"}) {
    std::string line = std::string(R"("epoch":1,"training":)") + value + R"(,"validation":)" + value + "}\n";
    std::string text = kRunLine + ("{\"kind\":\"epoch\"," + line) +
                       R"({"kind":"epoch","epoch":2,"training":1})"
                       "\n" +
                       R"({"kind":"epoch","epoch":9000000000000,"training":null})"
                       "\n";
    std::string html = page(read(text));
    std::string pictures = html.substr(html.find("</style>"));
    EXPECT_EQ(pictures.find("nan"), std::string::npos) << value;
    EXPECT_EQ(pictures.find("\"inf"), std::string::npos) << value;
  }
}
} // namespace
} // namespace sn::report
