#include "compiler/Frontend/Network.h"
#include "test/unit/frontend/Support.h"
#include <filesystem>
#include <fstream>

namespace sn::frontend::test {
TEST(Network, Defaults) {
  Network net = read(network(""));
  EXPECT_EQ(net.name, "");
  EXPECT_EQ(net.file, "net.json");
  EXPECT_EQ(net.text, network(""));
  EXPECT_TRUE(net.shuffleIndices);
  EXPECT_EQ(net.denoisingP, 0);
  EXPECT_EQ(net.loss.record->name, "CrossEntropy");
  EXPECT_EQ(net.optimizer.record->name, "SGD");
  EXPECT_EQ(net.schedule.record->name, "Constant");
  EXPECT_EQ(net.hyper, (std::map<std::string, double>{
                           {"Alpha", 0.025}, {"Lambda", 1e-4}, {"Lambda1", 0}, {"Mu", 0.5}, {"Mu1", 0}}));
  for (auto &[name, given] : net.hyperGiven)
    EXPECT_FALSE(given) << name;
  EXPECT_EQ(net.hyperGiven.size(), 5u);
  EXPECT_EQ(net.batch, 1024);
  EXPECT_EQ(net.epochs, 40);
  EXPECT_EQ(net.seed, 12134u);
}

TEST(Network, EveryKeyIsRead) {
  Network net = read(R"({"version":"0.7","NAME":"AE","kind":"autoencoder","SparsenessPenalty":{"p":0.5,"beta":2},
    "ShuffleIndices":0,"Denoising":{"p":0.2},"errorfunction":"scaledmarginalcrossentropy",
    "ScaledMarginalCrossEntropy":{"oneTarget":1,"zeroTarget":0,"ONESCALE":30},
    "Layers":[{"Kind":"input","N":[100],"DataSet":"in","Sparse":true,"pDropout":0.1},
      {"type":"fullyconnected","N":128.0,"Activation":"tanh","Sparse":true,"pDropout":0.5},
      {"Name":"Scores","N":"AUTO","DataSet":"out","Activation":"Sigmoid","WeightInit":{"Scheme":"gaussian","Scale":0.01,"Bias":-5}}]})");
  EXPECT_EQ(net.name, "AE");
  EXPECT_FALSE(net.shuffleIndices);
  EXPECT_EQ(net.denoisingP, 0.2);
  EXPECT_EQ(net.loss.record->name, "ScaledMarginalCrossEntropy");
  EXPECT_EQ(net.loss.params, (std::vector<double>{1, 0, 30, 1}));
  EXPECT_EQ(net.loss.at.line, 2);
  ASSERT_EQ(net.layers.size(), 3u);
  const Layer &in = net.layers[0], &hidden = net.layers[1], &out = net.layers[2];
  EXPECT_EQ(in.name, "Input0");
  EXPECT_EQ(in.units, 100);
  EXPECT_FALSE(in.automatic);
  EXPECT_EQ(in.dataSet, "in");
  EXPECT_TRUE(in.sparse);
  EXPECT_EQ(in.pDropout, 0.1);
  EXPECT_EQ(in.sparsenessBeta, 0);
  EXPECT_EQ(hidden.name, "Hidden1");
  EXPECT_EQ(hidden.units, 128);
  EXPECT_EQ(hidden.activation.record->name, "Tanh");
  EXPECT_EQ(hidden.activation.at.line, 5);
  EXPECT_EQ(hidden.pDropout, 0.5);
  EXPECT_EQ(hidden.sparsenessP, 0.5);
  EXPECT_EQ(hidden.sparsenessBeta, 2);
  EXPECT_EQ(hidden.weightInit.record->name, "Xavier");
  EXPECT_EQ(hidden.initScale, 1);
  EXPECT_EQ(hidden.initBias, 0);
  EXPECT_EQ(out.name, "Scores");
  EXPECT_TRUE(out.automatic);
  EXPECT_EQ(out.dataSet, "out");
  EXPECT_EQ(out.weightInit.record->name, "Gaussian");
  EXPECT_EQ(out.initScale, 0.01);
  EXPECT_EQ(out.initBias, -5);
}

TEST(Network, KindsAndNamesByPosition) {
  Network net = read(layers(R"({"DataSet":"a"},{},{},{"DataSet":"b"})"));
  EXPECT_EQ(net.layers[0].name, "Input0");
  EXPECT_EQ(net.layers[2].name, "Hidden2");
  EXPECT_EQ(net.layers[3].name, "Output3");
  EXPECT_EQ(net.layers[2].kind, LayerKind::Hidden);
  EXPECT_EQ(net.layers[2].activation.record->name, "Sigmoid");
  EXPECT_EQ(net.layers[2].units, 1);
}

TEST(Network, ParametersOfALossNotChosenAreCheckedButUnused) {
  Network net = read(network(R"("ScaledMarginalCrossEntropy":{"oneTarget":0.8})"));
  EXPECT_EQ(net.loss.record->name, "CrossEntropy");
  EXPECT_TRUE(net.loss.params.empty());
}

TEST(Network, LastOfARepeatedKeyWins) {
  EXPECT_EQ(read(network(R"("Name":"a","name":"b")")).name, "b");
  EXPECT_EQ(read(network(R"("Name":1,"Name":"b")")).name, "b");
}

