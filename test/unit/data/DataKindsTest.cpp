// What our data files say beside rows and values: index, weights, zeros ignored, 8-bit numbers, extents; and index
// files.
#include "runtime/data/HoldOut.h"
#include "runtime/data/Import.h"
#include "runtime/data/IndexFile.h"
#include "test/unit/data/Raw.h"
#include "test/unit/data/Support.h"

namespace sn::rt::test {
namespace {
void number(const Raw &raw, const std::string &object, const char *name, double value, hid_t type = H5T_IEEE_F64LE) {
  hid_t space = H5Screate(H5S_SCALAR), owner = H5Oopen(raw.id(), object.c_str(), H5P_DEFAULT);
  hid_t attribute = H5Acreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, H5T_NATIVE_DOUBLE, &value);
  H5Aclose(attribute), H5Oclose(owner), H5Sclose(space);
}
void integers(const Raw &raw, const std::string &object, const char *name, std::vector<int64_t> values) {
  hsize_t extent = values.size();
  hid_t space = H5Screate_simple(1, &extent, nullptr), owner = H5Oopen(raw.id(), object.c_str(), H5P_DEFAULT);
  hid_t attribute = H5Acreate2(owner, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, H5T_NATIVE_INT64, values.data());
  H5Aclose(attribute), H5Oclose(owner), H5Sclose(space);
}

class DataKinds : public testing::Test {
protected:
  /// A file of a sparse data set "input" (2 rows, 4 columns) and a dense "dense" (2 x 2), and what `more` adds.
  DataFile file(const std::function<void(Raw &)> &more) {
    {
      Raw raw(path_);
      raw.sparse("input", {0, 2, 3}, {1, 3, 0});
      raw.array<int64_t>("input/data", H5T_STD_U8LE, {255, 128, 64});
      raw.array<int64_t>("dense", H5T_STD_I8LE, {-128, 0, 64, 127}, {2, 2});
      raw.group("dense.names", "", {1});
      more(raw);
    }
    return DataFile::open(path_);
  }
  std::string bad(const std::function<void(Raw &)> &more, const std::string &name = "input") {
    return errorOf([&] { file(more).load(name); });
  }
  Folder folder_;
  std::string path_ = folder_ / "data.h5";
};

TEST_F(DataKinds, PlainBytesAreWhatTheySay) {
  DataFile plain = file([](Raw &) {});
  EXPECT_EQ(plain.load("input")->values, (std::vector<float>{255, 128, 64}));
  EXPECT_EQ(plain.load("dense")->values, (std::vector<float>{-128, 0, 64, 127}));
  EXPECT_EQ(plain.load("input")->stored, Stored::Float);
}

TEST_F(DataKinds, ScaledBytes) {
  DataFile scaled = file([](Raw &raw) {
    number(raw, "input/data", "scale_factor", 1.0 / 256);
    number(raw, "dense", "scale_factor", 1.0 / 128, H5T_IEEE_F32LE);
    number(raw, "dense", "input_offset", -0.5);
  });
  auto input = scaled.load("input"), dense = scaled.load("dense");
  EXPECT_EQ(input->values, (std::vector<float>{255.0f / 256, 0.5, 0.25}));
  EXPECT_EQ(input->stored, Stored::Unsigned8);
  EXPECT_EQ(input->inputOffset, 0);
  EXPECT_EQ(dense->values, (std::vector<float>{-1, 0, 0.5, 127.0f / 128}));
  EXPECT_EQ(dense->stored, Stored::Signed8);
  EXPECT_EQ(dense->inputOffset, -0.5f);
}

TEST_F(DataKinds, IndexWeightsZerosExtents) {
  DataFile data = file([](Raw &raw) {
    raw.array<int64_t>("input/index", H5T_STD_I64BE, {1, 1, 0});
    raw.array<float>("input/weights", H5T_IEEE_F64LE, {1, 2, 0.5});
    integers(raw, "input", "ignore_zeros", {1});
    integers(raw, "input", "extents", {2, 2});
    raw.strings("input/row_names", {"a", "b", "c"}); // of examples
    raw.array<int64_t>("dense.names/index", H5T_STD_I32LE, {0, 1, 1, 1});
  });
  auto input = data.load("input");
  EXPECT_EQ(input->rows, 3);
  EXPECT_EQ(input->storedRows(), 2);
  EXPECT_EQ(input->index, (std::vector<int32_t>{1, 1, 0}));
  EXPECT_EQ(input->weights, (std::vector<float>{1, 2, 0.5}));
  EXPECT_TRUE(input->ignoreZeros);
  EXPECT_EQ(input->extents, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(input->rowNames->size(), 3);
  EXPECT_EQ(data.describe("input").rows, 3);
  EXPECT_EQ(data.load("dense")->rows, 4);
  EXPECT_EQ(data.load("dense")->storedRows(), 2);
}

TEST_F(DataKinds, BadExtras) {
  auto said = [](const std::string &message, const std::string &part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  said(bad([](Raw &raw) { number(raw, "input/data", "scale_factor", NAN); }),
       "the attribute scale_factor should be one finite number");
  said(bad([](Raw &raw) { number(raw, "input/data", "scale_factor", 0); }),
       "the attribute scale_factor should not be 0");
  said(bad(
           [](Raw &raw) {
             integers(raw, "dense", "input_offset", {1, 2});
           },
           "dense"),
       "the attribute input_offset should be one finite number");
  said(bad([](Raw &raw) {
         raw.array<float>("input/index", H5T_IEEE_F32LE, {0, 1});
       }),
       "input/index should be a one-dimensional array of integers, one for each example");
  said(bad([](Raw &raw) {
         raw.array<int64_t>("input/index", H5T_STD_I32LE, {0, 2});
       }),
       "index[1] is 2, but rows run from 0 to 1");
  said(bad([](Raw &raw) { raw.array<int64_t>("input/index", H5T_STD_I64LE, {0, -1}); }), "index[1] is -1");
  said(bad([](Raw &raw) {
         raw.array<float>("input/weights", H5T_IEEE_F32LE, {0, 2, 3});
       }),
       "input/weights should be a one-dimensional array of 2 numbers, one for each example; it has the shape [3]");
  said(bad(
           [](Raw &raw) {
             raw.array<float>("dense.names/weights", H5T_IEEE_F32LE, {0, INFINITY});
           },
           "dense"),
       "weights[1] is inf; weights should be finite");
  said(bad([](Raw &raw) {
         integers(raw, "input", "extents", {3, 2});
       }),
       "the attribute extents is [3, 2], but there are 4 columns");
  said(bad([](Raw &raw) { raw.strings("input/row_names", {"a"}); }), "holds 1 names for 2 rows");
}

TEST_F(DataKinds, HoldingOutGivesEveryExampleItsRow) {
  DataSet data = binary(6, {{0, 1, 2, 3}, {4, 5}});
  data.index = {1, 0, 0};
  data.rows = 3;
  data.weights = {1, 2, 3};
  data.ignoreZeros = true;
  const HeldOut out = holdOut(data, 0.5, 3);
  for (const DataSet *side : {&out.kept, &out.held}) {
    EXPECT_EQ(side->rows, 3);
    EXPECT_TRUE(side->index.empty());
    EXPECT_EQ(side->weights, data.weights);
    EXPECT_TRUE(side->ignoreZeros);
    EXPECT_EQ(side->indptr, (std::vector<int64_t>{0, 1, 3, 5}));
  }
  // The same row, held out for two examples: not the same entries.
  EXPECT_EQ(out.kept.entries() + out.held.entries(), 10);
}

TEST_F(DataKinds, IndexFiles) {
  const std::string path = folder_ / "index.txt";
  writeIndex(path, Names{"b", "", "a"}, false);
  EXPECT_EQ(contentOf(path), "b\t0\na\t2\n");
  EXPECT_EQ(listOf(readFeatureIndex(path)), (std::vector<std::string>{"b", "", "a"}));
  EXPECT_USER_ERROR(writeIndex(path, Names{"b"}, false), "exists");
  EXPECT_USER_ERROR(writeIndex(path, Names{"x", "a\tb"}, true),
                    "the name of number 1 has a TAB or a line's end in it, which an index file cannot hold");
  EXPECT_USER_ERROR(writeIndex(path, Names{"x", "x"}, true), "the name \"x\" stands there twice");
  EXPECT_EQ(contentOf(path), "b\t0\na\t2\n");
}

TEST_F(DataKinds, ASampleIndexFixesTheRows) { // T-54
  writeFile(folder_ / "samples.txt", "carol\t0\nalice\t2\nbob\t1\n");
  writeFile(folder_ / "text.txt", "alice\tx:y\nnobody\tz\ncarol\ty\n");
  ImportOptions options{.source = folder_ / "text.txt", .output = folder_ / "out.h5", .format = "dsstne"};
  options.sampleIndex = folder_ / "samples.txt";
  importText(options);
  auto data = DataFile::open(folder_ / "out.h5").load("input");
  EXPECT_EQ(listOf(*data->rowNames), (std::vector<std::string>{"carol", "bob", "alice"}));
  EXPECT_EQ(data->indptr, (std::vector<int64_t>{0, 1, 1, 3}));
  options.alignRows = true, options.vocabulary = folder_ / "out.h5", options.output = folder_ / "more.h5";
  EXPECT_USER_ERROR(importText(options), "--align-rows and --sample-index exclude each other: both fix the rows");
}
} // namespace
} // namespace sn::rt::test
