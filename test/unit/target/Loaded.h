// Slots written as MLIR text, compiled and opened in this process.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "runtime/plan/Abi.h"
#include <map>
#include <string>
#include <vector>

namespace sn::target {
/// The levels of sn::plan::kCpuLevels that this machine executes.
std::vector<std::string> levelsHere();

/// A context with the dialects of slots, and a module parsed in it. An unparsable text aborts the test program.
struct Parsed {
  explicit Parsed(const std::string &text);
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// "func.func @name(%a0: f32, ...) -> (f32, ...) attributes {...} { body }" for `arguments` = inputs + scalars.
std::string slotText(const std::string &name, int inputs, int scalars, int results, bool sum, const std::string &body);

/// The compiled module, opened for every level of this machine.
class Loaded {
public:
  explicit Loaded(const std::string &text);
  ~Loaded();
  Loaded(const Loaded &) = delete;
  sn_slot slot(const std::string &level, const std::string &name) const;
  const std::string &bytes(const std::string &level) const { return objects.at(level); }
  const std::map<std::string, std::string> &all() const { return objects; }

private:
  std::map<std::string, std::string> objects;
  std::map<std::string, void *> handles;
  std::vector<int> files; // kept open: glibc takes equal paths, here /proc/self/fd/<number>, for equal libraries
};

/// Calls a slot on whole vectors; returns the outputs, each as long as the inputs, and adds to `sum`.
std::vector<std::vector<float>> apply(sn_slot slot, int64_t n, const std::vector<std::vector<float>> &in, int outputs,
                                      const std::vector<float> &scalars, double &sum);
} // namespace sn::target
