// Work of the stream, recorded once and then started by a single call (CUDA Driver API reference, stream capture).
#pragma once
#include "runtime/hal/cuda/Context.h"
#include <functional>

namespace sn::rt::cuda {
class Graph {
public:
  /// Records what `work` gives to the stream; nothing of it runs. Addresses, sizes and the arguments of kernels are
  /// taken as they are now, what they point to is read when the graph runs. `work` must neither wait nor allocate, and
  /// copy only between the device and page-locked memory. What it throws leaves the stream as it was.
  Graph(const Context &context, const std::function<void()> &work);
  ~Graph();
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;
  /// In the order of the stream.
  void launch() const;

private:
  const Context &context;
  GraphExecHandle executable = nullptr;
};
} // namespace sn::rt::cuda
