// Weights files whose metadata HDF5 itself wrote, and whose content is anything: a reader with usable tensors, or a
// UserError. What can be read is written, and the copy holds the same.
#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/plan/Error.h"
#include "test/fuzz/support/Hdf5Image.h"
#include "test/fuzz/support/Target.h"
#include <vector>

namespace {
using namespace sn;
using namespace sn::fuzz;

const std::string kWeights = "Input->Hidden/weights", kBias = "Input->Hidden/bias";

void build(Hdf5Image &image, Choices &choices) {
  int in = 1 + choices.below(5), out = 1 + choices.below(5);
  std::vector<long double> matrix(size_t(in) * size_t(out), 0.5L), vector(size_t(out), 0.25L);
  image.group("snc");
  image.textAttribute("snc", "format", "snc-weights", choices);
  image.textAttribute("snc", "optimizer", "Momentum", choices);
  for (const char *name : {"version", "step", "epoch", "position", "seed"})
    image.integerAttribute("snc", name, {1}, true, choices);
  image.strings("snc/network", {"{\"Name\": \"AE\"}"}, true, choices);
  image.strings("snc/training", {"{\"batch\": 16}"}, true, choices);
  image.strings("snc/symbols", {"{\"inputs\": 5}"}, true, choices);
  image.strings("snc/parameters", {kWeights, kBias}, false, choices);
  image.strings("snc/datasets", {"input"}, false, choices);
  image.strings("snc/names/input/column_names", {"a", "b", "c"}, false, choices);
  image.numbers(kWeights, H5T_IEEE_F32LE, {hsize_t(in), hsize_t(out)}, matrix, choices);
  image.numbers(kBias, H5T_IEEE_F32LE, {hsize_t(out)}, vector, choices);
  image.numbers("snc/state/" + kWeights + "/Momentum/v", H5T_IEEE_F32LE, {hsize_t(in), hsize_t(out)}, matrix, choices);
}

std::vector<float> contentOf(const rt::CheckpointReader &reader, const rt::TensorSpec &spec) {
  std::vector<float> values(size_t(spec.count()), -1);
  int64_t done = 0;
  reader.readParameter(spec, [&](int64_t from, int64_t to, const float *block) {
    demand(from == done && to > from && to <= spec.in, "rows of a tensor come out of order");
    done = to;
    std::copy_n(block, (to - from) * spec.out, values.begin() + from * spec.out);
  });
  demand(done == spec.in || spec.count() == 0, "rows of a tensor are missing");
  return values;
}

void readStates(const rt::CheckpointReader &reader) {
  for (const rt::TensorSpec &spec : reader.parameters())
    if (reader.hasState(spec.name, "Momentum", "v"))
      try {
        reader.readState(spec, "Momentum", "v", [](int64_t, int64_t, const float *) {});
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
    writer.writeParameter(spec, rt::rowsFrom(values.data(), spec.in, spec.out, false));
  writer.commit();
  rt::CheckpointReader again(path);
  const rt::CheckpointHeader &a = reader.header(), &b = again.header();
  demand(a.step == b.step && a.epoch == b.epoch && a.position == b.position && a.seed == b.seed &&
             a.optimizer == b.optimizer && a.training == b.training && a.symbols == b.symbols,
         "a header changes when written and read");
  demand(again.parameters().size() == tensors.size(), "a parameter is lost");
  for (const auto &[spec, values] : tensors) {
    std::vector<float> back = contentOf(again, spec);
    demand(std::equal(back.begin(), back.end(), values.begin(), values.end(),
                      [](float x, float y) { return x == y || (x != x && y != y); }),
           "a parameter changes when written and read");
  }
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Choices choices(data, size);
  std::string bytes;
  {
    Hdf5Image image;
    build(image, choices);
    bytes = image.bytes();
  }
  MemoryFile file(bytes);
  try {
    rt::CheckpointReader reader(file.path());
    readStates(reader);
    copy(reader);
  } catch (const UserError &error) {
    demand(*error.what(), "an empty message");
  }
  return 0;
}
