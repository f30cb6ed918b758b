#include "runtime/hal/cuda/Graph.h"

namespace sn::rt::cuda {
namespace {
/// What was recorded; needed until it is made executable.
struct Recorded {
  const DriverApi &driver;
  GraphHandle handle = nullptr;
  ~Recorded() {
    if (handle)
      driver.graphDestroy(handle);
  }
};
} // namespace

Graph::Graph(const Context &context, const std::function<void()> &work) : context(context) {
  const DriverApi &driver = context.driver;
  Recorded recorded{driver};
  context.require(driver.streamBeginCapture(context.stream(), kCaptureThreadLocal), "recording a step");
  try {
    work();
  } catch (...) {
    driver.streamEndCapture(context.stream(), &recorded.handle);
    throw;
  }
  context.require(driver.streamEndCapture(context.stream(), &recorded.handle), "recording a step");
  context.require(driver.graphInstantiate(&executable, recorded.handle, 0), "preparing a recorded step");
}
Graph::~Graph() {
  if (executable)
    context.driver.graphExecDestroy(executable);
}
void Graph::launch() const {
  context.require(context.driver.graphLaunch(executable, context.stream()), "running a recorded step");
}
} // namespace sn::rt::cuda
