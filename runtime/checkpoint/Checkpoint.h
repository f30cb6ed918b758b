// Weights files (*.weights.h5): everything training needs to go on bit for bit, and prediction to print names.
// An HDF5 file:
// - <parameter>, e.g. "Input->Hidden/weights": float32 [in, out] row-major, or [out] for a vector
// - snc/state/<parameter>/<optimizer>/<state>: the same shape
// - snc: attributes format, version, optimizer, step, epoch, position, seed
// - snc/network, snc/training, snc/symbols: JSON texts
// - snc/parameters: names of the parameters in order
// - snc/datasets: data sets with column names, which are in snc/names/<data set>/column_names
// Tensors go in and out in blocks of rows, so that one that lies transposed in memory needs no second whole copy.
#pragma once
#include "runtime/data/AtomicFile.h"
#include "runtime/data/Hdf5.h"
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

namespace sn::rt {
/// A stored tensor of logical shape [in, out].
struct TensorSpec {
  std::string name{};      // "Input->Hidden/weights"
  int64_t in = 1, out = 0; // a vector has in = 1
  bool vector = false;     // stored as [out]: biases
  int64_t count() const { return in * out; }
};

/// What a weights file holds beside tensors.
struct CheckpointHeader {
  std::string optimizer; // "" = untrained
  int64_t step = 0;      // steps done
  int64_t epoch = 0;     // whole epochs done
  int64_t position = 0;  // examples done of the epoch begun (0 at its start)
  uint64_t seed = 0;
  std::string network;                                // the network's JSON text
  nlohmann::json training = nlohmann::json::object(); // the settings of the run
  std::map<std::string, int64_t> symbols;             // extents, by the plan's symbol names
  /// Column names of data sets (by data set name), for those that have them.
  std::map<std::string, std::shared_ptr<const Names>> columnNames;
};

/// Fills `block`, (to - from) x out floats row-major, with rows [from, to) of the logical tensor.
using FillRows = std::function<void(int64_t from, int64_t to, float *block)>;
/// Takes such a block.
using TakeRows = std::function<void(int64_t from, int64_t to, const float *block)>;
/// For tensors in host memory; `transposed` = stored as [out][in] (the plan's layout "columns"). `memory` must outlive
/// the callback.
FillRows rowsFrom(const float *memory, int64_t in, int64_t out, bool transposed);
TakeRows rowsInto(float *memory, int64_t in, int64_t out, bool transposed);

/// Writes a weights file, which appears at commit(). Equal content gives equal bytes. UserError if `path` exists and
/// `force` is not set, or the disk is full.
class CheckpointWriter {
public:
  CheckpointWriter(const std::string &path, bool force);
  void writeHeader(const CheckpointHeader &header);
  void writeParameter(const TensorSpec &spec, const FillRows &fill);
  /// A state tensor of a parameter, e.g. ("Input->Hidden/weights", "Adam", "m").
  void writeState(const TensorSpec &parameter, const std::string &optimizer, const std::string &state,
                  const FillRows &fill);
  void commit();

private:
  void writeTensor(const std::string &array, const TensorSpec &spec, const FillRows &fill);
  AtomicFile target_;
  h5::File file_;
  Names parameters_;
};

/// Reads a weights file. UserError for one that is missing, truncated, newer or no weights file.
class CheckpointReader {
public:
  explicit CheckpointReader(const std::string &path);
  const CheckpointHeader &header() const { return header_; }
  const std::string &path() const { return file_.path(); }
  /// In the order they were written.
  const std::vector<TensorSpec> &parameters() const { return parameters_; }
  bool hasParameter(const std::string &name) const;
  bool hasState(const std::string &parameter, const std::string &optimizer, const std::string &state) const;
  /// UserError saying what was expected and found if the tensor is missing or of another shape.
  void readParameter(const TensorSpec &expected, const TakeRows &take) const;
  void readState(const TensorSpec &parameter, const std::string &optimizer, const std::string &state,
                 const TakeRows &take) const;

private:
  void readHeader();
  void readTensor(const std::string &array, const TensorSpec &expected, const TakeRows &take) const;
  h5::File file_;
  CheckpointHeader header_;
  std::vector<TensorSpec> parameters_;
};
} // namespace sn::rt
