// Weights files: round trips in both memory layouts, in pieces, equal bytes, and refusals.
#include "runtime/checkpoint/Checkpoint.h"
#include "test/unit/data/Support.h"
#include <limits>
#include <numeric>

namespace sn::rt {
namespace {
using namespace test;

std::vector<float> ramp(int64_t count, float from) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), from);
  return values;
}
/// Tensors in the test's memory, element by element.
FillTile tilesFrom(const std::vector<float> &memory, const TensorSpec &spec) {
  return [&memory, spec](const Tile &tile, float *block) {
    for (int64_t i = tile.row; i < tile.row + tile.rows; ++i)
      for (int64_t j = tile.column; j < tile.column + tile.columns; ++j)
        *block++ = memory[i * spec.out + j];
  };
}
TakeTile tilesInto(std::vector<float> &memory, const TensorSpec &spec) {
  return [&memory, spec](const Tile &tile, const float *block) {
    for (int64_t i = tile.row; i < tile.row + tile.rows; ++i)
      for (int64_t j = tile.column; j < tile.column + tile.columns; ++j)
        memory[i * spec.out + j] = *block++;
  };
}

CheckpointHeader someHeader() {
  CheckpointHeader header;
  header.optimizer = "Adam";
  header.step = 1234567890123;
  header.epoch = 3;
  header.position = 2048;
  header.examples = 5000;
  header.seed = ~uint64_t(0);
  header.network = "{\"Name\": \"AE\", \"\xC3\xA9\": 1}\n";
  header.training = {{"Alpha", 0.025}, {"Batch", 1024}};
  header.sums = {{"steps", 2}, {"reports", {{"loss", 0.1 + 0.2}}}};
  header.symbols = {{"N.input", 27278}, {"N.output", 27278}};
  auto items = names({"Heat (1995)", "Ran (1985)", ""});
  header.columnNames = {{"input", items}, {"output", items}, {"tags/era", names({"old"})}, {"nameless", nullptr}};
  return header;
}

const TensorSpec kWide{.name = "Hidden->Output/weights", .in = 37, .out = 70, .transposed = true};
const TensorSpec kBias{.name = "Hidden->Output/bias", .in = 1, .out = 70, .vector = true};

