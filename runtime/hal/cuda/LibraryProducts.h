// Dense products that fusion cannot improve, by cuBLASLt: which steps, by which algorithms, and their run.
#pragma once
#include "runtime/hal/cuda/Context.h"
#include "runtime/hal/cuda/Launches.h"
#include "runtime/hal/cuda/Library.h"
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace sn::rt::cuda {
/// The device's library and what it has been asked to do. Every product has one algorithm, chosen by the library's
/// heuristics among those without atomic sums: plan, device and version of the library decide the bits.
class LibraryProducts {
public:
  /// `open` may be empty: no library, and no word of it. `least`: the smallest products that go to it.
  LibraryProducts(const Context &context, LibraryOpener open, const LibraryLimits &least = {});
  ~LibraryProducts();
  LibraryProducts(const LibraryProducts &) = delete;
  LibraryProducts &operator=(const LibraryProducts &) = delete;

  /// What a step's launches have to know if the library takes all of its products; nothing where our kernels take
  /// them. Opens the library for the first step that suits (libraryProducts(), Launches.h). `runs`: the step is made
  /// ready to run and not only measured, so that remarks() speak of it.
  std::optional<LibraryUse> choose(const StepShape &shape, bool runs = true);
  /// Gives the product to the stream. x [rows, inner], weights [inner, columns] as the shape says, result
  /// [rows, columns] in device memory, aligned to kLibraryAlignment; `workspace`: LibraryUse::workspaceBytes of the
  /// step that was chosen. UserError if the machine fails.
  void multiply(const LibraryProduct &product, const float *x, const float *weights, float *result, void *workspace,
                int64_t workspaceBytes) const;
  /// A line for users: who computes the products that suit. Empty until there is one.
  std::vector<std::string> remarks() const;

private:
  struct Prepared; // the library's descriptors of a product and its algorithm
  bool start();
  const Prepared *prepare(const LibraryProduct &product);
  void note(const std::string &label, bool library);

  const Context &context;
  LibraryOpener open;
  LibraryLimits least;
  const LibraryApi *api = nullptr;
  LibraryHandle library = nullptr;
  std::string refusal; // why there is no library; "" if there is one, or nobody has asked
  bool asked = false;
  std::map<LibraryProduct, std::unique_ptr<Prepared>> products; // null: the library has no algorithm
  std::vector<std::string> taken, left;                         // labels of steps
};
} // namespace sn::rt::cuda
