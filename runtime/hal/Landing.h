// Where rows of a streamed data set land: two halves, each with room for any batch. For the devices' landings.
#pragma once
#include "runtime/hal/Device.h"

namespace sn::rt {
/// The most stored entries that `rows` examples can have, each of them counted once; an estimate where the view's
/// arrays are not known yet (null). CSR, arrays of the host.
int64_t mostEntries(const DataView &view, int64_t rows);

/// How the halves of a landing lie in its arrays, and what they take.
struct LandingLayout {
  LandingLayout(const DataView &streamed, int64_t maxRows);
  int64_t rows = 0, entries = 0; // of a half: the most there can be; dense: entries are values
  int64_t places = 0;            // numbers that a half's rows have, CSR with one more for the end of the last row
  int64_t columns = 0;           // dense: row stride of the values
  Loader loader = Loader::CsrBinary;
  int64_t examples = 0; // of the data set

  int64_t firstPlace(int half) const { return half * places; }
  int64_t firstEntry(int half) const { return half * entries; }
  /// Elements of the arrays, both halves; 0 for one that this kind of data has not.
  int64_t indptrCount() const { return loader == Loader::Dense ? 0 : 2 * places; }
  int64_t indicesCount() const { return loader == Loader::Dense ? 0 : 2 * entries; }
  int64_t valuesCount() const { return loader == Loader::CsrBinary ? 0 : 2 * entries; }
  /// Bytes of these arrays, and with the index of all examples.
  int64_t halvesBytes() const;
  int64_t bytes() const { return halvesBytes() + examples * static_cast<int64_t>(sizeof(int32_t)); }
  /// The most that a batch brings along.
  int64_t batchBytes() const { return halvesBytes() / 2; }
};

/// The arrays of both halves in memory of the host.
struct LandingArrays {
  int64_t *indptr = nullptr;
  int32_t *indices = nullptr;
  float *values = nullptr;
};
/// Reads the rows of these examples into a half. Returns how many entries (dense: values) came. UserError as from
/// RowSource::read; std::logic_error for more rows than the landing holds.
int64_t fillHalf(const DataView &streamed, const LandingLayout &layout, const LandingArrays &to, int half,
                 const int64_t *examples, int64_t count);
} // namespace sn::rt
