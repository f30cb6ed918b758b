// A fuzz input read as a sequence of decisions. Where it ends, every further decision is 0, so targets give 0 the
// ordinary meaning: the empty input is the plainest valid file.
#pragma once
#include <cstdint>
#include <limits>
#include <string>

namespace sn::fuzz {
class Choices {
public:
  Choices(const uint8_t *bytes, size_t size) : at_(bytes), left_(size) {}
  bool empty() const { return left_ == 0; }
  uint8_t byte() {
    if (!left_)
      return 0;
    --left_;
    return *at_++;
  }
  /// One of 0 .. count - 1; count at most 256.
  int below(int count) { return byte() % count; }
  /// True for one byte in eight: what seldom happens in a file.
  bool odd() { return byte() >= 224; }
  /// Small numbers in one byte; a few bytes reach every 64-bit one and those where arithmetic breaks.
  int64_t integer() {
    constexpr int64_t kBorders[] = {-1,
                                    std::numeric_limits<int32_t>::max(),
                                    int64_t(1) << 31,
                                    int64_t(1) << 32,
                                    std::numeric_limits<int64_t>::max(),
                                    std::numeric_limits<int64_t>::min(),
                                    int64_t(1) << 53,
                                    int64_t(1) << 62};
    uint8_t first = byte();
    if (first < 0xF0)
      return first;
    if (first < 0xF8)
      return -int64_t(byte());
    if (first < 0xFC)
      return int64_t(uint64_t(kBorders[byte() % std::size(kBorders)]) + (first & 1)); // the number or its successor
    uint64_t value = 0;
    for (int i = 0; i < 8; ++i)
      value |= uint64_t(byte()) << (8 * i);
    return int64_t(value);
  }
  /// A number, most often a small one; infinities and NaN too.
  double number() {
    constexpr double kBorders[] = {0.0,
                                   1.0,
                                   0.5,
                                   -2.5,
                                   1e300,
                                   -1e39,
                                   1e-320,
                                   std::numeric_limits<double>::infinity(),
                                   -std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::quiet_NaN()};
    uint8_t first = byte();
    return first < 0xF0 ? double(first) : first < 0xFC ? kBorders[byte() % std::size(kBorders)] : double(integer());
  }
  /// Up to `most` (below 256) bytes; a length byte goes before them.
  std::string text(int most) {
    std::string out;
    for (int count = below(most + 1); count > 0 && left_; --count)
      out += char(byte());
    return out;
  }
  /// All that is left.
  std::string rest() {
    std::string out(reinterpret_cast<const char *>(at_), left_);
    at_ += left_;
    left_ = 0;
    return out;
  }

private:
  const uint8_t *at_;
  size_t left_;
};
} // namespace sn::fuzz
