// One row for each rule: a network, and everything that is found in it. A row shows as well that nothing else follows
// from the mistake.
#include "test/unit/frontend/Support.h"

namespace sn::frontend::test {
namespace {
struct Row {
  const char *what;
  std::string text;
  std::vector<std::string> findings; // "line:column: severity: message", notes behind theirs
};
std::ostream &operator<<(std::ostream &out, const Row &row) { return out << row.what; }

const std::string kIn = R"({"Name":"In","DataSet":"i"},)", kOut = R"({"Name":"Out","DataSet":"o"})";
/// Each layer on a line of its own, from line 2 on.
std::string lines(std::initializer_list<std::string> texts) {
  std::string out = "{\"Layers\":[";
  for (const std::string &text : texts)
    out += (out.back() == '[' ? "\n" : ",\n") + text;
  return out + "]}";
}
const std::string kI = R"({"Name":"In","DataSet":"i"})", kO = R"({"Name":"Out","DataSet":"o"})";

const Row kRows[] = {
    // what could not be read does not count as missing
    {"misspelt Layers",
     R"({"Leyers":[]})",
     {"1:2: error: unknown key 'Leyers' in the network; did you mean 'Layers'? [net_3]"}},
    {"Layers of a wrong form",
     R"({"Layers":null})",
     {"1:11: error: 'Layers' must be an object or an array, not null [net_4]"}},
    {"misspelt DataSet",
     lines({R"({"Datset":"i"})", kO}),
     {"2:2: error: unknown key 'Datset' in a layer; did you mean 'DataSet'? [net_3]"}},
    {"misspelt Source",
     lines({kI, R"({"Name":"H"})", R"({"Sorce":"H","DataSet":"o"})"}),
     {"4:2: error: unknown key 'Sorce' in a layer; did you mean 'Source'? [net_3]"}},
    {"misspelt Activation",
     lines({kI, R"({"Activaton":"Tanh","DataSet":"o"})"}),
     {"3:2: error: unknown key 'Activaton' in a layer; did you mean 'Activation'? [net_3]"}},
    {"misspelt Kind of the only Input",
     lines({R"({"Kind":"Inputt","DataSet":"i"})", kO}),
     {"2:9: error: unknown layer Kind 'Inputt'; did you mean 'Input'? [net_3]"}},
    {"misspelt key Kind",
     lines({kI, R"({"Knd":"Output","DataSet":"o"})", R"({"Name":"Last","DataSet":"o"})"}),
     {"3:2: error: unknown key 'Knd' in a layer; did you mean 'Kind'? [net_3]"}},
    {"misspelt ErrorFunction",
     R"({"ErorFunction":"L2","Layers":[)" + kIn + R"({"Activation":"Tanh","DataSet":"o"}]})",
     {"1:2: error: unknown key 'ErorFunction' in the network; did you mean 'ErrorFunction'? [net_3]"}},
    {"unknown loss",
     R"({"ErrorFunction":"L3","Layers":[)" + kIn + R"({"Activation":"Tanh","DataSet":"o"}]})",
     {"1:18: error: unknown ErrorFunction 'L3'; did you mean 'L1'? [net_3]"}},
    {"a layer that is no object",
     lines({kI, "7", R"({"Source":"H","DataSet":"o"})"}),
     {"3:1: error: a layer must be an object, not 7 [net_4]"}},
    {"a name of a wrong form",
     lines({kI, R"({"Name":1})", R"({"Source":"H","DataSet":"o"})"}),
     {"3:9: error: 'Name' must be a string, not 1 [net_4]"}},
    {"a name of a wrong form near another",
     lines(
         {kI, R"({"Name":["Hidden1"]})", R"({"Name":"Hidden2"})", R"({"Source":["Hidden1","Hidden2"],"DataSet":"o"})"}),
     {"3:9: error: 'Name' must be a string, not an array [net_4]"}},
    {"a layer's penalty that is no object",
     lines({kI, R"({"Sparse":true,"SparsenessPenalty":1})", kO}),
     {"3:36: error: 'SparsenessPenalty' must be an object, not 1 [net_4]"}},
    {"wrong Sparse beside a penalty",
     lines({kI, R"({"Sparse":"yes","SparsenessPenalty":{"p":0.1}})", kO}),
     {"3:11: error: 'Sparse' must be true or false, not a string [net_4]"}},
    {"a source of a wrong form",
     lines({kI, kI.substr(0, 12) + "}", R"({"Source":[4],"DataSet":"o"})"}),
     {"3:9: error: a second layer is named 'In' [net_11]", "2:9: note: layer 'In' is declared here",
      "4:12: error: 'Source' must be a layer's name or an array of names [net_13]"}},
    // values
    {"a huge whole number",
     lines({kI, R"({"N":99999999999999999999999})", kO}),
     {"3:6: error: 'N' must be at least 1 and at most 2147483647, not 99999999999999999999999 [net_4]"}},
    {"a number of many digits",
     lines({kI, R"({"N":1)" + std::string(99, '0') + "}", kO}),
     {"3:6: error: 'N' must be at least 1 and at most 2147483647, not 1" + std::string(39, '0') + "... [net_4]"}},
    {"just too many units",
     lines({kI, R"({"N":2147483648})", kO}),
     {"3:6: error: 'N' must be at least 1 and at most 2147483647, not 2147483648 [net_4]"}},
    {"a seed that no double holds",
     R"({"Training":{"Seed":9007199254740993},"Layers":[)" + kIn + kOut + "]}",
     {"1:21: error: 'Seed' must be at least 0 and at most 9007199254740992, not 9007199254740993 [net_4]"}},
    {"units in words",
     lines({kI, R"({"N":"128"})", kO}),
     {"3:6: error: 'N' must be a whole number or \"auto\", not '128' [net_12]"}},
    {"Version that is no number",
     R"({"Version":"nan","Layers":[)" + kIn + kOut + "]}",
     {"1:12: error: 'Version' must be at least 0.7, not \"nan\" [net_4]"}},
    // keys of the network
    {"weights, normalization and maxout",
     R"({"WeightData":"","LRN":{"n":5},"MaxOut":{"k":"two"},"Layers":[)" + kIn + kOut + "]}",
     {"1:15: error: 'WeightData' must name a file [net_34]",
      "1:18: error: 'LRN' is not supported yet: convolution and the pooling of images come later [net_3]",
      "1:46: error: 'k' must be a number, not a string [net_4]"}},
    // the other party
    {"auto on a Hidden layer",
     lines({kI, R"({"Kind":"Hidden","N":"auto"})", kO}),
     {"3:22: error: \"auto\" takes 'N' from a data set, which a Hidden layer does not have; give a number [net_12]",
      "3:2: note: this layer is Hidden"}},
    {"no data set",
     lines({R"({"Name":"In"})", kO}),
     {"2:1: error: Input layer 'In' needs a 'DataSet': the name of the data set it reads [net_19]",
      "2:1: note: this layer is Input by its position"}},
    {"a penalty on a layer said not to be sparse",
     lines({kI, R"({"Sparse":false,"SparsenessPenalty":{"p":0.1}})", kO}),
     {"3:17: error: 'SparsenessPenalty' acts on sparse layers only; add \"Sparse\": true to the layer [net_16]",
      "3:2: note: the layer is not sparse because of this"}},
    {"dropout before a row-wise loss",
     lines({kI, R"({"pDropout":0.5,"Activation":"SoftMax","DataSet":"o"})"}),
     {"3:30: error: SoftMax and CrossEntropy make one loss over the whole row, which 'pDropout' on this Output layer "
      "would break [net_17]",
      "3:2: note: 'pDropout' is set here", "1:1: note: no 'ErrorFunction' is given, so it is CrossEntropy"}},
    {"each Output that does not fit the loss",
     lines({kI, R"({"Kind":"Output","Activation":"Linear","DataSet":"o"})",
            R"({"Source":"In","Activation":"Relu","DataSet":"o"})"}),
     {"3:31: error: the loss CrossEntropy needs outputs between 0 and 1, which Linear does not give; 'Sigmoid' and "
      "'SoftMax' do [net_20]",
      "1:1: note: no 'ErrorFunction' is given, so it is CrossEntropy",
      "4:29: error: the loss CrossEntropy needs outputs between 0 and 1, which RectifiedLinear does not give; "
      "'Sigmoid' "
      "and 'SoftMax' do [net_20]",
      "1:1: note: no 'ErrorFunction' is given, so it is CrossEntropy"}},
    {"no Output",
     lines({kI, R"({"Kind":"Hidden","N":3})"}),
     {"3:1: warning: the network has no Output layer: it can predict, but not be trained or evaluated [net_35]",
      "3:2: note: this layer is Hidden"}},
    {"no Input",
     lines({R"({"Kind":"Hidden","Source":"Out"})", R"({"Name":"Out","DataSet":"o","Source":"Hidden0"})"}),
     {"2:1: error: the network has no Input layer [net_10]", "2:2: note: this layer is Hidden",
      "2:27: error: layers feed each other in a cycle: 'Hidden0' -> 'Out' -> 'Hidden0' [net_14]",
      "3:38: note: layer 'Out' reads 'Hidden0' here"}},
    // the graph
    {"every duplicate",
     lines({kI, kI.substr(0, 12) + "}", R"({"Name":"In"})", kO}),
     {"3:9: error: a second layer is named 'In' [net_11]", "2:9: note: layer 'In' is declared here",
      "4:9: error: a second layer is named 'In' [net_11]", "2:9: note: layer 'In' is declared here"}},
    {"a name and an automatic name",
     lines({kI, R"({"Name":"Output2"})", R"({"DataSet":"o"})"}),
     {"4:1: error: a second layer is named 'Output2' [net_11]", "3:9: note: layer 'Output2' is declared here"}},
    {"a layer that reads itself",
     lines({kI, R"({"Name":"H","Source":["In","H"]})", kO}),
     {"3:28: error: layers feed each other in a cycle: 'H' -> 'H' [net_14]"}},
    {"cycles apart from each other",
     lines({kI, R"({"Name":"A","Source":["In","B"]})", R"({"Name":"B","Source":"A"})",
            R"({"Name":"C","Source":["B","D"]})", R"({"Name":"D","Source":"C"})", R"({"DataSet":"o","Source":"D"})"}),
     {"3:28: error: layers feed each other in a cycle: 'A' -> 'B' -> 'A' [net_14]",
      "4:22: note: layer 'B' reads 'A' here",
      "5:27: error: layers feed each other in a cycle: 'C' -> 'D' -> 'C' [net_14]",
      "6:22: note: layer 'D' reads 'C' here"}},
    {"a cycle over the default source",
     lines({kI, R"({"Name":"A","Source":"B"})", R"({"Name":"B"})", kO}),
     {"3:22: error: layers feed each other in a cycle: 'A' -> 'B' -> 'A' [net_14]",
      "4:1: note: layer 'B' reads 'A' here"}},
    {"an unknown source",
     lines({kI, R"({"Source":"Nowhere","DataSet":"o"})"}),
     {"3:11: error: no layer is named 'Nowhere'; there are 'In' and 'Output1' [net_13]"}},
    {"every unknown source",
     lines({kI, R"({"Name":"Hid"})", R"({"Source":["hid","Hod"],"DataSet":"o"})"}),
     {"4:12: error: no layer is named 'hid'; layer names are case-sensitive; did you mean 'Hid'? [net_13]",
      "3:9: note: layer 'Hid' is declared here", "4:18: error: no layer is named 'Hod'; did you mean 'Hid'? [net_13]",
      "3:9: note: layer 'Hid' is declared here"}},
    {"a source named twice",
     lines({kI, R"({"Source":["In","In"],"DataSet":"o"})"}),
     {"3:17: error: 'In' is named twice among the sources of layer 'Output1' [net_13]",
      "3:12: note: it is named here first"}},
    {"the first layer reads nothing",
     lines({R"({"Kind":"Hidden"})", R"({"Kind":"Input","DataSet":"i"})",
            R"({"Source":["Hidden0","Input1"],"DataSet":"o"})"}),
     {"2:1: error: layer 'Hidden0' is the first and names no 'Source' [net_13]", "2:2: note: this layer is Hidden"}},
    {"every layer without effect",
     lines({kI, R"({"Name":"A"})", R"({"Name":"B"})", R"({"Source":"In","DataSet":"o"})"}),
     {"3:1: error: layer 'A' has no effect: it leads to no Output layer; name it as a 'Source' or remove it [net_14]",
      "4:1: error: layer 'B' has no effect: it leads to no Output layer; name it as a 'Source' or remove it [net_14]"}},
    // no text, no JSON
    {"UTF-16", std::string("\xFF\xFE{\0}\0", 6), {"1:1: error: the file is UTF-16; save it as UTF-8 [net_1]"}},
    {"NUL behind the network",
     lines({kI, kO}) + '\0',
     {"3:31: error: byte 0x00 has no place in text; a network is JSON, saved as UTF-8 [net_1]"}},
    {"Latin-1 in a comment",
     "{ // caf\xE9\n}",
     {"1:9: error: byte 0xe9 has no place in text; a network is JSON, saved as UTF-8 [net_1]"}},
    {"overlong UTF-8",
     "{\n\"a\":\"\xC0\x80\"}",
     {"2:6: error: byte 0xc0 has no place in text; a network is JSON, saved as UTF-8 [net_1]"}},
    {"a surrogate",
     "\"\xED\xA0\x80\"",
     {"1:2: error: byte 0xed has no place in text; a network is JSON, saved as UTF-8 [net_1]"}},
    {"cut short",
     "{\"Layers\":\n[ {",
     {"2:4: error: unexpected end of input; expected a key in double quotes [net_1]",
      "2:3: note: this '{' is not closed"}},
    {"the wrong bracket",
     "{\"Layers\":\n[ 1}",
     {"2:4: error: unexpected '}'; expected ',' or ']' [net_1]", "2:1: note: this '[' is not closed"}},
    {"100,000 objects deep",
     [] {
       std::string text;
       for (int i = 0; i < 100000; ++i)
         text += "{\"a\":";
       return text;
     }(),
     {"1:321: error: nested more than 64 deep: this is no network [net_1]"}},
    {"beyond double", "{\"Version\":-1e400}", {"1:12: error: no number is this large: they end at 1.8e308 [net_1]"}},
    {"a word in place of the network", "AE", {"1:1: error: invalid literal [net_1]"}},
    {"a string that does not end", "{\"a\": \"b\n}", {"1:7: error: this string does not end on its line [net_1]"}},
    {"a string at the end", "{\"a", {"1:2: error: this string does not end on its line [net_1]"}},
    {"a comment that is none", "{ / }", {"1:4: error: invalid comment; expecting '/' or '*' after '/' [net_1]"}},
};

class Table : public testing::TestWithParam<Row> {};
} // namespace

TEST_P(Table, FindsThisAndNothingElse) {
  EXPECT_EQ(findingsOf(GetParam().text), GetParam().findings) << GetParam().text;
}
INSTANTIATE_TEST_SUITE_P(Rules, Table, testing::ValuesIn(kRows));
} // namespace sn::frontend::test
