#include "test/emulator/EmulatedLibrary.h"
#include "test/emulator/DriverState.h"
#include <algorithm>
#include <array>
#include <cstring>
#include <set>

namespace sn::rt::cuda {
struct LibraryTag {};
struct LibraryOperationTag {
  int compute = 0, transposeA = 0, transposeB = 0;
};
struct LibraryLayoutTag {
  uint64_t rows = 0, columns = 0;
  int64_t leading = 0;
  /// Floats from the first element to behind the last one.
  size_t extent() const { return static_cast<size_t>(leading) * (columns - 1) + rows; }
  bool operator==(const LibraryLayoutTag &) const = default;
};
struct LibraryPreferenceTag {
  size_t workspaceBytes = 0;
  uint32_t reductions = 7;
  std::array<uint32_t, 4> alignments = {256, 256, 256, 256}; // of a, b, c, d
  uint64_t implementations = ~uint64_t(0);
};
} // namespace sn::rt::cuda

namespace sn::emulator {
using namespace rt::cuda;
// Codes of the driver have some of these names: statuses of the library are spelled with their namespace.
using namespace rt::cuda::cublas;
namespace {
using Lock = std::lock_guard<std::mutex>; // of the driver: products go to its streams
/// cublasLtNumericalImplFlags_t of the algorithms: fused multiply-adds, tensor cores; fp32 sums; factors.
constexpr uint64_t kFma = 1, kHmma = 2, kSums32 = 0x200, kTf32Factors = 0x40000, kFloatFactors = 0x80000;
constexpr uint64_t kAlgorithms = 0x736e656d; // marks our algorithms

struct State {
  LibrarySettings settings;
  LibraryCounters counters;
  std::set<const void *> alive;
};
State &state() {
  static State one;
  return one;
}
bool lives(const void *handle) { return state().alive.count(handle) > 0; }
template <typename T> LibraryStatus make(T **made, T value) {
  Lock lock(driverState().mutex);
  if (!made)
    return cublas::kInvalidValue;
  *made = new T(value);
  state().alive.insert(*made);
  ++state().counters.alive;
  return cublas::kSuccess;
}
template <typename T> LibraryStatus destroy(T *handle) {
  Lock lock(driverState().mutex);
  if (!handle || !state().alive.erase(handle))
    return cublas::kInvalidValue;
  --state().counters.alive;
  delete handle;
  return cublas::kSuccess;
}
template <typename T> LibraryStatus set(T &field, const void *value, size_t bytes) {
  if (!value || bytes != sizeof field)
    return cublas::kInvalidValue;
  std::memcpy(&field, value, bytes);
  return cublas::kSuccess;
}

LibraryStatus create(LibraryHandle *library) {
  if (state().settings.started)
    return state().settings.started;
  {
    Lock lock(driverState().mutex);
    if (driverState().ready())
      return cublas::kNotInitialized; // no context
    ++state().counters.created;
  }
  return make(library, LibraryTag{});
}
size_t getVersion() { return state().settings.version; }
const char *getStatusName(LibraryStatus status) {
  switch (status) {
  case cublas::kSuccess:
    return "CUBLAS_STATUS_SUCCESS";
  case cublas::kNotInitialized:
    return "CUBLAS_STATUS_NOT_INITIALIZED";
  case cublas::kInvalidValue:
    return "CUBLAS_STATUS_INVALID_VALUE";
  case cublas::kExecutionFailed:
    return "CUBLAS_STATUS_EXECUTION_FAILED";
  case cublas::kNotSupported:
    return "CUBLAS_STATUS_NOT_SUPPORTED";
  default:
    return "unknown";
  }
}
LibraryStatus operationCreate(LibraryOperationHandle *operation, int compute, int scale) {
  if ((compute != kCompute32F && compute != kComputeTf32) || scale != kFloat)
    return cublas::kNotSupported;
  return make(operation, LibraryOperationTag{compute});
}
LibraryStatus operationSetAttribute(LibraryOperationHandle operation, int attribute, const void *value, size_t bytes) {
  Lock lock(driverState().mutex);
  if (!lives(operation))
    return cublas::kInvalidValue;
  int side = 0;
  if (const LibraryStatus status = set(side, value, bytes))
    return status;
  if ((attribute != kTransposeA && attribute != kTransposeB) || (side != kPlain && side != kTransposed))
    return cublas::kInvalidValue;
  (attribute == kTransposeA ? operation->transposeA : operation->transposeB) = side;
  return cublas::kSuccess;
}
LibraryStatus layoutCreate(LibraryLayoutHandle *layout, int type, uint64_t rows, uint64_t columns, int64_t leading) {
  if (type != kFloat)
    return cublas::kNotSupported;
  if (rows == 0 || columns == 0 || leading < static_cast<int64_t>(rows))
    return cublas::kInvalidValue;
  return make(layout, LibraryLayoutTag{rows, columns, leading});
}
LibraryStatus preferenceCreate(LibraryPreferenceHandle *preference) { return make(preference, LibraryPreferenceTag{}); }
LibraryStatus preferenceSetAttribute(LibraryPreferenceHandle preference, int attribute, const void *value,
                                     size_t bytes) {
  Lock lock(driverState().mutex);
  if (!lives(preference))
    return cublas::kInvalidValue;
  switch (attribute) {
  case kMostWorkspace:
    return set(preference->workspaceBytes, value, bytes);
  case kReductions:
    return set(preference->reductions, value, bytes);
  case kAlignmentA:
  case kAlignmentB:
  case kAlignmentC:
  case kAlignmentD:
    return set(preference->alignments[static_cast<size_t>(attribute - kAlignmentA)], value, bytes);
  case kImplementations:
    return set(preference->implementations, value, bytes);
  default:
    return cublas::kInvalidValue;
  }
}

/// A product whose descriptors fit each other: d [m, n] = op(a) op(b), with op(a) [m, k].
struct Product {
  LibraryOperationTag operation;
  LibraryLayoutTag a, b, c, d;
  uint64_t depth() const { return operation.transposeA ? a.rows : a.columns; }
  bool fits() const {
    const uint64_t m = operation.transposeA ? a.columns : a.rows, n = operation.transposeB ? b.rows : b.columns,
                   k = operation.transposeB ? b.columns : b.rows;
    return depth() == k && d.rows == m && d.columns == n && c.rows == m && c.columns == n;
  }
  /// What an algorithm is good for: this very product.
  uint64_t hash() const {
    uint64_t result = 1469598103934665603ull; // FNV-1a
    for (const uint64_t part :
         {uint64_t(operation.compute), uint64_t(operation.transposeA), uint64_t(operation.transposeB), a.rows,
          a.columns, uint64_t(a.leading), b.rows, b.columns, uint64_t(b.leading), uint64_t(d.leading)})
      result = (result ^ part) * 1099511628211ull;
    return result;
  }
};
bool allLive(std::initializer_list<const void *> handles) { return std::all_of(handles.begin(), handles.end(), lives); }

/// Algorithm: mark, scheme, product, alignment of the operands, workspace.
LibraryStatus propose(LibraryHandle library, LibraryOperationHandle operation, LibraryLayoutHandle a,
                      LibraryLayoutHandle b, LibraryLayoutHandle c, LibraryLayoutHandle d,
                      LibraryPreferenceHandle preference, int most, LibraryProposal *proposals, int *count) {
  Lock lock(driverState().mutex);
  if (!allLive({library, operation, a, b, c, d, preference}) || !proposals || !count || most < 1)
    return cublas::kInvalidValue;
  ++state().counters.proposals;
  const Product product{*operation, *a, *b, *c, *d};
  if (!product.fits())
    return cublas::kInvalidValue;
  const bool tf32 = operation->compute == kComputeTf32;
  const uint64_t flags = (tf32 ? kHmma | kTf32Factors : kFma | kFloatFactors) | kSums32;
  const LibrarySettings &settings = state().settings;
  *count = 0;
  if (flags & ~preference->implementations)
    return cublas::kNotSupported;
  for (const uint32_t scheme : settings.schemes) {
    const size_t bytes = scheme == kUncut ? 0 : settings.workspaceBytes;
    const bool wanted = settings.ignoresReductions || (scheme & ~preference->reductions) == 0;
    if (!wanted || bytes > preference->workspaceBytes || *count == most)
      continue;
    LibraryProposal &one = proposals[(*count)++] = {};
    one.algorithm = {{kAlgorithms, scheme, product.hash(), preference->alignments[0], bytes}};
    one.workspaceBytes = bytes;
    one.waves = 1;
  }
  return *count == 0 ? cublas::kNotSupported : cublas::kSuccess;
}
LibraryStatus algorithmGetConfig(const LibraryAlgorithm *algorithm, int attribute, void *value, size_t bytes,
                                 size_t *written) {
  if (!algorithm || algorithm->data[0] != kAlgorithms || attribute != kConfiguredReduction || !value ||
      bytes != sizeof(uint32_t))
    return cublas::kInvalidValue;
  const auto scheme = static_cast<uint32_t>(algorithm->data[1]);
  std::memcpy(value, &scheme, sizeof scheme);
  if (written)
    *written = sizeof scheme;
  return cublas::kSuccess;
}

/// To 11 significant bits, ties away from zero (cvt.rna.tf32.f32).
float tf32Of(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7f800000u) == 0x7f800000u)
    return value;
  bits = (bits + 0x1000u) & ~0x1fffu;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}
