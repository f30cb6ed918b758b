// DSSTNE's trained networks: parameters in and out bit for bit, the network's JSON from attributes and back, bad files.
#include "runtime/checkpoint/DsstneNetwork.h"
#include "test/unit/data/NcFile.h"
#include "test/unit/data/Support.h"
#include "tools/convert/DsstneJson.h"

namespace sn::rt::test {
namespace {
/// Everything that a network of this language can have: sharing (transposed), skip, pooling, batch normalisation,
/// norms, penalties, several sources.
constexpr const char *kNetwork = R"({
 "Version": 0.9, "Name": "everything", "Kind": "AutoEncoder", // comments are fine
 "ErrorFunction": "ScaledMarginalCrossEntropy", "ShuffleIndices": false, "Decay": 0.125,
 "ScaledMarginalCrossEntropy": {"oneTarget": 0.8, "zeroTarget": 0.2, "oneScale": 2, "zeroScale": 0.1},
 "SparsenessPenalty": {"p": 0.5, "beta": 2}, "Denoising": {"p": 0.2},
 "Layers": [
  {"Name": "In", "Kind": "Input", "N": "auto", "DataSet": "input", "Sparse": true},
  {"Name": "Image", "Kind": "Input", "N": [2, 3], "DataSet": "image", "pDropout": 0.1},
  {"Name": "A", "Kind": "Hidden", "N": 6, "Source": ["In", "Image"], "Activation": "LRelu", "RELUSlope": 0.3,
   "Sparse": true, "WeightInit": {"Scheme": "Gaussian", "Scale": 0.01, "Bias": -0.5}, "WeightNorm": 1.5},
  {"Name": "B", "Kind": "Hidden", "N": 6, "Source": "A", "Activation": "SELU", "ELUAlpha": 1.6, "SELULambda": 1.05,
   "BatchNormalization": true, "DeltaNorm": 0.25, "Skip": "A", "Sparse": true, "SparsenessPenalty": {"p": 0.1, "beta": 1}},
  {"Name": "M", "Kind": "Hidden", "Type": "Pooling", "Function": "Maxout", "Source": ["A", "B"]},
  {"Name": "Out", "Kind": "Output", "N": "auto", "DataSet": "input", "Source": "M", "Activation": "Sigmoid",
   "SharedWeights": {"InputLayer": "M", "SourceInputLayer": "In", "SourceOutputLayer": "A", "Transposed": true}}]})";

class Trained : public testing::Test {
protected:
  void SetUp() override {
    network_ = convert::dsstneNetwork(frontend::readNetworkText(kNetwork, "net.json"), {{"input", 5}}, "net.json");
    CheckpointWriter writer(weights_, false);
    CheckpointHeader header;
    header.network = kNetwork;
    header.symbols = {{"input", 5}};
    header.epoch = 7;
    writer.writeHeader(header);
    float next = 0.1f;
    for (const DsstneParameter &parameter : parametersOf(network_))
      writer.writeParameter(parameter.spec, [&](const Tile &tile, float *block) {
        for (int64_t i = 0; i < tile.count(); ++i)
          block[i] = next *= -1.01f;
      });
    writer.commit();
  }
  static std::map<std::string, std::vector<float>> parameters(const std::string &path) {
    const CheckpointReader reader(path);
    std::map<std::string, std::vector<float>> all;
    for (const TensorSpec &spec : reader.parameters())
      reader.readParameter(spec, [&](const Tile &tile, const float *block) {
        all[spec.name].insert(all[spec.name].end(), block, block + tile.count());
      });
    return all;
  }
  Folder folder_;
  std::string weights_ = folder_ / "w.weights.h5", net_ = folder_ / "net.nc";
  DsstneNetwork network_;
};

TEST_F(Trained, ParametersInTheOrderOfDsstne) {
  std::vector<std::string> names;
  for (const DsstneParameter &parameter : parametersOf(network_))
    names.push_back(parameter.spec.name + " " + parameter.variable);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "In->A/weights weight0_weights", "In->A/bias weight0_bias", "Image->A/weights weight1_weights",
                       "Image->A/bias weight1_bias", "A->B/weights weight2_weights", "A->B/bias weight2_bias",
                       "M->Out/bias weight3_bias", "B/scale layer3_scaleBN", "B/shift layer3_biasBN",
                       "B/running_mean layer3_runningMeanBN", "B/running_variance layer3_runningVarianceBN"}));
}

