// A CUDA driver over host memory: what the runtime's CUDA device runs on where no GPU is. Images come from
// EmulatedCompiler.
#pragma once
#include "runtime/hal/cuda/Driver.h"
#include <cstdint>
#include <string>
#include <vector>

namespace sn::emulator {
/// The machine that the driver shows.
struct DriverSettings {
  int devices = 1;
  int version = 13000;
  rt::cuda::Result started = 0; // of init: e.g. 100 (no device), 36 (a driver older than the program)
  int major = 9, minor = 0, multiprocessors = 8;
  size_t memory = size_t(8) << 30; // bytes; memAlloc beyond it says out of memory
  int sharedOptin = 227 << 10;     // bytes of shared memory of a block, at most
  bool recordLaunches = false;     // DriverCounters::launched
  std::string name = "Emulated GPU";
};
struct DriverCounters {
  int64_t launches = 0;                     // kernels that ran
  int64_t calls = 0;                        // functions that give work to a stream, record an event or wait
  int64_t graphs = 0, graphLaunches = 0;    // recordings ended, and run
  int64_t allocations = 0;                  // now held
  size_t allocatedBytes = 0, peakBytes = 0; // device memory
  std::vector<std::string> launched;        // functions, in order
};

/// Functions have the arguments, checks and codes of the real ones. All work is done when a call returns, but copies of
/// page-locked memory: they are done as late as they may be, when further work of their stream, or somebody who waits
/// for it or for an event behind them, needs them, so that whoever does not wait reads what was there before. Memory is
/// all ones (as floats: NaN) when it is allocated and lies between guard zones, looked at after each launch and when it
/// is freed. A kernel's Fault, and a guard zone written to, is 719 (launch failed), which every later call returns too,
/// and getErrorString(719) says what was wrong. A stream that is captured does nothing until its graph is launched;
/// what must not happen meanwhile (waiting, allocating, copies of memory that is not page-locked) ends the capture.
const rt::cuda::DriverApi &driverApi();
/// Begins anew: nothing may be allocated or loaded.
void configure(const DriverSettings &settings);
DriverCounters driverCounters();
/// What was wrong in the last launch that failed; "" if none did since configure().
std::string lastFault();
} // namespace sn::emulator
