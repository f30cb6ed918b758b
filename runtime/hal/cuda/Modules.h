// The kernels of a plan on a device: images chosen or made, loaded once, functions by name.
#pragma once
#include "kernels-templates/cuda/Variants.h"
#include "runtime/hal/cuda/Context.h"
#include "runtime/hal/cuda/KernelCompiler.h"
#include "runtime/hal/nvrtc/Architectures.h"
#include "runtime/plan/Archive.h"
#include "runtime/plan/CudaManifest.h"
#include <optional>
#include <set>
#include <tuple>

namespace sn::rt::cuda {
using sn::cuda::Variant;

/// Functions of one kernel for one way of storing data and one optimizer.
struct KernelUse {
  std::string kernel;            // id in the manifest, or plan::kCudaCommon
  std::string loader, optimizer; // as in plan::CudaImage
  std::set<std::string> names;   // name expressions
};
struct Function {
  FunctionHandle handle = nullptr;
  int registers = 0, localBytes = 0;
};

class Modules {
public:
  /// UserError if the archive has no CUDA kernels, or such of another version. `compiler` may be null.
  Modules(const plan::Archive &archive, const Context &context, std::shared_ptr<KernelCompiler> compiler);
  ~Modules();
  Modules(const Modules &) = delete;
  Modules &operator=(const Modules &) = delete;

  /// Of each of an entry's steps the first kernel that this device can run: its id. Without a compiler the first of
  /// those with an image for the device. UserError if the archive has none.
  std::vector<std::string> kernelsOf(const std::string &entry, size_t steps) const;
  /// The variant of a kernel's products; null for one without.
  const Variant *variantOf(const std::string &kernel) const;
  const std::string &nameOf(const std::string &kernel) const;

  /// Makes all of it ready: what is not loaded yet comes from the plan's images or from one call of the compiler.
  /// UserError if there is neither an image nor a compiler for the device.
  void load(const std::vector<KernelUse> &uses);
  /// A function that load() was asked for, with so much dynamic shared memory allowed. UserError if the device has
  /// less.
  const Function &function(const std::string &name, const KernelUse &use, int64_t shared);

private:
  struct Loaded {
    Function function;
    int64_t shared = 0; // dynamic shared memory allowed so far
  };
  using Key = std::tuple<std::string, std::string, std::string, std::string>; // kernel, loader, optimizer, name
  static Key keyOf(const KernelUse &use, const std::string &name) {
    return {use.kernel, use.loader, use.optimizer, name};
  }
  Unit unitOf(const KernelUse &use) const;
  /// Whether the plan has such an image of the kernel for the device, whatever the loader and the optimizer.
  bool hasImage(const std::string &kernel, const plan::CudaImage *ImageSelection::*kind) const;
  /// Asks only once, and only if it matters: opening a compiler takes its time.
  bool canCompile() const;
  void compile(const std::vector<KernelUse> &uses);
  bool loadImage(const KernelUse &use, const plan::CudaImage *image);
  void add(const KernelUse &use, const std::string &image, const std::map<std::string, std::string> &names);

  const Context &context;
  std::shared_ptr<KernelCompiler> compiler;
  mutable std::optional<bool> compiles;
  std::map<std::string, std::string> texts; // the archive's entries under cuda/
  plan::CudaManifest manifest;
  Headers headers;
  std::map<std::string, ModuleHandle> modules; // by SHA-256 of the image
  std::map<Key, Loaded> functions;
};
} // namespace sn::rt::cuda