TEST_F(Trained, ThereAndBackBitForBit) {
  convert::exportWeights(weights_, net_, false);
  EXPECT_EQ(parameters(net_), parameters(weights_)); // read as it is
  convert::importNetwork(net_, folder_ / "back.weights.h5", false);
  EXPECT_EQ(parameters(folder_ / "back.weights.h5"), parameters(weights_));
  convert::exportWeights(folder_ / "back.weights.h5", folder_ / "again.nc", false);
  EXPECT_EQ(contentOf(net_), contentOf(folder_ / "again.nc"));
  EXPECT_EQ(CheckpointReader(net_).header().symbols, (std::map<std::string, int64_t>{{"input", 5}, {"image", 6}}));
}

TEST_F(Trained, AttributesSayTheWholeNetwork) {
  convert::exportWeights(weights_, net_, false);
  const auto file = nc::Reader::open(net_);
  EXPECT_TRUE(isDsstneNetwork(net_));
  EXPECT_FALSE(isDsstneNetwork(weights_));
  auto number = [&](const char *name) { return file->real(name); };
  EXPECT_EQ(number("version"), double(0.9f));
  EXPECT_EQ(number("kind"), 1);
  EXPECT_EQ(number("errorFunction"), 3);
  EXPECT_EQ(number("decay"), 0.125);
  EXPECT_EQ(number("bSparsenessPenalty"), 1);
  EXPECT_EQ(number("denoising_p"), double(0.2f));
  EXPECT_EQ(number("deltaBoost_one"), 1);
  EXPECT_EQ(number("SMCE_oneScale"), 2);
  EXPECT_EQ(number("SMCE_zeroTarget"), double(0.2f));
  EXPECT_EQ(number("ShuffleIndices"), 0);
  EXPECT_EQ(number("checkpoint_epochs"), 7);
  EXPECT_EQ(number("layers"), 6);
  EXPECT_EQ(number("weights"), 4);
  EXPECT_EQ(number("layer0_Nx"), 5);
  EXPECT_EQ(number("layer0_attributes"), 3); // sparse, denoising
  EXPECT_EQ(number("layer1_Ny"), 3);
  EXPECT_EQ(number("layer1_dimensions"), 2);
  EXPECT_EQ(number("layer2_activation"), 11);
  EXPECT_EQ(number("layer2_RELUSlope"), double(0.3f));
  EXPECT_EQ(number("layer2_weightInit"), 2);
  EXPECT_EQ(number("layer2_biasInit"), -0.5);
  EXPECT_EQ(number("layer2_weightNorm"), 1.5);
  EXPECT_EQ(number("weight1_norm"), 1.5);
  EXPECT_EQ(number("layer3_attributes"), 5); // sparse, batch normalisation
  EXPECT_EQ(number("layer3_sparsenessPenalty_beta"), 1);
  EXPECT_EQ(file->text("layer3_skip0"), "A");
  EXPECT_EQ(number("layer4_type"), 2);
  EXPECT_EQ(number("layer4_poolingfunction"), 4);
  EXPECT_EQ(number("layer4_activation"), 3); // T-13
  EXPECT_EQ(file->text("layer4_source1"), "B");
  EXPECT_EQ(file->text("layer2_dataSet"), "");
  EXPECT_EQ(number("weight3_bShared"), 1);
  EXPECT_EQ(number("weight3_bTransposed"), 1);
  EXPECT_EQ(file->text("weight3_sourceInputLayer"), "In");
  EXPECT_EQ(file->text("weight3_sourceOutputLayer"), "A");
  EXPECT_EQ(number("weight0_width"), 6);
  EXPECT_EQ(number("weight0_height"), 5);
  EXPECT_FALSE(file->variable("weight3_weights"));
  EXPECT_EQ(file->dimension("layer3_bnDim"), 6);
}

