// Import: small inputs of every format against what should be in the file, alignment of train and test, rejects,
// hold-out.
#include "runtime/data/Import.h"
#include "runtime/data/HoldOut.h"
#include "test/unit/data/Support.h"
#include <zlib.h>

namespace sn::rt {
namespace {
using namespace test;
using Rows = std::vector<std::vector<std::string>>;

/// The rows as column names, "name=value" where the data set is analog.
Rows rowsOf(const DataSet &data) {
  Rows rows(data.rows);
  for (int64_t row = 0; row < data.rows; ++row)
    for (int64_t i = data.indptr[row]; i < data.indptr[row + 1]; ++i) {
      std::string name((*data.columnNames)[data.indices[i]]);
      rows[row].push_back(data.loader == Loader::CsrAnalog ? fmt::format("{}={}", name, data.values[i]) : name);
    }
  return rows;
}
std::string joined(const std::vector<std::string> &list) { return fmt::format("{}", fmt::join(list, " | ")); }

class Import : public ::testing::Test {
protected:
  ImportResult run(std::string_view text, ImportOptions options = {}) {
    writeFile(folder / "in.txt", text);
    options.source = folder / "in.txt";
    options.output = folder / "out.h5";
    options.force = true;
    ImportResult result = importText(options);
    EXPECT_EQ(result.format, expectedFormat);
    return result;
  }
  std::shared_ptr<const DataSet> load(const std::string &name = "input", const std::string &file = "out.h5") {
    return DataFile::open(folder / file).load(name);
  }
  Folder folder;
  std::string expectedFormat;
};

TEST_F(Import, Lines) {
  expectedFormat = "lines";
  ImportResult result = run("7 a b c\r\n\nbob\tc  a a \n7 d\nempty\nlast z");
  auto data = load();
  EXPECT_EQ(listOf(*data->rowNames), (std::vector<std::string>{"7", "bob", "empty", "last"}));
  EXPECT_EQ(listOf(*data->columnNames), (std::vector<std::string>{"a", "b", "c", "d", "z"}));
  EXPECT_EQ(rowsOf(*data), (Rows{{"a", "b", "c", "d"}, {"a", "c"}, {}, {"z"}}));
  DataFile file = DataFile::open(folder / "out.h5");
  EXPECT_TRUE(file.same("input", "output"));
  EXPECT_TRUE(result.detected);
  EXPECT_EQ(result.sources[0].merged, 1);
  EXPECT_EQ(result.files[0].entries, 7);
  EXPECT_EQ(result.files[0].emptyRows, 1);
  EXPECT_EQ(result.files[0].names, (std::vector<std::string>{"input", "output"}));
  EXPECT_TRUE(data->notes.empty()) << "what import writes is tidy";
}

TEST_F(Import, NameWritesThatDataSetOnly) {
  expectedFormat = "lines";
  run("u a b\nv a c d\n", {.name = "tags"});
  EXPECT_EQ(DataFile::open(folder / "out.h5").names(), (std::vector<std::string>{"tags"}));
}

constexpr const char *kMovieLens =
    "1\t2,1112486027:29,1112484676:32,1112484819\n2\t29,974820889:::3,974820717:\n\n1\t2,1112486027:7,1112484676\n";

TEST_F(Import, DsstneTimestampsAreLeftOutAndItSaysSo) {
  expectedFormat = "dsstne";
  ImportResult result = run(kMovieLens);
  EXPECT_EQ(rowsOf(*load()), (Rows{{"2", "7"}, {"29", "3"}})) << "the last line of a sample counts";
  EXPECT_EQ(load()->loader, Loader::CsrBinary);
  std::string notes = joined(result.sources[0].notes);
  EXPECT_NE(notes.find("from 974820717 to 1112486027 look like timestamps: left out, binary"), std::string::npos)
      << notes;
  EXPECT_NE(notes.find("1 lines replaced"), std::string::npos) << notes;
}

TEST_F(Import, DsstneValuesAreKeptWhenAsked) {
  expectedFormat = "dsstne";
  ImportResult result = run("ann\tx,2.5:y:z,-1e2,9\nbob\ty,4\n", {.values = true});
  EXPECT_EQ(rowsOf(*load()), (Rows{{"x=2.5", "y=0", "z=-100"}, {"y=4"}}));
  std::string notes = joined(result.sources[0].notes);
  EXPECT_NE(notes.find("from -100 to 4: kept, analog"), std::string::npos) << notes;
  EXPECT_NE(notes.find("1 entries without a value count as 0"), std::string::npos) << notes;
}

TEST_F(Import, DsstneRejectsAreCountedWithTheirLines) {
  expectedFormat = "dsstne";
  std::string text = "a\tx:y\nno tab here\nb\tx:q,zero:y\n\tx:y\n";
  EXPECT_USER_ERROR(run(text), "in.txt", "3 of 7 records", "cannot be read as dsstne",
                    "--max-rejects allows some to be left out (0 now)", "in.txt:2:1: no TAB",
                    "in.txt:3:7: \"zero\" is not a finite number", "in.txt:4:1: no sample name");
  EXPECT_EQ(folder.files(), (std::vector<std::string>{"in.txt"})) << "nothing half-written stays";
  ImportResult result = run(text, {.mostRejects = "3"});
  EXPECT_EQ(result.sources[0].rejected, 3);
  EXPECT_EQ(result.sources[0].firstRejects.size(), 3u);
  EXPECT_EQ(rowsOf(*load()), (Rows{{"x", "y"}, {"x", "y"}}));
}

TEST_F(Import, RejectsBeyondTenAreOnlyCounted) {
  expectedFormat = "dsstne";
  std::string text;
  for (int i = 0; i < 3000; ++i)
    text += i % 150 == 7 ? "bad line\n" : fmt::format("u{}\tx:y\n", i);
  EXPECT_USER_ERROR(run(text, {.mostRejects = "10"}), "20 of 5980 records", ":158:1: no TAB", "\n  ...\n");
  ImportResult result = run(text, {.mostRejects = "1%"});
  EXPECT_EQ(result.sources[0].rejected, 20);
  ASSERT_EQ(result.sources[0].firstRejects.size(), 10u);
  EXPECT_EQ(result.sources[0].firstRejects[1], folder / "in.txt" + ":158:1: no TAB after the sample's name");
}

TEST_F(Import, CsvWithMovieLensHeader) {
  expectedFormat = "csv";
  std::string text = "userId,movieId,rating,timestamp\n1,296,5.0,1147880044\n1,306,3.5,1147868817\n2,296,2.0,"
                     "1141415820\n1,296,4.0,1147880045\n";
  ImportResult result = run(text);
  EXPECT_EQ(rowsOf(*load()), (Rows{{"296", "306"}, {"296"}}));
  std::string notes = joined(result.sources[0].notes);
  EXPECT_NE(notes.find("user = userId, item = movieId, value = rating; with a header line"), std::string::npos)
      << notes;
  EXPECT_NE(notes.find("values from 2 to 5: left out, binary (--values keeps them)"), std::string::npos) << notes;
  EXPECT_EQ(result.sources[0].merged, 1);

  run(text, {.values = true});
  EXPECT_EQ(rowsOf(*load()), (Rows{{"296=9", "306=3.5"}, {"296=2"}})) << "summed";
  run(text, {.values = true, .duplicates = Duplicates::Last});
  EXPECT_EQ(rowsOf(*load()), (Rows{{"296=4", "306=3.5"}, {"296=2"}}));

  result = run(text, {.minimum = 3.5});
  EXPECT_EQ(rowsOf(*load()), (Rows{{"296", "306"}})) << "a user with nothing liked is no row";
  notes = joined(result.sources[0].notes);
  EXPECT_NE(notes.find("1 entries below --min-value 3.5 left out"), std::string::npos) << notes;
  run(text, {.minimum = 3.5, .values = true, .duplicates = Duplicates::Last});
  EXPECT_EQ(rowsOf(*load()), (Rows{{"296=4", "306=3.5"}}));
  run(text, {.columns = {.user = "movieId", .item = "1", .value = "timestamp"}});
  EXPECT_EQ(load()->loader, Loader::CsrAnalog) << "a value column asked for is kept";
  EXPECT_EQ(listOf(*load()->rowNames), (std::vector<std::string>{"296", "306"}));
}

TEST_F(Import, CsvDialects) {
  expectedFormat = "csv";
  run("ann;\"Heat; 1995\";4\nbob; \"say \"\"hi\"\"\" ;1\nann; Ran ;5\n");
  EXPECT_EQ(rowsOf(*load()), (Rows{{"Heat; 1995", "Ran"}, {"say \"hi\""}})) << "semicolons, quotes, no header";
  run("196\t242\t3\t881250949\n186\t302\t3\t891717742\n");
  EXPECT_EQ(rowsOf(*load()), (Rows{{"242"}, {"302"}})) << "MovieLens-100k";
  run("1::1193::5::978300760\n1::661::3::978302109\n", {.values = true});
  EXPECT_EQ(rowsOf(*load()), (Rows{{"1193=5", "661=3"}})) << "MovieLens-1M";
  run("\xEF\xBB\xBFwhen|asin|stars|reviewer\nmon|B1|2|ann\ntue|B2|3|bob\n", {.values = true});
  EXPECT_EQ(rowsOf(*load()), (Rows{{"B1=2"}, {"B2=3"}}));
  EXPECT_EQ(listOf(*load()->rowNames), (std::vector<std::string>{"ann", "bob"}));
  run("who,what,much\nann,x,1\nbob,y,2\n");
  EXPECT_EQ(rowsOf(*load()), (Rows{{"x"}, {"y"}})) << "a header told from words over numbers";
  run("ann,x\nbob,y\n");
  EXPECT_EQ(load()->rows, 2);
}

TEST_F(Import, CsvRejectsAndBadColumns) {
  expectedFormat = "csv";
  std::string text = "user,item,rating\n", bad = "a,x,5\nb\n,x,5\nc,,5\nd,x,high\ne,\"x,5\n";
  for (int i = 0; i < 60; ++i) // the format is told from the beginning
    text += fmt::format("u{},x,3\n", i);
  EXPECT_USER_ERROR(run(text + bad, {.values = true}), "5 of 66", "in.txt:63: 1 columns instead of 3",
                    "in.txt:64:1: the user is empty", "in.txt:65:3: the item is empty",
                    "in.txt:66:5: \"high\" is not a finite number", "in.txt:67: a quote is not closed");
  EXPECT_EQ(run(text + bad, {.mostRejects = "10%"}).sources[0].rejected, 4)
      << "values that are not kept need not be numbers";
  EXPECT_USER_ERROR(run(text, {.columns = {.user = "movie"}}), "--user movie", "columns are user, item, rating");
  EXPECT_USER_ERROR(run(text, {.columns = {.item = "4"}}), "--item 4");
  EXPECT_USER_ERROR(run(text, {.columns = {.item = "user"}}), "cannot tell the user's column");
  EXPECT_USER_ERROR(run("user,item\na,x\nb,y\n", {.values = true}), "--value", "columns: user, item");
  EXPECT_USER_ERROR(run(text, {.mostRejects = "few"}), "--max-rejects few");
}

TEST_F(Import, LibSvmWithLabels) {
  expectedFormat = "libsvm";
  ImportResult result = run("+1 1:0.5 4:2 # note\n-1 2:1e-3 qid:7\n\n+1 7:1\n");
  auto input = load("input"), output = load("output");
  EXPECT_EQ(rowsOf(*input), (Rows{{"1=0.5", "4=2"}, {"2=0.001"}, {"7=1"}}));
  EXPECT_EQ(input->columns, 7) << "columns are the numbers, from 1";
  EXPECT_EQ(input->indices, (std::vector<int32_t>{0, 3, 1, 6}));
  EXPECT_EQ(input->rowNames, nullptr);
  EXPECT_EQ(rowsOf(*output), (Rows{{"+1"}, {"-1"}, {"+1"}}));
  EXPECT_EQ(result.files[0].labels, 2);
  run("0 0:1 2:1\n1 5:1\n");
  EXPECT_EQ(load("input")->loader, Loader::CsrBinary) << "only ones";
  EXPECT_EQ(load("input")->indices, (std::vector<int32_t>{0, 2, 5}));
  run("3 9 40\n1,7 0:.5 3:1\n 2:4\n12 8:1\n");
  EXPECT_EQ(load("input")->columns, 9) << "declared in the first line";
  EXPECT_EQ(rowsOf(*load("output")), (Rows{{"1", "7"}, {}, {"12"}}));
}

TEST_F(Import, LibSvmTestFollowsTheTraining) {
  expectedFormat = "libsvm";
  writeFile(folder / "test.txt", "b 5:1 99:1\nc 1:1\na 2:1\na 5:1\n");
  ImportResult result = run("a 1:0.5 5:2\nb 2:1\n", {.test = folder / "test.txt", .testOutput = folder / "test.h5"});
  auto data = load("input", "test.h5"), labels = load("output", "test.h5");
  EXPECT_EQ(data->columns, 5);
  EXPECT_EQ(rowsOf(*data), (Rows{{"5=1"}, {"1=1"}, {"2=1"}, {"5=1"}})) << "examples of its own, analog as the training";
  EXPECT_EQ(labels->columns, 2);
  EXPECT_EQ(rowsOf(*labels), (Rows{{"b"}, {}, {"a"}, {"a"}}));
  std::string notes = joined(result.sources[1].notes);
  EXPECT_NE(notes.find("1 entries of 1 unknown columns dropped"), std::string::npos) << notes;
  EXPECT_NE(notes.find("1 unknown labels dropped"), std::string::npos) << notes;
}

TEST_F(Import, TestIsAlignedWithTheTraining) {
  expectedFormat = "lines";
  writeFile(folder / "test.txt", "bob d a q\nzoe a b\nann c c\n");
  ImportResult result =
      run("ann a b\nbob b c\ncyd d a\n", {.test = folder / "test.txt", .testOutput = folder / "test.h5"});
  auto train = load(), test = load("input", "test.h5");
  EXPECT_EQ(*train->rowNames, *test->rowNames);
  EXPECT_EQ(*train->columnNames, *test->columnNames);
  EXPECT_EQ(rowsOf(*test), (Rows{{"c"}, {"a", "d"}, {}}));
  ASSERT_EQ(result.sources.size(), 2u);
  std::string notes = joined(result.sources[1].notes);
  EXPECT_NE(notes.find("2 entries of 1 unknown rows dropped"), std::string::npos) << notes;
  EXPECT_NE(notes.find("1 entries of 1 unknown columns dropped"), std::string::npos) << notes;
}

TEST_F(Import, VocabularyKeepsIds) {
  expectedFormat = "lines";
  run("ann a b\nbob b c\n");
  std::filesystem::rename(folder / "out.h5", folder / "first.h5");
  run("zoe c x\nbob a c\n", {.vocabulary = folder / "first.h5"});
  EXPECT_EQ(listOf(*load()->columnNames), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(listOf(*load()->rowNames), (std::vector<std::string>{"zoe", "bob"})) << "rows are new ones";
  EXPECT_EQ(rowsOf(*load()), (Rows{{"c"}, {"a", "c"}}));
  run("zoe c x\nbob a c\n", {.vocabulary = folder / "first.h5", .alignRows = true});
  EXPECT_EQ(listOf(*load()->rowNames), (std::vector<std::string>{"ann", "bob"}));
  EXPECT_EQ(rowsOf(*load()), (Rows{{}, {"a", "c"}}));
}

TEST_F(Import, FeatureIndexFixesIds) {
  expectedFormat = "dsstne";
  writeFile(folder / "index", "29\t4\n2\t0\r\nunused\t1\n");
  ImportResult result = run(kMovieLens, {.featureIndex = folder / "index"});
  EXPECT_EQ(listOf(*load()->columnNames), (std::vector<std::string>{"2", "unused", "", "", "29"}));
  EXPECT_EQ(rowsOf(*load()), (Rows{{"2"}, {"29"}}));
  EXPECT_NE(joined(result.sources[0].notes).find("3 entries of 3 unknown columns dropped"), std::string::npos);
  for (auto [text, part] : {std::pair("a\t1\na\t2\n", ":2: the label \"a\" stands there twice"),
                            {"a\t1\nb\t1\n", "a and b have the same number 1"},
                            {"a\t1\nb 2\n", ":2: should be a label"},
                            {"a\t-1\n", ":1: should be a label"},
                            {"a\t1.5\n", ":1: should be a label"},
                            {"a\t2000000000\n", "only 1 labels"}}) {
    writeFile(folder / "index", text);
    EXPECT_USER_ERROR(readFeatureIndex(folder / "index"), "index", part);
  }
}

TEST_F(Import, GzipIsReadTransparently) {
  expectedFormat = "lines";
  std::string text, path = folder / "in.gz";
  for (int i = 0; i < 200000; ++i)
    text += fmt::format("u{} i{} i{}\n", i, i % 977, (i * 31) % 5003);
  text += "long"; // a line longer than any buffer
  for (int i = 0; i < 400000; ++i)
    text += fmt::format(" i{}", i % 5003);
  gzFile file = gzopen(path.c_str(), "wb1");
  gzwrite(file, text.data(), unsigned(text.size()));
  gzclose(file);
  ImportResult result = importText({.source = path, .output = folder / "gz.h5"});
  run(text);
  EXPECT_EQ(contentOf(folder / "gz.h5"), contentOf(folder / "out.h5"));
  EXPECT_EQ(result.files[0].rows, 200001);
  writeFile(folder / "cut.gz", contentOf(path).substr(0, 100000));
  EXPECT_USER_ERROR(importText({.source = folder / "cut.gz", .output = folder / "cut.h5"}), "cut.gz", "truncated gzip");
}

TEST_F(Import, RefusesSourcesItCannotRead) {
  auto refused = [&](std::string_view text) {
    writeFile(folder / "in", text);
    return errorOf([&] { importText({.source = folder / "in", .output = folder / "o.h5"}); });
  };
  EXPECT_NE(refused("").find("is empty"), std::string::npos);
  EXPECT_NE(refused("\x89HDF\r\n").find("HDF5 file"), std::string::npos);
  EXPECT_NE(refused("PK\x03\x04").find("ZIP archive"), std::string::npos);
  EXPECT_NE(refused(std::string_view("a b\0c", 5)).find("binary file"), std::string::npos);
  EXPECT_NE(refused("one\ntwo\nthree\n").find("--format"), std::string::npos);
  EXPECT_NE(refused("a,b,c\nd,e\n").find("cannot tell its format"), std::string::npos);
  EXPECT_USER_ERROR(importText({.source = folder / "none", .output = folder / "o.h5"}), "none", "No such file");
  EXPECT_USER_ERROR(importText({.source = folder / ".", .output = folder / "o.h5"}), "is a folder");
}

TEST_F(Import, OptionsThatContradictEachOther) {
  std::string in = folder / "in", out = folder / "o.h5";
  writeFile(in, "u a b\nv a c d\n");
  EXPECT_USER_ERROR(importText({.source = in, .output = out, .holdOut = 0.2}), "--test-output");
  EXPECT_USER_ERROR(importText({.source = in, .output = out, .testOutput = folder / "t.h5"}), "needs --test");
  EXPECT_USER_ERROR(importText({.source = in, .output = out, .testOutput = out, .holdOut = 0.2}), "both --output");
  EXPECT_USER_ERROR(importText({.source = in, .output = out, .testOutput = folder / "t.h5", .holdOut = 1.5}),
                    "--hold-out 1.5");
  EXPECT_USER_ERROR(importText({.source = in, .output = out, .alignRows = true}), "needs --vocabulary");
  EXPECT_USER_ERROR(importText({.source = in, .output = out, .values = true}), "no values");
  EXPECT_USER_ERROR(importText({.source = in, .output = out, .columns = {.user = "1"}}), "columns of csv");
  EXPECT_USER_ERROR(importText({.source = in, .output = out, .format = "xml"}), "--format xml", "libsvm");
  EXPECT_USER_ERROR(importText({.source = in, .output = in, .force = true}), "would overwrite what is read");
  EXPECT_EQ(contentOf(in), "u a b\nv a c d\n");
  importText({.source = in, .output = out});
  EXPECT_USER_ERROR(importText({.source = in, .output = out}), "exists already");
}

TEST(HoldOut, SplitsEveryRow) {
  std::vector<std::vector<int32_t>> rows;
  for (int32_t n = 0; n < 60; ++n) {
    rows.emplace_back();
    for (int32_t i = 0; i < n; ++i)
      rows.back().push_back(3 * i + n % 3);
  }
  DataSet data = binary(200, rows);
  HeldOut split = holdOut(data, 0.2, 1);
  for (int64_t row = 0; row < data.rows; ++row) {
    auto [keptFirst, keptEnd] = rowOf(split.kept, row);
    auto [heldFirst, heldEnd] = rowOf(split.held, row);
    std::vector<int32_t> merged;
    std::merge(keptFirst, keptEnd, heldFirst, heldEnd, std::back_inserter(merged));
    EXPECT_EQ(merged, rows[row]) << "every entry on one side, in order";
    double count = double(rows[row].size()), held = double(heldEnd - heldFirst);
    if (count >= 2) {
      EXPECT_GE(held, 1);
      EXPECT_LT(held, count);
      EXPECT_LE(std::abs(held - 0.2 * count), 1);
    } else {
      EXPECT_EQ(held, 0);
    }
  }
  EXPECT_NEAR(double(split.held.indices.size()), 0.2 * double(data.indices.size()), 0.02 * double(data.indices.size()));
  EXPECT_EQ(holdOut(data, 0.2, 1).held.indices, split.held.indices);
  EXPECT_NE(holdOut(data, 0.2, 2).held.indices, split.held.indices);
}

TEST(HoldOut, TakesValuesAlongAndRefusesDense) {
  DataSet data = csr(9, {{{1, 10}, {4, 40}, {7, 70}}}, true);
  HeldOut split = holdOut(data, 0.5, 3);
  for (const DataSet *side : {&split.kept, &split.held})
    for (size_t i = 0; i < side->indices.size(); ++i)
      EXPECT_EQ(side->values[i], 10.0f * float(side->indices[i]));
  data.loader = Loader::Dense;
  EXPECT_USER_ERROR(holdOut(data, 0.5, 3), "sparse data only");
}

/// Where the real data sets are, or "" (they may not be in the project, see their README).
std::string sharedData(const std::string &file) {
  const char *set = std::getenv("SNC_SHARED_DATA");
  std::string root = set ? set : std::filesystem::path(__FILE__).parent_path().string() + "/../../../../shared/data";
  std::string path = root + "/" + file;
  return std::filesystem::exists(path) ? path : "";
}

TEST_F(Import, AmazonBook) {
  std::string train = sharedData("amazon-book/train.txt"), test = sharedData("amazon-book/test.txt");
  if (train.empty() || test.empty())
    GTEST_SKIP() << "amazon-book is not there: set SNC_SHARED_DATA to the folder that has it";
  ImportResult result =
      importText({.source = train, .output = folder / "a.h5", .test = test, .testOutput = folder / "t.h5"});
  ASSERT_EQ(result.files.size(), 2u);
  EXPECT_EQ(result.format, "lines");
  for (const auto &file : result.files) {
    EXPECT_EQ(file.rows, 70679);
    EXPECT_EQ(file.columns, 24915);
    EXPECT_FALSE(file.analog);
  }
  EXPECT_EQ(result.files[0].entries, 652514);
  EXPECT_EQ(result.files[1].entries, 193920);
}

TEST_F(Import, MovieLens1024) {
  std::string input = sharedData("movielens-1024/input.txt.gz"), index = sharedData("movielens-1024/feature_index.txt");
  if (input.empty() || index.empty())
    GTEST_SKIP() << "movielens-1024 is not there: set SNC_SHARED_DATA to the folder that has it";
  ImportResult result = importText({.source = input, .output = folder / "m.h5", .featureIndex = index});
  EXPECT_EQ(result.format, "dsstne");
  EXPECT_EQ(result.files[0].rows, 1024);
  EXPECT_EQ(result.files[0].columns, 26744);
  EXPECT_FALSE(result.files[0].analog);
  EXPECT_NE(joined(result.sources[0].notes).find("look like timestamps: left out, binary"), std::string::npos);
}
} // namespace
} // namespace sn::rt
