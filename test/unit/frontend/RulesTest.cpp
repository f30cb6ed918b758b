// Rules between layers, and of keys that must not be without effect: a network, and everything that is found in it.
#include "test/unit/frontend/Support.h"

namespace sn::frontend::test {
namespace {
struct Row {
  const char *what;
  std::string text;
  std::vector<std::string> findings;
};
std::ostream &operator<<(std::ostream &out, const Row &row) { return out << row.what; }

const std::string kA = R"({"Name":"A","Kind":"Input","N":4,"DataSet":"a"})",
                  kB = R"({"Name":"B","Kind":"Input","N":4,"DataSet":"b"})",
                  kC = R"({"Name":"C","Kind":"Input","N":5,"DataSet":"c"})", kO = R"({"Name":"Out","DataSet":"o"})";
/// The network's keys on line 1, then each layer on a line of its own.
std::string lines(std::initializer_list<std::string> texts, const std::string &keys = "") {
  std::string out = "{" + keys + "\"Layers\":[";
  for (const std::string &text : texts)
    out += (out.back() == '[' ? "\n" : ",\n") + text;
  return out + "]}";
}
/// A layer of two sources, on line 4.
std::string pooled(const std::string &keys, const std::string &function = "Cosine", const std::string &b = kB) {
  return lines({kA, b, R"({"Name":"P","Kind":"Pooling",)" + keys + R"("Function":")" + function + R"("})", kO});
}
const std::string kBoth = R"("Source":["A","B"],)",
                  kKindIsPooling = "4:13: note: this layer is Hidden, of Type Pooling";
/// Two towers; G on line 5 shares what `entry` says.
std::string towers(const std::string &entry, const std::string &source = "B", const std::string &b = kB) {
  return lines({kA, b, R"({"Name":"H","N":3,"Source":"A"})",
                R"({"Name":"G","N":3,"Source":")" + source + R"(","SharedWeights":)" + entry + "}",
                R"({"Name":"Out","DataSet":"o","Source":["H","G"]})"});
}
std::string entry(const std::string &from, const std::string &ownerFrom, const std::string &ownerTo,
                  const std::string &more = "") {
  return R"({"InputLayer":")" + from + R"(","SourceInputLayer":")" + ownerFrom + R"(","SourceOutputLayer":")" +
         ownerTo + "\"" + more + "}";
}

const Row kRows[] = {
    // data sets
    {"two widths of one data set",
     lines({kA, R"({"Name":"B","Kind":"Input","N":"auto","DataSet":"a"})",
            R"({"N":3,"DataSet":"o","Source":["A","B"]})"}),
     {"3:32: error: Inputs of one data set are of one width, but 'B' has the columns of data set 'a' and 'A' has 4 "
      "units [net_19]",
      "2:32: note: the width of 'A' is set here"}},
    // pooling layers
    {"no function",
     lines({kA, kB, R"({"Type":"Pooling","Source":["A","B"]})", kO}),
     {"4:1: error: a Pooling layer needs a 'Function'; there are 'Maxout', 'DotProduct' and 'Cosine' [net_26]",
      "4:2: note: this layer is Pooling"}},
    {"a function without pooling",
     lines({kA, R"({"Function":"Cosine"})", kO}),
     {"3:2: error: 'Function' has no place on FullyConnected layers, only on Pooling layers [net_9]",
      "3:1: note: no 'Type' is given, so it is FullyConnected"}},
    {"one source to compare",
     lines({kA, R"({"Name":"P","Kind":"Pooling","Source":"A","Function":"Cosine"})", kO}),
     {"3:54: error: Cosine compares its first source with each further one, so it needs at least 2 sources [net_26]",
      "3:39: note: this is the only one"}},
    {"the same source twice",
     lines({kA, R"({"Name":"P","Kind":"Pooling","Source":["A","A"],"Function":"Cosine"})", kO}),
     {"3:44: error: 'A' is named twice among the sources of layer 'P' [net_13]", "3:40: note: it is named here first"}},
    {"sources of two widths",
     lines({kA, kC, R"({"Name":"P","Kind":"Pooling","Function":"Maxout","Source":["A","C"]})",
            R"({"DataSet":"o","Source":"P"})"}),
     {"4:64: error: the sources of Pooling layer 'P' must be of one width: 'C' has 5 units, 'A' has 4 units [net_26]",
      "4:60: note: 'A' is its first source"}},
    {"a width that is not the derived one",
     pooled(kBoth + R"("N":2,)"),
     {"4:53: error: the sources give Pooling layer 'P' 1 unit, but it is to have 2 units [net_26]"}},
    {"a number in place of a data set's columns",
     lines({R"({"DataSet":"a","N":"auto"})", R"({"DataSet":"o","N":7,"Type":"Pooling","Function":"Maxout"})"},
           R"("ErrorFunction":"L2",)"),
     {"3:20: error: the sources give Pooling layer 'Output1' the columns of data set 'a', but it is to have 7 units "
      "[net_26]"}},
    {"an activation",
     pooled(kBoth + R"("Activation":"Tanh",)"),
     {"4:62: error: a Pooling layer has no activation, so it is Linear, not Tanh [net_26]", kKindIsPooling}},
    {"keys of weights and units",
     pooled(kBoth + R"("pDropout":0.5,"WeightInit":{},"WeightNorm":1,"DeltaNorm":1,"BatchNormalization":true,)"),
     {"4:49: error: 'pDropout' has no place on Pooling layers, only on FullyConnected layers [net_9]", kKindIsPooling,
      "4:64: error: 'WeightInit' has no place on Pooling layers, only on FullyConnected layers [net_9]", kKindIsPooling,
      "4:80: error: 'WeightNorm' has no place on Pooling layers, only on FullyConnected layers [net_9]", kKindIsPooling,
      "4:95: error: 'DeltaNorm' has no place on Pooling layers, only on FullyConnected layers [net_9]", kKindIsPooling,
      "4:109: error: 'BatchNormalization' has no place on Pooling layers, only on FullyConnected layers [net_9]",
      kKindIsPooling}},
    {"a sparse one",
     pooled(kBoth + R"("Sparse":true,)"),
     {"4:49: error: a Pooling layer has no sparseness penalty [net_26]", kKindIsPooling}},
    {"two types",
     pooled(kBoth + R"("Type":"FullyConnected",)"),
     {"4:56: error: the Kind makes this a layer of Type Pooling, not 'FullyConnected' [net_10]", kKindIsPooling}},
    {"an Input",
     lines({R"({"DataSet":"a","Type":"Pooling"})", kO}),
     {"2:23: error: an Input layer reads data; it cannot be of Type Pooling [net_10]",
      "2:1: note: this layer is Input by its position"}},
    // skips
    {"unknown, repeated and misspelt skips",
     lines({kA, R"({"Name":"H","N":4,"Skip":["A","Nobody","A"]})", R"({"DataSet":"o","Skip":[7]})",
            R"({"Kind":"Output","DataSet":"o","Skip":[]})"}),
     {"3:31: error: no layer is named 'Nobody'; there are 'A', 'H', 'Hidden2' and 'Output3' [net_24]",
      "3:40: error: 'A' is named twice among the skips of layer 'H' [net_24]", "3:27: note: it is named here first",
      "4:2: error: 'DataSet' has no place on Hidden layers, only on Input and Output layers [net_9]",
      "4:1: note: this layer is Hidden by its position",
      "4:24: error: 'Skip' must be a layer's name or an array of names [net_24]",
      "5:39: error: 'Skip' must name at least one layer [net_24]"}},
    {"a skip of another width",
     lines({kA, R"({"Name":"H","N":3,"Skip":"A"})", kO}),
     {"3:26: error: a skip adds unit by unit, but 'A' has 4 units and 'H' has 3 units [net_24]",
      "2:32: note: the width of 'A' is set here"}},
    {"a skip from a width in doubt",
     lines({R"({"Name":"A","N":"auto","DataSet":"a"})", R"({"Name":"H","N":3,"Skip":"A"})", kO}),
     {"3:26: error: a skip adds unit by unit, but 'A' has the columns of data set 'a' and 'H' has 3 units [net_24]",
      "2:17: note: the width of 'A' is set here"}},
    {"a cycle over a skip",
     lines({kA, R"({"Name":"H","N":4,"Skip":"G"})", R"({"Name":"G","N":4})", kO}),
     {"3:26: error: layers feed each other in a cycle: 'H' -> 'G' -> 'H' [net_14]",
      "4:1: note: layer 'G' reads 'H' here"}},
    {"a skip to itself",
     lines({kA, R"({"Name":"H","N":4,"Skip":"H"})", kO}),
     {"3:26: error: layers feed each other in a cycle: 'H' -> 'H' [net_14]"}},
    // shared weights
    {"nothing to share", towers("[]"), {"5:48: error: 'SharedWeights' must hold at least one entry [net_25]"}},
    {"an entry without names",
     towers(R"({"Transposed":1})"),
     {"5:48: error: an entry of 'SharedWeights' lacks its 'InputLayer' [net_25]",
      "5:48: error: an entry of 'SharedWeights' lacks its 'SourceInputLayer' [net_25]",
      "5:48: error: an entry of 'SharedWeights' lacks its 'SourceOutputLayer' [net_25]"}},
    {"a key of DSSTNE's documentation",
     towers(entry("B", "A", "H", R"(,"Transpose":true)")),
     {"5:113: error: unknown key 'Transpose' in an entry of 'SharedWeights'; did you mean 'Transposed'? [net_3]"}},
    {"a layer that is none of the sources",
     towers(entry("A", "A", "H")),
     {"5:62: error: 'A' is none of the sources of layer 'G', so there are no weights between them [net_25]"}},
    {"unknown owners",
     towers(entry("B", "X", "Hh")),
     {"5:85: error: no layer is named 'X'; there are 'A', 'B', 'G', 'H' and 'Out' [net_25]",
      "5:109: error: no layer is named 'Hh'; did you mean 'H'? [net_25]", "4:9: note: layer 'H' is declared here"}},
    {"no weights between the owners",
     towers(entry("B", "B", "H")),
     {"5:85: error: layer 'H' has no weights from 'B', which is none of its sources [net_25]",
      "4:9: note: layer 'H' is declared here"}},
    {"owned by itself",
     towers(entry("B", "B", "G")),
     {"5:48: error: the weights from 'B' to 'G' cannot be shared with themselves [net_25]"}},
    {"the same twice",
     towers("[" + entry("B", "A", "H") + "," + entry("B", "A", "H") + "]"),
     {"5:129: error: the weights from 'B' are shared twice [net_25]", "5:49: note: they are shared here first"}},
    {"other widths",
     towers(entry("C", "A", "H"), "C", kC),
     {"5:48: error: weights of 5 units by 3 units are needed here, but those from 'A' to 'H' are 4 units by 3 units "
      "[net_25]",
      "4:9: note: layer 'H' is declared here"}},
    {"other widths, transposed",
     towers(entry("B", "A", "H", R"(,"Transposed":true)")),
     {"5:48: error: weights of 4 units by 3 units are needed here, transposed, but those from 'A' to 'H' are 4 units "
      "by "
      "3 units [net_25]",
      "4:9: note: layer 'H' is declared here"}},
    {"an owner that shares itself",
     lines({kA, kB, R"({"Name":"H","N":3,"Source":"A"})",
            R"({"Name":"G","N":3,"Source":"B","SharedWeights":)" + entry("B", "A", "H") + "}",
            R"({"Name":"F","N":3,"Source":"B","SharedWeights":)" + entry("B", "B", "G") + "}",
            R"({"DataSet":"o","Source":["H","G","F"]})"}),
     {"6:48: error: the weights from 'B' to 'G' are shared themselves; name their owner, from 'A' to 'H' [net_25]",
      "5:48: note: they are shared here"}},
    {"a pooling layer as owner",
     lines({kA, kB, R"({"Name":"P","Kind":"Pooling","Function":"Maxout","Source":["A","B"]})",
            R"({"Name":"G","N":4,"SharedWeights":)" + entry("P", "A", "P") + "}", kO}),
     {"5:96: error: Pooling layer 'P' has no weights to share [net_25]"}},
    {"a norm of others' weights",
     lines({kA, kB, R"({"Name":"H","N":3,"Source":"A"})",
            R"({"Name":"G","N":3,"WeightNorm":1,"Source":"B","SharedWeights":)" + entry("B", "A", "H") + "}",
            R"({"DataSet":"o","Source":["H","G"]})"}),
     {"5:19: error: 'WeightNorm' has nothing to act on: all weights of layer 'G' belong to others; set it on the "
      "layers "
      "that own them [net_28]",
      "5:63: note: they are shared here"}},
    {"a draw of others' weights",
     lines({kA, kB, R"({"Name":"H","N":3,"Source":"A"})",
            R"({"Name":"G","N":3,"WeightInit":{"Scheme":"Uniform","Bias":1},"Source":"B","SharedWeights":)" +
                entry("B", "A", "H") + "}",
            R"({"DataSet":"o","Source":["H","G"]})"}),
     {"5:33: warning: 'Scheme' has no effect: all weights of layer 'G' belong to others [net_7]",
      "5:91: note: they are shared here"}},
    {"a precision that no layer takes",
     lines({kA, R"({"N":3,"Precision":"fp32"})", R"({"DataSet":"o","Precision":"bf16"})"}, R"("Precision":"tf32",)"),
     {"1:2: warning: 'Precision' has no effect: every layer with products has a precision of its own [net_7]"}},
    {"a precision of an input",
     lines({R"({"Kind":"Input","N":4,"DataSet":"a","Precision":"tf32"})", kO}),
     {"2:37: error: 'Precision' has no place on Input layers, only on Hidden and Output layers [net_9]",
      "2:2: note: this layer is Input"}},
    {"a precision that there is not",
     lines({kA, R"({"N":3,"Precision":"bf16x2"})", kO}, R"("Precision":"half",)"),
     {"1:14: error: unknown Precision 'half'; known are 'fp32', 'tf32', 'bf16x3' and 'bf16' [net_3]",
      "3:20: error: unknown Precision 'bf16x2'; did you mean 'bf16x3'? [net_3]"}},
    // parameters of activations
    {"a parameter of another activation",
     lines({kA, R"({"Activation":"Relu","Slope":0.1,"ELUAlpha":2})", kO}),
     {"3:22: error: 'Slope' has no effect: RectifiedLinear has no such parameter [net_29]",
      "3:15: note: the activation is chosen here",
      "3:34: error: 'ELUAlpha' has no effect: RectifiedLinear has no such parameter [net_29]",
      "3:15: note: the activation is chosen here"}},
    {"a parameter without activation",
     lines({kA, R"({"SELULambda":1})", kO}),
     {"3:2: error: 'SELULambda' has no effect: Sigmoid has no such parameter [net_29]",
      "3:1: note: no 'Activation' is given on this layer"}},
    {"a parameter that no layer has",
     lines({kA, kO}, R"("Slope":0.1,)"),
     {"1:2: warning: 'Slope' has no effect: no layer's activation has this parameter [net_7]"}},
    {"hyper-parameters that the optimizer does not read",
     lines({kA, kO}, R"("Training":{"Mu":0.9},)"),
     {"1:14: warning: 'Mu' has no effect: the optimizer SGD does not read it [net_7]"}},
    {"a learning rate that the optimizer does not read",
     lines({kA, kO}, R"("Training":{"Optimizer":"AdaDelta","Alpha":0.5,"Mu":0.9,"Schedule":"Cosine"},)"),
     {"1:37: warning: 'Alpha' has no effect: the optimizer AdaDelta does not read it [net_7]",
      "1:26: note: the optimizer is chosen here",
      "1:58: warning: 'Schedule' has no effect: the optimizer AdaDelta does not read it [net_7]",
      "1:26: note: the optimizer is chosen here"}},
    {"a scale that the scheme does not read",
     lines({kA, R"({"WeightInit":{"Scheme":"SELU","Scale":2}})", kO}),
     {"3:32: warning: 'Scale' has no effect: the scheme SELU does not read it [net_7]"}},
    {"a default that surprises",
     lines({kA, R"({"Activation":"LRelu"})", kO}),
     {"3:15: warning: 'RELUSlope' is not given: with its default of 1 LeakyRectifiedLinear is the identity (T-10) "
      "[net_29]"}},
    // losses
    {"boost of a loss without it",
     lines({kA, kO}, R"("ErrorFunction":"ScaledMarginalCrossEntropy","DeltaBoost":{"one":2,"zero":3},)"),
     {"1:47: error: 'one' of 'DeltaBoost' has no effect: the loss ScaledMarginalCrossEntropy does not use it behind "
      "the "
      "activations of this network's Output layers [net_23]",
      "1:18: note: the loss is chosen here",
      "1:47: error: 'zero' of 'DeltaBoost' has no effect: the loss ScaledMarginalCrossEntropy does not use it behind "
      "the "
      "activations of this network's Output layers [net_23]",
      "1:18: note: the loss is chosen here"}},
    {"boost of zeros that the pair has not",
     lines({kA, R"({"DataSet":"o","Activation":"Linear"})"},
           R"("ErrorFunction":"L2","DeltaBoost":{"one":2,"zero":3},)"),
     {"1:23: error: 'zero' of 'DeltaBoost' has no effect: the loss L2 does not use it behind the activations of this "
      "network's Output layers [net_23]",
      "1:18: note: the loss is chosen here"}},
    {"a boost of 1 is none",
     lines({kA, kO}, R"("ErrorFunction":"ScaledMarginalCrossEntropy","DeltaBoost":{"one":1},)"),
     {}},
    {"a loss that is not defined on rows",
     lines({kA, R"({"DataSet":"o","Activation":"SoftMax"})"}, R"("ErrorFunction":"DataScaledMarginalCrossEntropy",)"),
     {"3:29: error: the loss DataScaledMarginalCrossEntropy is not defined behind SoftMax, which works on whole rows "
      "[net_22]",
      "1:18: note: the loss is chosen here"}},
    {"a loss for one activation only",
     lines({kA, R"({"DataSet":"o","Activation":"Tanh"})"}, R"("ErrorFunction":"DataScaledMarginalCrossEntropy",)"),
     {"3:29: error: the loss DataScaledMarginalCrossEntropy needs outputs between 0 and 1, which Tanh does not give; "
      "'Sigmoid' does [net_20]",
      "1:18: note: the loss is chosen here"}},
    // other keys
    {"decay and a schedule",
     lines({kA, kO}, R"("Decay":0.1,"Training":{"Schedule":"Constant"},)"),
     {"1:2: error: 'Decay' and a 'Schedule' exclude each other [net_33]", "1:26: note: the schedule is chosen here"}},
    {"negative norms and factors",
     lines({kA, R"({"WeightNorm":-1,"DeltaNorm":-2})", kO}, R"("Decay":-1,"DeltaBoost":{"one":-1},)"),
     {"1:10: error: 'Decay' must be at least 0, not -1 [net_4]",
      "1:33: error: 'one' must be at least 0, not -1 [net_4]",
      "3:15: error: 'WeightNorm' must be at least 0, not -1 [net_4]",
      "3:30: error: 'DeltaNorm' must be at least 0, not -2 [net_4]"}},
    {"a penalty as a truth value",
     lines({kA, R"({"Sparse":true,"SparsenessPenalty":true})", kO}),
     {"3:36: error: 'SparsenessPenalty' must be an object, not true or false [net_4]"}},
    {"a compatibility that is none",
     lines({kA, kO}, R"("Compatibility":"dsstn",)"),
     {"1:18: error: unknown Compatibility 'dsstn'; did you mean 'dsstne'? [net_3]"}},
    {"normalization of an Output",
     lines({kA, R"({"DataSet":"o","BatchNormalization":true})"}),
     {"3:16: error: 'BatchNormalization' has no place on Output layers, only on Hidden layers [net_9]",
      "3:1: note: this layer is Output by its position"}},
    {"an Input that nobody reads in a network without Outputs",
     lines({kA, kB, R"({"Kind":"Hidden","N":3})"}),
     {"2:1: error: layer 'A' has no effect: no layer reads it; name it as a 'Source' or remove it [net_14]"}},
};

class Between : public testing::TestWithParam<Row> {};
} // namespace

TEST_P(Between, FindsThisAndNothingElse) {
  EXPECT_EQ(findingsOf(GetParam().text), GetParam().findings) << GetParam().text;
}
INSTANTIATE_TEST_SUITE_P(Rules, Between, testing::ValuesIn(kRows));
} // namespace sn::frontend::test
