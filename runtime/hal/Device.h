// The device interface: memory, and kernels prepared from plan steps. `cpu` and `cuda` implement it. The executor
// knows only this. A device knows schemas (runtime/plan/Plan.h, docs/spec/plan.md); nothing here knows a layer, an
// activation or a network.
#pragma once
#include "runtime/hal/Factored.h"
#include "runtime/plan/Archive.h"
#include "runtime/plan/Plan.h"
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sn::rt {
/// How a data set is stored: the loader kind, found when the file is opened. A closed set. Orthogonal to it: indexed,
/// weighted, zeros ignored (DataView).
enum class Loader { Dense, CsrBinary, CsrAnalog };

/// Where the rows of a streamed data set come from: the host's memory, a file.
class RowSource {
public:
  virtual ~RowSource() = default;
  /// Copies stored rows in this order, one close behind the other; a row may be named more than once. CSR: `indices`,
  /// and `values` where the data set is analog; dense: `values` alone. `lengths` (CSR): entries of each row as copied,
  /// at most as many as the view's indptr says: duplicates are merged. On any thread, any number of calls at a time.
  /// UserError for what cannot be read or should not be in a data set.
  virtual void read(const int64_t *rows, int64_t count, int32_t *indices, float *values, int64_t *lengths) = 0;
};

class DeferredRows; // runtime/hal/DeferredRows.h
struct DeferralOps;

/// A data set in device memory. Rows of CSR data are sorted by column without duplicates. Not owned.
struct DataView {
  Loader loader = Loader::CsrBinary;
  int64_t rows = 0, columns = 0; // rows: examples; columns: of the layer it is bound to (>= those stored)
  int64_t storedColumns = 0;     // dense: row stride of `values`
  const int64_t *indptr = nullptr;
  const int32_t *indices = nullptr;
  const float *values = nullptr;  // dense: rows x storedColumns; CsrAnalog: nnz; CsrBinary: null
  int64_t entries = 0;            // stored in all rows, where known: measuring before loading has only this
  bool ignoreZeros = false;       // as a target: entries not stored contribute nothing
  const int32_t *index = nullptr; // indexed: the stored row of each example; null: its own
  const float *weights = nullptr; // of each example: multiplies a sparse input's values and a target's loss; null: 1
  float inputOffset = 0;          // dense: added to every stored value where the data set is an input
  RowSource *source = nullptr;    // streamed: gives the rows; indices and values are null, indptr is the host's
  /// The stored row of an example: what indptr and dense rows go by. Masks go by the example.
  int64_t storedRow(int64_t example) const { return index ? index[example] : example; }
};

/// The examples of one step.
struct Batch {
  int64_t rows = 0;
  const int64_t *ids = nullptr; // data-set row of each example, host memory
  uint64_t seed = 0;
  uint32_t epoch = 0; // part of every mask's counter
  int64_t step = 0;   // of the training run, from 1: part of the counter of stochastic rounding
};

/// Device pointers for the names of the plan, set once by the executor before kernels are prepared.
struct Memory {
  std::map<std::string, float *, std::less<>> buffers;    // by buffer name, of the entry at hand
  std::map<std::string, float *, std::less<>> parameters; // by parameter name
  std::map<std::string, std::vector<float *>, std::less<>>
      states;                                        // by parameter name, in the order of the optimizer's states
  std::map<std::string, DataView, std::less<>> data; // by data set name
  std::map<std::string, DeferredRows *, std::less<>> deferred; // by parameter name: those whose updates are put off
  /// By parameter name: matrices that the kernel of their `wide_output` has in factored form.
  std::map<std::string, std::shared_ptr<FactoredMatrix>, std::less<>> factors{};
};

/// Values known when a kernel is prepared.
struct Extents {
  std::map<std::string, int64_t, std::less<>> symbols; // without "B"
  int64_t maxRows = 0;                                 // largest batch
  int64_t of(const plan::Dim &dim) const { return dim.symbol.empty() ? dim.value : symbols.at(dim.symbol); }
};

/// Top-k lists of a batch, host memory, rows x k, best first, ties by the lower column. Missing places: column -1,
/// score -inf.
struct TopK {
  int64_t k = 0;
  const DataView *exclude = nullptr; // columns stored in the example's row of this data set are left out
  int32_t *columns = nullptr;
  float *scores = nullptr;
};

/// What changes from launch to launch.
struct Launch {
  Batch batch;
  std::function<double(std::string_view)> scalar; // value of a hyper symbol: Alpha, Lambda, ..., Step, B
  TopK *topk = nullptr;                           // wide_topk only
  double sum = 0;                                 // out: the loss of the step's slots
  double regularization = 0;                      // out: the sum of the update slots
};

/// A prepared step. Must not outlive its device; one launch at a time on a device.
class Kernel {
public:
  virtual ~Kernel() = default;
  /// Runs to the end; sets launch.sum and launch.regularization.
  virtual void launch(Launch &launch) = 0;
};

/// What a step reported, and the time it took.
struct StepResult {
  double sum = 0, regularization = 0; // as in Launch
  double seconds = 0;                 // 0 where the device was not asked to measure
};

/// The steps of an entry, prepared to run one after another. Must not outlive its device; one run at a time on a
/// device.
class Program {
public:
  /// Takes the result of step `step`. What it throws ends the run.
  using Done = std::function<void(size_t step, const StepResult &result)>;
  virtual ~Program() = default;
  /// Runs every step to the end, but the wide_topk steps other than `listStep`, which alone gets launch.topk. `done` is
  /// called for each step that ran, in their order: after the step on the CPU, after all of them where steps run
  /// unattended.
  virtual void run(Launch &launch, size_t listStep, const Done &done) = 0;
};

/// Rows of a streamed data set in device memory: room for two batches ("halves"), of which kernels read one while the
/// other is filled. Must not outlive its device.
class Landing {
public:
  virtual ~Landing() = default;
  /// What kernels are prepared with: its arrays hold the halves, its index the places of the examples in use.
  virtual const DataView &view() const = 0;
  /// Fills a half with the rows of these examples, each named once, at most as many as the landing was made for. On any
  /// thread, one call at a time; kernels may be running that read the other half. UserError as from RowSource::read.
  virtual void fetch(int half, const int64_t *examples, int64_t count) = 0;
  /// Kernels given to the device from here on find the examples of the last fetch() of this half, which has returned.
  /// On the thread that runs kernels.
  virtual void use(int half) = 0;
};

/// The workspace of an entry, known before anything is allocated.
struct WorkspaceNeed {
  int64_t prepared = 0; // what workspaceBytes() grows to when the entry's steps are prepared
  int64_t running = 0;  // what launches add: lists as long as the data's rows (estimated), scratch of the libraries
};

/// What a device does in a second, all workers together.
struct Rates {
  double flops = 0; // multiplications and additions of single-precision matrix products
  double bytes = 0; // read and written by a copy in memory
};

class Device {
public:
  virtual ~Device() = default;
  virtual std::string description() const = 0;
  /// Zeroed memory of `count` floats, freed with the device.
  virtual float *allocate(int64_t count) = 0;
  /// The same for a parameter that the plan stores so. The pointer stands for the memory; its elements need not be
  /// floats, so parts of it are named by their first element and never by a pointer into it.
  virtual float *allocate(int64_t count, plan::Precision storage) {
    (void)storage; // where there is only fp32
    return allocate(count);
  }
  /// Elements first ... first + count - 1 of `memory`, which allocate() gave. Where they are narrower than floats,
  /// values are rounded to the nearest on their way up (ties to even; what is finite stays finite) and widened,
  /// exactly, on their way down.
  virtual void upload(float *memory, int64_t first, const float *from, int64_t count) = 0;
  virtual void download(float *to, const float *memory, int64_t first, int64_t count) = 0;
  void upload(float *memory, const float *from, int64_t count) { upload(memory, 0, from, count); }
  void download(float *to, const float *memory, int64_t count) { download(to, memory, 0, count); }
  /// The view with its arrays where kernels can read them; arrays seen before are not copied again. The host's arrays
  /// must stay as they are while the device lives.
  virtual DataView place(const DataView &view) { return view; }
  /// A landing for batches of a streamed view (DataView::source): here, in the host's memory.
  virtual std::unique_ptr<Landing> land(const DataView &streamed, int64_t maxRows);
  /// Resolves names, slots and shapes once; pointers and views are copied, `memory` may go. UserError for a damaged
  /// plan. The workspace is shared by all kernels of the device, grown to the largest need.
  virtual std::unique_ptr<Kernel> prepare(const plan::Plan &plan, const plan::Step &step,
                                          const plan::Optimizer *optimizer, const Memory &memory,
                                          const Extents &extents) = 0;
  /// The same for all steps of an entry: here, kernels launched one by one.
  virtual std::unique_ptr<Program> prepare(const plan::Plan &plan, const plan::Entry &entry,
                                           const plan::Optimizer *optimizer, const Memory &memory,
                                           const Extents &extents);
  /// Bytes of workspace that the prepared kernels share.
  virtual int64_t workspaceBytes() const = 0;
  /// The same for steps yet to be prepared. Names and shapes are looked up, memory is not touched: the pointers in
  /// `memory` may be null, its data views need only loader, extents and entries. UserError for a damaged plan.
  virtual WorkspaceNeed workspaceNeed(const plan::Plan &plan, const plan::Entry &entry,
                                      const plan::Optimizer *optimizer, const Memory &memory,
                                      const Extents &extents) = 0;
  /// What updates are put off with; null: its kernels update every row in every step. Memory is the host's then.
  virtual const DeferralOps *deferralOps() const { return nullptr; }
  /// A short calibration (about 0.1 s, 32 MiB).
  virtual Rates measureRates() = 0;
};

/// True for a step whose result is lists of the best columns.
inline bool givesLists(const plan::Step &step) { return step.kernel == "wide_topk"; }

/// The CPU: `threads` workers (0 = all cores), slots from the richest "cpu/<level>.so" of the archive that this
/// machine runs (`level` forces one; "" = best). UserError if oneDNN or a slot object is missing.
std::unique_ptr<Device> makeCpuDevice(const plan::Archive &archive, const plan::Plan &plan, int threads,
                                      const std::string &level = "");
} // namespace sn::rt