TEST_F(Trained, JsonThereAndBack) {
  const std::string json = convert::networkJson(network_, "net.nc");
  const DsstneNetwork again = convert::dsstneNetwork(frontend::readNetworkText(json, "again.json"), {}, "again.json");
  EXPECT_EQ(convert::networkJson(again, "net.nc"), json);
  for (const char *part : {"\"AutoEncoder\"", "\"RELUSlope\": 0.3", "\"zeroScale\": 0.1", "\"Transposed\": true",
                           "\"Skip\"", "\"Maxout\"", "\"BatchNormalization\": true", "\"DeltaNorm\": 0.25"})
    EXPECT_NE(json.find(part), std::string::npos) << part << "\n" << json;
}

TEST_F(Trained, OnlyWhatHasAnEffectBecomesJson) {
  const char *text = R"({"ErrorFunction": "L2", "DeltaBoost": {"one": 3, "zero": 0.7}, "Layers": [
    {"N": 3, "DataSet": "x"}, {"N": 2, "DataSet": "y", "Activation": "Sigmoid"}]})";
  DsstneNetwork network = convert::dsstneNetwork(frontend::readNetworkText(text, "net.json"), {}, "net.json");
  EXPECT_EQ(network.boostZero, 0.7);
  std::string json = convert::networkJson(network, "x");
  EXPECT_NE(json.find("\"one\": 3"), std::string::npos) << json;
  EXPECT_NE(json.find("\"zero\": 0.7"), std::string::npos) << json;
  // Attributes that DSSTNE writes always, where they do nothing.
  network.errorFunction = 3, network.denoising = network.sparsenessPenalty = true;
  json = convert::networkJson(network, "x");
  for (const char *key : {"DeltaBoost", "Denoising", "SparsenessPenalty", "RELUSlope"})
    EXPECT_EQ(json.find(key), std::string::npos) << json;
  frontend::readNetworkText(json, "again.json");
}

/// A small file as DSSTNE 0.7 might have written it: no slopes, no norms of weights, no epochs.
NcFile small() {
  NcFile file;
  file.set("version", 0.7).set("name", "old").set("kind", 0).set("errorFunction", 2).set("maxout_k", 2);
  file.set("LRN_k", 2).set("LRN_n", 5).set("LRN_alpha", 0.0001).set("LRN_beta", 0.75);
  file.set("bSparsenessPenalty", 1).set("sparsenessPenalty_p", 0.5).set("sparsenessPenalty_beta", 2);
  file.set("bDenoising", 0).set("denoising_p", 0).set("deltaBoost_one", 1).set("deltaBoost_zero", 1);
  file.set("SMCE_oneScale", 1).set("SMCE_zeroScale", 1).set("SMCE_oneTarget", 0.9).set("SMCE_zeroTarget", 0.1);
  file.set("ShuffleIndices", 1).set("layers", 2).set("weights", 1);
  for (int i = 0; i < 2; ++i) {
    const std::string at = "layer" + std::to_string(i) + "_";
    file.set(at + "name", i ? "Output" : "Input").set(at + "dataSet", i ? "y" : "x").set(at + "kind", 2 * i);
    file.set(at + "type", 0).set(at + "activation", 0).set(at + "weightInit", 0).set(at + "dimensions", 1);
    file.set(at + "Nx", i ? 2 : 3).set(at + "Ny", 1).set(at + "Nz", 1).set(at + "Nw", 1);
    for (const char *name : {"pDropout", "weightInitScale", "biasInit", "weightNorm", "deltaNorm", "attributes"})
      file.set(at + name, 0);
    file.set(at + "sources", i).set(at + "skips", 0);
  }
  file.set("layer1_source0", "Input");
  file.set("weight0_inputLayer", "Input").set("weight0_outputLayer", "Output").set("weight0_bShared", 0);
  file.variable("weight0_bias", "weight0_biasDim", 'f', {0.5, -0.5});
  file.variable("weight0_weights", "weight0_weightDim", 'f', {1, 2, 3, 4, 5, 6});
  return file;
}

