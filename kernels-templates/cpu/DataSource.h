// A data set as the left factor of a contraction: the values of an example's columns, weighted, shifted and masked.
#pragma once
#include "kernels-templates/cpu/Context.h"

namespace sn::rt::cpu {
/// Values go by the example: its stored row, its weight (which multiplies stored entries, not a dense row), its masks.
class DataSource {
public:
  /// Floats of scratch that the calls below need.
  static constexpr int64_t kScratch = 1024;
  DataView data;
  std::vector<plan::Corruption> corruption; // random zeroing

  bool dense() const { return data.loader == Loader::Dense; }
  void begin(const Launch &launch) {
    seed = launch.batch.seed;
    epoch = launch.batch.epoch;
  }
  int64_t entriesBegin(int64_t example) const { return data.indptr[data.storedRow(example)]; }
  int64_t entriesEnd(int64_t example) const { return data.indptr[data.storedRow(example) + 1]; }

  /// value[i] = scale v m of the stored entries [position, position + n) of the example. Any n.
  void entries(int64_t example, int64_t position, int64_t n, float scale, const VectorOps &ops, float *scratch,
               float *value) const {
    if (data.weights)
      scale *= data.weights[example];
    if (!data.values)
      std::fill_n(value, n, scale);
    else if (scale == 1)
      std::copy_n(data.values + position, n, value);
    else
      for (int64_t i = 0; i < n; ++i)
        value[i] = data.values[position + i] * scale;
    for (int64_t i = 0; i < n && !corruption.empty(); i += kScratch) {
      const int64_t here = std::min(kScratch, n - i);
      for (const plan::Corruption &c : corruption) {
        ops.maskAt({seed, c.stream, epoch}, example, data.indices + position + i, here, static_cast<float>(c.p),
                   scratch);
        multiply(value + i, scratch, here);
      }
    }
  }
  /// value[i] = (v + inputOffset) m of columns [first, first + n) of the example's dense row; those not stored are 0.
  void columns(int64_t example, int64_t first, int64_t n, const VectorOps &ops, float *scratch, float *value) const {
    const int64_t there = std::clamp<int64_t>(data.storedColumns - first, 0, n);
    std::copy_n(data.values + data.storedRow(example) * data.storedColumns + first, there, value);
    std::fill(value + there, value + n, 0.0f);
    for (int64_t i = 0; i < there && data.inputOffset != 0; ++i)
      value[i] += data.inputOffset;
    for (int64_t i = 0; i < there && !corruption.empty(); i += kScratch) {
      const int64_t here = std::min(kScratch, there - i);
      for (const plan::Corruption &c : corruption) {
        ops.maskRange({seed, c.stream, epoch}, example, first + i, here, static_cast<float>(c.p), scratch);
        multiply(value + i, scratch, here);
      }
    }
  }

private:
  static void multiply(float *value, const float *factor, int64_t n) {
    for (int64_t i = 0; i < n; ++i)
      value[i] *= factor[i];
  }
  uint64_t seed = 0;
  uint32_t epoch = 0;
};
} // namespace sn::rt::cpu
