// Data sets in DSSTNE's NetCDF layout: every kind of the reference's section 2, in every format of NetCDF.
#include "runtime/data/DsstneData.h"
#include "test/unit/data/NcFile.h"
#include "test/unit/data/Streamed.h"

namespace sn::rt::test {
namespace {
enum Bits { kSparse = 1, kBoolean = 2, kIgnoreZero = 32, kIndexed = 64, kWeighted = 128 };

/// A file of one data set "input" with these attributes; its variables follow.
NcFile one(int bits, int type, const std::vector<int> &extents) {
  NcFile file;
  file.set("datasets", 1).set("name0", "input").set("attributes0", bits).set("kind0", 0).set("dataType0", type);
  file.set("dimensions0", double(extents.size()));
  const char *names[] = {"width0", "height0", "length0"};
  for (size_t axis = 0; axis < extents.size(); ++axis)
    file.set(names[axis], extents[axis]);
  return file;
}
NcFile sparse(int bits, int type) {
  NcFile file = one(kSparse | bits, type, {128});
  file.dimension("examplesDim0", 3).dimension("sparseDataDim0", 4);
  file.variable("sparseStart0", "examplesDim0", 'u', {0, 2, 2}).variable("sparseEnd0", "examplesDim0", 'u', {2, 2, 4});
  file.variable("sparseIndex0", "sparseDataDim0", 'u', {5, 127, 0, 64});
  return file;
}
NcFile dense(int type, char element, std::vector<double> values) {
  NcFile file = one(0, type, {2});
  file.dimension("examplesDim0", int64_t(values.size()) / 2).dimension("dataDim0", int64_t(values.size()));
  return file.variable("data0", "dataDim0", element, std::move(values));
}

/// Loads the file in every format; they must agree.
class DsstneData : public testing::Test {
protected:
  DataSet load(const NcFile &file) {
    DataSet data;
    for (int format : {1, 2, 5, 4}) {
      std::string path = folder_ / ("data" + std::to_string(format) + ".nc");
      format == 4 ? file.writeHdf5(path) : file.writeClassic(path, format);
      DataFile opened = DataFile::open(path);
      EXPECT_EQ(opened.names(), (std::vector<std::string>{"input"}));
      DataSet loaded = *opened.load("input");
      const DataShape shape = opened.describe("input");
      EXPECT_EQ(shape.rows, loaded.rows);
      EXPECT_EQ(shape.columns, loaded.columns);
      EXPECT_EQ(shape.loader, loaded.loader);
      if (loaded.index.empty() && loaded.notes.empty())
        EXPECT_EQ(shape.entries, loaded.entries());
      if (format != 1) {
        EXPECT_EQ(loaded.indptr, data.indptr) << "format " << format;
        EXPECT_EQ(loaded.indices, data.indices) << "format " << format;
        EXPECT_EQ(loaded.values, data.values) << "format " << format;
        EXPECT_EQ(loaded.index, data.index) << "format " << format;
        EXPECT_EQ(loaded.weights, data.weights) << "format " << format;
      }
      data = std::move(loaded);
      expectSameStreamed(path, "input");
    }
    return data;
  }
  Folder folder_;
};

TEST_F(DsstneData, SparseBoolean) {
  const DataSet data = load(sparse(kBoolean, 0));
  EXPECT_EQ(data.loader, Loader::CsrBinary);
  EXPECT_EQ(data.columns, 128);
  EXPECT_EQ(data.indptr, (std::vector<int64_t>{0, 2, 2, 4}));
  EXPECT_EQ(data.indices, (std::vector<int32_t>{5, 127, 0, 64}));
  EXPECT_FALSE(data.ignoreZeros);
}

TEST_F(DsstneData, SparseAnalogOfEveryNumericType) {
  for (int type : {0, 1, 2, 3, 4, 5}) { // UInt, Int, LLInt, ULLInt (T-50), Float, Double
    const DataSet data =
        load(sparse(kIgnoreZero, type).variable("sparseData0", "sparseDataDim0", type >= 4 ? 'f' : 'u', {1, 2, 3, 4}));
    EXPECT_EQ(data.loader, Loader::CsrAnalog);
    EXPECT_EQ(data.values, (std::vector<float>{1, 2, 3, 4}));
    EXPECT_TRUE(data.ignoreZeros);
    EXPECT_EQ(data.stored, Stored::Float);
  }
}

TEST_F(DsstneData, BytesAreScaledByOneRule) { // T-22
  for (int type : {6, 8}) {
    const DataSet data = load(dense(type, 'b', {0, 255, 128, 64}));
    EXPECT_EQ(data.loader, Loader::Dense);
    EXPECT_EQ(data.values, (std::vector<float>{0, 255.0f / 256, 0.5, 0.25}));
    EXPECT_EQ(data.inputOffset, -0.5f);
    EXPECT_EQ(data.stored, Stored::Unsigned8);
  }
  const DataSet chars = load(dense(9, 'c', {-128, 127, 64, 0}));
  EXPECT_EQ(chars.values, (std::vector<float>{-1, 127.0f / 128, 0.5, 0}));
  EXPECT_EQ(chars.inputOffset, 0);
  const DataSet sparseBytes = load(sparse(0, 8).variable("sparseData0", "sparseDataDim0", 'b', {200, 1, 0, 128}));
  EXPECT_EQ(sparseBytes.values, (std::vector<float>{200.0f / 256, 1.0f / 256, 0, 0.5}));
  EXPECT_EQ(sparseBytes.inputOffset, 0);
}

TEST_F(DsstneData, DenseOfThreeExtents) {
  NcFile file = one(0, 4, {2, 3, 1});
  file.dimension("examplesDim0", 2).variable("data0", "dataDim0", 'f', {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const DataSet data = load(file);
  EXPECT_EQ(data.columns, 6);
  EXPECT_EQ(data.extents, (std::vector<int64_t>{2, 3, 1}));
  EXPECT_EQ(data.values[7], 7);
}

TEST_F(DsstneData, ClassesBecomeRowsOfOneEntry) {
  NcFile file = one(kBoolean, 0, {10});
  file.dimension("examplesDim0", 3).variable("data0", "examplesDim0", 'u', {9, 0, 4});
  const DataSet data = load(file);
  EXPECT_EQ(data.loader, Loader::CsrBinary);
  EXPECT_EQ(data.indptr, (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(data.indices, (std::vector<int32_t>{9, 0, 4}));
}

TEST_F(DsstneData, IndexedAndWeighted) {
  NcFile file = sparse(kBoolean | kIndexed | kWeighted, 0);
  file.dimension("examplesDim0", 4).dimension("uniqueExamplesDim0", 3);
  for (NcVariable &each : file.variables)
    if (each.dimension == "examplesDim0")
      each.dimension = "uniqueExamplesDim0";
  file.variable("index0", "examplesDim0", 'u', {2, 2, 0, 1});
  file.variable("dataWeight0", "examplesDim0", 'f', {1, 0.5, 2, 0});
  const DataSet data = load(file);
  EXPECT_EQ(data.rows, 4);
  EXPECT_EQ(data.storedRows(), 3);
  EXPECT_EQ(data.index, (std::vector<int32_t>{2, 2, 0, 1}));
  EXPECT_EQ(data.weights, (std::vector<float>{1, 0.5, 2, 0}));
  auto [first, last] = rowOf(data, 1);
  EXPECT_EQ(std::vector<int32_t>(first, last), (std::vector<int32_t>{0, 64}));
  const DataView view = viewOf(data, 128);
  EXPECT_EQ(view.rows, 4);
  EXPECT_EQ(view.storedRow(0), 2);
  EXPECT_EQ(view.weights[2], 2);
}

TEST_F(DsstneData, RowsLieAnywhere) {
  NcFile file = sparse(0, 4);
  file.variable("sparseStart0", "examplesDim0", 'u', {2, 0, 1}).variable("sparseEnd0", "examplesDim0", 'u', {4, 0, 3});
  file.variable("sparseData0", "sparseDataDim0", 'f', {1, 2, 3, 4});
  const DataSet data = load(file);
  EXPECT_EQ(data.indptr, (std::vector<int64_t>{0, 2, 2, 4}));
  EXPECT_EQ(data.indices, (std::vector<int32_t>{0, 64, 0, 127})); // the last row sorted
  EXPECT_EQ(data.values, (std::vector<float>{3, 4, 3, 2}));
}

TEST_F(DsstneData, DuplicatesAreMergedAndTold) { // T-53
  const DataSet data = load(sparse(0, 4)
                                .variable("sparseIndex0", "sparseDataDim0", 'u', {5, 5, 7, 3})
                                .variable("sparseData0", "sparseDataDim0", 'f', {1, 2, 3, 4}));
  EXPECT_EQ(data.indices, (std::vector<int32_t>{5, 3, 7}));
  EXPECT_EQ(data.values, (std::vector<float>{3, 4, 3}));
  ASSERT_EQ(data.notes.size(), 2u);
  EXPECT_NE(data.notes[0].find("1 duplicate entries merged (values summed)"), std::string::npos) << data.notes[0];
  EXPECT_NE(data.notes[1].find("rows were not sorted by column; sorted in memory"), std::string::npos);
}

TEST_F(DsstneData, TheUnlimitedDimension) {
  NcFile file = sparse(kBoolean, 0);
  file.dimension("examplesDim0", 0).records = 3;
  for (int version : {1, 2, 5}) {
    std::string path = folder_ / "records.nc";
    file.writeClassic(path, version);
    EXPECT_EQ(DataFile::open(path).load("input")->indptr, (std::vector<int64_t>{0, 2, 2, 4}));
  }
}

TEST_F(DsstneData, WhatNetcdfCanHoldButDataSetsCannot) {
  NcFile file = sparse(kBoolean, 0);
  file.dimension("examplesDim0", 0); // unlimited, and nothing written along it
  for (NcVariable &each : file.variables)
    if (each.dimension == "examplesDim0")
      each.values.clear();
  file.writeClassic(folder_ / "none.nc", 2);
  EXPECT_USER_ERROR(DataFile::open(folder_ / "none.nc").load("input"),
                    "has 0 examples in 0 rows; both should be at least 1");
  // HDF5's own types and shapes, where NetCDF's were.
  auto replaced = [&](const char *variable, std::vector<hsize_t> shape, hid_t type) {
    const std::string path = folder_ / "odd.nc";
    sparse(0, 4).variable("sparseData0", "sparseDataDim0", 'f', {1, 2, 3, 4}).writeHdf5(path);
    hid_t hdf5 = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(hdf5, variable, H5P_DEFAULT);
    hid_t space = H5Screate_simple(int(shape.size()), shape.data(), nullptr);
    H5Dclose(H5Dcreate2(hdf5, variable, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space), H5Fclose(hdf5);
    return errorOf([&] { DataFile::open(path).load("input"); });
  };
  hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, 3);
  EXPECT_NE(replaced("sparseData0", {4}, text).find("sparseData0: should be an array of single characters"),
            std::string::npos);
  EXPECT_NE(replaced("sparseStart0", {3, 2}, H5T_STD_U32LE)
                .find("the variable sparseStart0 should be numbers along one dimension"),
            std::string::npos);
  H5Tclose(text);
}

DataSet kinds(int which) {
  DataSet data = csr(9, {{{0, 0.5f}, {8, 0.25f}}, {}, {{3, 1}}}, which & 1);
  data.ignoreZeros = which & 2;
  if (which & 4)
    data.index = {2, 0, 0, 1}, data.rows = 4;
  if (which & 8)
    data.weights.assign(size_t(data.rows), 0.75f);
  if (which & 16)
    data.extents = {3, 3};
  return data;
}

void expectSame(const DataSet &a, const DataSet &b) {
  EXPECT_EQ(a.loader, b.loader);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.columns, b.columns);
  EXPECT_EQ(a.indptr, b.indptr);
  EXPECT_EQ(a.indices, b.indices);
  EXPECT_EQ(a.values, b.values);
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.ignoreZeros, b.ignoreZeros);
  EXPECT_EQ(a.stored, b.stored);
  EXPECT_EQ(a.inputOffset, b.inputOffset);
  EXPECT_EQ(a.extents, b.extents);
}

/// Through both of the formats that are written.
void expectKept(const DataSet &data, const Folder &folder) {
  writeDsstneData(folder / "kept.nc", true, {{"a set", &data}, {"b", &data}});
  expectSame(*DataFile::open(folder / "kept.nc").load("a set"), data);
  expectSame(*DataFile::open(folder / "kept.nc").load("b"), data);
  DataFileWriter writer(folder / "kept.h5", true);
  writer.write("input", data);
  writer.commit();
  DataFile file = DataFile::open(folder / "kept.h5");
  expectSame(*file.load("input"), data);
  EXPECT_EQ(file.describe("input").rows, data.rows);
}

TEST_F(DsstneData, EveryKindIsKept) {
  for (int which = 0; which < 32; ++which)
    expectKept(kinds(which), folder_);
}

TEST_F(DsstneData, BytesStayBytes) {
  for (Stored stored : {Stored::Unsigned8, Stored::Signed8}) {
    DataSet data;
    data.loader = Loader::Dense;
    data.columns = 4;
    data.extents = {2, 1, 2};
    data.rows = 300;
    data.stored = stored;
    data.scale = stored == Stored::Signed8 ? 1.0f / 128 : 1.0f / 256;
    data.inputOffset = stored == Stored::Signed8 ? 0 : -0.5f;
    for (int i = 0; i < 1200; ++i)
      data.values.push_back(data.scale * float(i % 256 - (stored == Stored::Signed8 ? 128 : 0)));
    expectKept(data, folder_);
    EXPECT_LT(std::filesystem::file_size(folder_ / "kept.h5"), 4000u);
    // Numbers that bytes cannot hold are stored as floats, with nothing lost.
    data.values[7] = 0.1f;
    DataFileWriter writer(folder_ / "float.h5", true);
    writer.write("input", data);
    writer.commit();
    EXPECT_EQ(DataFile::open(folder_ / "float.h5").load("input")->values, data.values);
  }
}

TEST_F(DsstneData, WiderThanTheData) {
  const DataSet data = kinds(0);
  writeDsstneData(folder_ / "wide.nc", false, {{"input", &data, 128}});
  EXPECT_EQ(DataFile::open(folder_ / "wide.nc").load("input")->columns, 128);
}

TEST_F(DsstneData, EqualContentGivesEqualBytes) {
  const DataSet data = kinds(15);
  writeDsstneData(folder_ / "a.nc", false, {{"input", &data}});
  nextSecond();
  writeDsstneData(folder_ / "b.nc", false, {{"input", &data}});
  EXPECT_EQ(contentOf(folder_ / "a.nc"), contentOf(folder_ / "b.nc"));
}

TEST_F(DsstneData, WhatTheLayoutCannotHold) {
  const DataSet empty = csr(4, {{}, {}}, false);
  EXPECT_USER_ERROR(writeDsstneData(folder_ / "x.nc", false, {{"input", &empty}}), "input: has no entries",
                    "DSSTNE's NetCDF files cannot hold such a data set");
  const DataSet data = kinds(0);
  EXPECT_USER_ERROR(writeDsstneData(folder_ / "x.nc", false, {{"a", &data}, {"a", &data}}),
                    "two data sets are named \"a\"");
  EXPECT_USER_ERROR(writeDsstneData(folder_ / "x.nc", false, {{"a", &data, 5}}), "a: cannot be written 5 columns wide");
  DataSet deep = kinds(0);
  deep.extents = {3, 3, 1, 1};
  EXPECT_USER_ERROR(writeDsstneData(folder_ / "x.nc", false, {{"a", &deep}}),
                    "has 4 extents; DSSTNE's NetCDF files have at most 3");
  DataSet shifted;
  shifted.loader = Loader::Dense;
  shifted.rows = 1, shifted.columns = 1, shifted.values = {1}, shifted.inputOffset = 2;
  EXPECT_USER_ERROR(writeDsstneData(folder_ / "x.nc", false, {{"a", &shifted}}), "its inputs are shifted by 2",
                    "in DSSTNE's NetCDF files only bytes are, by -0.5");
  EXPECT_TRUE(folder_.files().empty());
}

/// Every case breaks a good file in one place.
struct Bad {
  std::function<void(NcFile &)> breakIt;
  std::vector<std::string> said;
};

TEST_F(DsstneData, BadFiles) {
  const std::vector<Bad> cases = {
      {[](NcFile &f) { f.drop("name0"); }, {"has no attribute name0"}},
      {[](NcFile &f) { f.set("name0", 3); }, {"the attribute name0 should be a text"}},
      {[](NcFile &f) { f.drop("attributes0"); }, {"has no attribute attributes0"}},
      {[](NcFile &f) { f.set("dataType0", "four"); }, {"the attribute dataType0 should be one finite number"}},
      {[](NcFile &f) { f.set("dataType0", 17); },
       {"the attribute dataType0 is 17; it should be a whole number from 0 to 9"}},
      {[](NcFile &f) { f.set("attributes0", kSparse).set("dataType0", 7); },
       {"input: is of the data type RGB16, which nothing defines"}},
      {[](NcFile &f) { f.set("dimensions0", 4); }, {"dimensions0 is 4"}},
      {[](NcFile &f) { f.set("width0", 0.5); }, {"width0 is 0.5; it should be a whole number from 1"}},
      {[](NcFile &f) { f.set("dimensions0", 2); }, {"has no attribute height0"}},
      {[](NcFile &f) { f.set("dimensions0", 2).set("width0", 70000).set("height0", 70000); },
       {"has 4900000000 columns or more; at most 2147483647 are supported"}},
      {[](NcFile &f) { f.dimension("uniqueExamplesDim0", 5); },
       {"has 5 rows for 3 examples, but is not marked Indexed (64 in attributes0)"}},
      {[](NcFile &f) { f.drop("sparseStart0"); }, {"has no variable sparseStart0"}},
      {[](NcFile &f) { f.drop("sparseIndex0"); }, {"has no variable sparseIndex0"}},
      {[](NcFile &f) { f.variable("sparseEnd0", "other", 'u', {1}); },
       {"the variable sparseEnd0 has 1 elements; it should have 3"}},
      {[](NcFile &f) {
         f.variable("sparseEnd0", "examplesDim0", 'u', {2, 2, 5});
       },
       {"row 2 runs from entry 2 to 5; there are 4 entries"}},
      {[](NcFile &f) {
         f.variable("sparseStart0", "examplesDim0", 'u', {0, 3, 2});
       },
       {"row 1 runs from entry 3 to 2"}},
      {[](NcFile &f) {
         f.variable("sparseIndex0", "sparseDataDim0", 'u', {5, 127, 128, 64});
       },
       {"sparseIndex0[2] is 128, but columns run from 0 to 127"}},
      {[](NcFile &f) {
         f.variable("sparseIndex0", "longer", 'u', {5, 127, 0, 64, 1});
       },
       {"the dimension sparseDataDim0 is 4, but there are 5 entries"}},
      {[](NcFile &f) { f.set("attributes0", kSparse).set("dataType0", 4); }, {"has no variable sparseData0"}},
      {[](NcFile &f) {
         f.set("attributes0", kSparse).set("dataType0", 4);
         f.variable("sparseData0", "sparseDataDim0", 'f', {1, 2, NAN, 4});
       },
       {"sparseData0[2] is nan; values should be finite"}},
      {[](NcFile &f) {
         f.set("attributes0", kSparse)
             .set("dataType0", 4)
             .variable("sparseIndex0", "sparseDataDim0", 'u', {5, 5, 0, 64});
         f.variable("sparseData0", "sparseDataDim0", 'f', {3e38, 3e38, 1, 4});
       },
       {"the values of duplicate entries add up to inf; they should stay finite"}},
      {[](NcFile &f) {
         f.set("attributes0", kSparse)
             .set("dataType0", 8)
             .variable("sparseData0", "sparseDataDim0", 'f', {256, 0, 0, 0});
       },
       {"holds the 8-bit number 256; 0 to 255 are possible"}},
      {[](NcFile &f) { f.set("attributes0", kSparse | kBoolean | kIndexed); }, {"has no variable index0"}},
      {[](NcFile &f) {
         f.set("attributes0", kSparse | kBoolean | kIndexed).variable("index0", "examplesDim0", 'u', {0, 3, 0});
       },
       {"index0[1] is 3, but rows run from 0 to 2"}},
      {[](NcFile &f) { f.set("attributes0", kSparse | kBoolean | kWeighted); }, {"has no variable dataWeight0"}},
      {[](NcFile &f) {
         f.set("attributes0", kBoolean).variable("data0", "examplesDim0", 'u', {1, 128, 2});
       },
       {"data0[1] is the class 128, but classes run from 0 to 127"}},
      {[](NcFile &f) {
         f.set("attributes0", 0).variable("data0", "dataDim0", 'f', {1, 2, 3});
       },
       {"the variable data0 has 3 elements; it should have 384"}},
      {[](NcFile &f) {
         f.set("attributes0", 0).set("width0", 2147483647).dimension("examplesDim0", 3);
         f.set("dimensions0", 1).variable("data0", "dataDim0", 'f', {1, 2, 3});
       },
       {"the variable data0 has 3 elements"}},
      {[](NcFile &f) { f.set("datasets", 2).set("name1", "input"); }, {"has two data sets named \"input\""}},
      {[](NcFile &f) { f.set("datasets", -1); }, {"the attribute datasets is -1"}},
      {[](NcFile &f) {
         const std::vector<double> none(1001, 0), all(1001, 4);
         f.dimension("examplesDim0", 1001).variable("sparseStart0", "examplesDim0", 'u', none);
         f.variable("sparseEnd0", "examplesDim0", 'u', all);
       },
       {"its rows overlap: they have more than 1000 times the 4 entries stored"}},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    NcFile file = sparse(kBoolean, 0);
    cases[i].breakIt(file);
    for (int format : {1, 2, 5, 4}) {
      std::string path = folder_ / "bad.nc";
      format == 4 ? file.writeHdf5(path) : file.writeClassic(path, format);
      std::string message = errorOf([&] { DataFile::open(path).load("input"); });
      EXPECT_TRUE(message.starts_with(path)) << message;
      for (const std::string &part : cases[i].said)
        EXPECT_NE(message.find(part), std::string::npos) << "case " << i << ", format " << format << ": " << message;
    }
  }
}

TEST_F(DsstneData, ClassicFilesCutAnywhere) {
  NcFile file = sparse(kWeighted, 4).variable("sparseData0", "sparseDataDim0", 'f', {1, 2, 3, 4});
  file.variable("dataWeight0", "examplesDim0", 'f', {1, 2, 3});
  for (int version : {1, 2, 5}) {
    const std::string bytes = file.classic(version), path = folder_ / "cut.nc";
    for (size_t length = 0; length < bytes.size(); length += 9) {
      writeFile(path, bytes.substr(0, length));
      EXPECT_NE(errorOf([&] { DataFile::open(path).load("input"); }), "") << length;
    }
    // Every byte of the header with other bits: a data set or a message, never a crash.
    for (size_t at = 4; at < bytes.size(); at += 7)
      for (char bits : {char(0xFF), char(1)}) {
        std::string other = bytes;
        other[at] = char(other[at] ^ bits);
        writeFile(path, other);
        try {
          DataFile::open(path).load("input");
        } catch (const UserError &) {
        }
      }
  }
  writeFile(folder_ / "cut.nc", file.classic(1).substr(0, 100));
  EXPECT_USER_ERROR(DataFile::open(folder_ / "cut.nc"),
                    "is a damaged or truncated NetCDF file: a list of its header is longer than the file");
  writeFile(folder_ / "cut.nc", file.classic(1).substr(0, file.classic(1).size() - 2));
  EXPECT_USER_ERROR(DataFile::open(folder_ / "cut.nc").load("input"),
                    "the variable dataWeight0 reaches beyond the end of the file");
}

TEST_F(DsstneData, FilesThatAreSomethingElse) {
  NcFile other;
  other.set("title", "weather").writeClassic(folder_ / "other.nc", 1);
  EXPECT_USER_ERROR(DataFile::open(folder_ / "other.nc"), "has no attribute datasets");
  sparse(kBoolean, 0).writeHdf5(folder_ / "good.nc");
  EXPECT_USER_ERROR(DataFile::open(folder_ / "good.nc").load("output"), "has no data set \"output\"; it has input");
}
} // namespace
} // namespace sn::rt::test
