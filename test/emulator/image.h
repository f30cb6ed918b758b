// What an image has beside its kernels (EmulatedCompiler.h): how the driver calls them and finds their shared memory.
#pragma once
#include "test/emulator/cuda.h"

#define SN_IMAGE_EXPORT extern "C" __attribute__((visibility("default"), used))
extern "C" __attribute__((weak, visibility("hidden"))) unsigned char __start_sn_shared[];
extern "C" __attribute__((weak, visibility("hidden"))) unsigned char __stop_sn_shared[];

namespace sn::emulator::image {
template <class T, T... I> struct Sequence {};

template <class... P, int... I> inline void call(void (*kernel)(P...), void **arguments, Sequence<int, I...>) {
  kernel(*static_cast<P *>(arguments[I])...);
}
/// A thread of `kernel`, its arguments as cuLaunchKernel takes them.
template <class... P> inline void call(void (*kernel)(P...), void *arguments) {
  call(kernel, static_cast<void **>(arguments), __make_integer_seq<Sequence, int, sizeof...(P)>());
}

template <class... P> struct Sizes {
  static constexpr unsigned long long of[] = {sizeof...(P), sizeof(P)...};
};
/// The number of a kernel's arguments, then their sizes: what the driver copies when a launch is recorded.
template <class... P> constexpr const unsigned long long *sizesOf(void (*)(P...)) { return Sizes<P...>::of; }
} // namespace sn::emulator::image
