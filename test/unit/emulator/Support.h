// Device text, folders and an opened driver for the tests of the emulator.
#pragma once
#include "test/emulator/EmulatedCompiler.h"
#include "test/emulator/EmulatedDriver.h"
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <unistd.h>
#include <vector>

namespace sn::emulator {
namespace fs = std::filesystem;
using rt::cuda::DevicePointer;
using rt::cuda::FunctionHandle;

/// A folder that is gone with the object.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("sn-emulator-" + std::to_string(getpid()));
  Folder() { fs::remove_all(path); }
  ~Folder() { fs::remove_all(path); }
};

/// The driver with its context current; given back with the object, modules and memory too.
class Opened {
public:
  explicit Opened(const DriverSettings &settings = {}) {
    configure(settings);
    EXPECT_EQ(api.init(0), 0);
    rt::cuda::ContextHandle context = nullptr;
    EXPECT_EQ(api.devicePrimaryCtxRetain(&context, 0), 0);
    EXPECT_EQ(api.ctxSetCurrent(context), 0);
  }
  ~Opened() {
    for (DevicePointer pointer : held)
      api.memFree(pointer);
    for (rt::cuda::ModuleHandle module : modules)
      api.moduleUnload(module);
    EXPECT_EQ(api.devicePrimaryCtxRelease(0), 0);
    configure({});
  }

  const rt::cuda::DriverApi &api = driverApi();

  DevicePointer allocate(size_t bytes) {
    DevicePointer pointer = 0;
    EXPECT_EQ(api.memAlloc(&pointer, bytes), 0);
    held.push_back(pointer);
    return pointer;
  }
  /// Compiles `text` in the build tree's cache and finds `kernel` in it.
  FunctionHandle function(const std::string &text, const std::string &kernel) {
    return functionOf(makeCompiler()->compile({{"Test", text, {kernel}}}, {}, "sm_80").at(0), kernel);
  }
  FunctionHandle functionOf(const rt::cuda::Compiled &compiled, const std::string &kernel) {
    rt::cuda::ModuleHandle module = nullptr;
    FunctionHandle function = nullptr;
    EXPECT_EQ(api.moduleLoadDataEx(&module, compiled.image.c_str(), 0, nullptr, nullptr), 0);
    EXPECT_EQ(api.moduleGetFunction(&function, module, compiled.names.at(kernel).c_str()), 0);
    modules.push_back(module);
    return function;
  }
  rt::cuda::Result launch(FunctionHandle function, unsigned blocks, unsigned threads, std::vector<void *> arguments,
                          unsigned shared = 0) {
    return api.launchKernel(function, blocks, 1, 1, threads, 1, 1, shared, nullptr, arguments.data(), nullptr);
  }

private:
  std::vector<DevicePointer> held;
  std::vector<rt::cuda::ModuleHandle> modules;
};
} // namespace sn::emulator
