// Weights files: round trips in both memory layouts, in pieces, equal bytes, and refusals.
#include "runtime/checkpoint/Checkpoint.h"
#include "test/unit/data/Support.h"
#include <numeric>

namespace sn::rt {
namespace {
using namespace test;

std::vector<float> ramp(int64_t count, float from) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), from);
  return values;
}
std::vector<float> transposed(const std::vector<float> &values, int64_t in, int64_t out) {
  std::vector<float> other(values.size());
  for (int64_t i = 0; i < in; ++i)
    for (int64_t j = 0; j < out; ++j)
      other[j * in + i] = values[i * out + j];
  return other;
}

CheckpointHeader someHeader() {
  CheckpointHeader header;
  header.optimizer = "Adam";
  header.step = 1234567890123;
  header.epoch = 3;
  header.position = 2048;
  header.seed = ~uint64_t(0);
  header.network = "{\"Name\": \"AE\", \"\xC3\xA9\": 1}\n";
  header.training = {{"Alpha", 0.025}, {"Batch", 1024}};
  header.symbols = {{"N.input", 27278}, {"N.output", 27278}};
  auto items = names({"Heat (1995)", "Ran (1985)", ""});
  header.columnNames = {{"input", items}, {"output", items}, {"tags/era", names({"old"})}, {"nameless", nullptr}};
  return header;
}

const TensorSpec kWide{.name = "Hidden->Output/weights", .in = 37, .out = 70};
const TensorSpec kBias{.name = "Hidden->Output/bias", .in = 1, .out = 70, .vector = true};

void writeSome(const std::string &path, bool force = false) {
  std::vector<float> wide = transposed(ramp(37 * 70, 0.5f), 37, 70), bias = ramp(70, -3), m = ramp(37 * 70, 9);
  CheckpointWriter writer(path, force);
  writer.writeHeader(someHeader());
  writer.writeParameter(kWide, rowsFrom(wide.data(), 37, 70, true));
  writer.writeParameter(kBias, rowsFrom(bias.data(), 1, 70, false));
  writer.writeState(kWide, "Adam", "m", rowsFrom(m.data(), 37, 70, false));
  writer.writeState(kBias, "Adam", "m", rowsFrom(bias.data(), 1, 70, false));
  writer.commit();
}

TEST(Checkpoint, RoundTrip) {
  Folder folder;
  writeSome(folder / "w.h5");
  CheckpointReader reader(folder / "w.h5");
  const CheckpointHeader &header = reader.header(), expected = someHeader();
  EXPECT_EQ(header.optimizer, "Adam");
  EXPECT_EQ(header.step, expected.step);
  EXPECT_EQ(header.epoch, 3);
  EXPECT_EQ(header.position, 2048);
  EXPECT_EQ(header.seed, expected.seed);
  EXPECT_EQ(header.network, expected.network);
  EXPECT_EQ(header.training, expected.training);
  EXPECT_EQ(header.symbols, expected.symbols);
  ASSERT_EQ(header.columnNames.size(), 3u);
  EXPECT_EQ(*header.columnNames.at("output"), *expected.columnNames.at("output"));
  EXPECT_EQ(header.columnNames.at("input"), header.columnNames.at("output")) << "stored and loaded once";
  EXPECT_EQ(listOf(*header.columnNames.at("tags/era")), (std::vector<std::string>{"old"}));
  ASSERT_EQ(reader.parameters().size(), 2u);
  EXPECT_EQ(reader.parameters()[0].name, kWide.name);
  EXPECT_EQ(reader.parameters()[0].in, 37);
  EXPECT_FALSE(reader.parameters()[0].vector);
  EXPECT_TRUE(reader.parameters()[1].vector);

  std::vector<float> rows(37 * 70), columns(37 * 70), bias(70);
  reader.readParameter(kWide, rowsInto(rows.data(), 37, 70, false));
  reader.readParameter(kWide, rowsInto(columns.data(), 37, 70, true));
  reader.readParameter(kBias, rowsInto(bias.data(), 1, 70, false));
  EXPECT_EQ(rows, ramp(37 * 70, 0.5f));
  EXPECT_EQ(columns, transposed(rows, 37, 70));
  EXPECT_EQ(bias, ramp(70, -3));
  EXPECT_TRUE(reader.hasState(kWide.name, "Adam", "m"));
  EXPECT_FALSE(reader.hasState(kWide.name, "Adam", "v"));
  reader.readState(kWide, "Adam", "m", rowsInto(rows.data(), 37, 70, false));
  EXPECT_EQ(rows, ramp(37 * 70, 9));
}

TEST(Checkpoint, FileIsRowMajorWhateverTheMemoryLayout) {
  Folder folder;
  writeSome(folder / "w.h5");
  h5::File file = h5::File::open(folder / "w.h5");
  EXPECT_EQ(file.shape("Hidden->Output/weights"), (std::vector<int64_t>{37, 70}));
  EXPECT_EQ(file.shape("Hidden->Output/bias"), (std::vector<int64_t>{70}));
  std::vector<float> rows(37 * 70);
  file.readRows("Hidden->Output/weights", 0, 37, rows.data());
  EXPECT_EQ(rows, ramp(37 * 70, 0.5f));
}