struct Run {
  Product product;
  float alpha, beta;
  const float *a, *b, *c;
  float *d;
  void *workspace;
  size_t workspaceBytes;

  bool held(const DriverState &driver) const {
    const auto holds = [&](const void *at, size_t bytes) {
      return driver.holds(reinterpret_cast<DevicePointer>(at), bytes);
    };
    const auto operand = [&](const float *at, const LibraryLayoutTag &layout) {
      return holds(at, layout.extent() * sizeof(float));
    };
    return operand(a, product.a) && operand(b, product.b) && (beta == 0 || operand(c, product.c)) &&
           operand(d, product.d) && (workspaceBytes == 0 || holds(workspace, workspaceBytes));
  }
  void compute() const {
    const LibraryOperationTag &is = product.operation;
    const bool rounds = is.compute == kComputeTf32;
    const auto factor = [rounds](const float *values, const LibraryLayoutTag &layout, bool turned, uint64_t i,
                                 uint64_t j) {
      const auto leading = static_cast<uint64_t>(layout.leading);
      const float value = turned ? values[j + i * leading] : values[i + j * leading];
      return rounds ? tf32Of(value) : value;
    };
    if (workspaceBytes > 0)
      std::memset(workspace, 0xFF, workspaceBytes);
    for (uint64_t j = 0; j < product.d.columns; ++j)
      for (uint64_t i = 0; i < product.d.rows; ++i) {
        float sum = 0;
        for (uint64_t k = 0; k < product.depth(); ++k)
          sum += factor(a, product.a, is.transposeA, i, k) * factor(b, product.b, is.transposeB, k, j);
        const float before = beta == 0 ? 0 : beta * c[i + j * static_cast<uint64_t>(product.c.leading)];
        d[i + j * static_cast<uint64_t>(product.d.leading)] = alpha * sum + before;
      }
    LibraryCounters &counters = state().counters;
    ++counters.products;
    counters.accumulated += beta != 0;
    counters.tf32 += rounds;
  }
};

