// Weights files (*.weights.h5): everything training needs to go on bit for bit, and prediction to print names.
// An HDF5 file:
// - <parameter>, e.g. "Input->Hidden/weights": float32 [in, out] row-major, or [out] for a vector
// - snc/state/<parameter>/<optimizer>/<state>: the same shape
// - snc: attributes format, version, optimizer, step, epoch, position, seed, examples
// - snc/network, snc/training, snc/symbols, snc/sums: JSON texts
// - snc/factored/<parameter>: inside an epoch of factored steps, rows, generations, products, gram, steps
// - snc/parameters: names of the parameters in order
// - snc/datasets: data sets with column names, which are in snc/names/<data set>/column_names
// - snc/deferred, inside an epoch only: what rows have yet to make up for (DeferredHeader)
// docs/spec/weights.md says more. Tensors go in and out in tiles, so that none needs a second whole copy.
#pragma once
#include "runtime/data/AtomicFile.h"
#include "runtime/data/Hdf5.h"
#include "runtime/plan/Error.h"
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

namespace sn::rt {
namespace nc {
class Reader;
}
/// A stored tensor of logical shape [in, out].
struct TensorSpec {
  std::string name{};      // "Input->Hidden/weights"
  int64_t in = 1, out = 0; // a vector has in = 1
  bool vector = false;     // stored as [out]: biases
  /// Lies in memory as [out][in] (the plan's layout "columns"). The file is [in, out] either way; tiles are then whole
  /// columns, which are contiguous in memory.
  bool transposed = false;
  int64_t count() const { return in * out; }
};

/// What a weights file holds beside tensors.
struct CheckpointHeader {
  std::string optimizer; // "" = untrained
  int64_t step = 0;      // steps done
  int64_t epoch = 0;     // whole epochs done
  int64_t position = 0;  // examples done of the epoch begun (0 at its start)
  int64_t examples = 0;  // of an epoch; 0 in untrained weights and files of version 1
  uint64_t seed = 0;
  std::string network;                                // the network's JSON text
  nlohmann::json training = nlohmann::json::object(); // the settings of the run
  nlohmann::json sums = nlohmann::json::object();     // of the epoch begun, exact
  std::map<std::string, int64_t> symbols;             // extents, by the plan's symbol names
  /// Column names of data sets (by data set name), for those that have them.
  std::map<std::string, std::shared_ptr<const Names>> columnNames;
};

/// Parameters saved with rows whose updates were put off (runtime/hal/DeferredRows.h).
struct DeferredHeader {
  std::vector<std::string> parameters;
  std::vector<std::string> states; // of the optimizer: what a row holds beside its weights
  std::vector<double> products;    // of the matrices of the last 0, 1, ... steps, each 1 + states square
  int64_t size() const { return 1 + static_cast<int64_t>(states.size()); }
  int64_t steps() const { return static_cast<int64_t>(products.size()) / (size() * size()) - 1; }
};

/// Where a state tensor lies in the file.
std::string stateName(const std::string &parameter, const std::string &optimizer, const std::string &state);

/// A rectangle of a tensor: rows [row, row + rows) of the axis `in`, columns [column, column + columns) of `out`.
struct Tile {
  int64_t row = 0, rows = 0, column = 0, columns = 0;
  int64_t count() const { return rows * columns; }
  bool operator==(const Tile &) const = default;
};
inline constexpr int64_t kTileFloats = 4 << 20; // 16 MiB at a time
/// The tiles in which a tensor is written and read, of at most kTileFloats, contiguous in memory where they can be.
std::vector<Tile> tilesOf(const TensorSpec &spec);

/// Fills `block`, rows x columns floats row-major, with a tile of the logical tensor.
using FillTile = std::function<void(const Tile &tile, float *block)>;
/// Takes such a block.
using TakeTile = std::function<void(const Tile &tile, const float *block)>;
/// to[i * columns + j] = from[j * rows + i] for i < rows, j < columns.
void transpose(const float *from, float *to, int64_t rows, int64_t columns);

/// A tensor to be written holds NaN or infinity: training has diverged, and no such file is made.
class NotFiniteTensor : public UserError {
public:
  using UserError::UserError;
};

/// Of a matrix that is trained in factored form, inside an epoch (runtime/hal/Factored.h).
struct FactoredRecord {
  int64_t steps = 0;
  std::vector<uint8_t> generations;
  std::vector<float> products;
  std::vector<double> gram;
};

/// Writes a weights file, which appears at commit(). Equal content gives equal bytes. UserError if `path` exists and
/// `force` is not set, or the disk is full; NotFiniteTensor for a tensor that must not be kept.
class CheckpointWriter {
public:
  CheckpointWriter(const std::string &path, bool force);
  void writeHeader(const CheckpointHeader &header);
  void writeParameter(const TensorSpec &spec, const FillTile &fill);
  /// A state tensor of a parameter, e.g. ("Input->Hidden/weights", "Adam", "m").
  void writeState(const TensorSpec &parameter, const std::string &optimizer, const std::string &state,
                  const FillTile &fill);
  /// Of tensors that are written as they are: the file is of version 3 then.
  void writeDeferred(const DeferredHeader &deferred);
  /// Of one of its parameters: the steps each row has yet to make up for, and sums of products that go with them.
  void writeDeferredRows(const TensorSpec &parameter, const std::function<int32_t(int64_t row)> &age,
                         const std::vector<double> &gram);
  /// What training in factored form goes on with: the record of a matrix, then its rows and its bias' as they lie in
  /// memory.
  void writeFactored(const std::string &parameter, const FactoredRecord &record);
  void writeFactoredRows(const TensorSpec &parameter, const FillTile &fill);
  void commit();

private:
  void writeTensor(const std::string &array, const std::string &shownAs, const TensorSpec &spec, const FillTile &fill);
  AtomicFile target_;
  h5::File file_;
  Names parameters_;
  bool deferred_ = false;
};

/// Reads a weights file, or a trained network of DSSTNE's (NetCDF), recognised by its content: that has parameters
/// under our names and the widths of its data sets, but neither states nor the network's JSON. UserError for a file
/// that is missing, truncated, newer or neither, and for extents that no layer can have.
class CheckpointReader {
public:
  explicit CheckpointReader(const std::string &path);
  const CheckpointHeader &header() const { return header_; }
  /// 1: written before checkpoints inside an epoch; 2: now; 3: with rows that have updates to make up for.
  uint64_t version() const { return version_; }
  const std::string &path() const { return path_; }
  /// In the order they were written.
  const std::vector<TensorSpec> &parameters() const { return parameters_; }
  bool hasParameter(const std::string &name) const;
  bool hasState(const std::string &parameter, const std::string &optimizer, const std::string &state) const;
  /// UserError saying what was expected and found if the tensor is missing or of another shape. Rows whose updates were
  /// put off have made up for them, unless the tensor is wanted as it is stored.
  void readParameter(const TensorSpec &expected, const TakeTile &take, bool asStored = false) const;
  void readState(const TensorSpec &parameter, const std::string &optimizer, const std::string &state,
                 const TakeTile &take, bool asStored = false) const;
  /// Null where no updates are put off.
  const DeferredHeader *deferred() const { return deferred_ ? &*deferred_ : nullptr; }
  /// Of a parameter of deferred().
  void readAges(const std::string &parameter, int64_t first, int64_t count, int32_t *ages) const;
  /// Empty where there are none.
  std::vector<double> readGram(const std::string &parameter) const;
  bool hasFactored(const std::string &parameter) const;
  /// The lists have the lengths that are expected. UserError if the file's have others.
  void readFactored(const std::string &parameter, FactoredRecord &record) const;
  void readFactoredRows(const TensorSpec &parameter, const TakeTile &take) const;

private:
  void readOurs();
  void readHeader();
  void readDsstnes();
  void readDeferred();
  void readTensor(const std::string &array, const TensorSpec &expected, const TakeTile &take) const;
  bool hasDeferred(const std::string &parameter) const;
  TakeTile catchingUp(const TensorSpec &expected, size_t value, const TakeTile &take) const;
  void readVariable(const std::string &variable, const TensorSpec &stored, const TensorSpec &expected,
                    const TakeTile &take) const;
  std::string path_;
  std::optional<h5::File> file_;             // a weights file, or
  std::shared_ptr<const nc::Reader> netcdf_; // DSSTNE's, with
  std::vector<std::string> variables_;       // where each of the parameters lies
  uint64_t version_ = 0;
  CheckpointHeader header_;
  std::vector<TensorSpec> parameters_;
  std::optional<DeferredHeader> deferred_;
};
} // namespace sn::rt
