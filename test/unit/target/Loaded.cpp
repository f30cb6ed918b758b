#include "test/unit/target/Loaded.h"
#include "compiler/Target/Cpu/Slots.h"
#include "runtime/plan/Archive.h"
#include <dlfcn.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <mlir/Dialect/Arith/IR/Arith.h>
#include <mlir/Dialect/Func/IR/FuncOps.h>
#include <mlir/Dialect/Math/IR/Math.h>
#include <mlir/Parser/Parser.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sn::target {
std::vector<std::string> levelsHere() {
  __builtin_cpu_init();
  std::vector<std::string> levels;
  if (__builtin_cpu_supports("x86-64-v2"))
    levels.push_back("x86-64-v2");
  if (__builtin_cpu_supports("x86-64-v3"))
    levels.push_back("x86-64-v3");
  if (__builtin_cpu_supports("x86-64-v4"))
    levels.push_back("x86-64-v4");
  return levels;
}

Parsed::Parsed(const std::string &text) {
  context.loadDialect<mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::func::FuncDialect>();
  module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    llvm::report_fatal_error("the test's MLIR text does not parse");
}

std::string slotText(const std::string &name, int inputs, int scalars, int results, bool sum, const std::string &body) {
  std::string arguments, types;
  for (int i = 0; i < inputs + scalars; ++i)
    arguments += fmt::format("{}%a{}: f32", i ? ", " : "", i);
  for (int i = 0; i < results; ++i)
    types += i ? ", f32" : "f32";
  return fmt::format("func.func @{}({}) -> ({}) attributes {{slot.inputs = {}, slot.scalars = {}{}}} {{\n{}\n}}\n",
                     name, arguments, types, inputs, scalars, sum ? ", slot.sum" : "", body);
}

Loaded::Loaded(const std::string &text) {
  Parsed parsed(text);
  auto compiled = compileSlots(*parsed.module);
  if (!compiled)
    llvm::report_fatal_error(compiled.takeError());
  objects = std::move(*compiled);
  for (const std::string &level : levelsHere()) {
    const std::string &object = objects.at(level);
    int file = memfd_create(level.c_str(), MFD_CLOEXEC);
    EXPECT_EQ(write(file, object.data(), object.size()), static_cast<ssize_t>(object.size()));
    handles[level] = dlopen(fmt::format("/proc/self/fd/{}", file).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handles[level])
      llvm::report_fatal_error(dlerror());
    files.push_back(file);
  }
}

Loaded::~Loaded() {
  for (auto &[level, handle] : handles)
    dlclose(handle);
  for (int file : files)
    close(file);
}

sn_slot Loaded::slot(const std::string &level, const std::string &name) const {
  void *symbol = dlsym(handles.at(level), name.c_str());
  if (!symbol)
    llvm::report_fatal_error("a slot is not exported");
  return reinterpret_cast<sn_slot>(symbol);
}

std::vector<std::vector<float>> apply(sn_slot slot, int64_t n, const std::vector<std::vector<float>> &in, int outputs,
                                      const std::vector<float> &scalars, double &sum) {
  std::vector<std::vector<float>> out(outputs, std::vector<float>(n));
  std::vector<const float *> inSpans;
  std::vector<float *> outSpans;
  for (auto &span : in)
    inSpans.push_back(span.data());
  for (auto &span : out)
    outSpans.push_back(span.data());
  slot(n, inSpans.data(), outSpans.data(), scalars.data(), &sum);
  return out;
}
} // namespace sn::target
