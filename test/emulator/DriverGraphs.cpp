// Streams that are captured, and graphs.
#include "test/emulator/DriverState.h"

namespace sn::emulator {
using namespace rt::cuda;
namespace {
using Lock = std::lock_guard<std::mutex>;
constexpr int kModes = 3; // of CUstreamCaptureMode

Result streamBeginCapture(StreamHandle stream, int mode) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  ++state.counters.calls;
  if (const Code code = state.ready())
    return code;
  if (mode < 0 || mode >= kModes)
    return kInvalidValue;
  if (!stream)
    return kCaptureUnsupported; // the default stream
  if (!state.knows(stream))
    return kInvalidHandle;
  if (stream->captured)
    return kIllegalState;
  stream->captured = std::make_unique<GraphTag>();
  stream->capturing = std::this_thread::get_id();
  stream->invalidated = false;
  return kSuccess;
}
Result streamEndCapture(StreamHandle stream, GraphHandle *graph) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  ++state.counters.calls;
  if (const Code code = state.ready())
    return code;
  if (!stream || !state.knows(stream))
    return kInvalidHandle;
  if (!stream->captured)
    return kIllegalState;
  std::unique_ptr<GraphTag> made = std::move(stream->captured);
  *graph = nullptr;
  if (stream->invalidated)
    return kCaptureInvalidated;
  *graph = made.get();
  state.graphs[*graph] = std::move(made);
  ++state.counters.graphs;
  return kSuccess;
}
Result graphInstantiate(GraphExecHandle *executable, GraphHandle graph, unsigned long long flags) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  if (const Code code = state.ready())
    return code;
  if (flags)
    return kInvalidValue;
  if (!state.graphs.count(graph))
    return kInvalidHandle;
  auto made = std::make_unique<GraphExecTag>();
  made->nodes = graph->nodes;
  *executable = made.get();
  state.executables[*executable] = std::move(made);
  return kSuccess;
}
Result graphLaunch(GraphExecHandle executable, StreamHandle stream) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  ++state.counters.calls;
  if (const Code code = state.ready())
    return code;
  if (!state.executables.count(executable) || !state.knows(stream))
    return kInvalidHandle;
  if (DriverState::captured(stream)) {
    stream->invalidated = true; // a graph within a graph is not modelled
    return kNotSupported;
  }
  if (const Result before = state.catchUp(stream))
    return before;
  ++state.counters.graphLaunches;
  for (const std::function<Result()> &node : executable->nodes)
    if (const Result result = node())
      return result;
  return kSuccess;
}
Result graphExecDestroy(GraphExecHandle executable) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  return state.executables.erase(executable) ? static_cast<Code>(state.ready()) : kInvalidHandle;
}
Result graphDestroy(GraphHandle graph) {
  DriverState &state = driverState();
  Lock lock(state.mutex);
  return state.graphs.erase(graph) ? static_cast<Code>(state.ready()) : kInvalidHandle;
}
} // namespace

Code DriverState::readyApart() {
  if (const Code code = ready())
    return code;
  bool capturing = false;
  for (auto &[handle, stream] : streams)
    if (stream->captured && stream->capturing == std::this_thread::get_id())
      capturing = stream->invalidated = true;
  return capturing ? kCaptureUnsupported : kSuccess;
}
Result DriverState::submit(StreamHandle stream, std::function<Result()> work) {
  if (!captured(stream)) {
    const Result before = catchUp(stream);
    return before ? before : work();
  }
  if (stream->invalidated)
    return kCaptureInvalidated;
  stream->captured->nodes.push_back(std::move(work));
  return kSuccess;
}

void addGraphs(DriverApi &api) {
  api.streamBeginCapture = streamBeginCapture;
  api.streamEndCapture = streamEndCapture;
  api.graphInstantiate = graphInstantiate;
  api.graphLaunch = graphLaunch;
  api.graphExecDestroy = graphExecDestroy;
  api.graphDestroy = graphDestroy;
}
} // namespace sn::emulator
