// Round trips of data files, and what loading makes of files written by others, right and wrong.
#include "test/unit/data/Raw.h"
#include <cmath>
#include <limits>

namespace sn::rt {
namespace {
using namespace test;

void expectEqual(const DataSet &a, const DataSet &b) {
  EXPECT_EQ(a.loader, b.loader);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.columns, b.columns);
  EXPECT_EQ(a.indptr, b.indptr);
  EXPECT_EQ(a.indices, b.indices);
  EXPECT_EQ(a.values, b.values);
  ASSERT_EQ(bool(a.rowNames), bool(b.rowNames));
  ASSERT_EQ(bool(a.columnNames), bool(b.columnNames));
  if (a.rowNames) {
    EXPECT_EQ(*a.rowNames, *b.rowNames);
  }
  if (a.columnNames) {
    EXPECT_EQ(*a.columnNames, *b.columnNames);
  }
}

TEST(DataFile, RoundTripOfEveryLoaderKind) {
  Folder folder;
  DataSet first = binary(5, {{0, 4}, {}, {1, 2, 3}});
  first.rowNames = names({"ann", "bob", "c\xC3\xA9line"});
  first.columnNames = names({"a", "", "c", "d", "e"});
  DataSet second = csr(3, {{{1, -2.5f}}, {{0, 0.0f}, {2, 1e30f}}}, true);
  DataSet third;
  third.loader = Loader::Dense;
  third.rows = 2, third.columns = 3;
  third.values = {1, 2, 3, 4, 5, 6};
  third.columnNames = names({"x", "y", "z"});
  DataFileWriter writer(folder / "d.h5", false);
  writer.write("first", first);
  writer.write("second", second);
  writer.write("third", third);
  writer.link("third", "fourth");
  writer.commit();
  DataFile file = DataFile::open(folder / "d.h5");
  EXPECT_EQ(file.names(), (std::vector<std::string>{"first", "fourth", "second", "third"}));
  expectEqual(*file.load("first"), first);
  expectEqual(*file.load("second"), second);
  expectEqual(*file.load("third"), third);
  EXPECT_EQ(file.load("third"), file.load("fourth"));
  EXPECT_TRUE(file.load("first")->notes.empty());
}

TEST(DataFile, NamesOfAnyLengthsSurvive) {
  Folder folder;
  for (bool oneLong : {false, true}) {
    Names many;
    for (int i = 0; i < 70000; ++i)
      many.add(fmt::format("item {}", i * 7));
    many.add(oneLong ? std::string(3000, 'x') : "y"); // the long one makes fixed length the larger file
    h5::File file = h5::File::create(folder / "n.h5", "n.h5");
    file.writeNames("names", many);
    file.writeNames("none", Names());
    file.close();
    h5::File again = h5::File::open(folder / "n.h5");
    EXPECT_EQ(again.readNames("names"), many);
    EXPECT_TRUE(again.readNames("none").empty());
    EXPECT_LT(std::filesystem::file_size(folder / "n.h5"), 70001 * 64);
  }
}

TEST(DataFile, NamesWithZeroBytesAreRefused) {
  Folder folder;
  DataSet data = binary(2, {{0}});
  data.rowNames = names({std::string_view("a\0b", 3)});
  DataFileWriter writer(folder / "z.h5", false);
  EXPECT_USER_ERROR(writer.write("input", data), "z.h5", "zero byte");
}

TEST(DataFile, HardLinkIsLoadedOnce) {
  Folder folder;
  DataFileWriter writer(folder / "d.h5", false);
  writer.write("input", binary(4, {{1}, {2}}));
  writer.write("other", binary(4, {{1}, {2}}));
  writer.link("input", "output");
  writer.commit();
  DataFile file = DataFile::open(folder / "d.h5");
  EXPECT_EQ(file.load("input").get(), file.load("output").get());
  EXPECT_NE(file.load("input").get(), file.load("other").get());
  EXPECT_TRUE(file.same("input", "output"));
  EXPECT_FALSE(file.same("input", "other"));
}

TEST(DataFile, EqualContentGivesEqualBytes) {
  Folder folder;
  DataSet data = csr(3, {{{1, 2}}, {{0, 3}}}, true);
  Names longNames;
  longNames.add(std::string(500, 'a'));
  longNames.add("b");
  data.rowNames = std::make_shared<const Names>(longNames);
  data.columnNames = names({"p", "q", "r"});
  for (std::string name : {"a.h5", "b.h5"}) {
    DataFileWriter writer(folder / name, false);
    writer.write("input", data);
    writer.link("input", "output");
    writer.commit();
    nextSecond();
  }
  EXPECT_EQ(contentOf(folder / "a.h5"), contentOf(folder / "b.h5"));
  EXPECT_EQ(folder.files(), (std::vector<std::string>{"a.h5", "b.h5"}));
}

TEST(DataFile, ReadsWhatScipyAndH5pyWrite) {
  Folder folder;
  {
    Raw raw(folder / "s.h5");
    raw.group("input", "csr_matrix", {3, 4});
    raw.array<int64_t>("input/indptr", H5T_STD_I32LE, {0, 2, 2, 3});
    raw.array<int64_t>("input/indices", H5T_STD_I64LE, {1, 3, 0}, {}, true);
    raw.array<double>("input/data", H5T_IEEE_F64BE, {0.5, -2, 7});
    raw.strings("input/row_names", {"u1", "u2", "u3"});
    raw.spacePadded("input/column_names", "a  bb ccc   ", 3);
    raw.group("flags", "csr_matrix", {1, 4});
    raw.array<int64_t>("flags/indptr", H5T_STD_I64LE, {0, 2});
    raw.array<int64_t>("flags/indices", H5T_STD_U16LE, {1, 3});
    raw.booleans("flags/data", {1, 1});
    raw.array<int32_t>("image", H5T_STD_U8LE, {1, 2, 3, 4, 5, 6, 7, 255}, {2, 2, 2}, true);
    raw.array<int32_t>("vector", H5T_STD_U8LE, {1, 2});
    raw.strings("text", {"no data set"});
  }
  DataFile file = DataFile::open(folder / "s.h5");
  EXPECT_EQ(file.names(), (std::vector<std::string>{"flags", "image", "input"}));
  auto input = file.load("input");
  DataSet expected = csr(4, {{{1, 0.5f}, {3, -2}}, {}, {{0, 7}}}, true);
  expected.rowNames = names({"u1", "u2", "u3"});
  expected.columnNames = names({"a", "bb", "ccc", ""});
  expectEqual(*input, expected);
  auto flags = file.load("flags");
  EXPECT_EQ(flags->values, (std::vector<float>{1, 1}));
  ASSERT_EQ(flags->notes.size(), 1u);
  EXPECT_NE(flags->notes[0].find("every value is 1"), std::string::npos);
  auto image = file.load("image");
  EXPECT_EQ(image->columns, 4);
  EXPECT_EQ(image->values, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 255}));
}