TEST(Checkpoint, LargeTensorsGoInPieces) {
  Folder folder;
  TensorSpec spec{.name = "a->b/weights", .in = 5, .out = 2 << 20}; // 40 MiB: two rows fill a block
  std::vector<std::pair<int64_t, int64_t>> written, read;
  CheckpointWriter writer(folder / "w.h5", false);
  writer.writeHeader({});
  writer.writeParameter(spec, [&](int64_t from, int64_t to, float *block) {
    written.push_back({from, to});
    for (int64_t i = from; i < to; ++i)
      std::fill_n(block + (i - from) * spec.out, spec.out, float(i));
  });
  writer.commit();
  bool right = true;
  CheckpointReader(folder / "w.h5").readParameter(spec, [&](int64_t from, int64_t to, const float *block) {
    read.push_back({from, to});
    for (int64_t i = from; i < to; ++i)
      right &= block[(i - from) * spec.out] == float(i) && block[(i - from + 1) * spec.out - 1] == float(i);
  });
  EXPECT_TRUE(right);
  EXPECT_EQ(written, (std::vector<std::pair<int64_t, int64_t>>{{0, 2}, {2, 4}, {4, 5}}));
  EXPECT_EQ(read, written);
}

TEST(Checkpoint, PiecesOfATransposedTensor) {
  std::vector<float> memory = ramp(6 * 50, 0), block(2 * 50), back(6 * 50);
  FillRows fill = rowsFrom(memory.data(), 6, 50, true);
  TakeRows take = rowsInto(back.data(), 6, 50, true);
  for (int64_t from : {0, 2, 4}) {
    fill(from, from + 2, block.data());
    for (int64_t j = 0; j < 50; ++j)
      EXPECT_EQ(block[50 + j], memory[j * 6 + from + 1]);
    take(from, from + 2, block.data());
  }
  EXPECT_EQ(back, memory);
}

TEST(Checkpoint, EqualContentGivesEqualBytes) {
  Folder folder;
  writeSome(folder / "a.h5");
  nextSecond();
  writeSome(folder / "b.h5");
  EXPECT_EQ(contentOf(folder / "a.h5"), contentOf(folder / "b.h5"));
}

TEST(Checkpoint, Refusals) {
  Folder folder;
  std::string path = folder / "w.h5";
  writeSome(path);
  EXPECT_USER_ERROR(writeSome(path), "w.h5", "exists already", "--force");
  writeSome(path, true);
  EXPECT_USER_ERROR(CheckpointReader(folder / "none.h5"), "none.h5", "No such file");
  writeFile(folder / "text.h5", "{}");
  EXPECT_USER_ERROR(CheckpointReader(folder / "text.h5"), "not an HDF5 file");
  std::string whole = contentOf(path);
  for (size_t keep : {whole.size() - 1, whole.size() / 2, size_t(100)}) {
    writeFile(folder / "cut.h5", whole.substr(0, keep));
    EXPECT_USER_ERROR(CheckpointReader(folder / "cut.h5"), "cut.h5", "truncated");
  }
  DataFileWriter data(folder / "data.h5", false);
  data.write("input", binary(4, {{1}}));
  data.commit();
  EXPECT_USER_ERROR(CheckpointReader(folder / "data.h5"), "data.h5", "not a weights file");

  CheckpointReader reader(path);
  auto ignore = [](int64_t, int64_t, const float *) {};
  TensorSpec other = kWide;
  other.out = 71;
  EXPECT_USER_ERROR(reader.readParameter(other, ignore), "w.h5", kWide.name, "[37, 71]", "[37, 70]");
  other.name = "x->y/weights";
  EXPECT_USER_ERROR(reader.readParameter(other, ignore), "no parameter x->y/weights", kWide.name, "another network");
  EXPECT_USER_ERROR(reader.readState(kWide, "Adam", "v", ignore), "no state v of optimizer Adam");
  TensorSpec longer = kBias;
  longer.out = 69;
  EXPECT_USER_ERROR(reader.readParameter(longer, ignore), "[69]", "[70]");
}

TEST(Checkpoint, RefusesANewerVersionAndBadNames) {
  Folder folder;
  {
    h5::File file = h5::File::create(folder / "new.h5", "new.h5");
    file.createGroup("snc");
    file.setAttribute("snc", "format", std::string("snc-weights"));
    file.setAttribute("snc", "version", uint64_t(2));
    file.close();
  }
  EXPECT_USER_ERROR(CheckpointReader(folder / "new.h5"), "version 2", "up to 1");
  CheckpointWriter writer(folder / "w.h5", false);
  writer.writeHeader({});
  for (std::string name : {"", "./x", "a//b", "snc/x", "a/"})
    EXPECT_USER_ERROR(writer.writeParameter({.name = name, .in = 1, .out = 1}, nullptr), "cannot be stored under");
}
} // namespace
} // namespace sn::rt
