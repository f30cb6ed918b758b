// A plan's parameters and optimizer states in device memory, and where they come from: random draws or a weights file.
#pragma once
#include "runtime/base/ThreadPool.h"
#include "runtime/exec/Binding.h"
#include "runtime/exec/Deferrals.h"
#include "runtime/exec/Factoring.h"
#include "runtime/exec/Settings.h"

namespace sn::rt {
class Model {
public:
  /// Allocates the parameters (zero). `plan` and `device` must outlive the model.
  Model(const plan::Plan &plan, Device &device, SymbolValues symbols, ThreadPool &workers);

  const plan::Plan &plan() const { return thePlan; }
  Device &device() { return theDevice; }
  ThreadPool &workers() { return pool; }
  const SymbolValues &symbols() const { return symbolValues; }
  Extents extents(int64_t maxRows) const { return {symbolValues, maxRows}; }

  /// Draws every parameter: value = float(scale * draw + shift), draw at (row = in index, column = out index) of the
  /// initializer's stream in epoch 0, scale and shift over nin and nout. The same for any thread count and layout.
  void initialize(uint64_t seed);
  /// Allocates the optimizer's states of the trained parameters, zero, unless they exist.
  void allocateStates(const plan::Optimizer &optimizer);
  /// Sets them to zero again.
  void clearStates();
  /// The optimizer whose states are allocated, or null.
  const plan::Optimizer *optimizer() const { return statesOf; }

  /// Lets the updates of these parameters' untouched rows be put off by entries that are prepared from here on, and of
  /// no others. What load() brought for them stays as it is.
  void defer(std::vector<std::string> parameters);
  /// Null where none are.
  Deferrals *deferrals() { return putOff.get(); }
  /// Brings all rows up to date. Whoever reads or changes parameters by this class gets it anyway.
  void settle();

  /// Lets the steps of "train" run in factored form where `settings` and `data` allow it: called before load(), so that
  /// a checkpoint's form is taken up. Its answers stay what they were the first time.
  const std::vector<FactoringAnswer> &factor(const Settings &settings, const Binding &data);
  /// Whether the memory of all parameters holds what they are: false inside an epoch of factored steps.
  bool plain() const;
  /// Makes it hold that.
  void fold();

  /// Reads all parameters; with `states`, also those of the allocated optimizer and of factored steps. UserError if a
  /// tensor is missing or misshapen. This and save() take 32 MiB beside the model, however large its tensors are.
  void load(const CheckpointReader &weights, bool states);
  /// Writes all parameters and states in plan order. The header is the caller's business. NotFiniteTensor if one holds
  /// NaN or infinity.
  void save(CheckpointWriter &writer) const;

  /// Values in logical order, [in, out] row-major.
  std::vector<float> parameter(const std::string &name) const;
  void setParameter(const std::string &name, const std::vector<float> &values);
  std::vector<float> state(const std::string &name, size_t index) const;
  void setState(const std::string &name, size_t index, const std::vector<float> &values);

  const Memory &memory() const { return pointers; }
  /// Memory for the buffers of entries, shared by all of them: an entry leaves nothing for the next one.
  float *arena(int64_t count);

  int64_t parameterBytes() const; // as floats: in weights files, and where the device has only these
  int64_t stateBytes() const;
  int64_t factoredBytes() const; // what a weights file inside an epoch holds besides
  int64_t arenaBytes() const { return arenaCount * static_cast<int64_t>(sizeof(float)); }

private:
  TensorSpec specOf(const plan::Parameter &parameter) const;
  const plan::Parameter &find(const std::string &name) const;
  std::vector<float> fetch(const plan::Parameter &parameter, const float *from) const;
  void store(const plan::Parameter &parameter, float *to, const std::vector<float> &values);
  std::vector<float> upToDate(const plan::Parameter &parameter, size_t value) const;
  void makeDeferrals(const std::vector<std::string> &parameters);
  /// A parameter as it is, whatever form its memory has.
  FillTile valuesOf(const plan::Parameter &parameter) const;
  void forgetFactored();
  void saveFactored(CheckpointWriter &writer) const;
  void loadFactored(const CheckpointReader &weights);
  FillTile downloads(const TensorSpec &spec, const float *from) const;
  TakeTile uploads(const TensorSpec &spec, float *to);

  const plan::Plan &thePlan;
  Device &theDevice;
  SymbolValues symbolValues;
  ThreadPool &pool;
  Memory pointers;
  const plan::Optimizer *statesOf = nullptr;
  std::unique_ptr<Deferrals> putOff;
  std::vector<FactoringAnswer> factoring;
  bool factoringDecided = false;
  float *arenaMemory = nullptr;
  int64_t arenaCount = 0;
};
} // namespace sn::rt