void writeSome(const std::string &path, bool force = false) {
  std::vector<float> wide = ramp(37 * 70, 0.5f), bias = ramp(70, -3), m = ramp(37 * 70, 9);
  CheckpointWriter writer(path, force);
  writer.writeHeader(someHeader());
  writer.writeParameter(kWide, tilesFrom(wide, kWide));
  writer.writeParameter(kBias, tilesFrom(bias, kBias));
  writer.writeState(kWide, "Adam", "m", tilesFrom(m, kWide));
  writer.writeState(kBias, "Adam", "m", tilesFrom(bias, kBias));
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

  EXPECT_EQ(reader.version(), 2u);
  EXPECT_EQ(header.examples, 5000);
  EXPECT_EQ(header.sums["reports"]["loss"].get<double>(), 0.1 + 0.2) << "to the last bit";
  std::vector<float> wide(37 * 70), bias(70);
  reader.readParameter(kWide, tilesInto(wide, kWide));
  reader.readParameter(kBias, tilesInto(bias, kBias));
  EXPECT_EQ(wide, ramp(37 * 70, 0.5f));
  EXPECT_EQ(bias, ramp(70, -3));
  EXPECT_TRUE(reader.hasState(kWide.name, "Adam", "m"));
  EXPECT_FALSE(reader.hasState(kWide.name, "Adam", "v"));
  reader.readState(kWide, "Adam", "m", tilesInto(wide, kWide));
  EXPECT_EQ(wide, ramp(37 * 70, 9));
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

/// Each element exactly once, nothing above 16 MiB.
void expectCovered(const TensorSpec &spec) {
  int64_t count = 0;
  std::vector<Tile> tiles = tilesOf(spec);
  for (size_t a = 0; a < tiles.size(); ++a) {
    count += tiles[a].count();
    EXPECT_LE(tiles[a].count(), kTileFloats);
    for (size_t b = 0; b < a; ++b)
      EXPECT_TRUE(tiles[a].row >= tiles[b].row + tiles[b].rows || tiles[b].row >= tiles[a].row + tiles[a].rows ||
                  tiles[a].column >= tiles[b].column + tiles[b].columns ||
                  tiles[b].column >= tiles[a].column + tiles[a].columns);
  }
  EXPECT_EQ(count, spec.count());
}

TEST(Checkpoint, TilesCoverATensorAndAreSmall) {
  for (bool transposed : {false, true})
    for (auto [in, out] : {std::pair<int64_t, int64_t>{1, 1},
                           {128, 1000003},
                           {1000003, 128},
                           {5, 10000019},
                           {10000019, 3},
                           {30000, 30000},
                           {1, 10000019},
                           {37, 70}})
      expectCovered({.name = "w", .in = in, .out = out, .transposed = transposed});
  EXPECT_EQ(tilesOf({.name = "w", .in = 128, .out = 1 << 20, .transposed = true}).at(1),
            (Tile{0, 128, 1 << 15, 1 << 15}))
      << "whole columns, which lie together in memory";
  EXPECT_EQ(tilesOf({.name = "w", .in = 1 << 20, .out = 128}).at(1), (Tile{1 << 15, 1 << 15, 0, 128})) << "whole rows";
}

TEST(Checkpoint, LargeTensorsGoInTiles) {
  Folder folder;
  auto value = [](int64_t row, int64_t column) { return float(row * 7 + column % 1013); };
  for (bool transposed : {false, true})
    for (TensorSpec spec : {TensorSpec{.name = "a->b/weights", .in = 5, .out = 2 << 20},
                            TensorSpec{.name = "a->b/weights", .in = 2 << 20, .out = 5},
                            TensorSpec{.name = "a->b/bias", .out = 5 << 20, .vector = true}}) {
      spec.transposed = transposed;
      std::vector<Tile> written, read;
      CheckpointWriter writer(folder / "w.h5", true);
      writer.writeHeader({});
      writer.writeParameter(spec, [&](const Tile &tile, float *block) {
        written.push_back(tile);
        for (int64_t k = 0; k < tile.count(); ++k)
          block[k] = value(tile.row + k / tile.columns, tile.column + k % tile.columns);
      });
      writer.commit();
      h5::File file = h5::File::open(folder / "w.h5");
      std::vector<float> last(spec.vector ? 1 : spec.out);
      file.readRows(spec.name, (spec.vector ? spec.out : spec.in) - 1, 1, last.data());
      EXPECT_EQ(last.back(), value(spec.in - 1, spec.out - 1)) << "row-major whatever the tiles";
      bool right = true;
      CheckpointReader(folder / "w.h5").readParameter(spec, [&](const Tile &tile, const float *block) {
        read.push_back(tile);
        for (int64_t k = 0; k < tile.count(); ++k)
          right &= block[k] == value(tile.row + k / tile.columns, tile.column + k % tile.columns);
      });
      EXPECT_TRUE(right);
      EXPECT_GT(written.size(), 1u);
      EXPECT_EQ(written, read);
    }
}

TEST(Checkpoint, TilesDoNotChangeTheFile) {
  Folder folder;
  for (bool transposed : {false, true}) {
    TensorSpec spec{.name = "w", .in = 6000, .out = 2500, .transposed = transposed};
    std::vector<float> values = ramp(spec.count(), 0);
    CheckpointWriter writer(folder / (transposed ? "b.h5" : "a.h5"), false);
    writer.writeHeader({});
    writer.writeParameter(spec, tilesFrom(values, spec));
    writer.commit();
    EXPECT_GT(tilesOf(spec).size(), 1u);
  }
  EXPECT_TRUE(contentOf(folder / "a.h5") == contentOf(folder / "b.h5"));
}

TEST(Checkpoint, TransposesRaggedTiles) {
  for (auto [rows, columns] : {std::pair{1, 1}, {3, 70}, {65, 33}}) {
    std::vector<float> from = ramp(rows * columns, 0), to(from.size());
    transpose(from.data(), to.data(), rows, columns);
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < columns; ++j)
        EXPECT_EQ(to[i * columns + j], from[j * rows + i]);
  }
}