TEST(DataFile, SortsAndMergesAndSaysSo) {
  Folder folder;
  {
    Raw raw(folder / "u.h5");
    raw.sparse("binary", {0, 4, 5}, {3, 1, 3, 0, 2});
    raw.sparse("analog", {0, 4, 6}, {3, 1, 3, 0, 2, 2});
    raw.array<float>("analog/data", H5T_IEEE_F32LE, {1, 2, 4, 8, 0.5f, 0.25f});
  }
  DataFile file = DataFile::open(folder / "u.h5");
  auto first = file.load("binary"), second = file.load("analog");
  expectEqual(*first, [] {
    DataSet data = binary(4, {{0, 1, 3}, {2}});
    return data;
  }());
  expectEqual(*second, csr(4, {{{0, 8}, {1, 2}, {3, 5}}, {{2, 0.75f}}}, true));
  ASSERT_EQ(first->notes.size(), 2u);
  EXPECT_NE(first->notes[0].find("binary: 1 duplicate entries merged (kept once)"), std::string::npos);
  EXPECT_NE(first->notes[1].find("1 rows were not sorted"), std::string::npos);
  EXPECT_NE(second->notes[0].find("2 duplicate entries merged (values summed)"), std::string::npos);
}

TEST(DataFile, RefusesBadFiles) {
  Folder folder;
  std::string path = folder / "bad.h5";
  float nan = std::numeric_limits<float>::quiet_NaN();
  {
    Raw raw(path);
    raw.group("csc", "csc_matrix", {2, 4});
    raw.group("other", "dataframe", {2, 4});
    raw.group("flat", "csr_matrix", {8});
    raw.group("empty", "csr_matrix", {2, 0});
    raw.group("wide", "csr_matrix", {2, 4});
    raw.group("bare", "csr_matrix", {2, 4});
    raw.sparse("short", {0, 1}, {1});
    raw.sparse("falls", {0, 2, 1}, {1});
    raw.sparse("starts", {1, 1, 1}, {1});
    raw.sparse("ends", {0, 1, 2}, {1});
    raw.sparse("high", {0, 1, 2}, {1, 4});
    raw.sparse("low", {0, 1, 2}, {-1, 1});
    raw.sparse("values", {0, 1, 2}, {1, 2});
    raw.array<float>("values/data", H5T_IEEE_F32LE, {1});
    raw.sparse("nan", {0, 1, 2}, {1, 2});
    raw.array<float>("nan/data", H5T_IEEE_F32LE, {1, nan});
    raw.sparse("big", {0, 1, 2}, {1, 2});
    raw.array<double>("big/data", H5T_IEEE_F64LE, {1, 1e300});
    raw.sparse("names", {0, 1, 2}, {1, 2});
    raw.strings("names/row_names", {"one"});
    raw.group("floating", "csr_matrix", {2, 4});
    raw.array<float>("floating/indptr", H5T_IEEE_F32LE, {0, 1, 2});
    raw.array<float>("densenan", H5T_IEEE_F32LE, {1, 2, 3, nan}, {2, 2});
    raw.array<float>("line", H5T_IEEE_F32LE, {1, 2});
  }
  DataFile file = DataFile::open(path);
  EXPECT_USER_ERROR(file.load("missing"), "bad.h5", "no data set \"missing\"", "it has bare, big");
  EXPECT_USER_ERROR(file.load("csc"), "csc", "by columns", "tocsr()");
  EXPECT_USER_ERROR(file.load("other"), "encoding-type is \"dataframe\"", "csr_matrix");
  EXPECT_USER_ERROR(file.load("flat"), "[rows, columns]");
  EXPECT_USER_ERROR(file.load("empty"), "2 rows and 0 columns");
  EXPECT_USER_ERROR(file.load("bare"), "bare", "has no array indptr");
  EXPECT_USER_ERROR(file.load("short"), "indptr has 2 elements", "2 rows need one more");
  EXPECT_USER_ERROR(file.load("falls"), "falls from 2 to 1 at row 1");
  EXPECT_USER_ERROR(file.load("starts"), "begins with 1");
  EXPECT_USER_ERROR(file.load("ends"), "ends with 2", "1 indices");
  EXPECT_USER_ERROR(file.load("high"), "row 1 stores column 4", "0 to 3");
  EXPECT_USER_ERROR(file.load("low"), "row 0 stores column -1");
  EXPECT_USER_ERROR(file.load("values"), "2 values, one per index");
  EXPECT_USER_ERROR(file.load("nan"), "row 1, column 2 holds the value nan");
  EXPECT_USER_ERROR(file.load("big"), "row 1, column 2 holds the value inf");
  EXPECT_USER_ERROR(file.load("names"), "1 names for 2 rows");
  EXPECT_USER_ERROR(file.load("floating"), "indptr", "array of integers");
  EXPECT_USER_ERROR(file.load("densenan"), "row 1, column 1 holds the value nan");
  EXPECT_USER_ERROR(file.load("line"), "has 1 axes");
}

