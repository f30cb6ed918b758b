// What the keys of layers that depend on each other become: pooling, skips, shared weights; and the network's newer
// keys.
#include "test/unit/frontend/Support.h"

namespace sn::frontend::test {
namespace {
using Ints = std::vector<int>;
const std::string kA = R"({"Name":"A","Kind":"Input","N":4,"DataSet":"a"},)",
                  kB = R"({"Name":"B","Kind":"Input","N":4,"DataSet":"b"},)";
/// Two inputs of width 4, then these layers.
Network twoInputs(const std::string &text, const std::string &keys = "") {
  return read("{" + keys + "\"Layers\":[" + kA + kB + text + "]}");
}
std::string outputs(const std::string &keys) { return R"({"Kind":"Output","Name":"Out","DataSet":"o",)" + keys + "}"; }
} // namespace

TEST(Pooling, WidthIsDerived) {
  for (const char *function : {"DotProduct", "cosine"}) {
    Network net =
        twoInputs(fmt::format(R"({{"Name":"P","Type":"pooling","Function":"{}","Source":["A","B"]}},)", function) +
                  outputs(R"("N":3)"));
    EXPECT_EQ(net.layers[2].type, LayerType::Pooling);
    EXPECT_EQ(net.layers[2].units, 1);
    EXPECT_TRUE(vocab::equalsIgnoringCase(net.layers[2].pooling.record->name, function));
    EXPECT_EQ(net.layers[2].activation.record->name, "Linear");
    EXPECT_EQ(net.layers[3].type, LayerType::FullyConnected);
  }
  EXPECT_EQ(twoInputs(R"({"Name":"P","Kind":"Pooling","Function":"Maxout","Source":["A","B"]},)" + outputs(R"("N":3)"))
                .layers[2]
                .units,
            4);
  // Behind a layer that stands later in the file, and given in agreement.
  Network net = twoInputs(R"({"Name":"P","Kind":"Pooling","N":5,"Function":"Maxout","Source":["H","G"]},
    {"Name":"H","N":5,"Source":"A"},{"Name":"G","N":5,"Source":"B"},)" +
                          outputs(R"("N":3,"Source":"P")"));
  EXPECT_EQ(net.layers[2].units, 5);
}

TEST(Pooling, WidthsOfDataSets) {
  Network net = read(layers(R"({"DataSet":"x","N":"auto"},{"Name":"Again","Kind":"Input","DataSet":"x","N":"auto"},
    {"Kind":"Pooling","Function":"Maxout","Source":["Input0","Again"]},{"DataSet":"o","N":2})"));
  EXPECT_TRUE(net.layers[2].automatic);
  EXPECT_EQ(net.layers[2].dataSet, "x");
  // Columns of two data sets may be as many: that is known when data is bound.
  for (const char *units : {"", R"(,"N":"auto")"}) {
    net = read(R"({"ErrorFunction":"L2","Layers":[{"DataSet":"x","N":"auto"},{"Kind":"Input","DataSet":"y","N":"auto"},
      {"DataSet":"o","Type":"Pooling","Function":"Maxout","Source":["Input0","Input1"])" +
               std::string(units) + "}]}");
    EXPECT_TRUE(net.layers[2].automatic);
    EXPECT_EQ(net.layers[2].dataSet, "o");
  }
}

TEST(Pooling, AsAnOutput) {
  std::string cosine = R"("Type":"Pooling","Function":"Cosine","Source":["A","B"])",
              keys = R"("ErrorFunction":"L2Hinge",)";
  for (const char *units : {"", R"(,"N":"auto")", R"(,"N":1)", R"(,"Activation":"Linear")", R"(,"Sparse":true)"}) {
    Network net = twoInputs(outputs(cosine + units), keys);
    EXPECT_EQ(net.layers[2].units, 1) << units;
    EXPECT_FALSE(net.layers[2].automatic) << units;
    EXPECT_EQ(net.layers[2].dataSet, "o");
    EXPECT_EQ(net.layers[2].kind, LayerKind::Output);
  }
}

TEST(Skips, AreKeptBesideSources) {
  Network net =
      twoInputs(R"({"Name":"H","N":4,"Source":"A","Skip":"A"},)" + outputs(R"("N":4,"Source":["H"],"Skip":["B","H"])"));
  EXPECT_EQ(net.layers[2].skips, Ints{0});
  EXPECT_EQ(net.layers[2].skipsAt.size(), 1u);
  EXPECT_EQ(net.layers[3].skips, (Ints{1, 2}));
  EXPECT_EQ(net.layers[3].sources, Ints{2});
}

TEST(Skips, CountForTheOrder) {
  Network net = twoInputs(R"({"Name":"H","N":4,"Source":"A","Skip":"G"},{"Name":"G","N":4,"Source":"B"},)" +
                          outputs(R"("N":4,"Source":"H")"));
  EXPECT_EQ(net.order, (Ints{0, 1, 3, 2, 4})); // G before H, and nobody else reads G
}

TEST(Skips, MayEndAtPoolingLayers) {
  Network net = twoInputs(R"({"Name":"P","Kind":"Pooling","Function":"Maxout","Source":["A","B"],"Skip":"B"},)" +
                          outputs(R"("N":3)"));
  EXPECT_EQ(net.layers[2].skips, Ints{1});
}

TEST(Sharing, OneEntryOrSeveral) {
  std::string towers = R"({"Name":"H","N":3,"Source":"A"},{"Name":"G","N":3,"Source":"B",
    "SharedWeights":{"InputLayer":"B","SourceInputLayer":"A","SourceOutputLayer":"H"}},)";
  Network net = twoInputs(towers + outputs(R"("N":2,"Source":["H","G"],"SharedWeights":[
    {"InputLayer":"G","SourceInputLayer":"H","SourceOutputLayer":"Out","Transposed":false}])"));
  ASSERT_EQ(net.layers[3].shared.size(), 1u);
  EXPECT_EQ(net.layers[3].shared[0].source, 0);
  EXPECT_EQ(net.layers[3].shared[0].ownerFrom, 0);
  EXPECT_EQ(net.layers[3].shared[0].ownerTo, 2);
  EXPECT_FALSE(net.layers[3].shared[0].transposed);
  ASSERT_EQ(net.layers[4].shared.size(), 1u);
  EXPECT_EQ(net.layers[4].shared[0].source, 1);
  EXPECT_EQ(net.layers[4].shared[0].ownerFrom, 2);
  EXPECT_EQ(net.layers[4].shared[0].ownerTo, 4);
}