TEST_F(Trained, OldAndClassicFiles) {
  for (int version : {1, 2, 5}) {
    small().writeClassic(net_, version);
    EXPECT_TRUE(isDsstneNetwork(net_));
    const auto all = parameters(net_);
    EXPECT_EQ(all.at("Input->Output/weights"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(all.at("Input->Output/bias"), (std::vector<float>{0.5, -0.5}));
    const DsstneNetwork network = readDsstneNetwork(*nc::Reader::open(net_));
    EXPECT_EQ(network.layers[1].reluSlope, 1);
    EXPECT_EQ(network.layers[1].sparsenessBeta, 2); // T-28
  }
  // Columns first, as a wide output wants its tiles.
  std::vector<float> columns;
  CheckpointReader(net_).readParameter(
      {.name = "Input->Output/weights", .in = 3, .out = 2, .transposed = true},
      [&](const Tile &tile, const float *block) { columns.insert(columns.end(), block, block + tile.count()); });
  EXPECT_EQ(columns, (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST_F(Trained, BadNetworks) {
  const std::vector<std::pair<std::function<void(NcFile &)>, std::string>> cases = {
      {[](NcFile &f) { f.drop("errorFunction"); }, "has no attribute errorFunction"},
      {[](NcFile &f) { f.set("layer1_type", 1); },
       "the layer 'Output' is Convolutional; networks with convolutions cannot be read yet"},
      {[](NcFile &f) { f.set("layer1_kind", 3); },
       "the layer 'Output' is of Kind Target, which never had an effect in DSSTNE"},
      {[](NcFile &f) { f.set("layer1_Nx", 60000).set("layer1_Ny", 60000); },
       "the layer 'Output' has more than 2147483647 units"},
      {[](NcFile &f) { f.set("layer1_name", "Input"); }, "has two layers named 'Input'"},
      {[](NcFile &f) { f.set("layer1_source0", "In"); },
       "the layer 'Output' has the source 'In', but there is no such layer"},
      {[](NcFile &f) { f.set("weight0_inputLayer", "In"); },
       "weight 0 leads from 'In' to 'Output', but there are no such layers"},
      {[](NcFile &f) {
         f.set("weights", 2).set("weight1_inputLayer", "Input").set("weight1_outputLayer", "Output");
         f.set("weight1_bShared", 0);
       },
       "has two weights from 'Input' to 'Output'"},
      {[](NcFile &f) {
         f.set("weight0_bShared", 1).set("weight0_bTransposed", 0);
         f.set("weight0_sourceInputLayer", "Output").set("weight0_sourceOutputLayer", "Input");
       },
       "the weight from 'Input' to 'Output' shares that from 'Output' to 'Input', which has no matrix of its own"},
      {[](NcFile &f) {
         f.variable("weight0_weights", "short", 'f', {1, 2});
       },
       "the variable weight0_weights has 2 elements; it should have 6"},
      {[](NcFile &f) { f.drop("layers"); }, "is a NetCDF file, but not of a trained network"},
  };
  for (const auto &[breakIt, said] : cases) {
    NcFile file = small();
    breakIt(file);
    file.writeClassic(net_, 2);
    EXPECT_USER_ERROR(CheckpointReader{net_}, net_, said);
  }
  small().variable("weight0_bias", "weight0_biasDim", 'f', {NAN, 1}).writeHdf5(net_);
  EXPECT_USER_ERROR(parameters(net_), "Input->Output/bias holds numbers that are infinite or not numbers");
  EXPECT_USER_ERROR(CheckpointReader(net_).readParameter({.name = "Input->Output/weights", .in = 2, .out = 2},
                                                         [](const Tile &, const float *) {}),
                    "Input->Output/weights should be of 2 x 2 numbers, found 3 x 2");
  EXPECT_USER_ERROR(DataFile::open(net_).load("input"),
                    "is a trained network of DSSTNE's, which has no data sets; the order is: snrt COMMAND");
}

TEST_F(Trained, WhatHasNoPlaceInEither) {
  small().set("layer1_activation", 4).writeHdf5(net_);
  EXPECT_USER_ERROR(convert::importNetwork(net_, folder_ / "x.h5", false),
                    "activation number 4 of the layer 'Output' is unknown, or of no use without images");
  CheckpointWriter bare(folder_ / "bare.weights.h5", false);
  bare.writeHeader({});
  bare.commit();
  EXPECT_USER_ERROR(convert::exportWeights(folder_ / "bare.weights.h5", folder_ / "x.nc", false),
                    "holds no network, only parameters; a trained network of DSSTNE's needs both");
  EXPECT_USER_ERROR(
      convert::dsstneNetwork(frontend::readNetworkText(kNetwork, "net.json"), {}, "w.h5"),
      "w.h5: the layer 'In' is as wide as the data set 'input', and the weights do not say how wide that is");
}
} // namespace
} // namespace sn::rt::test