TEST(Checkpoint, NumbersThatAreNotFiniteAreNeverKept) {
  Folder folder;
  for (float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                    std::numeric_limits<float>::quiet_NaN()}) {
    writeSome(folder / "w.h5", true);
    std::string before = contentOf(folder / "w.h5");
    std::vector<float> wide = ramp(37 * 70, 0), state = wide;
    state[2000] = bad;
    {
      CheckpointWriter writer(folder / "w.h5", true);
      writer.writeHeader({});
      writer.writeParameter(kWide, tilesFrom(wide, kWide));
      EXPECT_THROW(writer.writeState(kWide, "Adam", "m", tilesFrom(state, kWide)), NotFiniteTensor);
      EXPECT_USER_ERROR(writer.writeParameter({.name = "x", .in = 37, .out = 70}, tilesFrom(state, kWide)),
                        "the parameter 'x' holds numbers that are infinite or not numbers");
    }
    EXPECT_EQ(contentOf(folder / "w.h5"), before);
    EXPECT_EQ(folder.files().size(), 1u) << "nothing left behind";
  }
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
  auto ignore = [](const Tile &, const float *) {};
  TensorSpec other = kWide;
  other.out = 71;
  EXPECT_USER_ERROR(reader.readParameter(other, ignore), "w.h5", kWide.name, "[37, 71]", "[37, 70]");
  other.name = "x->y/weights";
  EXPECT_USER_ERROR(reader.readParameter(other, ignore), "no parameter x->y/weights", kWide.name,
                    "it belongs to another network");
  EXPECT_USER_ERROR(reader.readState(kWide, "Adam", "v", ignore), "has no state v of optimizer Adam for");
  TensorSpec longer = kBias;
  longer.out = 69;
  EXPECT_USER_ERROR(reader.readParameter(longer, ignore), "[69]", "[70]");
}

/// A file with the frame of a weights file; `parameters` are listed, whatever is there under their names.
void writeFrame(h5::File &file, const std::string &training, const Names &parameters, const std::string &symbols = "{}",
                uint64_t version = 2) {
  file.createGroup("snc");
  file.setAttribute("snc", "format", std::string("snc-weights"));
  file.setAttribute("snc", "version", version);
  for (const char *name : {"step", "epoch", "position", "seed", "examples"})
    file.setAttribute("snc", name, uint64_t(0));
  file.writeText("snc/network", "{}");
  file.writeText("snc/training", training);
  file.writeText("snc/symbols", symbols);
  file.writeText("snc/sums", "{}");
  file.writeNames("snc/datasets", Names());
  file.writeNames("snc/parameters", parameters);
}

TEST(Checkpoint, DamagedContents) {
  Folder folder;
  std::string path = folder / "w.h5";
  auto make = [&](const std::string &training, auto write) {
    h5::File file = h5::File::create(path, path);
    writeFrame(file, training, {"a->b/weights"});
    write(file);
    file.close();
  };
  make("{", [](h5::File &) {});
  EXPECT_USER_ERROR(CheckpointReader reader(path),
                    "w.h5: snc/training, snc/symbols or snc/sums is not the JSON that was written there: ");
  make("{}", [](h5::File &file) { file.createArray<float>("a->b/weights", {2, 3, 4}); });
  EXPECT_USER_ERROR(CheckpointReader reader(path),
                    "parameter a->b/weights has shape [2, 3, 4]; it should have one or two axes, none of extent 0");
  make("{}", [](h5::File &file) { file.createArray<float>("a->b/weights", {2, 0}); });
  EXPECT_USER_ERROR(CheckpointReader reader(path), "parameter a->b/weights has shape [2, 0]; it should have");
  make("{}", [](h5::File &file) {
    file.createArray<int32_t>("a->b/weights", {2, 3});
    file.writeRows("a->b/weights", 0, 2, std::vector<int32_t>(6).data());
  });
  auto ignore = [](const Tile &, const float *) {};
  EXPECT_USER_ERROR(
      CheckpointReader(path).readParameter({.name = "a->b/weights", .in = 2, .out = 3}, ignore),
      "a->b/weights should be floating-point numbers of shape [2, 3], found shape [2, 3] of another element type");
}