TEST(Sharing, TransposedAndAutomatic) {
  Network net = read(layers(R"({"DataSet":"x","N":"auto"},{"N":8},{"DataSet":"x","N":"auto","SharedWeights":
    [{"InputLayer":"Hidden1","SourceInputLayer":"Input0","SourceOutputLayer":"Hidden1","Transposed":true}]})"));
  ASSERT_EQ(net.layers[2].shared.size(), 1u);
  EXPECT_TRUE(net.layers[2].shared[0].transposed);
  EXPECT_EQ(net.layers[2].shared[0].ownerFrom, 0);
  EXPECT_EQ(net.layers[2].shared[0].ownerTo, 1);
  net = read(layers(R"({"DataSet":"x","N":"auto"},{"N":8},{"DataSet":"y","N":"auto","SharedWeights":
    {"InputLayer":"Hidden1","SourceInputLayer":"Input0","SourceOutputLayer":"Hidden1","Transposed":true}})"));
  EXPECT_EQ(net.layers[2].shared.size(), 1u); // widths of data sets are compared when data is bound
}

TEST(Layers, NormsAndNormalization) {
  Network net = read(network("", hidden(R"("WeightNorm":2,"DeltaNorm":0.5,"BatchNormalization":true)")));
  EXPECT_EQ(net.layers[1].weightNorm, 2);
  EXPECT_EQ(net.layers[1].deltaNorm, 0.5);
  EXPECT_TRUE(net.layers[1].batchNormalization);
  EXPECT_FALSE(net.layers[2].batchNormalization);
  EXPECT_EQ(net.layers[2].weightNorm, 0);
}

TEST(Layers, ExtentsAreMultiplied) { EXPECT_EQ(read(network("", hidden(R"("N":[4,3,2.0])"))).layers[1].units, 24); }

TEST(Activations, ParametersOfLayerAndNetwork) {
  auto params = [](const std::string &keys, const std::string &layer) {
    return read(network(keys, hidden(layer))).layers[1].activation.params;
  };
  EXPECT_EQ(params("", R"("Activation":"LRelu","Slope":0.1)"), std::vector<double>{0.1});
  EXPECT_EQ(params(R"("reluslope":0.2)", R"("Activation":"LRelu")"), std::vector<double>{0.2});
  EXPECT_EQ(params(R"("Slope":0.2)", R"("Activation":"LRelu","RELUSlope":0.1)"), std::vector<double>{0.1});
  EXPECT_EQ(params(R"("ELUAlpha":1.6)", R"("Activation":"SELU","SELULambda":1.1)"), (std::vector<double>{1.6, 1.1}));
}

TEST(NetworkKeys, BoostDecayWeightsAndCompatibility) {
  Network net = read(network(
      R"("DeltaBoost":{"one":30,"zero":2},"Decay":0.25,"WeightData":"w.nc","Compatibility":"DSSTNE","MaxOut":{"k":3})"));
  EXPECT_EQ(net.boostOne, 30);
  EXPECT_EQ(net.boostZero, 2);
  EXPECT_EQ(net.schedule.record->name, "InverseTime");
  EXPECT_EQ(net.schedule.params, std::vector<double>{0.25});
  EXPECT_EQ(net.weightsData, "w.nc");
  EXPECT_TRUE(net.dsstne);
  net = read(network(R"("Decay":0,"Compatibility":"none")"));
  EXPECT_EQ(net.schedule.record->name, "Constant");
  EXPECT_FALSE(net.dsstne);
  EXPECT_EQ(net.weightsData, "");
  EXPECT_EQ(net.boostOne, 1);
}

TEST(NetworkKeys, LossesShareTheirParameters) {
  for (const char *key : {"ScaledMarginalCrossEntropy", "DataScaledMarginalCrossEntropy"})
    for (const char *loss : {"ScaledMarginalCrossEntropy", "DataScaledMarginalCrossEntropy"}) {
      Network net = read(network(fmt::format(R"("ErrorFunction":"{}","{}":{{"oneScale":30}})", loss, key)));
      EXPECT_EQ(net.loss.record->name, loss);
      EXPECT_EQ(net.loss.params, (std::vector<double>{0.9, 0.1, 30, 1}));
    }
}

TEST(NetworkKeys, WithoutOutputs) {
  Network net = read(layers(kInputLayer + "," + hidden(R"("N":3)") + R"(,{"Kind":"Hidden","Name":"Last","N":2})"));
  EXPECT_EQ(net.layers.size(), 3u);
  EXPECT_EQ(net.layers[2].kind, LayerKind::Hidden);
}
} // namespace sn::frontend::test
