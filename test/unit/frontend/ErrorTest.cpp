// Every message about keys, values and their meaning, each where it belongs.
#include "test/unit/frontend/Support.h"
#include <algorithm>

namespace sn::frontend::test {
namespace {
std::string quoted(std::string_view word) { return fmt::format("\"{}\"", word); } // as in JSON
/// A layer on which the key is legal.
std::string networkWith(const Key &key, const std::string &member) {
  if (key.on & kHidden)
    return network("", hidden((key.types & kFullyConnected ? "" : "\"Type\":\"Pooling\",") + member));
  std::string text = network("");
  return text.replace(text.find("\"Kind\":\"Input\""), 14, "\"Kind\":\"Input\"," + member);
}
} // namespace

TEST(Keys, WhatComesLaterSaysSo) {
  int checked = 0;
  for (const Key &key : networkKeys())
    if (!key.later.empty()) {
      std::string text = network(quoted(key.name) + ":1");
      expectError(text, quoted(key.name), fmt::format("'{}' is not supported yet: {} [net_3]", key.name, key.later));
      for (std::string_view alias : key.aliases)
        expectError(network(quoted(alias) + ":1"), quoted(alias),
                    fmt::format("'{}' is not supported yet: {} [net_3]", alias, key.later));
      EXPECT_GT(key.issue, 1);
      ++checked;
    }
  for (const Key &key : layerKeys())
    if (!key.later.empty()) {
      std::string text = networkWith(key, quoted(key.name) + ":1");
      expectError(text, quoted(key.name), fmt::format("'{}' is not supported yet: {} [net_3]", key.name, key.later));
      ++checked;
    }
  EXPECT_EQ(checked, 3);
}

TEST(Keys, EverySupportedKeyRejectsAWrongForm) {
  for (const Key &key : networkKeys())
    if (key.later.empty()) {
      std::string message = firstLine(network(quoted(key.name) + ":null"));
      if (key.name != "Layers") { // the helper gives its own, later one
        EXPECT_NE(message.find(fmt::format("error: '{}' must be ", key.name)), std::string::npos) << message;
      }
    }
  for (const Key &key : layerKeys())
    if (key.later.empty()) {
      std::string text = networkWith(key, quoted(key.name) + ":null");
      if (key.name != "Name" && key.name != "Kind" && !(key.on == (kInput | kOutput))) {
        EXPECT_NE(firstLine(text).find(fmt::format("error: '{}' must be ", key.name)), std::string::npos)
            << firstLine(text);
      }
    }
  for (const Key &key : trainingKeys()) {
    std::string message = firstLine(network(fmt::format("\"Training\":{{\"{}\":null}}", key.name)));
    EXPECT_NE(message.find(fmt::format("error: '{}' must be ", key.name)), std::string::npos) << message;
  }
}

TEST(Keys, WrongFormsAreNamed) {
  expectError(network(R"("Name":7)"), "7", "'Name' must be a string, not 7 [net_4]");
  expectError(network(R"("ShuffleIndices":2)"), "2", "'ShuffleIndices' must be true or false, not 2 [net_4]");
  expectError(network(R"("Denoising":0.2)"), "0.2", "'Denoising' must be an object, not 0.2 [net_4]");
  expectError(R"({"Layers":"x"})", "\"x\"", "'Layers' must be an object or an array, not a string [net_4]");
  expectError(network(R"("Training":{"Batch":1.5})"), "1.5", "'Batch' must be a whole number, not 1.5 [net_4]");
  expectError(network(R"("Training":{"Alpha":true})"), "true", "'Alpha' must be a number, not true or false [net_4]");
  expectError(network("", R"({"Kind":3,"N":4})"), "3", "'Kind' must be a string, not 3 [net_4]");
  expectError(network("", hidden(R"("Type":3)")), "3", "'Type' must be a string, not 3 [net_4]");
  expectError(layers(R"({"DataSet":3},)" + kOutputLayer), "3", "'DataSet' must be a string, not 3 [net_4]");
  expectError(network("", R"({"Name":3})"), "3", "'Name' must be a string, not 3 [net_4]");
}

TEST(Keys, ObjectsMustBeObjects) {
  expectError("[1]", "[1]", "the network must be an object, not an array [net_4]");
  expectError(layers(kInputLayer + ", 7," + kOutputLayer), "7", "a layer must be an object, not 7 [net_4]");
}

TEST(Keys, RangesAreChecked) {
  expectError(network("", hidden(R"("pDropout":1)")), "1}", "'pDropout' must be at least 0 and below 1, not 1 [net_4]");
  expectError(network(R"("Denoising":{"p":-0.5})"), "-0.5", "'p' must be at least 0 and below 1, not -0.5 [net_4]");
  expectError(network(R"("SparsenessPenalty":{"p":0.5,"beta":-2})"), "-2", "'beta' must be at least 0, not -2 [net_4]");
  expectError(network(R"("Training":{"Alpha":0})"), "0}", "'Alpha' must be above 0, not 0 [net_4]");
  expectError(network(R"("Training":{"Mu":1})"), "1}", "'Mu' must be at least 0 and below 1, not 1 [net_4]");
  expectError(network(R"("Training":{"Batch":0})"), "0}",
              "'Batch' must be at least 1 and at most 2147483647, not 0 [net_4]");
  expectError(network(R"("Training":{"Epochs":-1})"), "-1}",
              "'Epochs' must be at least 1 and at most 2147483647, not -1 [net_4]");
  expectError(network(R"("Training":{"Seed":-1})"), "-1}",
              "'Seed' must be at least 0 and at most 9007199254740992, not -1 [net_4]");
  expectError(network(R"("ScaledMarginalCrossEntropy":{"oneTarget":1.5})"), "1.5",
              "'oneTarget' must be at least 0 and at most 1, not 1.5 [net_4]");
  expectError(network(R"("Training":{"Schedule":{"Kind":"Step","Every":0}})"), "0}}",
              "'Every' must be at least 1, not 0 [net_4]");
  expectError(network("", hidden(R"("N":0)")), "0}", "'N' must be at least 1 and at most 2147483647, not 0 [net_4]");
  expectError(network("", hidden(R"("N":-4)")), "-4", "'N' must be at least 1 and at most 2147483647, not -4 [net_4]");
  expectError(network("", hidden(R"("N":3e10)")), "3e10",
              "'N' must be at least 1 and at most 2147483647, not 3e10 [net_4]");
}

TEST(Keys, UnknownKeysGetTheNearestSpelling) {
  expectError(network(R"("Denoisng":{})"), "\"Denoisng\"",
              "unknown key 'Denoisng' in the network; did you mean 'Denoising'? [net_3]");
  expectError(network(R"("zzzzzzzzzzzz":1)"), "\"zzzz", "unknown key 'zzzzzzzzzzzz' in the network [net_3]");
  expectError(network("", hidden(R"("Activaton":"Tanh")")), "\"Activaton\"",
              "unknown key 'Activaton' in a layer; did you mean 'Activation'? [net_3]");
  expectError(network(R"("Training":{"Lambda2":0})"), "\"Lambda2\"",
              "unknown key 'Lambda2' in 'Training'; did you mean 'Lambda'? [net_3]");
  expectError(network(R"("Denoising":{"q":0})"), "\"q\"", "unknown key 'q' in 'Denoising' [net_3]");
  expectError(network(R"("SparsenessPenalty":{"Beta1":0})"), "\"Beta1\"",
              "unknown key 'Beta1' in 'SparsenessPenalty'; did you mean 'beta'? [net_3]");
  expectError(network(R"("ScaledMarginalCrossEntropy":{"oneTarge":1})"), "\"oneTarge\"",
              "unknown key 'oneTarge' in 'ScaledMarginalCrossEntropy'; did you mean 'oneTarget'? [net_3]");
  expectError(network("", hidden(R"("WeightInit":{"Skale":1})")), "\"Skale\"",
              "unknown key 'Skale' in 'WeightInit'; did you mean 'Scale'? [net_3]");
  expectError(network(R"("Training":{"Schedule":{"Kind":"Step","Evry":3}})"), "\"Evry\"",
              "unknown key 'Evry' in a 'Step' schedule; did you mean 'Every'? [net_3]");
}

TEST(Keys, KeysAtTheWrongLevelAreSentHome) {
  expectError(network(R"("Optimizer":"Adam")"), "\"Optimizer\"",
              "unknown key 'Optimizer' in the network; 'Optimizer' belongs in 'Training' [net_3]");
  expectError(network(R"("Activation":"Tanh")"), "\"Activation\"",
              "unknown key 'Activation' in the network; 'Activation' belongs in a layer [net_3]");
  expectError(network("", hidden(R"("errorfunction":"L2")")), "\"errorfunction\"",
              "unknown key 'errorfunction' in a layer; 'ErrorFunction' belongs in the network object [net_3]");
}

TEST(Keys, LegalityByLayerKind) {
  auto onInput = [](const std::string &member) { return layers(R"({"DataSet":"i",)" + member + "}," + kOutputLayer); };
  for (const char *key : {"Activation", "Source", "WeightInit", "SparsenessPenalty", "Kernel", "Skip"}) {
    std::string text = onInput(quoted(key) + ":\"x\""), message = firstLine(text);
    EXPECT_NE(message.find(fmt::format("'{}' has no place on Input layers, only on ", key)), std::string::npos)
        << message;
    EXPECT_NE(messageOf(text).find("note: this layer is Input by its position"), std::string::npos);
  }
  expectError(network("", hidden(R"("DataSet":"x")")), "\"DataSet\":\"x\"",
              "'DataSet' has no place on Hidden layers, only on Input and Output layers [net_9]");
  EXPECT_NE(messageOf(network("", hidden(R"("DataSet":"x")"))).find("note: this layer is Hidden\n"), std::string::npos);
  std::string text = layers(kInputLayer + R"(,{"Kind":"Output","DataSet":"o","SparsenessPenalty":{}})");
  expectError(text, "\"SparsenessPenalty\"",
              "'SparsenessPenalty' has no place on Output layers, only on Hidden layers [net_9]");
}

TEST(Words, UnknownWords) {
  expectError(network(R"("Kind":"FedForward")"), "\"FedForward\"",
              "unknown network Kind 'FedForward'; did you mean 'FeedForward'? [net_3]");
  expectError(network(R"("ErrorFunction":"Perplexity")"), "\"Perplexity\"",
              "unknown ErrorFunction 'Perplexity'; known are 'L1', 'L2', 'L2Hinge', 'CrossEntropy', "
              "'ScaledMarginalCrossEntropy', 'DataScaledMarginalCrossEntropy' and 'Hinge' [net_3]");
  expectError(network(R"("ErrorFunction":"CrosEntropy")"), "\"CrosEntropy\"",
              "unknown ErrorFunction 'CrosEntropy'; did you mean 'CrossEntropy'? [net_3]");
  expectError(network("", hidden(R"("Activation":"Sigmod")")), "\"Sigmod\"",
              "unknown Activation 'Sigmod'; did you mean 'Sigmoid'? [net_3]");
  expectError(network("", hidden(R"("Type":"Recurrent")")), "\"Recurrent\"",
              "unknown layer Type 'Recurrent'; known are 'FullyConnected' and 'Pooling' [net_3]");
  expectError(network("", R"({"Kind":"Inptu"})"), "\"Inptu\"",
              "unknown layer Kind 'Inptu'; did you mean 'Input'? [net_3]");
  expectError(network("", hidden(R"("WeightInit":{"Scheme":"Xaver"})")), "\"Xaver\"",
              "unknown Scheme 'Xaver'; did you mean 'Xavier'? [net_3]");
  expectError(network(R"("Training":{"Optimizer":"Adamm"})"), "\"Adamm\"",
              "unknown Optimizer 'Adamm'; did you mean 'Adam'? [net_3]");
  expectError(network(R"("Training":{"Schedule":"Cosin"})"), "\"Cosin\"",
              "unknown Schedule 'Cosin'; did you mean 'Cosine'? [net_3]");
}

TEST(Words, WhatComesLaterSaysSo) {
  for (const vocab::Planned &name : vocab::planned()) {
    std::string member = fmt::format("\"{}\":\"{}\"", name.key, name.name), text;
    if (name.key == "Activation")
      text = network("", hidden(member));
    else if (name.key == "Scheme")
      text = network("", hidden("\"WeightInit\":{" + member + "}"));
    else if (name.key == "Function")
      text = network("", hidden("\"Type\":\"Pooling\"," + member));
    else
      text = network(name.key == "Optimizer" ? "\"Training\":{" + member + "}" : member);
    expectError(text, quoted(name.name),
                fmt::format("{} '{}' is not supported: {} [net_3]", name.key, name.name, name.never));
  }
  for (const char *type : {"Convolutional", "Convolution"})
    expectError(
        network("", hidden(fmt::format("\"Type\":\"{}\"", type))), quoted(type),
        fmt::format("layer Type '{}' is not supported yet: convolution and the pooling of images come later [net_3]",
                    type));
  for (const char *function : {"Max", "Average", "LRN", "LocalResponseNormalization"})
    expectError(
        network("", hidden(fmt::format(R"("Type":"Pooling","Function":"{}")", function))), quoted(function),
        fmt::format("Function '{}' is not supported yet: convolution and the pooling of images come later [net_3]",
                    function));
  expectError(network("", R"({"Kind":"Target"})"), "\"Target\"",
              "layer Kind 'Target' is not supported: it never had an effect in DSSTNE; say 'Output' [net_3]");
}

TEST(Values, Version) {
  EXPECT_NO_THROW(read(network(R"("Version":0.7)")));
  EXPECT_NO_THROW(read(network(R"("Version":1)")));
  expectError(network(R"("Version":0.5)"), "0.5", "'Version' must be at least 0.7, not 0.5 [net_4]");
  expectError(network(R"("Version":"0.5")"), "\"0.5\"", "'Version' must be at least 0.7, not \"0.5\" [net_4]");
  expectError(network(R"("Version":"v1")"), "\"v1\"", "'Version' must be a number, not 'v1' [net_6]");
}

TEST(Values, Names) {
  expectError(network("", R"({"Name":""})"), "\"\"", "'Name' must not be empty [net_11]");
  for (const char *name : {"a/b", "a->b"})
    expectError(network("", fmt::format(R"({{"Name":"{}"}})", name)), quoted(name),
                "'Name' must not contain '/' or '->': names become paths in the files of data and weights [net_11]");
  expectError(layers(R"({"DataSet":"/x"},)" + kOutputLayer), "\"/x\"",
              "'DataSet' must not contain '/' or '->': names become paths in the files of data and weights [net_11]");
  expectError(layers(R"({"DataSet":""},)" + kOutputLayer), "\"\"", "'DataSet' must not be empty [net_11]");
  for (const char *name : {"a\\u0000b", "\\u001b[2J", "a\\tb", "\x7F"})
    expectError(network("", fmt::format(R"({{"Name":"{}"}})", name)), quoted(name),
                "'Name' must not contain control characters: names are printed and stored [net_11]");
}

TEST(Values, DataSetsAreNeeded) {
  expectError(layers(R"({"N":3},)" + kOutputLayer), R"({"N":3})",
              "Input layer 'Input0' needs a 'DataSet': the name of the data set it reads [net_19]");
  expectError(layers(kInputLayer + R"(,{"N":3})"), R"({"N":3})",
              "Output layer 'Output1' needs a 'DataSet': the name of the data set that holds its targets [net_19]");
}

TEST(Values, Units) {
  expectError(network("", hidden(R"("N":"auto")")), "\"auto\"}",
              "\"auto\" takes 'N' from a data set, which a Hidden layer does not have; give a number [net_12]");
  expectError(network("", hidden(R"("N":"many")")), "\"many\"",
              "'N' must be a whole number or \"auto\", not 'many' [net_12]");
  expectError(network("", hidden(R"("N":[2,2,2,2,2])")), "[2,", "'N' has at most 4 extents [net_12]");
  expectError(network("", hidden(R"("N":[65536,65536])")), "[65536,",
              "the extents of 'N' make 4294967296 units; there are at most 2147483647 [net_12]");
  expectError(network("", hidden(R"("N":["auto"])")), "\"auto\"]", "'N' must be a whole number, not a string [net_4]");
  expectError(network("", hidden(R"("N":[])")), "[]", "'N' must not be empty [net_12]");
  expectError(network("", hidden(R"("N":[0])")), "0]", "'N' must be at least 1 and at most 2147483647, not 0 [net_4]");
  expectError(network("", hidden(R"("N":[true])")), "true]", "'N' must be a whole number, not true or false [net_4]");
  expectError(network("", hidden(R"("N":2.5)")), "2.5",
              "'N' must be a string or a whole number or an array, not 2.5 [net_4]");
}

TEST(Values, Sources) {
  expectError(network("", hidden(R"("Source":[1])")), "1]",
              "'Source' must be a layer's name or an array of names [net_13]");
  expectError(network("", hidden(R"("Source":[])")), "[]", "'Source' must name at least one layer [net_13]");
}

TEST(Values, PenaltyNeedsASparseLayer) {
  expectError(network("", hidden(R"("SparsenessPenalty":{"p":0.1,"beta":1})")), "\"SparsenessPenalty\"",
              "'SparsenessPenalty' acts on sparse layers only; add \"Sparse\": true to the layer [net_16]");
}

TEST(Values, Layers) {
  expectError(R"({"Name":"x"})", "{", "the network has no 'Layers' [net_10]");
  expectError(R"({"Layers":[]})", "[]", "'Layers' is empty [net_10]");
}

TEST(Values, ScheduleObjectNeedsAKind) {
  expectError(network(R"("Training":{"Schedule":{"Every":3}})"), "{\"Every\"",
              "a 'Schedule' object needs a 'Kind': the schedule's name [net_33]");
  expectError(network(R"("Training":{"Schedule":{"Kind":3}})"), "3}}", "'Kind' must be a string, not 3 [net_4]");
}

TEST(Values, RowWiseLossHasNoDropout) {
  std::string output = R"(,{"DataSet":"o","Activation":"SoftMax","pDropout":0.5})", text = layers(kInputLayer + output);
  expectError(text, "\"SoftMax\"",
              "SoftMax and CrossEntropy make one loss over the whole row, which 'pDropout' on this Output layer would "
              "break [net_17]");
  text.insert(1, R"("ErrorFunction":"L2",)");
  EXPECT_NO_THROW(read(text));
}

TEST(Values, LossNeedsFittingOutputs) {
  std::string text = layers(kInputLayer + R"(,{"DataSet":"o","Activation":"Tanh"})");
  std::string message = "the loss CrossEntropy needs outputs between 0 and 1, which Tanh does not give; 'Sigmoid' and "
                        "'SoftMax' do [net_20]";
  expectError(text, "\"Tanh\"", message);
  EXPECT_NE(messageOf(text).find("note: no 'ErrorFunction' is given, so it is CrossEntropy"), std::string::npos);
  text.insert(1, R"("ErrorFunction":"Cross Entropy",)");
  expectError(text, "\"Tanh\"", message);
  EXPECT_NE(messageOf(text).find("note: the loss is chosen here"), std::string::npos);
}
} // namespace sn::frontend::test