TEST(Network, LayerPenaltyOverridesWhereAboveZero) {
  auto penalty = [](const std::string &keys, const std::string &layer) {
    Network net = read(network(keys, hidden(R"("Sparse":true)" + layer)));
    return std::pair(net.layers[1].sparsenessP, net.layers[1].sparsenessBeta);
  };
  std::string whole = R"("SparsenessPenalty":{"p":0.5,"beta":2})";
  EXPECT_EQ(penalty(whole, ""), std::pair(0.5, 2.0));
  EXPECT_EQ(penalty(whole, R"(,"SparsenessPenalty":{"p":0.1})"), std::pair(0.1, 2.0));
  EXPECT_EQ(penalty(whole, R"(,"SparsenessPenalty":{"p":0,"beta":3})"), std::pair(0.5, 3.0));
  EXPECT_EQ(penalty("", R"(,"SparsenessPenalty":{"p":0.1,"beta":1})"), std::pair(0.1, 1.0)); // T-28
  EXPECT_EQ(read(network(whole, hidden(R"("N":3)"))).layers[1].sparsenessBeta, 0);           // not Sparse
}

TEST(Network, SingleLayerObjectNeedsNoBrackets) {
  EXPECT_EQ(
      firstLine(R"({"Layers":{"DataSet":"a"}})"),
      "1:11: error: layer 'Input0' has no effect: no layer reads it; name it as a 'Source' or remove it [net_14]");
}

TEST(Network, PrecisionOfTheNetworkAndOfLayers) {
  Network net = read(network(R"("Precision":"TF32")", hidden(R"("Precision":"Bf16x3")")));
  EXPECT_EQ(net.precision, plan::Precision::Tf32);
  EXPECT_EQ(net.layers[1].precision, plan::Precision::Bf16x3);
  EXPECT_EQ(net.layers.back().precision, std::nullopt);
  EXPECT_EQ(read(network("")).precision, plan::Precision::Fp32);
}

TEST(Network, FittingLossAndActivation) {
  for (const char *loss : {"CrossEntropy", "Cross Entropy", "ScaledMarginalCrossEntropy", "L2"})
    for (const char *activation : {"Sigmoid", "SoftMax"}) {
      std::string text = network(fmt::format("\"ErrorFunction\":\"{}\"", loss));
      text.insert(text.find("\"Name\":\"Out\""), fmt::format("\"Activation\":\"{}\",", activation));
      EXPECT_NO_THROW(read(text)) << text;
    }
  EXPECT_NO_THROW(read(network("", hidden(R"("Activation":"SoftMax")"))));
}

TEST(Training, EveryKeyIsRead) {
  Network net =
      read(network(R"("Training":{"Optimizer":"nesterov","Alpha":0.1,"Lambda":0,"Lambda1":1e-5,"Mu":0.8,"Mu1":0.1,
    "Batch":256,"Epochs":3,"Seed":9007199254740992,"Schedule":{"Kind":"step","Every":2,"Factor":0.1}})"));
  EXPECT_EQ(net.optimizer.record->name, "Nesterov");
  EXPECT_EQ(net.hyper, (std::map<std::string, double>{
                           {"Alpha", 0.1}, {"Lambda", 0}, {"Lambda1", 1e-5}, {"Mu", 0.8}, {"Mu1", 0.1}}));
  for (auto &[name, given] : net.hyperGiven)
    EXPECT_TRUE(given) << name;
  EXPECT_EQ(net.batch, 256);
  EXPECT_EQ(net.epochs, 3);
  EXPECT_EQ(net.seed, 9007199254740992u);
  EXPECT_EQ(net.schedule.record->name, "Step");
  EXPECT_EQ(net.schedule.params, (std::vector<double>{2, 0.1}));
  EXPECT_EQ(net.schedule.at.line, 2);
}

TEST(Training, OptimizersBringOwnDefaultsBehindWhatIsGiven) {
  Network net = read(network(R"("Training":{"Optimizer":"Adam","Mu":0.8})"));
  EXPECT_EQ(net.hyper.at("Alpha"), 0.001);
  EXPECT_EQ(net.hyper.at("Mu"), 0.8);
  EXPECT_EQ(net.hyper.at("Mu1"), 0.999);
  EXPECT_EQ(net.hyper.at("Lambda"), 1e-4);
  EXPECT_TRUE(net.hyperGiven.at("Mu"));
  EXPECT_FALSE(net.hyperGiven.at("Alpha"));
}

TEST(Training, ScheduleAsAWordTakesItsDefaults) {
  Network net = read(network(R"("Training":{"Schedule":"Cosine"})"));
  EXPECT_EQ(net.schedule.record->name, "Cosine");
  EXPECT_EQ(net.schedule.params, (std::vector<double>{0}));
}

TEST(Files, ReadFromDisk) {
  std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "unit-frontend";
  std::filesystem::create_directories(folder);
  std::string file = folder / "ae.json";
  std::ofstream(file) << network("\"Name\":\"AE\"");
  EXPECT_EQ(readNetwork(file).name, "AE");
  EXPECT_EQ(readNetwork(file).file, file);
  auto messageOfFile = [](const std::string &name) -> std::string {
    try {
      readNetwork(name);
      return "";
    } catch (const UserError &error) {
      return error.what();
    }
  };
  EXPECT_EQ(messageOfFile(file + "x"), file + "x: error: no such file [net_1]");
  EXPECT_EQ(messageOfFile(folder), folder.string() + ": error: is a folder, not a network file [net_1]");
}
} // namespace sn::frontend::test
