#include "runtime/hal/cuda/Context.h"
#include "runtime/plan/Error.h"
#include <stdexcept>

namespace sn::rt::cuda {
namespace {
// CUresult, as far as told apart.
constexpr Result kSuccess = 0, kOutOfMemory = 2, kStub = 34, kNewerDriver = 36, kUnavailable = 46, kNoDevice = 100,
                 kEcc = 214, kNotReady = 802, kMismatch = 803, kCompatibility = 804;
constexpr int kOldest = 75; // compute capability times ten: what the templates are written for

/// Whether the machine is at fault rather than what it was asked to do.
bool machineFails(Result result) {
  return result == kOutOfMemory || result == kStub || result == kNewerDriver || result == kUnavailable ||
         result == kNoDevice || result == kEcc || result == kNotReady || result == kMismatch ||
         result == kCompatibility || (result >= 805 && result <= 810); // the multi-process service
}
std::string textOf(const DriverApi &driver, Result result) {
  const char *name = nullptr, *text = nullptr;
  if (driver.getErrorName(result, &name) != kSuccess || !name)
    name = "an unknown error";
  if (driver.getErrorString(result, &text) != kSuccess || !text)
    text = "";
  return fmt::format("{} ({}{}{})", name, result, *text ? ", " : "", text);
}
std::string amount(int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / 1048576.0); }
} // namespace

Context::Context(const DriverApi &driver, int ordinal) : driver(driver) {
  const Result started = driver.init(0);
  int count = 0;
  if (started == kSuccess)
    require(driver.deviceGetCount(&count), "counting the devices");
  if (started == kNoDevice || (started == kSuccess && count == 0))
    userError("--device cuda: the NVIDIA driver sees no device (CUDA_VISIBLE_DEVICES hides those it does not name); "
              "--device cpu runs here");
  if (started != kSuccess)
    userError("--device cuda: the NVIDIA driver does not start: {}; --device cpu runs here", textOf(driver, started));
  if (ordinal < 0 || ordinal >= count)
    userError("--device cuda:{}: there {} here, numbered from 0", ordinal,
              count == 1 ? "is 1 CUDA device" : fmt::format("are {} CUDA devices", count));
  require(driver.deviceGet(&device, ordinal), "opening the device");
  char text[256] = {};
  require(driver.deviceGetName(text, sizeof(text) - 1, device), "asking for the device's name");
  theName = text;
  capability = attribute(Attribute::ComputeCapabilityMajor) * 10 + attribute(Attribute::ComputeCapabilityMinor);
  if (capability < kOldest)
    userError("--device cuda: {} has compute capability {}.{}; 7.5 (Turing) or later is needed, or --device cpu",
              theName, major(), minor());
  require(driver.devicePrimaryCtxRetain(&context, device), "opening the device's context");
  use();
  require(driver.streamCreate(&theStream, 1), "creating a stream"); // 1: does not wait for the default stream
  size_t free = 0, all = 0;
  require(driver.memGetInfo(&free, &all), "asking for the device's memory");
  total = static_cast<int64_t>(all);
}

Context::~Context() {
  driver.ctxSetCurrent(context);
  driver.streamDestroy(theStream);
  driver.devicePrimaryCtxRelease(device);
}

void Context::require(Result result, const char *doing) const {
  if (result == kSuccess)
    return;
  if (machineFails(result))
    userError("--device cuda: {} failed: {}", doing, textOf(driver, result));
  throw std::logic_error(fmt::format("CUDA: {} failed: {}", doing, textOf(driver, result)));
}

int Context::attribute(Attribute which) const {
  int value = 0;
  require(driver.deviceGetAttribute(&value, static_cast<int>(which), device), "asking for a property of the device");
  return value;
}

int64_t Context::freeBytes() const {
  size_t free = 0, all = 0;
  require(driver.memGetInfo(&free, &all), "asking for the device's memory");
  return static_cast<int64_t>(free);
}

DevicePointer Context::allocate(int64_t bytes) const {
  DevicePointer pointer = 0;
  const Result result = driver.memAlloc(&pointer, static_cast<size_t>(bytes));
  if (result == kOutOfMemory)
    userError("--device cuda: {} ({} bytes) of memory were asked for, and of the {} of {} only {} are free; a smaller "
              "--batch, an optimizer with fewer states, a smaller network or --device cpu would help",
              amount(bytes), bytes, amount(total), theName, amount(freeBytes()));
  require(result, "allocating memory");
  return pointer;
}

void Context::copyIn(DevicePointer to, const void *from, int64_t bytes) const {
  if (bytes > 0)
    require(driver.memcpyHtoDAsync(to, from, static_cast<size_t>(bytes), theStream), "copying to the device");
}
void Context::copyOut(void *to, DevicePointer from, int64_t bytes) const {
  if (bytes > 0)
    require(driver.memcpyDtoHAsync(to, from, static_cast<size_t>(bytes), theStream), "copying from the device");
}
void Context::zero(DevicePointer to, int64_t bytes) const {
  if (bytes > 0)
    require(driver.memsetD8Async(to, 0, static_cast<size_t>(bytes), theStream), "clearing memory");
}

DeviceBlock::~DeviceBlock() {
  if (pointer)
    context.release(pointer);
}
bool DeviceBlock::reserve(int64_t bytes) {
  if (bytes <= size)
    return false;
  if (pointer)
    context.release(pointer);
  pointer = 0;
  size = 0;
  pointer = context.allocate(bytes);
  size = bytes;
  return true;
}

PinnedBlock::~PinnedBlock() {
  if (pointer)
    context.driver.memFreeHost(pointer);
}
void PinnedBlock::reserve(int64_t bytes) {
  if (bytes <= size)
    return;
  if (pointer)
    context.driver.memFreeHost(pointer);
  pointer = nullptr;
  size = 0;
  context.require(context.driver.memHostAlloc(&pointer, static_cast<size_t>(bytes), 0),
                  "allocating page-locked memory");
  size = bytes;
}

double Event::secondsSince(const Event &before) const {
  float milliseconds = 0;
  context->require(context->driver.eventElapsedTime(&milliseconds, before.handle, handle), "reading a time");
  return static_cast<double>(milliseconds) * 1e-3;
}
} // namespace sn::rt::cuda
