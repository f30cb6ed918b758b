// Data sets whose rows stay in the file.
#include "runtime/data/Hdf5Array.h"
#include "runtime/data/StoredRows.h"
#include "test/unit/data/Raw.h"
#include "test/unit/data/Streamed.h"
#include <atomic>
#include <filesystem>
#include <thread>

namespace sn::rt::test {
namespace {
/// 400 rows over 1,000 columns, every seventh empty.
struct Many {
  std::vector<int64_t> indptr = {0}, indices;
  std::vector<double> values;
  Many() {
    for (int64_t row = 0; row < 400; ++row) {
      for (int64_t i = 0; row % 7 != 6 && i < 1 + row % 60; ++i) {
        indices.push_back(i * 16 + row % 16);
        values.push_back(double(row) / 3 + double(i));
      }
      indptr.push_back(int64_t(indices.size()));
    }
  }
};

TEST(Stream, HasTheRowsThatMemoryHas) {
  Folder folder;
  const Many many;
  const std::string path = folder / "data.h5";
  std::vector<double> dense(60 * 14);
  for (size_t i = 0; i < dense.size(); ++i)
    dense[i] = double(i) / 7;
  std::vector<std::string> names;
  {
    Raw raw(path);
    int number = 0;
    for (hid_t type : {H5T_STD_I32LE, H5T_STD_U32LE, H5T_STD_I64LE, H5T_STD_U64LE, H5T_STD_I32BE, H5T_STD_U16LE})
      for (hid_t value : {hid_t(0), H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_STD_I16LE}) {
        const std::string name = names.emplace_back("s" + std::to_string(number++));
        raw.group(name, "csr_matrix", {400, 1000});
        raw.array(name + "/indptr", H5T_STD_I64LE, many.indptr);
        raw.array(name + "/indices", type, many.indices, {}, number % 3 == 2);
        if (value)
          raw.array(name + "/data", value, many.values, {}, number % 4 == 3);
      }
    for (const bool compressed : {false, true})
      raw.array(names.emplace_back(compressed ? "packed" : "plain"), H5T_IEEE_F32LE, dense, {60, 7, 2}, compressed);
    raw.array(names.emplace_back("bytes"), H5T_STD_U8LE, std::vector<int32_t>(60, 9), {30, 2});
    names.push_back("flags");
    raw.group("flags", "csr_matrix", {2, 4});
    raw.array("flags/indptr", H5T_STD_I64LE, std::vector<int64_t>{0, 2, 3});
    raw.array("flags/indices", H5T_STD_I32LE, std::vector<int64_t>{1, 3, 0});
    raw.booleans("flags/data", {1, 0, 1});
    raw.array("flags/index", H5T_STD_I32LE, std::vector<int64_t>{1, 0, 1, 1});
    raw.array("flags/weights", H5T_IEEE_F32LE, std::vector<float>{1, 2, 3, 4});
  }
  for (const std::string &name : names) {
    SCOPED_TRACE(name);
    expectSameStreamed(path, name);
  }
}

TEST(Stream, WrittenByUsAndScaled) {
  Folder folder;
  DataSet data = csr(300, {{{3, 0.5f}, {7, 0.25f}}, {}, {{0, 1}}}, true);
  data.stored = Stored::Unsigned8;
  data.scale = 1.0f / 256;
  data.values.back() = 255.0f / 256;
  DataSet dense;
  dense.loader = Loader::Dense;
  dense.rows = 2, dense.columns = 3;
  dense.values = {0, 1.0f / 128, -1, 0.5f, 0.25f, 0};
  dense.stored = Stored::Signed8;
  dense.scale = 1.0f / 128;
  DataFileWriter writer(folder / "data.h5", false);
  writer.write("sparse", data);
  writer.write("dense", dense);
  writer.commit();
  expectSameStreamed(folder / "data.h5", "sparse");
  expectSameStreamed(folder / "data.h5", "dense");
}

TEST(Stream, MendsRowsAsLoadingDoes) {
  Folder folder;
  const std::string path = folder / "data.h5";
  {
    Raw raw(path);
    for (const bool analog : {false, true}) {
      const std::string name = analog ? "analog" : "binary";
      raw.group(name, "csr_matrix", {4, 9});
      raw.array(name + "/indptr", H5T_STD_I64LE, std::vector<int64_t>{0, 4, 4, 6, 9});
      raw.array(name + "/indices", H5T_STD_I32LE, std::vector<int64_t>{5, 1, 5, 0, 2, 3, 8, 8, 8});
      if (analog)
        raw.array(name + "/data", H5T_IEEE_F32LE, std::vector<float>{0.1f, 2, 0.7f, 4, 5, 6, 1e8f, 1, -1e8f});
    }
  }
  expectSameStreamed(path, "binary");
  expectSameStreamed(path, "analog");
}

/// A streamed data set of a file with these entries in two rows of 4 columns.
struct Broken {
  Broken(const std::string &path, const std::vector<int64_t> &indices, const std::vector<float> &values) : path(path) {
    {
      Raw raw(path);
      raw.group("input", "csr_matrix", {2, 4});
      raw.array("input/indptr", H5T_STD_I64LE, std::vector<int64_t>{0, 2, 4});
      raw.array("input/indices", H5T_STD_I64LE, indices);
      if (!values.empty())
        raw.array("input/data", H5T_IEEE_F32LE, values);
    }
    DataFile file = DataFile::open(path);
    file.stream({true, false});
    data = file.load("input"); // the file is closed here: rows come all the same
  }
  std::string path;
  std::shared_ptr<const DataSet> data;
};

TEST(Stream, WhatIsWrongIsFoundWhenItsRowIsRead) {
  Folder folder;
  const Broken far(folder / "far.h5", {0, 3, 1, int64_t(1) << 40}, {});
  EXPECT_EQ(rowsOf(*far.data, {0}).indices, (std::vector<int32_t>{0, 3}));
  EXPECT_USER_ERROR(rowsOf(*far.data, {0, 1}),
                    "far.h5: input: row 1 stores column 1099511627776 (indices[3]), but columns "
                    "run from 0 to 3");
  const Broken nan(folder / "nan.h5", {0, 3, 1, 2}, {1, 2, 3, NAN});
  rowsOf(*nan.data, {0, 0});
  EXPECT_USER_ERROR(rowsOf(*nan.data, {1}),
                    "row 1, column 2 holds the value nan (as float32); values should be finite");
  const Broken sum(folder / "sum.h5", {0, 3, 1, 1}, {1, 2, 3e38f, 3e38f});
  EXPECT_USER_ERROR(rowsOf(*sum.data, {1}), "row 1, column 1 holds the value inf");
}

TEST(Stream, FilesThatShrinkOrAreDamaged) {
  Folder folder;
  const Broken cut(folder / "cut.h5", {0, 3, 1, 2}, {});
  std::filesystem::resize_file(cut.path, 512);
  EXPECT_USER_ERROR(rowsOf(*cut.data, {1}),
                    "cut.h5: input/indices: the file ends inside this array: it was cut off while it was being read");
  const std::string path = folder / "packed.h5";
  std::vector<int64_t> indices(4000);
  for (size_t i = 0; i < indices.size(); ++i)
    indices[i] = int64_t(i % 4);
  {
    Raw raw(path);
    raw.group("input", "csr_matrix", {1000, 4});
    std::vector<int64_t> indptr(1001);
    for (size_t i = 0; i < indptr.size(); ++i)
      indptr[i] = int64_t(4 * i);
    raw.array("input/indptr", H5T_STD_I64LE, indptr);
    raw.array("input/indices", H5T_STD_I32LE, indices, {}, true);
  }
  std::string content = contentOf(path);
  DataFile file = DataFile::open(path);
  file.stream({true, false});
  const std::shared_ptr<const DataSet> data = file.load("input");
  const h5::File hdf5 = h5::File::open(path);
  EXPECT_EQ(h5::OpenArray(hdf5, "input/indices").layout().chunks, 2000);
  // deflate begins with 0x78; those bytes are no streams any more
  for (size_t at = content.size() / 2; at + 1 < content.size(); ++at)
    if (content[at] == '\x78' && content[at + 1] == '\x5e')
      content[at] = '\x11';
  { // in place: the same file
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    out << content;
  }
  EXPECT_USER_ERROR(
      {
        for (int64_t row = 0; row < 1000; ++row)
          rowsOf(*data, {row});
      },
      "packed.h5: input/indices: rows ", " cannot be read (");
}

TEST(Stream, TheLibraryIsSharedByThreads) {
  Folder folder;
  const Many many;
  const std::string path = folder / "packed.h5";
  {
    Raw raw(path);
    raw.group("input", "csr_matrix", {400, 1000});
    raw.array("input/indptr", H5T_STD_I64LE, many.indptr);
    raw.array("input/indices", H5T_STD_I64LE, many.indices, {}, true);
  }
  DataFile file = DataFile::open(path);
  file.stream({true, false});
  const std::shared_ptr<const DataSet> data = file.load("input");
  std::atomic<bool> over = false;
  std::atomic<int64_t> wrong = 0;
  std::thread reader([&] {
    for (int64_t row = 0; !over; row = (row + 1) % 400) {
      const DataSet got = rowsOf(*data, {row});
      wrong += !std::equal(got.indices.begin(), got.indices.end(), many.indices.begin() + many.indptr[size_t(row)]);
    }
  });
  for (int i = 0; i < 20; ++i) { // as checkpoints are
    DataFileWriter writer(folder / "other.h5", true);
    writer.write("input", binary(4, {{1, 2}, {3}}));
    writer.commit();
    expectSameStreamed(folder / "other.h5", "input");
  }
  over = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Stream, HowOftenChunksAreRead) {
  EXPECT_EQ(timesRead(0, 1000, 10), 1);
  EXPECT_EQ(timesRead(50, 10, 10), 1);
  EXPECT_NEAR(timesRead(1000000, 1000000, 1), 1, 1e-3);
  EXPECT_NEAR(timesRead(10, 100000, 1000), 100, 1e-3); // every batch meets every chunk
  EXPECT_NEAR(timesRead(1000, 1000, 10), 100 * (1 - std::pow(1 - 1e-3, 10)), 1e-9);
}
} // namespace
} // namespace sn::rt::test
