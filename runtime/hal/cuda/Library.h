// cuBLASLt, NVIDIA's library of matrix products, as a table of functions: libcublasLt opened at run time, or a stand-in
// (test/emulator). Declarations are ours; names, arguments and codes are those of its reference (CUDA 13, cublasLt.h,
// the same since CUDA 12).
#pragma once
#include "runtime/hal/cuda/Driver.h"
#include <functional>

namespace sn::rt::cuda {
using LibraryStatus = int; // cublasStatus_t; 0 = success
struct LibraryTag;
struct LibraryOperationTag;
struct LibraryLayoutTag;
struct LibraryPreferenceTag;
using LibraryHandle = LibraryTag *;                     // cublasLtHandle_t
using LibraryOperationHandle = LibraryOperationTag *;   // cublasLtMatmulDesc_t
using LibraryLayoutHandle = LibraryLayoutTag *;         // cublasLtMatrixLayout_t
using LibraryPreferenceHandle = LibraryPreferenceTag *; // cublasLtMatmulPreference_t

/// Enumerations of cublasLt.h and its kin, as far as used.
namespace cublas {
inline constexpr LibraryStatus kSuccess = 0, kNotInitialized = 1, kAllocationFailed = 3, kInvalidValue = 7,
                               kArchitectureMismatch = 8, kExecutionFailed = 13, kInternalError = 14,
                               kNotSupported = 15;
inline constexpr int kFloat = 0;                          // cudaDataType: CUDA_R_32F
inline constexpr int kCompute32F = 68, kComputeTf32 = 77; // cublasComputeType_t: CUBLAS_COMPUTE_32F, ..._FAST_TF32
inline constexpr int kPlain = 0, kTransposed = 1;         // cublasOperation_t
inline constexpr int kTransposeA = 3, kTransposeB = 4;    // cublasLtMatmulDescAttributes_t, an int each
inline constexpr int kMostWorkspace = 1;                  // cublasLtMatmulPreferenceAttributes_t: size_t
inline constexpr int kReductions = 3;                     // uint32_t, of the schemes below
inline constexpr int kAlignmentA = 5, kAlignmentB = 6, kAlignmentC = 7, kAlignmentD = 8; // uint32_t, bytes
inline constexpr int kImplementations = 12;                                              // uint64_t, of the flags below
inline constexpr int kConfiguredReduction = 3; // cublasLtMatmulAlgoConfigAttributes_t: uint32_t
/// cublasLtReductionScheme_t: how the parts of a sum that was cut along its depth are added. Not at all; in the output,
/// one after another; in the workspace, by a kernel of its own.
inline constexpr uint32_t kUncut = 0, kInPlace = 1, kInWorkspace = 2;
/// cublasLtNumericalImplFlags_t: all that computes on tensor cores; factors in 16 bits.
inline constexpr uint64_t kTensorCores = 0xfe, kHalfFactors = uint64_t(3) << 16;
} // namespace cublas

struct LibraryAlgorithm { // cublasLtMatmulAlgo_t
  uint64_t data[8];
};
struct LibraryProposal { // cublasLtMatmulHeuristicResult_t
  LibraryAlgorithm algorithm;
  size_t workspaceBytes;
  LibraryStatus state; // the rest holds only on success
  float waves;
  int reserved[4];
};
static_assert(sizeof(LibraryProposal) == 96);

/// Matrices are column by column: element (i, j) of one with the leading dimension d lies at i + j d.
struct LibraryApi {
  LibraryStatus (*create)(LibraryHandle *library);
  LibraryStatus (*destroy)(LibraryHandle library);
  size_t (*getVersion)(); // major * 10000 + minor * 100 + patch
  const char *(*getStatusName)(LibraryStatus status);
  LibraryStatus (*operationCreate)(LibraryOperationHandle *operation, int compute, int scale);
  LibraryStatus (*operationSetAttribute)(LibraryOperationHandle operation, int attribute, const void *value,
                                         size_t bytes);
  LibraryStatus (*operationDestroy)(LibraryOperationHandle operation);
  LibraryStatus (*layoutCreate)(LibraryLayoutHandle *layout, int type, uint64_t rows, uint64_t columns,
                                int64_t leading);
  LibraryStatus (*layoutDestroy)(LibraryLayoutHandle layout);
  LibraryStatus (*preferenceCreate)(LibraryPreferenceHandle *preference);
  LibraryStatus (*preferenceSetAttribute)(LibraryPreferenceHandle preference, int attribute, const void *value,
                                          size_t bytes);
  LibraryStatus (*preferenceDestroy)(LibraryPreferenceHandle preference);
  /// The best first. kNotSupported where there are none.
  LibraryStatus (*propose)(LibraryHandle library, LibraryOperationHandle operation, LibraryLayoutHandle a,
                           LibraryLayoutHandle b, LibraryLayoutHandle c, LibraryLayoutHandle d,
                           LibraryPreferenceHandle preference, int most, LibraryProposal *proposals, int *count);
  LibraryStatus (*algorithmGetConfig)(const LibraryAlgorithm *algorithm, int attribute, void *value, size_t bytes,
                                      size_t *written);
  /// d = alpha op(a) op(b) + beta c, in the order of the stream; alpha and beta are floats on the host. c is not read
  /// where beta is 0.
  LibraryStatus (*multiply)(LibraryHandle library, LibraryOperationHandle operation, const void *alpha, const void *a,
                            LibraryLayoutHandle layoutA, const void *b, LibraryLayoutHandle layoutB, const void *beta,
                            const void *c, LibraryLayoutHandle layoutC, void *d, LibraryLayoutHandle layoutD,
                            const LibraryAlgorithm *algorithm, void *workspace, size_t workspaceBytes,
                            StreamHandle stream);
};

/// A library, or why there is none: "was not found ...", to come after its name.
struct OpenedLibrary {
  const LibraryApi *api = nullptr; // valid until the program ends
  std::string reason;
};
/// How a device gets at the library; asked once, when there is a product for it.
using LibraryOpener = std::function<OpenedLibrary()>;

/// The functions of the library `name` (a soname or path); it stays open.
OpenedLibrary openLibrary(const std::string &name);
/// cuBLASLt of this machine: what SNRT_CUBLASLT names ("none": no library), else libcublasLt.so.13 or .so.12 from the
/// loader's path, a toolkit or a Python wheel. UserError if SNRT_CUBLASLT names what cannot be used.
OpenedLibrary systemLibrary();
} // namespace sn::rt::cuda
