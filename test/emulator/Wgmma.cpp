// Products of warpgroups (kernels-templates/cuda/tensor_core_90a.cuh), as the PTX manual has them: factors are what the
// matrix descriptors address, and they are multiplied when the products are waited for. Accumulators hold NaN until
// then. Found are: products without wgmma.fence; factors that were stored without fence.proxy.async by every thread and
// a barrier; factors or accumulators that change before the products are waited for; threads of a warpgroup that ask
// for different products; products that nobody waits for; descriptors that address what is not there.
#include "test/emulator/Machine.h"
// last
#include "test/emulator/cuda.h"

namespace sn::emulator {
namespace {
constexpr unsigned kGroup = 128, kRows = 64, kColumns = 128, kBytes = 32, kSums = 64;
constexpr unsigned kLimit = 64;       // of products of a thread under way
constexpr unsigned kAccumulators = 4; // of a thread
constexpr unsigned kNaN = 0xffffffffu;

/// A product of a warpgroup: what it was asked for, and its factors and sums as all its threads must find them.
struct Product {
  unsigned long long a, b;
  bool bf16;
  Place place;
  unsigned done; // threads
  unsigned char left[kRows * kBytes], right[kColumns * kBytes];
  double sums[kRows][kColumns];
};
struct Warpgroup {
  Product *ring[kLimit] = {};
};
/// Registers that products are under way to.
struct Accumulator {
  float *d = nullptr;
  unsigned products = 0; // under way
  float sums[kSums];
};
struct Thread {
  unsigned asked = 0, done = 0, groups = 0, firstGroup = 0;
  unsigned ends[kLimit];   // of groups
  unsigned target[kLimit]; // accumulator of each product under way
  bool fenced = false;     // wgmma.fence since the registers may have been touched
  bool shown = false;      // fence.proxy.async since the last barrier
  Accumulator accumulators[kAccumulators];
};
Warpgroup warpgroups[kMaxThreads / kGroup];
Thread *threads = nullptr;
bool used = false;              // something is not as it was when the block began
unsigned char *shown = nullptr; // shared memory as products see it
size_t shownBytes = 0;

float tf32(const unsigned char *at) {
  unsigned bits;
  __builtin_memcpy(&bits, at, sizeof bits);
  return __builtin_bit_cast(float, bits & ~0x1fffu);
}
float bf16(const unsigned char *at) {
  unsigned short bits;
  __builtin_memcpy(&bits, at, sizeof bits);
  return __builtin_bit_cast(float, static_cast<unsigned>(bits) << 16);
}

/// PTX ISA, "Matrix Descriptor Format" and "Strides".
struct Descriptor {
  unsigned start, leading, stride, base, swizzle;
  bool reserved; // something in bits that must be 0
  explicit Descriptor(unsigned long long bits)
      : start((bits & 0x3fff) << 4), leading((bits >> 16 & 0x3fff) << 4), stride((bits >> 32 & 0x3fff) << 4),
        base(bits >> 49 & 7), swizzle(static_cast<unsigned>(bits >> 62)),
        reserved((bits & ~0xc00e'3fff'3fff'3fffull) != 0) {}

  /// Bytes of a line of the pattern: of one 16-byte column without swizzle, else those that are permuted.
  unsigned line() const { return swizzle == 0 ? 16 : swizzle == 1 ? 128 : swizzle == 2 ? 64 : 32; }
  /// Where 16 bytes of the depth, number `chunk` of 2, of row `row` lie ("K-major"): in the pattern's line, in patterns
  /// of 8 lines, and permuted by the bits of the address that count lines of 128 bytes.
  unsigned place(unsigned row, unsigned chunk) const {
    const unsigned at = start + row % 8 * line() + row / 8 * stride + chunk * (swizzle == 0 ? leading : 16);
    const unsigned permuted = line() / 16 - 1;
    return at ^ (at >> 7 & permuted) << 4;
  }
};
/// The memory that a place of a descriptor, 18 bits of an address, stands for; null if it is not the block's.
const unsigned char *memoryAt(unsigned place) {
  const SharedMemory shared = sharedMemory();
  const size_t offset = (place - reinterpret_cast<size_t>(shared.begin)) & 0x3ffff;
  return offset + 16 <= shared.bytes ? shared.begin + offset : nullptr;
}

[[noreturn]] void refuse(const Place &place, const char *why) {
  {
    blame("the product of " + nameOf(currentThread()) + " at " + text(place) + " " + why);
    giveUp();
  }
}

void prepare() {
  used = true;
  if (!threads)
    threads = new Thread[kMaxThreads];
}
/// Shared memory as it was when the block began.
void prepareShown() {
  const SharedMemory shared = sharedMemory();
  if (shownBytes == shared.bytes && shown)
    return;
  delete[] shown;
  shown = new unsigned char[shared.bytes + 1];
  shownBytes = shared.bytes;
  for (size_t i = 0; i < shownBytes; ++i)
    shown[i] = 0xff;
}

/// The rows of a factor one after another, 32 bytes each.
void gather(unsigned long long bits, unsigned rows, unsigned char *to, const Place &place, bool checked) {
  const Descriptor descriptor(bits);
  if (descriptor.reserved || descriptor.base)
    refuse(place, descriptor.base
                      ? "has a matrix descriptor with a base offset: patterns must be aligned to 1,024 bytes"
                      : "has a matrix descriptor with bits that must be 0");
  for (unsigned row = 0; row < rows; ++row)
    for (unsigned chunk = 0; chunk < 2; ++chunk, to += 16) {
      const unsigned char *from = memoryAt(descriptor.place(row, chunk));
      if (!from)
        refuse(place, "has a matrix descriptor that leaves the block's dynamic shared memory");
      if (checked && !shownToProducts(from, 16))
        refuse(place, "has factors that were stored without fence.proxy.async by all threads and a barrier after it");
      for (int i = 0; i < 16; ++i)
        to[i] = from[i];
    }
}
void verify(const Product &product) {
  unsigned char left[sizeof product.left], right[sizeof product.right];
  gather(product.a, kRows, left, product.place, false);
  gather(product.b, kColumns, right, product.place, false);
  if (__builtin_memcmp(left, product.left, sizeof left) || __builtin_memcmp(right, product.right, sizeof right))
    refuse(product.place, "finds its factors changed when it is waited for");
}
/// Products are exact in double; a sum is rounded once, by who adds it. The device's order of additions is not
/// documented.
void multiply(Product &product) {
  const unsigned inner = product.bf16 ? 16 : 8, width = kBytes / inner;
  double right[16][kColumns];
  for (unsigned column = 0; column < kColumns; ++column)
    for (unsigned k = 0; k < inner; ++k) {
      const unsigned char *at = product.right + column * kBytes + k * width;
      right[k][column] = static_cast<double>(product.bf16 ? bf16(at) : tf32(at));
    }
  for (unsigned row = 0; row < kRows; ++row) {
    double *sums = product.sums[row];
    for (unsigned column = 0; column < kColumns; ++column)
      sums[column] = 0;
    for (unsigned k = 0; k < inner; ++k) {
      const unsigned char *at = product.left + row * kBytes + k * width;
      const double left = static_cast<double>(product.bf16 ? bf16(at) : tf32(at));
      for (unsigned column = 0; column < kColumns; ++column)
        sums[column] += left * right[k][column];
    }
  }
}

Product &productOf(unsigned thread, unsigned number) {
  Warpgroup &group = warpgroups[thread / kGroup];
  Product *&product = group.ring[number % kLimit];
  if (!product)
    product = new Product();
  return *product;
}
/// The current thread's accumulator at `d`, which products may be under way to.
Accumulator &accumulatorAt(Thread &thread, float *d, const Place &place) {
  Accumulator *found = nullptr;
  for (Accumulator &each : thread.accumulators)
    if (each.products && each.d == d)
      return each;
    else if (!each.products && !found)
      found = &each;
  if (!found)
    refuse(place, "has more accumulators under way than the emulator follows");
  found->d = d;
  for (unsigned i = 0; i < kSums; ++i) {
    found->sums[i] = d[i];
    d[i] = __builtin_bit_cast(float, kNaN);
  }
  return *found;
}
/// PTX ISA, "Register Fragments", accumulator D of wgmma.
void addTo(Accumulator &accumulator, const Product &product, unsigned inGroup) {
  const unsigned row = inGroup / kWarp * 16 + inGroup % kWarp / 4, column = inGroup % 4 * 2;
  for (unsigned i = 0; i < kSums; ++i)
    accumulator.sums[i] = static_cast<float>(static_cast<double>(accumulator.sums[i]) +
                                             product.sums[row + i / 2 % 2 * 8][column + i / 4 * 8 + i % 2]);
}
void finishOne(Thread &thread) {
  const unsigned number = thread.done++, me = currentThread();
  Product &product = productOf(me, number);
  if (product.done == 0) {
    verify(product);
    multiply(product);
  }
  if (++product.done == kGroup)
    verify(product); // for the last one as for the first
  Accumulator &accumulator = thread.accumulators[thread.target[number % kLimit]];
  addTo(accumulator, product, me % kGroup);
  if (--accumulator.products)
    return;
  for (unsigned i = 0; i < kSums; ++i) {
    if (__builtin_bit_cast(unsigned, accumulator.d[i]) != kNaN)
      refuse(product.place, "finds its accumulators written when it is waited for");
    accumulator.d[i] = accumulator.sums[i];
  }
}
} // namespace

void beginProducts() {
  for (unsigned i = 0; used && i < kMaxThreads; ++i) {
    Thread &thread = threads[i];
    thread.asked = thread.done = thread.groups = thread.firstGroup = 0;
    thread.fenced = thread.shown = false;
    for (Accumulator &accumulator : thread.accumulators)
      accumulator.products = 0;
  }
  used = false;
  delete[] shown;
  shown = nullptr;
  shownBytes = 0;
}
void productsAtBarrier() {
  if (!used)
    return;
  bool all = true;
  for (unsigned i = 0; i < threadCount(); ++i) {
    all = all && threads[i].shown;
    threads[i].shown = false;
  }
  if (!all)
    return;
  prepareShown();
  const SharedMemory shared = sharedMemory();
  for (size_t i = 0; i < shared.bytes; ++i)
    shown[i] = shared.begin[i];
}
void endProductsOfThread() {
  if (used && threads[currentThread()].asked != threads[currentThread()].done) {
    const Product &product = productOf(currentThread(), threads[currentThread()].done);
    refuse(product.place, "is not waited for before the thread ends");
  }
}
void endProductsOfBlock() {
  for (unsigned i = 0; used && i < threadCount(); ++i)
    if (threads[i].asked != threads[i / kGroup * kGroup].asked) {
      {
        blame(nameOf(i) + " has asked for " + std::to_string(threads[i].asked) + " products, " +
              nameOf(i / kGroup * kGroup) + " of its warpgroup for " +
              std::to_string(threads[i / kGroup * kGroup].asked));
        giveUp();
      }
    }
}
void showToProducts(const void *begin, size_t bytes) {
  used = true;
  prepare();
  prepareShown();
  const unsigned char *from = static_cast<const unsigned char *>(begin);
  for (size_t i = 0; i < bytes; ++i)
    shown[static_cast<size_t>(from - sharedMemory().begin) + i] = from[i];
}
bool shownToProducts(const void *begin, size_t bytes) {
  prepare();
  prepareShown();
  const size_t at = static_cast<size_t>(static_cast<const unsigned char *>(begin) - sharedMemory().begin);
  return !__builtin_memcmp(shown + at, begin, bytes);
}
} // namespace sn::emulator

using namespace sn::emulator;

void snEmulatorWgmma(float *d, unsigned long long a, unsigned long long b, bool bf16, const char *file, int line) {
  const Place place{file, line};
  prepare();
  const unsigned me = currentThread();
  Thread &thread = threads[me];
  if (threadCount() % kGroup)
    refuse(place, "needs warpgroups: blocks of a multiple of 128 threads");
  if (!thread.fenced)
    refuse(place, "comes without wgmma.fence after its registers may have been touched");
  if (thread.asked - thread.done == kLimit)
    refuse(place, "is one more under way than the emulator follows");
  const unsigned number = thread.asked++;
  Product &product = productOf(me, number);
  // The first thread of the warpgroup to come here says what the product is.
  bool first = true;
  for (unsigned i = me / kGroup * kGroup; i < (me / kGroup + 1) * kGroup; ++i)
    first = first && (i == me || threads[i].asked <= number);
  if (first) {
    if (number >= kLimit && product.done != kGroup)
      refuse(place, "is asked for while other threads of its warpgroup have more left than the emulator follows");
    product.a = a;
    product.b = b;
    product.bf16 = bf16;
    product.place = place;
    product.done = 0;
    gather(a, kRows, product.left, place, true);
    gather(b, kColumns, product.right, place, true);
  } else if (product.a != a || product.b != b || product.bf16 != bf16 || !(product.place == place)) {
    refuse(place, "is not that of the other threads of its warpgroup");
  }
  Accumulator &accumulator = accumulatorAt(thread, d, place);
  ++accumulator.products;
  thread.target[number % kLimit] = static_cast<unsigned>(&accumulator - thread.accumulators);
}
void snEmulatorWgmmaFence() {
  prepare();
  threads[currentThread()].fenced = true;
}
void snEmulatorWgmmaCommit() {
  prepare();
  Thread &thread = threads[currentThread()];
  if (thread.groups - thread.firstGroup == kLimit) {
    {
      blame(nameOf(currentThread()) + " has more than " + std::to_string(kLimit) + " groups of products under way");
      giveUp();
    }
  }
  thread.ends[thread.groups++ % kLimit] = thread.asked;
}
void snEmulatorWgmmaWait(int running, const char *, int) {
  prepare();
  Thread &thread = threads[currentThread()];
  for (; thread.groups - thread.firstGroup > static_cast<unsigned>(running); ++thread.firstGroup)
    while (thread.done != thread.ends[thread.firstGroup % kLimit])
      finishOne(thread);
  thread.fenced = false;
}
void snEmulatorProxyFence() {
  prepare();
  threads[currentThread()].shown = true;
}
