#include "runtime/hal/cuda/LibraryProducts.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <fmt/ranges.h>
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
using namespace cublas;
/// What an algorithm may take of the workspace: what NVIDIA advises for Hopper (cuBLAS documentation,
/// "cublasSetWorkspace"); other devices need less.
constexpr uint64_t kMostWorkspaceBytes = uint64_t(32) << 20;
constexpr int kProposals = 8; // the first may be one whose way of adding we refuse

/// Statuses that say that the machine is at fault rather than what it was asked for.
bool machineFails(LibraryStatus status) {
  return status == kNotInitialized || status == kAllocationFailed || status == kArchitectureMismatch ||
         status == kExecutionFailed || status == kInternalError;
}
std::string textOf(const LibraryApi &api, LibraryStatus status) {
  const char *name = api.getStatusName(status);
  return fmt::format("{} ({})", name ? name : "an unknown status", status);
}
std::string textOf(const LibraryProduct &product) {
  return fmt::format("[{}, {}] by [{}, {}] in {}", product.rows, product.inner, product.inner, product.columns,
                     plan::nameOf(product.precision));
}
std::string versionOf(const LibraryApi &api) {
  const size_t version = api.getVersion();
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}
} // namespace

/// Matrices are column by column there, so that ours, row by row, are their transposes: result^T = E^T x^T, with E^T as
/// the left factor.
struct LibraryProducts::Prepared {
  explicit Prepared(const LibraryApi &api) : api(api) {}
  ~Prepared() {
    if (preference)
      api.preferenceDestroy(preference);
    for (LibraryLayoutHandle layout : {left, right, result})
      if (layout)
        api.layoutDestroy(layout);
    if (operation)
      api.operationDestroy(operation);
  }
  Prepared(const Prepared &) = delete;
  Prepared &operator=(const Prepared &) = delete;

  /// UserError or std::logic_error unless `status` is success.
  void require(LibraryStatus status, const char *doing) const {
    if (status == kSuccess)
      return;
    if (machineFails(status))
      userError("--device cuda: cuBLASLt {}: {} failed: {}; with SNRT_CUBLASLT=none the plan's own kernels compute "
                "products",
                versionOf(api), doing, textOf(api, status));
    throw std::logic_error(fmt::format("cuBLASLt {}: {} failed: {} (SNRT_CUBLASLT=none does without it)",
                                       versionOf(api), doing, textOf(api, status)));
  }
  void describe(const LibraryProduct &product);
  bool choose(LibraryHandle library);

  const LibraryApi &api;
  LibraryOperationHandle operation = nullptr;
  LibraryLayoutHandle left = nullptr, right = nullptr, result = nullptr;
  LibraryPreferenceHandle preference = nullptr;
  LibraryAlgorithm algorithm{};
  int64_t workspaceBytes = 0;

private:
  template <typename T> void prefer(int attribute, T value) {
    require(api.preferenceSetAttribute(preference, attribute, &value, sizeof value), "describing a product");
  }
};

void LibraryProducts::Prepared::describe(const LibraryProduct &product) {
  constexpr const char *kDoing = "describing a product";
  const bool exact = product.precision == plan::Precision::Fp32;
  require(api.operationCreate(&operation, exact ? kCompute32F : kComputeTf32, kFloat), kDoing);
  const int side = product.outerFirst ? kTransposed : kPlain, plain = kPlain;
  require(api.operationSetAttribute(operation, kTransposeA, &side, sizeof side), kDoing);
  require(api.operationSetAttribute(operation, kTransposeB, &plain, sizeof plain), kDoing);
  const auto layout = [&](LibraryLayoutHandle &of, int64_t rows, int64_t columns) {
    require(api.layoutCreate(&of, kFloat, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), rows), kDoing);
  };
  if (product.outerFirst)
    layout(left, product.inner, product.columns);
  else
    layout(left, product.columns, product.inner);
  layout(right, product.inner, product.rows);
  layout(result, product.columns, product.rows);
  require(api.preferenceCreate(&preference), kDoing);
  prefer<size_t>(kMostWorkspace, kMostWorkspaceBytes);
  prefer<uint32_t>(kReductions, kInWorkspace); // or none: that is no bit of the mask
  for (const int attribute : {kAlignmentA, kAlignmentB, kAlignmentC, kAlignmentD})
    prefer<uint32_t>(attribute, kLibraryAlignment);
  // Whatever the environment of the process asks of the library: strict fp32 stays off the tensor cores, TF32 is not
  // traded for 16 bits.
  prefer<uint64_t>(kImplementations, ~(exact ? kTensorCores : kHalfFactors));
}

