// Weights files whose metadata HDF5 itself wrote, and whose content is anything: a reader with usable tensors, or a
// UserError. What can be read is written, and the copy holds the same.
#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/plan/Error.h"
#include "test/fuzz/support/DataSets.h"
#include "test/fuzz/support/Hdf5Builder.h"
#include "test/fuzz/support/Target.h"
#include <algorithm>
#include <vector>

namespace {
using namespace sn;
using namespace sn::fuzz;

const std::string kWeights = "Input->Hidden/weights", kBias = "Input->Hidden/bias";

void build(Hdf5Builder &file, Choices &choices) {
  int in = 1 + choices.below(5), out = 1 + choices.below(5);
  std::vector<long double> matrix(size_t(in) * size_t(out), 0.5L), vector(size_t(out), 0.25L);
  file.group("snc");
  file.textAttribute("snc", "format", "snc-weights", choices);
  file.textAttribute("snc", "optimizer", "Momentum", choices);
  for (const char *name : {"version", "step", "epoch", "position", "examples", "seed"})
    file.integerAttribute("snc", name, {2}, true, choices);
  file.strings("snc/network", {"{\"Name\": \"AE\"}"}, true, choices);
  file.strings("snc/training", {"{\"batch\": 16}"}, true, choices);
  file.strings("snc/sums", {"{\"loss\": 1}"}, true, choices);
  file.strings("snc/symbols", {"{\"inputs\": 5}"}, true, choices);
  file.strings("snc/parameters", {kWeights, kBias}, false, choices);
  file.strings("snc/datasets", {"input"}, false, choices);
  file.strings("snc/names/input/column_names", {"a", "b", "c"}, false, choices);
  file.numbers(kWeights, H5T_IEEE_F32LE, {hsize_t(in), hsize_t(out)}, matrix, choices);
  file.numbers(kBias, H5T_IEEE_F32LE, {hsize_t(out)}, vector, choices);
  file.numbers("snc/state/" + kWeights + "/Momentum/v", H5T_IEEE_F32LE, {hsize_t(in), hsize_t(out)}, matrix, choices);
  const std::string factored = "snc/factored/" + kWeights; // last, so that older inputs mean what they meant
  file.numbers(factored + "/steps", H5T_STD_I64LE, {1}, {3}, choices);
  file.numbers(factored + "/generations", H5T_STD_U8LE, {hsize_t(out)}, std::vector<long double>(size_t(out), 1), choices);
  file.numbers(factored + "/products", H5T_IEEE_F32LE, {4}, {1, 0, 0, 1}, choices);
  file.numbers(factored + "/gram", H5T_IEEE_F64LE, {2}, {1, 2}, choices);
  file.numbers(factored + "/rows", H5T_IEEE_F32LE, {hsize_t(in), hsize_t(out)}, matrix, choices);
}

std::vector<float> contentOf(const rt::CheckpointReader &reader, const rt::TensorSpec &spec) {
  std::vector<float> values(size_t(spec.count()));
  std::vector<bool> seen(values.size());
  reader.readParameter(spec, [&](const rt::Tile &tile, const float *block) {
    demand(tile.row >= 0 && tile.column >= 0 && tile.count() > 0 && tile.row + tile.rows <= spec.in &&
               tile.column + tile.columns <= spec.out,
           "a tile outside its tensor");
    for (int64_t row = tile.row; row < tile.row + tile.rows; ++row)
      for (int64_t column = tile.column; column < tile.column + tile.columns; ++column) {
        size_t at = size_t(row * spec.out + column);
        demand(!seen[at], "a value of a tensor comes twice");
        seen[at] = true;
        values[at] = *block++;
      }
  });
  demand(std::find(seen.begin(), seen.end(), false) == seen.end(), "values of a tensor are missing");
  return values;
}

void readStates(const rt::CheckpointReader &reader) {
  for (const rt::TensorSpec &spec : reader.parameters())
    if (reader.hasState(spec.name, "Momentum", "v"))
      try {
        reader.readState(spec, "Momentum", "v", [](const rt::Tile &, const float *) {});
      } catch (const UserError &) {
      }
}

void readFactored(const rt::CheckpointReader &reader) {
  for (const rt::TensorSpec &spec : reader.parameters())
    if (reader.hasFactored(spec.name))
      try {
        rt::FactoredRecord record{0, std::vector<uint8_t>(size_t(spec.out)), std::vector<float>(4),
                                  std::vector<double>(2)};
        reader.readFactored(spec.name, record);
        reader.readFactoredRows(spec, [](const rt::Tile &, const float *) {});
      } catch (const UserError &) {
      }
}

void copy(const rt::CheckpointReader &reader) {
  std::vector<std::pair<rt::TensorSpec, std::vector<float>>> tensors;
  for (const rt::TensorSpec &spec : reader.parameters())
    tensors.emplace_back(spec, contentOf(reader, spec));
  std::string path = scratch("again.weights.h5");
  rt::CheckpointWriter writer(path, true);
  writer.writeHeader(reader.header());
  for (const auto &[spec, values] : tensors)
    writer.writeParameter(spec, [&, from = values.data(), out = spec.out](const rt::Tile &tile, float *block) {
      for (int64_t row = tile.row; row < tile.row + tile.rows; ++row)
        block = std::copy_n(from + row * out + tile.column, tile.columns, block);
    });
  writer.commit();
  rt::CheckpointReader again(path);
  const rt::CheckpointHeader &a = reader.header(), &b = again.header();
  demand(a.step == b.step && a.epoch == b.epoch && a.position == b.position && a.examples == b.examples &&
             a.seed == b.seed && a.sums == b.sums && a.optimizer == b.optimizer && a.training == b.training &&
             a.symbols == b.symbols,
         "a header changes when written and read");
  demand(again.parameters().size() == tensors.size(), "a parameter is lost");
  for (const auto &[spec, values] : tensors) {
    std::vector<float> back = contentOf(again, spec);
    demand(std::equal(back.begin(), back.end(), values.begin(), values.end(),
                      [](float x, float y) { return x == y || (x != x && y != y); }),
           "a parameter changes when written and read");
  }
}

/// Whether the file of these choices can be read and copied.
bool readAndCopy(Choices choices) {
  std::string path = scratch("input");
  {
    Hdf5Builder file(path);
    build(file, choices);
  }
  try {
    rt::CheckpointReader reader(path);
    readStates(reader);
    readFactored(reader);
    copy(reader);
    return true;
  } catch (const UserError &error) {
    say(error.what());
    demand(*error.what(), "an empty message");
    return false;
  }
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const bool plain = readAndCopy({nullptr, 0});
  demand(plain, "the plainest file is refused: this target would try nothing");
  readAndCopy({data, size});
  closeAbandonedFiles();
  return 0;
}
