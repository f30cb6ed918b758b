// One device of a driver, opened: what it is, its stream, its memory, and what goes wrong on it.
#pragma once
#include "runtime/hal/cuda/Driver.h"
#include <cstdint>
#include <string>
#include <utility>

namespace sn::rt::cuda {
class Context {
public:
  /// Starts the driver. UserError without a device, for an ordinal that does not exist, for a device that is too old.
  Context(const DriverApi &driver, int ordinal);
  ~Context();
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;

  const DriverApi &driver;
  /// Makes this the context of the calling thread: first thing in whatever may be called from any thread.
  void use() const { require(driver.ctxSetCurrent(context), "making the context current"); }
  /// `result` must be success. UserError where the machine is at fault (it names what was going on), else
  /// std::logic_error.
  void require(Result result, const char *doing) const;

  StreamHandle stream() const { return theStream; }
  void synchronize() const { require(driver.streamSynchronize(theStream), "running kernels"); }
  int attribute(Attribute which) const;
  int64_t freeBytes() const;
  int64_t totalBytes() const { return total; }
  int major() const { return capability / 10; }
  int minor() const { return capability % 10; }
  const std::string &name() const { return theName; }

  /// Device memory with whatever it holds. UserError if there is not enough, with what to change.
  DevicePointer allocate(int64_t bytes) const;
  void release(DevicePointer pointer) const noexcept { driver.memFree(pointer); }
  /// In the order of the stream. The host's memory must be page-locked, or synchronize() must follow before it changes.
  void copyIn(DevicePointer to, const void *from, int64_t bytes) const;
  void copyOut(void *to, DevicePointer from, int64_t bytes) const;
  void zero(DevicePointer to, int64_t bytes) const;

private:
  DeviceHandle device = 0;
  int capability = 0;
  int64_t total = 0;
  std::string theName;
  ContextHandle context = nullptr;
  StreamHandle theStream = nullptr;
};

/// Device memory, released with the object. The context must outlive it.
class DeviceBlock {
public:
  explicit DeviceBlock(const Context &context) : context(context) {}
  ~DeviceBlock();
  DeviceBlock(const DeviceBlock &) = delete;
  DeviceBlock &operator=(const DeviceBlock &) = delete;
  /// Makes it at least this large; its contents are lost then, and nothing may be running that uses them. True if it
  /// lies elsewhere now.
  bool reserve(int64_t bytes);
  DevicePointer at(int64_t offset = 0) const { return pointer + static_cast<DevicePointer>(offset); }
  template <typename T> T *as(int64_t offset = 0) const { return reinterpret_cast<T *>(at(offset)); }
  int64_t bytes() const { return size; }

private:
  const Context &context;
  DevicePointer pointer = 0;
  int64_t size = 0;
};

/// Page-locked host memory, released with the object.
class PinnedBlock {
public:
  explicit PinnedBlock(const Context &context) : context(context) {}
  ~PinnedBlock();
  PinnedBlock(const PinnedBlock &) = delete;
  PinnedBlock &operator=(const PinnedBlock &) = delete;
  void reserve(int64_t bytes); // as DeviceBlock::reserve
  char *data() const { return static_cast<char *>(pointer); }

private:
  const Context &context;
  void *pointer = nullptr;
  int64_t size = 0;
};

/// A point of time on the stream.
class Event {
public:
  explicit Event(const Context &context) : context(&context) {
    context.require(context.driver.eventCreate(&handle, 0), "creating an event");
  }
  ~Event() {
    if (handle)
      context->driver.eventDestroy(handle);
  }
  Event(Event &&other) noexcept : context(other.context), handle(std::exchange(other.handle, nullptr)) {}
  Event &operator=(Event &&) = delete;
  void record() const {
    context->require(context->driver.eventRecord(handle, context->stream()), "recording an event");
  }
  /// Both have happened.
  double secondsSince(const Event &before) const;

private:
  const Context *context;
  EventHandle handle = nullptr;
};
} // namespace sn::rt::cuda
