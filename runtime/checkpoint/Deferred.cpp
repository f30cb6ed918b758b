// Tensors of a checkpoint inside an epoch, some of whose rows have updates to make up for: snc/deferred. A reader does
// that as it reads, whoever it reads for; training that goes on takes the rows as they are.
#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <cmath>

namespace sn::rt {
namespace {
constexpr const char *kProducts = "snc/deferred/products", *kStates = "snc/deferred/states",
                     *kParameters = "snc/deferred/parameters";
/// Rows at a time.
constexpr int64_t kBlock = 1 << 16;
/// As many steps and states as no run has: what a file says beyond that is damage.
constexpr int64_t kMostSteps = 1 << 16, kMostStates = 31;

std::string agesName(const std::string &parameter) { return "snc/deferred/ages/" + parameter; }
std::string gramName(const std::string &parameter) { return "snc/deferred/sums/" + parameter; }

Names namesOf(const std::vector<std::string> &texts) {
  Names names;
  for (const std::string &text : texts)
    names.add(text);
  return names;
}
std::vector<std::string> textsOf(const Names &names) {
  std::vector<std::string> texts;
  for (int64_t i = 0; i < names.size(); ++i)
    texts.emplace_back(names[i]);
  return texts;
}
} // namespace

void CheckpointWriter::writeDeferred(const DeferredHeader &deferred) {
  deferred_ = true;
  file_.createGroup("snc/deferred");
  file_.writeNames(kParameters, namesOf(deferred.parameters));
  file_.writeNames(kStates, namesOf(deferred.states));
  file_.writeVector(kProducts, deferred.products);
}

void CheckpointWriter::writeDeferredRows(const TensorSpec &parameter, const std::function<int32_t(int64_t)> &age,
                                         const std::vector<double> &gram) {
  const std::string array = agesName(parameter.name);
  file_.createArray<int32_t>(array, {parameter.in});
  std::vector<int32_t> block;
  for (int64_t first = 0; first < parameter.in; first += kBlock) {
    block.resize(static_cast<size_t>(std::min(kBlock, parameter.in - first)));
    for (size_t i = 0; i < block.size(); ++i)
      block[i] = age(first + static_cast<int64_t>(i));
    file_.writeRows(array, first, static_cast<int64_t>(block.size()), block.data());
  }
  if (!gram.empty())
    file_.writeVector(gramName(parameter.name), gram);
}

void CheckpointReader::readDeferred() {
  if (file_->kind("snc/deferred") != h5::Kind::Group)
    userError("{}: is of version {} and lacks snc/deferred; the file is damaged", path(), version_);
  DeferredHeader deferred;
  deferred.parameters = textsOf(file_->readNames(kParameters));
  deferred.states = textsOf(file_->readNames(kStates, kMostStates));
  const std::vector<int64_t> shape = file_->shape(kProducts);
  const int64_t elements = deferred.size() * deferred.size();
  if (shape.size() != 1 || shape[0] < elements || shape[0] % elements != 0 || shape[0] / elements > kMostSteps)
    userError("{}: {} should be a list of {} x {} matrices; the file is damaged", path(), kProducts, deferred.size(),
              deferred.size());
  deferred.products.resize(static_cast<size_t>(shape[0]));
  file_->readRows(kProducts, 0, shape[0], deferred.products.data());
  if (std::any_of(deferred.products.begin(), deferred.products.end(), [](double x) { return !std::isfinite(x); }))
    userError("{}: {} holds numbers that are infinite or not numbers", path(), kProducts);
  for (const std::string &name : deferred.parameters)
    if (!hasParameter(name) || file_->shape(name).size() != 2 ||
        file_->shape(agesName(name)) != std::vector<int64_t>{file_->shape(name)[0]})
      userError("{}: {} should hold one number for each row of {}; the file is damaged", path(), agesName(name), name);
  deferred_ = std::move(deferred);
}

bool CheckpointReader::hasDeferred(const std::string &parameter) const {
  return deferred_ && std::find(deferred_->parameters.begin(), deferred_->parameters.end(), parameter) !=
                          deferred_->parameters.end();
}

void CheckpointReader::readAges(const std::string &parameter, int64_t first, int64_t count, int32_t *ages) const {
  file_->readRows(agesName(parameter), first, count, ages);
  const int64_t most = deferred_->steps();
  for (int64_t i = 0; i < count; ++i)
    if (ages[i] < 0 || ages[i] > most)
      userError("{}: row {} of {} has {} steps to make up for, of {}; the file is damaged", path(), first + i,
                parameter, ages[i], most);
}

std::vector<double> CheckpointReader::readGram(const std::string &parameter) const {
  const std::string array = gramName(parameter);
  if (file_->kind(array) != h5::Kind::Array)
    return {};
  const int64_t size = deferred_->size() * deferred_->size();
  if (file_->shape(array) != std::vector<int64_t>{size})
    userError("{}: {} should be a list of {} sums of products; the file is damaged", path(), array, size);
  std::vector<double> gram(static_cast<size_t>(size));
  file_->readRows(array, 0, size, gram.data());
  return gram;
}

/// Value number `value` of the rows of each tile: the others of the row are read beside it, few rows at a time.
TakeTile CheckpointReader::catchingUp(const TensorSpec &expected, size_t value, const TakeTile &take) const {
  return [this, expected, value, take](const Tile &tile, const float *block) {
    const DeferredHeader &deferred = *deferred_;
    const size_t size = static_cast<size_t>(deferred.size());
    std::vector<float> made(static_cast<size_t>(tile.count())), other;
    const int64_t rows = std::max<int64_t>(1, kBlock / std::max<int64_t>(1, tile.columns));
    std::vector<int32_t> ages;
    for (int64_t row = 0; row < tile.rows; row += rows) {
      const int64_t n = std::min(rows, tile.rows - row), count = n * tile.columns;
      ages.resize(static_cast<size_t>(n));
      other.resize(static_cast<size_t>(count));
      readAges(expected.name, tile.row + row, n, ages.data());
      std::vector<double> sum(static_cast<size_t>(count), 0.0);
      for (size_t k = 0; k < size; ++k) {
        const float *from = block + row * tile.columns;
        if (k != value) {
          const std::string array =
              k == 0 ? expected.name : stateName(expected.name, header_.optimizer, deferred.states[k - 1]);
          if (file_->shape(array) != std::vector<int64_t>{expected.in, expected.out})
            userError("{}: {} is not as large as {}, whose rows it belongs to; the file is damaged", path(), array,
                      expected.name);
          file_->readTile(array, tile.row + row, n, tile.column, tile.columns, other.data());
          from = other.data();
        }
        for (int64_t i = 0; i < count; ++i) {
          const size_t age = static_cast<size_t>(ages[static_cast<size_t>(i / tile.columns)]);
          sum[static_cast<size_t>(i)] +=
              deferred.products[(age * size + value) * size + k] * static_cast<double>(from[i]);
        }
      }
      for (int64_t i = 0; i < count; ++i)
        made[static_cast<size_t>(row * tile.columns + i)] = static_cast<float>(sum[static_cast<size_t>(i)]);
    }
    take(tile, made.data());
  };
}
} // namespace sn::rt
