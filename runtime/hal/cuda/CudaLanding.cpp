#include "runtime/hal/cuda/CudaLanding.h"
#include "kernels-templates/cuda/landing.cuh"
#include <algorithm>
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
constexpr const char *kPlaceRows = "sn::cuda::place_rows";
constexpr int64_t kAlignment = 256;
template <typename T> constexpr int64_t bytesOf(int64_t count) { return count * static_cast<int64_t>(sizeof(T)); }

KernelUse placing() { return {plan::kCudaCommon, "", "", {kPlaceRows}}; }
} // namespace

CudaLanding::CudaLanding(const Context &context, Modules &modules, DataStore &data, const DataView &streamed,
                         int64_t maxRows)
    : context(context), modules(modules), data(data), streamed(streamed), layout(streamed, maxRows), block(context),
      index(context), pinned(context), landed(streamed) {
  context.use();
  modules.load({placing()});
  auto take = [this](int64_t bytes) {
    const int64_t here = places.bytes;
    places.bytes += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return here;
  };
  places.indptr = take(bytesOf<int64_t>(layout.indptrCount()));
  places.indices = take(bytesOf<int32_t>(layout.indicesCount()));
  places.values = take(bytesOf<float>(layout.valuesCount()));
  places.ids = take(bytesOf<int64_t>(2 * layout.rows));
  block.reserve(places.bytes + kAlignment); // no array is beyond the end, though it be empty
  pinned.reserve(places.bytes + kAlignment);
  index.reserve(std::max<int64_t>(1, bytesOf<int32_t>(layout.examples)));
  context.zero(index.at(), bytesOf<int32_t>(layout.examples));
  const bool dense = layout.loader == Loader::Dense;
  landed.source = nullptr;
  landed.indptr = dense ? nullptr : block.as<int64_t>(places.indptr);
  landed.indices = dense ? nullptr : block.as<int32_t>(places.indices);
  landed.values = layout.loader == Loader::CsrBinary ? nullptr : block.as<float>(places.values);
  landed.index = index.as<int32_t>();
  if (streamed.weights)
    landed.weights = data.placeFloats(streamed.weights, streamed.rows);
  context.synchronize(); // the arrays are the caller's again
  context.require(context.driver.streamCreate(&stream, 1), "creating a stream");
  for (EventHandle &event : arrived)
    context.require(context.driver.eventCreate(&event, kEventWithoutTime), "creating an event");
  data.adopt(landed, streamed);
}

CudaLanding::~CudaLanding() {
  data.forget(landed);
  const DriverApi &driver = context.driver;
  if (stream)
    driver.streamSynchronize(stream);
  for (EventHandle event : arrived)
    if (event)
      driver.eventDestroy(event);
  if (stream)
    driver.streamDestroy(stream);
}

void CudaLanding::copy(int64_t offset, int64_t bytes) const {
  if (bytes > 0)
    context.require(
        context.driver.memcpyHtoDAsync(block.at(offset), pinned.data() + offset, static_cast<size_t>(bytes), stream),
        "copying rows to the device");
}

void CudaLanding::fetch(int half, const int64_t *examples, int64_t count) {
  context.use();  // on a thread of the caller's
  if (sent[half]) // the copies of two batches ago may still read what is about to be written
    context.require(context.driver.eventSynchronize(arrived[half]), "copying rows to the device");
  const int64_t entries =
      fillHalf(streamed, layout,
               {pinnedAt<int64_t>(places.indptr), pinnedAt<int32_t>(places.indices), pinnedAt<float>(places.values)},
               half, examples, count);
  std::copy_n(examples, count, pinnedAt<int64_t>(idsAt(half)));
  counts[half] = count;
  if (layout.loader != Loader::Dense) {
    copy(places.indptr + bytesOf<int64_t>(layout.firstPlace(half)), bytesOf<int64_t>(count + 1));
    copy(places.indices + bytesOf<int32_t>(layout.firstEntry(half)), bytesOf<int32_t>(entries));
  }
  if (layout.loader != Loader::CsrBinary)
    copy(places.values + bytesOf<float>(layout.firstEntry(half)), bytesOf<float>(entries));
  copy(idsAt(half), bytesOf<int64_t>(count));
  context.require(context.driver.eventRecord(arrived[half], stream), "recording an event");
  sent[half] = true;
}

void CudaLanding::use(int half) {
  if (!sent[half])
    throw std::logic_error("rows are used that were not fetched");
  context.use();
  context.require(context.driver.streamWaitEvent(context.stream(), arrived[half], 0), "waiting for rows");
  sn::cuda::PlaceArgs args{block.as<sn::cuda::Int>(idsAt(half)), index.as<int>(), counts[half],
                           static_cast<int>(layout.firstPlace(half))};
  if (args.count == 0)
    return;
  void *arguments[] = {&args};
  const auto blocks = static_cast<unsigned>((args.count + sn::cuda::kThreads - 1) / sn::cuda::kThreads);
  context.require(context.driver.launchKernel(modules.function(kPlaceRows, placing(), 0).handle, blocks, 1, 1,
                                              sn::cuda::kThreads, 1, 1, 0, context.stream(), arguments, nullptr),
                  "launching a kernel");
}
} // namespace sn::rt::cuda