LibraryStatus multiply(LibraryHandle library, LibraryOperationHandle operation, const void *alpha, const void *a,
                       LibraryLayoutHandle layoutA, const void *b, LibraryLayoutHandle layoutB, const void *beta,
                       const void *c, LibraryLayoutHandle layoutC, void *d, LibraryLayoutHandle layoutD,
                       const LibraryAlgorithm *algorithm, void *workspace, size_t workspaceBytes, StreamHandle stream) {
  DriverState &driver = driverState();
  Lock lock(driver.mutex);
  ++driver.counters.calls;
  if (driver.ready())
    return cublas::kExecutionFailed;
  if (!allLive({library, operation, layoutA, layoutB, layoutC, layoutD}) || !alpha || !beta || !a || !b || !c || !d ||
      !algorithm || !driver.knows(stream))
    return cublas::kInvalidValue;
  const LibraryAlgorithm &by = *algorithm;
  Run run{{*operation, *layoutA, *layoutB, *layoutC, *layoutD},
          0,
          0,
          static_cast<const float *>(a),
          static_cast<const float *>(b),
          static_cast<const float *>(c),
          static_cast<float *>(d),
          workspace,
          by.data[4]};
  std::memcpy(&run.alpha, alpha, sizeof run.alpha);
  std::memcpy(&run.beta, beta, sizeof run.beta);
  if (by.data[0] != kAlgorithms || !run.product.fits() || by.data[2] != run.product.hash())
    return cublas::kNotSupported; // an algorithm for something else
  const auto misaligned = [&](const void *at) { return reinterpret_cast<uintptr_t>(at) % by.data[3] != 0; };
  if (misaligned(a) || misaligned(b) || misaligned(c) || misaligned(d) || workspaceBytes < by.data[4] ||
      (c == d && !(*layoutC == *layoutD)))
    return cublas::kInvalidValue;
  if (const LibraryStatus status = state().settings.multiplied)
    return status;
  const Result result = driver.submit(stream, [run, &driver]() -> Result {
    if (!run.held(driver))
      return emulator::kLaunchFailed;
    run.compute();
    return driver.checkGuards("a product of the library");
  });
  return result ? cublas::kExecutionFailed : cublas::kSuccess;
}
} // namespace

const LibraryApi &libraryApi() {
  static const LibraryApi api = {create,
                                 destroy<LibraryTag>,
                                 getVersion,
                                 getStatusName,
                                 operationCreate,
                                 operationSetAttribute,
                                 destroy<LibraryOperationTag>,
                                 layoutCreate,
                                 destroy<LibraryLayoutTag>,
                                 preferenceCreate,
                                 preferenceSetAttribute,
                                 destroy<LibraryPreferenceTag>,
                                 propose,
                                 algorithmGetConfig,
                                 multiply};
  return api;
}
void configureLibrary(const LibrarySettings &settings) {
  Lock lock(driverState().mutex);
  state().settings = settings;
  const int64_t alive = state().counters.alive;
  state().counters = {};
  state().counters.alive = alive;
}
LibraryCounters libraryCounters() {
  Lock lock(driverState().mutex);
  return state().counters;
}
OpenedLibrary openLibrary() { return {&libraryApi(), ""}; }
} // namespace sn::emulator
