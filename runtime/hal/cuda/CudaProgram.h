// The steps of an entry on the device: operands placed, kernels loaded, run one after another without the host.
#pragma once
#include "runtime/hal/cuda/Binder.h"
#include "runtime/hal/cuda/DataStore.h"
#include "runtime/hal/cuda/Graph.h"
#include "runtime/hal/cuda/LibraryProducts.h"
#include "runtime/hal/cuda/Modules.h"

namespace sn::rt::cuda {
/// Work areas and partial sums of the step that runs: shared by all programs of a device.
struct Workspace {
  explicit Workspace(const Context &context) : block(context) {}
  DeviceBlock block;
  int64_t generation = 0; // grows when the block moves
  int64_t held = 0;       // bytes that programs hold besides
  void reserve(int64_t bytes) { generation += block.reserve(bytes); }
};

/// A step with its kernel's id.
struct ProgramStep {
  BoundStep bound;
  std::string kernel;
};

/// Where everything of a program lies: offsets in its own block, which begins with what changes from run to run, and in
/// the workspace.
struct ProgramPlaces {
  struct Step {
    int64_t hypers = 0, sources = 0, biases = 0, corruption = 0; // in the block
    std::vector<std::array<int64_t, 2>> sums;                    // in the block, by pass: sums, regularizations; or -1
    std::vector<int64_t> partials;                               // in the workspace, by source; or -1
    std::array<int64_t, kWorkAreas> work{};                      // in the workspace; or -1
  };
  std::vector<Step> steps;
  int64_t frame = 0, ids = 0, updateHypers = 0, changing = 0; // changing: bytes of what changes
  int64_t parts = 0, tables = 0;                              // tables: where what does not change ends
  int64_t results = 0, partCount = 0, block = 0;
  int64_t workspace = 0;
};
/// `launches`: of each step, empty for one that does not run.
ProgramPlaces placesOf(const std::vector<ProgramStep> &steps, const std::vector<Launches> &launches,
                       size_t updateHypers, int64_t maxRows);
/// The launches of all steps; with `k` 0 none for those that give lists.
std::vector<Launches> launchesOf(const std::vector<ProgramStep> &steps, int64_t k);

class CudaProgram final : public Program {
public:
  /// What a device shares among its programs; all of it must outlive them.
  struct Shared {
    Context &context;
    Modules &modules;
    Workspace &workspace;
    DataStore &data;
    const LibraryProducts &library;
    const bool &timed; // whether steps are timed
  };
  /// `optimizer` may be null; its scalars are copied.
  CudaProgram(const Shared &shared, std::vector<ProgramStep> steps, const plan::Optimizer *optimizer, int64_t maxRows);
  ~CudaProgram() override { shared.workspace.held -= block.bytes(); }
  void run(Launch &launch, size_t listStep, const Done &done) override;

private:
  /// What of a run its launches depend on, besides what bindSteps() sets.
  struct Kind {
    size_t listStep = 0;           // the number of steps: no lists
    std::vector<bool> touchedOnly; // by step: features without entries keep value and state
    bool operator==(const Kind &) const = default;
  };
  struct Recording {
    Kind kind;
    std::unique_ptr<Graph> graph; // made when such a run comes for the second time
  };
  struct Ready {                        // a pass that can be launched
    const Function *function = nullptr; // null: a product of the library
    Pass pass;
    StepArgs args;
    int64_t part = -1; // of its sums; its regularizations are the next one
  };

  void loadKernels();
  void arrange(int64_t k, const DataView *exclude);
  void bindSteps();
  Ready readyPass(size_t step, size_t pass, int64_t &part) const;
  std::vector<std::byte> tables() const;
  KernelUse useOf(const ProgramStep &step, const std::vector<Pass> &passes) const;
  std::string nameOf(const ProgramStep &step, const Pass &pass) const;
  bool runs(size_t step, size_t listStep) const { return step == listStep || !givesLists(steps[step].bound.step); }
  void checkBatch(const Batch &batch, size_t listStep) const;
  void fillChanging(const Launch &launch, size_t listStep);
  Kind kindOf(const Launch &launch, size_t listStep) const;
  void launchStep(size_t step, bool touchedOnly);
  void multiply(size_t step, const Ready &ready) const;
  void enqueue(const Kind &kind);
  void start(const Kind &kind);
  void launchKernel(const Function &function, int64_t blocks, int64_t blocksY, int threads, int64_t sharedBytes,
                    void *argument) const;
  void fetch(const Kind &kind) const;
  void handOver(const Launch &launch) const;

  Shared shared;
  std::vector<ProgramStep> steps;
  std::vector<plan::Expr> updateHypers;
  int64_t maxRows;
  std::vector<Launches> launches; // by step
  ProgramPlaces places;
  int64_t arrangedK = 0;
  DeviceBlock block, lists; // lists: columns, then scores
  PinnedBlock changing, results, hostLists;
  std::vector<std::vector<Ready>> passes; // by step
  int64_t boundGeneration = -1;
  std::vector<Recording> recordings; // of what bindSteps() made, the oldest first
  std::vector<Event> events;         // where steps are timed: before each of them, and at the end
};
} // namespace sn::rt::cuda
