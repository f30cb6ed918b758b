// HDF5 files that are no data files, or hold data sets that cannot be what they say: each refused in words, none by a
// crash, none after taking memory for what the file does not hold.
#include "test/unit/data/Raw.h"
#include <cmath>
#include <functional>
#include <limits>
#include <sys/stat.h>

namespace sn::rt {
namespace {
using namespace test;

TEST(BadData, OtherFilesAreNamed) {
  Folder folder;
  struct Case {
    std::string_view content;
    const char *says;
  };
  using namespace std::string_view_literals;
  for (const Case &c : {Case{"", "f.h5: is empty; an HDF5 file is expected"},
                        Case{"PK\x03\x04rest", "is not an HDF5 file but a ZIP archive, as plans are; the order is"},
                        Case{"{\"Version\": 0.7}", "it looks like JSON, as networks are written in"},
                        Case{"user,item\n", "is not an HDF5 file; text becomes one with: snrt import"},
                        Case{"\0\1\2\3"sv, "f.h5: is not an HDF5 file"},
                        Case{"\x89HDF\r\n\x1A\n", "is a damaged or truncated HDF5 file ("}}) {
    writeFile(folder / "f.h5", c.content);
    EXPECT_USER_ERROR(DataFile::open(folder / "f.h5"), c.says);
  }
  EXPECT_USER_ERROR(DataFile::open(folder / ""), "is a folder; an HDF5 file is expected");
  EXPECT_USER_ERROR(DataFile::open("/dev/null"), "/dev/null: is a device or a pipe; an HDF5 file is expected");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_USER_ERROR(DataFile::open(folder / "pipe"), "is a device or a pipe; an HDF5 file is expected");
  EXPECT_USER_ERROR(DataFile::open(folder / "none.h5"), "none.h5: cannot be read: No such file");
}

/// An array that is declared only: its elements are in the file only where something is written.
void declare(hid_t file, const std::string &name, hid_t type, std::vector<hsize_t> shape, bool chunked = false) {
  hid_t space = H5Screate_simple(int(shape.size()), shape.data(), nullptr), list = H5Pcreate(H5P_DATASET_CREATE);
  std::vector<hsize_t> chunk;
  for (hsize_t extent : shape)
    chunk.push_back(std::min<hsize_t>(extent, 1000));
  if (chunked)
    H5Pset_chunk(list, int(chunk.size()), chunk.data());
  hid_t set = H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  ASSERT_GE(set, 0);
  H5Dclose(set), H5Pclose(list), H5Sclose(space);
}

TEST(BadData, SizesThatTheFileCannotHold) {
  Folder folder;
  constexpr int64_t kHuge = int64_t(1) << 50;
  {
    Raw raw(folder / "f.h5");
    for (std::string name : {"rows", "entries", "values"})
      raw.group64(name, {name == "rows" ? kHuge : 2, 4});
    declare(raw.id(), "rows/indptr", H5T_STD_I64LE, {kHuge + 1}, true);
    raw.array<int64_t>("rows/indices", H5T_STD_I32LE, {1});
    for (std::string name : {"entries", "values"}) {
      raw.array<int64_t>(name + "/indptr", H5T_STD_I64LE, {0, 1, name == "entries" ? kHuge : 2});
      declare(raw.id(), name + "/indices", H5T_STD_I32LE, {hsize_t(name == "entries" ? kHuge : 2)}, true);
    }
    declare(raw.id(), "values/data", H5T_IEEE_F32LE, {kHuge});
    declare(raw.id(), "dense", H5T_IEEE_F32LE, {kHuge, 4}, true);
    declare(raw.id(), "many", H5T_STD_U8LE, {kHuge, 1 << 20}, true);
    declare(raw.id(), "wide", H5T_STD_U8LE, {2, kHuge}, true);
    declare(raw.id(), "deep", H5T_STD_U8LE, {2, 1 << 20, 1 << 20, 1 << 20}, true);
    raw.group64("columns", {2, int64_t(1) << 31});
    raw.group64("most", {std::numeric_limits<int64_t>::max(), 4});
    raw.array<int64_t>("most/indptr", H5T_STD_I64LE, {0, 1, 2});
    raw.group64("names", {2, 4});
    raw.array<int64_t>("names/indptr", H5T_STD_I64LE, {0, 1, 2});
    raw.array<int64_t>("names/indices", H5T_STD_I32LE, {1, 2});
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 1 << 20);
    declare(raw.id(), "names/row_names", text, {1 << 30}, true);
    H5Tclose(text);
  }
  DataFile file = DataFile::open(folder / "f.h5");
  const char *held = "bytes of it; it is damaged or was not written to its end";
  EXPECT_USER_ERROR(file.load("rows"), "rows/indptr", "[1125899906842625]", held);
  EXPECT_USER_ERROR(file.load("entries"), "entries/indices", "[1125899906842624]", held);
  EXPECT_USER_ERROR(file.load("values"), "one per index; it has the shape [1125899906842624]");
  EXPECT_USER_ERROR(file.load("dense"), "a dense data set of so many values does not fit in memory");
  EXPECT_USER_ERROR(file.load("many"), "1125899906842624 rows of 1048576 columns; a dense data set of so many");
  for (const char *name : {"wide", "deep", "columns"})
    EXPECT_USER_ERROR(file.load(name), "columns; at most 2147483647 are supported");
  EXPECT_USER_ERROR(file.load("most"), "indptr has 3 elements; 9223372036854775807 rows need one more than that");
  EXPECT_USER_ERROR(file.load("names"), "names/row_names", held);
}

TEST(BadData, ShapesKindsAndTypes) {
  Folder folder;
  float infinite = std::numeric_limits<float>::infinity();
  {
    Raw raw(folder / "f.h5");
    raw.group("zero", "csr_matrix", {0, 4});
    raw.group("narrow", "csr_matrix", {2, 0});
    raw.group("minus", "csr_matrix", {-2, 4});
    raw.group("flat", "csr_matrix", {8});
    raw.group("csc", "csc_matrix", {2, 4});
    raw.group("frame", "dataframe", {2, 4});
    H5Gclose(H5Gcreate2(raw.id(), "plain", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    raw.sparse("matrix", {0, 1, 2}, {1, 2});
    for (std::string name : {"real", "column", "square", "text"})
      raw.group(name, "csr_matrix", {2, 4});
    raw.array<float>("real/indptr", H5T_IEEE_F32LE, {0, 1, 2});
    raw.array<int64_t>("square/indptr", H5T_STD_I64LE, {0, 1, 2}, {3, 1});
    raw.array<int64_t>("column/indptr", H5T_STD_I64LE, {0, 1, 2});
    raw.array<float>("column/indices", H5T_IEEE_F32LE, {1, 2});
    raw.array<int64_t>("text/indptr", H5T_STD_I64LE, {0, 1, 2});
    raw.strings("text/indices", {"1", "2"});
    raw.sparse("words", {0, 1, 2}, {1, 2});
    raw.strings("words/data", {"a", "b"});
    raw.sparse("compound", {0, 1, 2}, {1, 2});
    hid_t pair = H5Tcreate(H5T_COMPOUND, 16);
    H5Tinsert(pair, "re", 0, H5T_NATIVE_DOUBLE), H5Tinsert(pair, "im", 8, H5T_NATIVE_DOUBLE);
    declare(raw.id(), "compound/data", pair, {2});
    declare(raw.id(), "complex", pair, {2, 2});
    H5Tcommit2(raw.id(), "type", pair, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Tclose(pair);
    raw.sparse("groupdata", {0, 1, 2}, {1, 2});
    H5Gclose(H5Gcreate2(raw.id(), "groupdata/data", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    raw.sparse("far", {0, 1, 2}, {1, 0});
    raw.group("far64", "csr_matrix", {2, 4});
    raw.array<int64_t>("far64/indptr", H5T_STD_I64LE, {0, 1, 2});
    raw.array<int64_t>("far64/indices", H5T_STD_I64LE, {1, (int64_t(1) << 32) + 1});
    raw.sparse("starts", {1, 1, 1}, {1});
    raw.sparse("falls", {0, 2, 1}, {1});
    raw.sparse("ends", {0, 1, 2}, {1});
    raw.sparse("inf", {0, 0, 2}, {1, 3});
    raw.array<float>("inf/data", H5T_IEEE_F32LE, {1, -infinite});
    raw.array<float>("vector", H5T_IEEE_F32LE, {1, 2});
    raw.sparse("numbers", {0, 1, 2}, {1, 2});
    raw.array<float>("numbers/column_names", H5T_IEEE_F32LE, {1, 2, 3, 4});
    raw.sparse("fewer", {0, 1, 2}, {1, 2});
    raw.strings("fewer/column_names", {"a", "b"});
  }
  DataFile file = DataFile::open(folder / "f.h5");
  EXPECT_USER_ERROR(file.load("zero"), "0 rows and 4 columns; both should be at least 1");
  EXPECT_USER_ERROR(file.load("narrow"), "2 rows and 0 columns; both should be at least 1");
  EXPECT_USER_ERROR(file.load("minus"), "-2 rows and 4 columns; both should be at least 1");
  EXPECT_USER_ERROR(file.load("flat"), "attribute shape should be [rows, columns]");
  EXPECT_USER_ERROR(file.load("csc"), "is stored by columns (csc_matrix); store it by rows");
  EXPECT_USER_ERROR(file.load("frame"), "encoding-type is \"dataframe\"; a sparse data set has \"csr_matrix\"");
  EXPECT_USER_ERROR(file.load("plain"), "is a group without the attribute encoding-type");
  EXPECT_USER_ERROR(file.load("type"), "is neither a group (sparse) nor an array (dense)");
  EXPECT_USER_ERROR(file.load("real"), "indptr should be a one-dimensional array of integers");
  EXPECT_USER_ERROR(file.load("square"), "indptr should be a one-dimensional array of integers");
  EXPECT_USER_ERROR(file.load("column"), "indices should be a one-dimensional array of integers");
  EXPECT_USER_ERROR(file.load("text"), "indices should be a one-dimensional array of integers");
  for (const char *name : {"words", "compound", "complex"})
    EXPECT_USER_ERROR(file.load(name), name, "holds neither integers nor floating-point numbers nor booleans");
  EXPECT_USER_ERROR(file.load("groupdata"), "groupdata/data", "is missing or no array");
  EXPECT_USER_ERROR(file.load("far64"), "row 1 stores column 4294967297 (indices[1]), but columns run from 0 to 3");
  EXPECT_USER_ERROR(file.load("starts"), "indptr begins with 1, not with 0");
  EXPECT_USER_ERROR(file.load("falls"), "indptr falls from 2 to 1 at row 1; it should never fall");
  EXPECT_USER_ERROR(file.load("ends"), "indptr ends with 2, but there are 1 indices");
  EXPECT_USER_ERROR(file.load("inf"), "row 1, column 3 holds the value -inf (as float32); values should be finite");
  EXPECT_USER_ERROR(file.load("vector"), "has 1 axes; a dense data set has rows and columns");
  EXPECT_USER_ERROR(file.load("numbers"), "column_names: should be a one-dimensional array of strings");
  EXPECT_USER_ERROR(file.load("fewer"), "holds 2 names for 4 columns");
  EXPECT_USER_ERROR(file.load("nothing"), "f.h5: has no data set \"nothing\"; it has");
  EXPECT_EQ(file.load("far")->entries(), 2) << "the good ones of the same file are no worse for it";
}

TEST(BadData, AttributesOfOtherTypes) {
  Folder folder;
  {
    Raw raw(folder / "f.h5");
    for (const char *name : {"number", "real", "long"})
      H5Gclose(H5Gcreate2(raw.id(), name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  {
    hid_t file = H5Fopen((folder / "f.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT), scalar = H5Screate(H5S_SCALAR);
    hsize_t two = 2, many = 8000;
    hid_t pair = H5Screate_simple(1, &two, nullptr), row = H5Screate_simple(1, &many, nullptr);
    auto attribute = [&](const char *object, const char *name, hid_t type, hid_t space) {
      H5Aclose(H5Acreate_by_name(file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    };
    attribute("number", "encoding-type", H5T_STD_I32LE, scalar);
    attribute("number", "version", H5T_STD_I32LE, pair);
    attribute("real", "shape", H5T_IEEE_F32LE, pair);
    attribute("long", "shape", H5T_STD_I64LE, row);
    H5Sclose(pair), H5Sclose(row), H5Sclose(scalar), H5Fclose(file);
  }
  h5::File file = h5::File::open(folder / "f.h5");
  EXPECT_USER_ERROR(file.textAttribute("number", "encoding-type"), "attribute encoding-type should be one string");
  EXPECT_USER_ERROR(file.unsignedAttribute("number", "version"), "attribute version should be one integer");
  EXPECT_USER_ERROR(file.unsignedAttribute("number", "gone"), "number: has no attribute gone");
  EXPECT_USER_ERROR(file.integerAttribute("real", "shape"), "attribute shape should hold a few integers");
  EXPECT_EQ(file.integerAttribute("long", "shape").size(), 8000u);
}

TEST(BadData, ObjectsThatAreNotThere) {
  Folder folder;
  {
    Raw raw(folder / "f.h5");
    raw.array<int64_t>("numbers", H5T_STD_I64LE, {1, 2});
    raw.array<int64_t>("matrix", H5T_STD_I64LE, {1, 2, 3, 4}, {2, 2});
    raw.strings("words", {"a", "b"});
  }
  h5::File file = h5::File::open(folder / "f.h5");
  int64_t tile[4];
  for (const auto &[says, action] : std::vector<std::pair<const char *, std::function<void()>>>{
           {"gone: cannot be found (", [&] { file.address("gone"); }},
           {"gone: cannot be listed (", [&] { file.members("gone"); }},
           {"numbers: should be one string", [&] { file.readText("numbers"); }},
           {"words: should be one string", [&] { file.readText("words"); }},
           {"matrix: cannot be read (", [&] { file.readTile("matrix", 1, 2, 0, 2, tile); }},
           {"folder/f.h5: cannot be created (No such file or directory)",
            [&] { h5::File::create(folder / "none/f.h5", "folder/f.h5"); }}})
    EXPECT_USER_ERROR(action(), says);
}

TEST(BadData, WhatIsWrittenTwice) {
  Folder folder;
  h5::File file = h5::File::create(folder / "f.h5", folder / "f.h5");
  file.createGroup("group");
  file.writeVector<int64_t>("array", {1, 2});
  file.setAttribute("group", "text", "a");
  file.setAttribute("group", "number", uint64_t(1));
  file.setAttribute("group", "numbers", std::vector<int64_t>{1});
  for (const auto &[says, action] : std::vector<std::pair<const char *, std::function<void()>>>{
           {"f.h5: group: cannot be created (", [&] { file.createGroup("group"); }},
           {"f.h5: array: cannot be created (", [&] { file.writeVector<int64_t>("array", {1}); }},
           {"f.h5: group: cannot set text (", [&] { file.setAttribute("group", "text", "b"); }},
           {"f.h5: group: cannot set number (", [&] { file.setAttribute("group", "number", uint64_t(2)); }},
           {"f.h5: group: cannot set numbers (",
            [&] { file.setAttribute("group", "numbers", std::vector<int64_t>{2}); }},
           {"f.h5: gone: cannot be opened (", [&] { file.setAttribute("gone", "text", "a"); }},
           {"f.h5: array: cannot be linked (", [&] { file.hardLink("group", "array"); }},
           {"f.h5: other: cannot be linked (", [&] { file.hardLink("gone", "other"); }}})
    EXPECT_USER_ERROR(action(), says);
}

/// One byte of a heap changed: of its size, of the size of the text in it, of its signature.
TEST(BadData, DamagedHeapsOfStrings) {
  Folder folder;
  Raw(folder / "f.h5").group("input", "csr_matrix", {2, 4});
  const std::string good = contentOf(folder / "f.h5");
  const size_t heap = good.find("GCOL"), text = good.find("csr_matrix");
  ASSERT_NE(heap, std::string::npos);
  ASSERT_GT(text, heap);
  struct Case {
    size_t at;
    char byte;
    std::string says;
  };
  for (const Case &c :
       {Case{heap + 9, 0, fmt::format("f.h5: is a damaged HDF5 file: its heap of strings at byte {} does not", heap)},
        Case{text - 1, 127, fmt::format("its heap of strings at byte {} does not hold together", heap)},
        Case{heap, 'g', "f.h5: input: cannot read attribute encoding-type ("}}) {
    std::string bad = good;
    ASSERT_NE(bad[c.at], c.byte);
    bad[c.at] = c.byte;
    writeFile(folder / "f.h5", bad);
    EXPECT_USER_ERROR(DataFile::open(folder / "f.h5").load("input"), c.says);
  }
}

TEST(BadData, RowsWithoutEntriesAreFine) {
  Folder folder;
  {
    Raw raw(folder / "f.h5");
    raw.sparse("some", {0, 0, 2}, {0, 3});
    raw.sparse("none", {0, 0, 0}, {});
  }
  DataFile file = DataFile::open(folder / "f.h5");
  EXPECT_TRUE(file.load("some")->notes.empty());
  auto none = file.load("none");
  EXPECT_EQ(none->entries(), 0);
  ASSERT_EQ(none->notes.size(), 1u);
  EXPECT_NE(none->notes[0].find("none: has no entries: all its 2 rows are empty"), std::string::npos);
}

/// Every byte of a small file changed, every length cut: loaded or refused, nothing else.
TEST(BadData, EveryFlippedByteIsLoadedOrRefused) {
  Folder folder;
  DataFileWriter writer(folder / "good.h5", false);
  DataSet data = csr(6, {{{1, 2}, {4, 1}}, {}, {{0, 1}, {5, 3}}}, true);
  data.columnNames = names({"a", "b", "c", "d", "e", "f"});
  data.rowNames = names({"u", "v", "w"});
  writer.write("input", data);
  writer.commit();
  const std::string good = contentOf(folder / "good.h5"), path = folder / "bad.h5";
  int64_t loaded = 0, refused = 0;
  auto attempt = [&] {
    try {
      auto set = DataFile::open(path).load("input");
      ASSERT_EQ(set->indptr.size(), size_t(set->rows + 1));
      ASSERT_EQ(set->indptr.back(), set->entries());
      for (int32_t column : set->indices)
        ASSERT_TRUE(column >= 0 && column < set->columns);
      for (float value : set->values)
        ASSERT_TRUE(std::isfinite(value));
      ++loaded;
    } catch (const UserError &error) {
      ASSERT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
      ++refused;
    }
  };
  writeFile(path, good);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  auto set = [&](size_t at, int value) { file.seekp(std::streamoff(at)).put(char(value)).flush(); };
  for (size_t i = 0; i < good.size(); ++i) {
    set(i, good[i] ^ (i % 2 ? 0xFF : 1 << (i / 2 % 8)));
    attempt();
    set(i, good[i]);
  }
  EXPECT_GT(loaded, 0); // bytes that nothing depends on, and values that became other values
  EXPECT_GT(refused, 100);
  loaded = 0;
  for (size_t size = 0; size < good.size(); size += 61) {
    writeFile(path, good.substr(0, size));
    attempt();
  }
  EXPECT_EQ(loaded, 0);
}
} // namespace
} // namespace sn::rt
