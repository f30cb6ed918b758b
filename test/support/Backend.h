// Where the programs of a test process run. The CPU, unless the test program sets another backend: the emulated CUDA
// device (test/conformance/cuda).
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "runtime/hal/Device.h"
#include "test/support/Tables.h"

namespace sn::test {
/// A plan and its objects.
struct Program {
  plan::Plan plan;
  plan::Archive archive;
};

/// A session that will be made of a program on data.
struct Upcoming {
  const Program *program = nullptr;
  const Tables *tables = nullptr;
  int64_t maxRows = 0;
};

class Backend {
public:
  virtual ~Backend() = default;
  /// Puts into the archives what open() needs of the slots, functions of `slots`. `turn`: which of the ways to do so,
  /// where there are several.
  virtual void equip(const std::vector<Program *> &programs, mlir::ModuleOp slots, uint64_t turn) = 0;
  /// `program` outlives the device. Results do not depend on `variant`: on the CPU it is the number of threads, on an
  /// emulated device the order in which blocks run.
  virtual std::unique_ptr<rt::Device> open(const Program &program, int variant) = 0;
  /// Said before these sessions are made, so that what they need can be made in one go. Changes nothing but the time it
  /// takes.
  virtual void expect(const std::vector<Upcoming> &sessions) {}
  /// Whether it stores weights as the plan says (plan::Parameter::storage); the CPU: as fp32 always.
  virtual bool storesNarrow() const { return false; }
};
Backend &backend();
/// Before the first program is compiled.
void setBackend(std::unique_ptr<Backend> backend);
} // namespace sn::test