TEST(DataFile, RefusesWhatIsNoDataFile) {
  Folder folder;
  EXPECT_USER_ERROR(DataFile::open(folder / "none.h5"), "none.h5", "No such file");
  writeFile(folder / "text.h5", "user item item\n");
  EXPECT_USER_ERROR(DataFile::open(folder / "text.h5"), "text.h5", "not an HDF5 file");
  DataFileWriter writer(folder / "whole.h5", false);
  writer.write("input", binary(2000, {{1}, {2}}));
  writer.commit();
  std::string whole = contentOf(folder / "whole.h5");
  writeFile(folder / "cut.h5", whole.substr(0, whole.size() - 100));
  EXPECT_USER_ERROR(DataFile::open(folder / "cut.h5"), "cut.h5", "truncated");
}

TEST(DataFileWriter, NothingIsOverwrittenOrLeftBehind) {
  Folder folder;
  writeFile(folder / "d.h5", "precious");
  EXPECT_USER_ERROR(DataFileWriter(folder / "d.h5", false), "d.h5", "exists already", "--force");
  EXPECT_USER_ERROR(DataFileWriter(folder / "no/d.h5", false), "folder", "does not exist");
  {
    DataFileWriter abandoned(folder / "e.h5", false);
    abandoned.write("input", binary(4, {{1}}));
  }
  EXPECT_EQ(folder.files(), (std::vector<std::string>{"d.h5"}));
  EXPECT_EQ(contentOf(folder / "d.h5"), "precious");
  {
    DataFileWriter late(folder / "f.h5", false);
    late.write("input", binary(4, {{1}}));
    writeFile(folder / "f.h5", "somebody else's");
    EXPECT_USER_ERROR(late.commit(), "f.h5", "appeared");
  }
  EXPECT_EQ(contentOf(folder / "f.h5"), "somebody else's");
  DataFileWriter forced(folder / "d.h5", true);
  forced.write("input", binary(4, {{1}}));
  forced.commit();
  EXPECT_EQ(DataFile::open(folder / "d.h5").load("input")->columns, 4);
}

