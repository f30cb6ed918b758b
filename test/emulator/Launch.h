// Kernels on the host: every CUDA thread is a fiber, all on the calling thread; the blocks of a launch run one after
// another. Tests that include templates themselves launch them here; EmulatedDriver does it for images.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

namespace sn::emulator {
/// A kernel that breaks the rules of CUDA: threads of a block at different barriers, a thread that ends while others
/// wait, threads that wait for ever, shared memory written past its end. The message names block, thread and place.
/// The launch ends where it is found.
class Fault : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

struct Extent {
  unsigned x = 1, y = 1, z = 1;
  size_t volume() const { return size_t(x) * y * z; }
};
/// Grid and block; at most 1,024 threads a block.
struct Shape {
  Extent grid, block;
  size_t sharedBytes = 0; // dynamic
};
/// The static __shared__ variables of the program or shared object that a kernel is in: its section "sn_shared".
struct StaticShared {
  unsigned char *begin = nullptr, *end = nullptr;
};

/// Runs `thread(argument)` once for each thread. Shared memory is all ones (as floats: NaN) when a block begins.
/// Launches of several threads wait for each other. Throws Fault, std::invalid_argument for a shape that no device
/// takes, and what `thread` throws.
void run(const Shape &shape, StaticShared shared, void (*thread)(void *), void *argument);

/// The order in which blocks run and threads begin: 0 = ascending (the default), else shuffled by the seed. A result
/// that depends on it is wrong.
void setOrder(uint64_t seed);
} // namespace sn::emulator

// The section's bounds, made by the linker in every program and shared object that has one.
extern "C" __attribute__((weak, visibility("hidden"))) unsigned char __start_sn_shared[];
extern "C" __attribute__((weak, visibility("hidden"))) unsigned char __stop_sn_shared[];

namespace sn::emulator {
/// run() for kernels of this program.
inline void launch(unsigned gridX, unsigned gridY, unsigned threads, size_t sharedBytes,
                   const std::function<void()> &kernel) {
  std::function<void()> copy = kernel;
  run(
      {{gridX, gridY, 1}, {threads, 1, 1}, sharedBytes}, {__start_sn_shared, __stop_sn_shared},
      [](void *function) { (*static_cast<std::function<void()> *>(function))(); }, &copy);
}
} // namespace sn::emulator
