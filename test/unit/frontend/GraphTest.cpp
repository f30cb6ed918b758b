#include "test/unit/frontend/Support.h"
#include <algorithm>

namespace sn::frontend::test {
namespace {
std::string layer(const std::string &name, const std::string &sources) {
  return fmt::format(R"({{"Kind":"Hidden","Name":"{}","Source":[{}]}})", name, sources);
}
std::string output(const std::string &name, const std::string &sources) {
  return fmt::format(R"({{"Kind":"Output","Name":"{}","DataSet":"{}","Source":[{}]}})", name, name, sources);
}
} // namespace

TEST(Graph, SourceDefaultsToThePreviousLayer) {
  Network net = read(network("", hidden(R"("N":3)")));
  EXPECT_EQ(net.layers[0].sources, std::vector<int>{});
  EXPECT_EQ(net.layers[1].sources, std::vector<int>{0});
  EXPECT_EQ(net.layers[2].sources, std::vector<int>{1});
  EXPECT_EQ(net.order, (std::vector<int>{0, 1, 2}));
}

TEST(Graph, SeveralSourcesKeepTheirOrderAndPlaces) {
  Network net = read(layers(kInputLayer + ",\n" + layer("A", R"("In")") + ",\n" + output("Out", R"("A", "In")")));
  EXPECT_EQ(net.layers[2].sources, (std::vector<int>{1, 0}));
  EXPECT_EQ(net.layers[2].sourcesAt[1].line, 3);
  EXPECT_EQ(net.layers[2].sourcesAt[1].column, net.layers[2].sourcesAt[0].column + 5);
}

TEST(Graph, SourceAsAWord) {
  Network net = read(layers(kInputLayer + "," + hidden(R"("Source":"In")") + "," + kOutputLayer));
  EXPECT_EQ(net.layers[1].sources, std::vector<int>{0});
}

TEST(Graph, OrderIsLongestDistanceThenFileOrder) {
  // Late is read by Early, both by Out; Side hangs on In as well.
  Network net = read(layers(kInputLayer + "," + layer("Early", R"("Late")") + "," + layer("Late", R"("In")") + "," +
                            layer("Side", R"("In")") + "," + output("Out", R"("Early","Side","In")")));
  EXPECT_EQ(net.order, (std::vector<int>{0, 2, 3, 1, 4}));
}

TEST(Graph, AnOutputMayFeedAnotherLayer) {
  Network net = read(layers(kInputLayer + "," + output("First", R"("In")") + "," + output("Second", R"("First")")));
  EXPECT_EQ(net.layers[2].sources, std::vector<int>{1});
}

TEST(Graph, SeveralInputs) {
  Network net = read(layers(kInputLayer + R"(,{"Kind":"Input","Name":"Dense","N":4,"DataSet":"dense"},)" +
                            output("Out", R"("In","Dense")")));
  EXPECT_EQ(net.layers[2].sources, (std::vector<int>{0, 1}));
}

TEST(Graph, CyclesAreNamed) {
  std::string text = layers(kInputLayer + "," + layer("A", R"("In","C")") + "," + layer("B", R"("A")") + "," +
                            layer("C", R"("B")") + "," + output("Out", R"("C")"));
  expectError(text, "\"C\"]", "layers feed each other in a cycle: 'A' -> 'B' -> 'C' -> 'A' [net_14]");
  std::string message = messageOf(text);
  EXPECT_NE(message.find("note: layer 'B' reads 'A' here"), std::string::npos);
  EXPECT_NE(message.find("note: layer 'C' reads 'B' here"), std::string::npos);
  text = layers(kInputLayer + "," + layer("A", R"("In","A")") + "," + output("Out", R"("A")"));
  expectError(text, "\"A\"]", "layers feed each other in a cycle: 'A' -> 'A' [net_14]");
}

TEST(Graph, CycleBehindALayerInFileOrder) {
  std::string text = layers(kInputLayer + "," + output("Out", R"("X")") + "," + layer("X", R"("Y","In")") + "," +
                            layer("Y", R"("X")"));
  expectError(text, R"("Y",)", "layers feed each other in a cycle: 'X' -> 'Y' -> 'X' [net_14]");
}

TEST(Graph, UnknownSource) {
  std::string text = layers(kInputLayer + "," + output("Out", R"("Imput")"));
  expectError(text, "\"Imput\"", "no layer is named 'Imput'; there are 'In' and 'Out' [net_13]");
  text = layers(kInputLayer + "," + output("Out", R"("in")"));
  expectError(text, "\"in\"", "no layer is named 'in'; layer names are case-sensitive; did you mean 'In'? [net_13]");
  text = layers(R"({"Name":"Input","DataSet":"i"},)" + output("Out", R"("Imput")"));
  expectError(text, "\"Imput\"", "no layer is named 'Imput'; did you mean 'Input'? [net_13]");
}

TEST(Graph, SourceNamedTwice) {
  std::string text = layers(kInputLayer + "," + output("Out", R"("In", "In")"));
  expectError(text, "\"In\"]", "'In' is named twice among the sources of layer 'Out' [net_13]");
}

TEST(Graph, FirstLayerWithoutSource) {
  std::string text = layers(hidden("\"N\":2") + "," + kInputLayer + "," + kOutputLayer);
  expectError(text, "{\"Kind\":\"Hidden\"", "layer 'H' is the first and names no 'Source' [net_13]");
}

TEST(Graph, DuplicateNames) {
  std::string text = layers(kInputLayer + R"(,{"Name":"Output2"},{"DataSet":"o"})");
  expectError(text, R"({"DataSet":"o"})", "a second layer is named 'Output2' [net_11]");

  EXPECT_NE(messageOf(text).find("note: layer 'Output2' is declared here"), std::string::npos);
}

TEST(Graph, EndsAreNeeded) {
  expectError(layers(kInputLayer), kInputLayer,
              "layer 'In' has no effect: no layer reads it; name it as a 'Source' or remove it [net_14]");
  std::string text = layers(layer("A", R"("Out")") + "," + output("Out", R"("A")"));
  EXPECT_EQ(firstLine(text), "1:12: error: the network has no Input layer [net_10]");
}

TEST(Graph, LayersWithoutEffect) {
  std::string text = layers(kInputLayer + "," + hidden("\"N\":2") + "," + output("Out", R"("In")"));
  expectError(text, "{\"Kind\":\"Hidden\"",
              "layer 'H' has no effect: it leads to no Output layer; name it as a 'Source' or remove it [net_14]");
  text = layers(kInputLayer + R"(,{"Kind":"Input","Name":"Dense","DataSet":"d"},)" + output("Out", R"("In")"));
  expectError(text, R"({"Kind":"Input","Name":"Dense")",
              "layer 'Dense' has no effect: it leads to no Output layer; name it as a 'Source' or remove it [net_14]");
}
} // namespace sn::frontend::test