TEST(DataSet, ViewIsBoundToALayer) {
  DataSet data = csr(4, {{{1, 2}}, {{3, 4}}}, true);
  data.name = "input";
  DataView view = viewOf(data, 6);
  EXPECT_EQ(view.loader, Loader::CsrAnalog);
  EXPECT_EQ(view.rows, 2);
  EXPECT_EQ(view.columns, 6);
  EXPECT_EQ(view.storedColumns, 4);
  EXPECT_EQ(view.indptr, data.indptr.data());
  EXPECT_EQ(view.values, data.values.data());
  EXPECT_EQ(viewOf(binary(4, {{1}}), 4).values, nullptr);
  EXPECT_USER_ERROR(viewOf(data, 3), "input: has 4 columns, but the layer it is bound to has only 3 units");
}

TEST(DataSet, TidyKeepsTheLastValueWhenAsked) {
  DataSet data = csr(4, {{{2, 5}, {1, 1}, {2, 3}}}, true);
  Tidied tidied = tidyRows(data, Duplicates::Last);
  EXPECT_EQ(tidied.merged, 1);
  EXPECT_EQ(data.indices, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(data.values, (std::vector<float>{1, 3}));
}

TEST(NameIndex, FindsWhatWasAdded) {
  NameIndex index;
  for (int i = 0; i < 50000; ++i)
    ASSERT_EQ(index.add(fmt::format("n{}", i)), i);
  for (int i = 0; i < 50000; ++i)
    ASSERT_EQ(index.add(fmt::format("n{}", i)), i);
  EXPECT_EQ(index.size(), 50000);
  EXPECT_EQ(index.find("n777"), 777);
  EXPECT_EQ(index.find("m777"), -1);
  NameIndex copied(Names{"a", "b", "a"});
  EXPECT_EQ(copied.find("a"), 0);
  EXPECT_EQ(copied.find("b"), 1);
  EXPECT_EQ(NameIndex().find("a"), -1);
}
} // namespace
} // namespace sn::rt