/// The best algorithm that adds in a fixed order; false if there is none.
bool LibraryProducts::Prepared::choose(LibraryHandle library) {
  LibraryProposal proposals[kProposals] = {};
  int count = 0;
  const LibraryStatus status =
      api.propose(library, operation, left, right, result, result, preference, kProposals, proposals, &count);
  if (status != kSuccess) // whatever it is: our kernels do as well
    return false;
  for (int i = 0; i < std::min(count, kProposals); ++i) {
    const LibraryProposal &one = proposals[i];
    uint32_t scheme = kUncut;
    size_t written = 0;
    // An algorithm that is not configured this way cannot say.
    if (api.algorithmGetConfig(&one.algorithm, kConfiguredReduction, &scheme, sizeof scheme, &written) != kSuccess)
      scheme = kUncut;
    if (one.state != kSuccess || one.workspaceBytes > kMostWorkspaceBytes || (scheme & ~kInWorkspace) != 0)
      continue;
    algorithm = one.algorithm;
    workspaceBytes = static_cast<int64_t>(one.workspaceBytes);
    return true;
  }
  return false;
}

LibraryProducts::LibraryProducts(const Context &context, LibraryOpener open, const LibraryLimits &least)
    : context(context), open(std::move(open)), least(least) {}
LibraryProducts::~LibraryProducts() {
  products.clear();
  if (library)
    api->destroy(library);
}

/// Whether there is a library; opened on the first call.
bool LibraryProducts::start() {
  if (asked)
    return library;
  const OpenedLibrary opened = open();
  asked = true;
  refusal = opened.reason;
  if (!opened.api)
    return false;
  const LibraryStatus status = opened.api->create(&library);
  if (status != kSuccess) {
    library = nullptr;
    refusal = fmt::format("{} does not start: {}", versionOf(*opened.api), textOf(*opened.api, status));
    return false;
  }
  api = opened.api;
  return true;
}

const LibraryProducts::Prepared *LibraryProducts::prepare(const LibraryProduct &product) {
  auto found = products.find(product);
  if (found == products.end()) {
    auto made = std::make_unique<Prepared>(*api);
    made->describe(product);
    if (!made->choose(library))
      made = nullptr;
    found = products.emplace(product, std::move(made)).first;
  }
  return found->second.get();
}

/// Each label once, where it was first.
void LibraryProducts::note(const std::string &label, bool library) {
  const auto has = [&](const std::vector<std::string> &labels) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
  };
  if (!has(taken) && !has(left))
    (library ? taken : left).push_back(label);
}

std::optional<LibraryUse> LibraryProducts::choose(const StepShape &shape, bool runs) {
  const std::vector<LibraryProduct> wanted = open ? libraryProducts(shape, least) : std::vector<LibraryProduct>{};
  if (wanted.empty())
    return std::nullopt;
  std::optional<LibraryUse> use;
  if (start()) {
    use = LibraryUse{wanted, 0};
    for (const LibraryProduct &product : wanted) {
      const Prepared *prepared = prepare(product);
      if (!prepared) {
        use.reset();
        break;
      }
      use->workspaceBytes = std::max(use->workspaceBytes, prepared->workspaceBytes);
    }
  }
  if (runs)
    note(shape.step.label, use.has_value());
  return use;
}

void LibraryProducts::multiply(const LibraryProduct &product, const float *x, const float *weights, float *result,
                               void *workspace, int64_t workspaceBytes) const {
  const auto found = products.find(product);
  if (found == products.end() || !found->second)
    throw std::logic_error("a product was given to cuBLASLt that was not chosen for it: " + textOf(product));
  const Prepared &prepared = *found->second;
  for (const void *pointer :
       {static_cast<const void *>(x), static_cast<const void *>(weights), static_cast<const void *>(result)})
    if (reinterpret_cast<uintptr_t>(pointer) % kLibraryAlignment)
      throw std::logic_error("an operand of cuBLASLt is not aligned");
  if (workspaceBytes < prepared.workspaceBytes)
    throw std::logic_error("cuBLASLt has too little workspace");
  const float one = 1, before = product.accumulate ? 1.0f : 0.0f;
  const LibraryStatus status = api->multiply(
      library, prepared.operation, &one, weights, prepared.left, x, prepared.right, &before, result, prepared.result,
      result, prepared.result, &prepared.algorithm, workspace, static_cast<size_t>(workspaceBytes), context.stream());
  if (status != kSuccess)
    prepared.require(status, ("the product " + textOf(product)).c_str());
}

std::vector<std::string> LibraryProducts::remarks() const {
  std::vector<std::string> lines;
  if (!taken.empty())
    lines.push_back(fmt::format("cuBLASLt {} computes the products of {}", versionOf(*api), fmt::join(taken, ", ")));
  if (!left.empty())
    lines.push_back(fmt::format("cuBLASLt {}; the plan's own kernels compute the products of {}",
                                refusal.empty() ? "has no algorithm with sums in a fixed order" : refusal,
                                fmt::join(left, ", ")));
  return lines;
}
} // namespace sn::rt::cuda