/// A file of version 3 with a matrix of 2 x 3 and a state, whose rows have 0 and `age` of 2 steps to make up for.
void writeDeferredFile(const std::string &path, int32_t age, const std::vector<double> &products,
                       const TensorSpec &rows = {.name = "a->b/weights", .in = 2, .out = 3},
                       const std::vector<double> &gram = {1, 2, 2, 4}, int64_t units = 3) {
  const TensorSpec spec{.name = "a->b/weights", .in = 2, .out = 3};
  const std::vector<float> w = {1, 2, 3, 4, 5, 6}, v = {10, 20, 30, 40, 50, 60};
  CheckpointWriter writer(path, true);
  CheckpointHeader header;
  header.optimizer = "Momentum";
  writer.writeHeader(header);
  writer.writeDeferred({{spec.name}, {"v"}, products});
  writer.writeParameter(spec, tilesFrom(w, spec));
  TensorSpec state = spec;
  state.out = units;
  writer.writeState(state, "Momentum", "v", tilesFrom(v, state));
  writer.writeDeferredRows(
      rows, [age](int64_t row) { return row == 1 ? age : 0; }, gram);
  writer.commit();
}
const std::vector<double> kProducts = {1, 0, 0, 1, /*1*/ 9, 9, 9, 9, /*2*/ 0.5, 0.25, 0, 2};

TEST(Checkpoint, RowsMakeUpForWhatWasPutOffAsTheyAreRead) {
  Folder folder;
  const std::string path = folder / "w.h5";
  writeDeferredFile(path, 2, kProducts);
  const CheckpointReader reader(path);
  EXPECT_EQ(reader.version(), 3u);
  ASSERT_NE(reader.deferred(), nullptr);
  EXPECT_EQ(reader.deferred()->steps(), 2);
  EXPECT_EQ(reader.deferred()->products, kProducts);
  EXPECT_EQ(reader.readGram("a->b/weights"), (std::vector<double>{1, 2, 2, 4}));
  const TensorSpec spec{.name = "a->b/weights", .in = 2, .out = 3};
  std::vector<float> w(6), v(6);
  reader.readParameter(spec, tilesInto(w, spec));
  reader.readState(spec, "Momentum", "v", tilesInto(v, spec));
  EXPECT_EQ(w, (std::vector<float>{1, 2, 3, 12, 15, 18}));
  EXPECT_EQ(v, (std::vector<float>{10, 20, 30, 80, 100, 120}));
  reader.readParameter(spec, tilesInto(w, spec), true);
  reader.readState(spec, "Momentum", "v", tilesInto(v, spec), true);
  EXPECT_EQ(w, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(v, (std::vector<float>{10, 20, 30, 40, 50, 60}));
}

TEST(Checkpoint, DamagedAccountsOfWhatWasPutOff) {
  Folder folder;
  const std::string path = folder / "w.h5";
  const TensorSpec spec{.name = "a->b/weights", .in = 2, .out = 3};
  auto ignore = [](const Tile &, const float *) {};
  for (int32_t age : {3, -1}) {
    writeDeferredFile(path, age, kProducts);
    EXPECT_USER_ERROR(CheckpointReader(path).readParameter(spec, ignore),
                      "w.h5: row 1 of a->b/weights has " + std::to_string(age) +
                          " steps to make up for, of 2; the file is damaged");
  }
  writeDeferredFile(path, 0, {1, 0, 0, 1, 2});
  EXPECT_USER_ERROR(CheckpointReader reader(path),
                    "w.h5: snc/deferred/products should be a list of 2 x 2 matrices; the file is damaged");
  writeDeferredFile(path, 0, {1, 0, 0, std::numeric_limits<double>::infinity()});
  EXPECT_USER_ERROR(CheckpointReader reader(path),
                    "w.h5: snc/deferred/products holds numbers that are infinite or not numbers");
  writeDeferredFile(path, 0, kProducts, {.name = "a->b/weights", .in = 3, .out = 3});
  EXPECT_USER_ERROR(CheckpointReader reader(path), "w.h5: snc/deferred/ages/a->b/weights should hold one number for "
                                                   "each row of a->b/weights; the file is damaged");
  writeDeferredFile(path, 0, kProducts, spec, {1, 2, 3});
  EXPECT_USER_ERROR(CheckpointReader(path).readGram(spec.name),
                    "w.h5: snc/deferred/sums/a->b/weights should be a list of 4 sums of products; the file is damaged");
  writeDeferredFile(path, 0, kProducts, spec, {}, 2);
  EXPECT_EQ(CheckpointReader(path).readGram(spec.name), std::vector<double>());
  EXPECT_USER_ERROR(
      CheckpointReader(path).readParameter(spec, ignore),
      "w.h5: snc/state/a->b/weights/Momentum/v is not as large as a->b/weights, whose rows it belongs to");
  h5::File file = h5::File::create(path, path);
  writeFrame(file, "{}", {}, "{}", 3);
  file.close();
  EXPECT_USER_ERROR(CheckpointReader reader(path), "w.h5: is of version 3 and lacks snc/deferred; the file is damaged");
}

TEST(Checkpoint, ExtentsThatNoLayerHas) {
  Folder folder;
  std::string path = folder / "w.h5";
  auto make = [&](const std::string &symbols) {
    h5::File file = h5::File::create(path, path);
    writeFrame(file, "{}", {}, symbols);
    file.close();
  };
  for (const std::string &extent :
       {"0", "-1", "-9223372036854775808", "2147483648", "9223372036854775808", "18446744073709551615", "2.5", "5.0",
        "1e30", "true", "null", "\"5\"", "[5]", "{}"}) {
    make("{\"fine\": 5, \"inputs\": " + extent + "}");
    EXPECT_USER_ERROR(CheckpointReader reader(path), "w.h5: the extent 'inputs' in snc/symbols is ",
                      "; a whole number from 1 to 2147483647 is expected, so the file is damaged");
  }
  make("{\"inputs\": -1}");
  EXPECT_USER_ERROR(CheckpointReader reader(path), "the extent 'inputs' in snc/symbols is -1; ");
  for (const char *other : {"[1]", "7", "null", "\"inputs\""}) {
    make(other);
    EXPECT_USER_ERROR(CheckpointReader reader(path), "snc/symbols should be an object of extents; the file is damaged");
  }
  make("{\"inputs\": 1, \"outputs\": 2147483647}");
  EXPECT_EQ(CheckpointReader(path).header().symbols,
            (std::map<std::string, int64_t>{{"inputs", 1}, {"outputs", 2147483647}}));
}

TEST(Checkpoint, RefusesANewerVersionAndBadNames) {
  Folder folder;
  {
    h5::File file = h5::File::create(folder / "new.h5", "new.h5");
    file.createGroup("snc");
    file.setAttribute("snc", "format", std::string("snc-weights"));
    file.setAttribute("snc", "version", uint64_t(4));
    file.close();
  }
  EXPECT_USER_ERROR(CheckpointReader(folder / "new.h5"), "is a weights file of version 4; this program reads up to 3");
  CheckpointWriter writer(folder / "w.h5", false);
  writer.writeHeader({});
  for (std::string name : {"", "./x", "a//b", "snc/x", "a/"})
    EXPECT_USER_ERROR(writer.writeParameter({.name = name, .in = 1, .out = 1}, nullptr), "cannot be stored under");
}
} // namespace
} // namespace sn::rt
