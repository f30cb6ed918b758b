#include "tools/datagen/Generator.h"
#include "runtime/plan/Error.h"
#include "runtime/plan/Philox.h"
#include "tools/datagen/Words.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace sn::datagen {
namespace {
constexpr int kDecades = 10, kCells = kGenres * kDecades, kFirstDecade = 1920;
constexpr double kZipfShift = 80, kZipfPower = 1.3;
constexpr double kGenreSpread = 1.7;   // of the logarithm of a user's liking
constexpr double kDecadeSpread = 1.3;  // decades around the favourite one
constexpr double kOtherDecades = 0.04; // liking of decades far away
constexpr double kByPopularityAlone = 0.1;
constexpr double kLengthSpread = 1.3; // of the logarithm of (length - minimum)
constexpr int kTitleAttempts = 32;
enum Stream : uint32_t { kOrder = 1, kKinds, kTitles, kUsers };

/// A sequence of random numbers of its own for each row of each stream.
class Draws {
public:
  Draws(uint64_t seed, Stream stream, int64_t row) : at_{seed, stream, 0}, row_(uint64_t(row)) {}
  uint32_t word() {
    if (next_ % 4 == 0)
      block_ = plan::randomBlock(at_, row_, next_ / 4);
    return block_[next_++ % 4];
  }
  double uniform() { return (double(word()) + 0.5) * 0x1p-32; }
  double normal() { // Box and Muller; the second number is not kept
    double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

private:
  plan::RandomPoint at_;
  uint64_t row_, next_ = 0;
  plan::PhiloxBlock block_{};
};

/// Index of the first element above u * last of a running sum.
template <typename Iterator> int64_t place(Iterator begin, Iterator end, double target) {
  return std::min<int64_t>(std::upper_bound(begin, end, target) - begin, end - begin - 1);
}

class Catalogue {
public:
  explicit Catalogue(const Options &options) : weight_(options.columns), cell_(options.columns) {
    weigh(options);
    sortIntoCells(options.columns);
    if (options.names)
      nameItems(options);
  }
  double cellWeight(int cell) const { return total(cellBegin_[cell], cellBegin_[cell + 1], cellSums_); }
  /// An item of the cell by weight.
  int32_t drawFrom(int cell, double uniform) const {
    int64_t begin = cellBegin_[cell], end = cellBegin_[cell + 1];
    double target = uniform * cellSums_[end - 1];
    return byCell_[begin + place(cellSums_.begin() + begin, cellSums_.begin() + end, target)];
  }
  /// An item of all by weight.
  int32_t drawPopular(double uniform) const {
    return int32_t(place(sums_.begin(), sums_.end(), uniform * sums_.back()));
  }
  const std::vector<int32_t> &byPopularity() const { return byPopularity_; }
  std::shared_ptr<const rt::Names> names() const { return names_; }

private:
  static double total(int64_t begin, int64_t end, const std::vector<double> &sums) {
    return begin == end ? 0 : sums[end - 1];
  }

  void weigh(const Options &options) {
    int64_t columns = options.columns;
    std::vector<uint64_t> keys(columns);
    for (int64_t i = 0; i < columns; ++i)
      keys[i] = uint64_t(Draws(options.seed, kOrder, i).word()) << 32 | uint64_t(i);
    std::sort(keys.begin(), keys.end());
    std::array<double, kGenres> genres;
    std::array<double, kDecades> decades;
    for (int i = 0; i < kGenres; ++i)
      genres[i] = (i ? genres[i - 1] : 0) + std::pow(i + 3, -0.8);
    for (int i = 0; i < kDecades; ++i)
      decades[i] = (i ? decades[i - 1] : 0) + std::pow(1.35, i);
    for (int64_t rank = 0; rank < columns; ++rank) {
      int32_t item = int32_t(uint32_t(keys[rank]));
      byPopularity_.push_back(item);
      weight_[item] = std::pow(double(rank) + kZipfShift, -kZipfPower);
      Draws draws(options.seed, kKinds, item);
      int64_t genre = place(genres.begin(), genres.end(), draws.uniform() * genres.back());
      int64_t decade = place(decades.begin(), decades.end(), draws.uniform() * decades.back());
      cell_[item] = int32_t(genre * kDecades + decade);
    }
    sums_.resize(columns);
    std::partial_sum(weight_.begin(), weight_.end(), sums_.begin());
  }

  void sortIntoCells(int64_t columns) {
    byCell_.resize(columns);
    std::iota(byCell_.begin(), byCell_.end(), 0);
    std::sort(byCell_.begin(), byCell_.end(),
              [&](int32_t a, int32_t b) { return std::pair(cell_[a], a) < std::pair(cell_[b], b); });
    cellSums_.resize(columns);
    int64_t i = 0;
    for (int cell = 0; cell < kCells; ++cell) {
      cellBegin_[cell] = i;
      for (double sum = 0; i < columns && cell_[byCell_[i]] == cell; ++i)
        cellSums_[i] = sum += weight_[byCell_[i]];
    }
    cellBegin_[kCells] = columns;
  }

  void nameItems(const Options &options) {
    rt::NameIndex names;
    for (int64_t item = 0; item < options.columns; ++item) {
      Draws draws(options.seed, kTitles, item);
      int genre = cell_[item] / kDecades, decade = cell_[item] % kDecades;
      for (int attempt = 0; names.size() == item; ++attempt) { // until no other item has the name
        uint32_t pattern = draws.word(), first = draws.word(), second = draws.word(), third = draws.word();
        int year = kFirstDecade + 10 * decade + int(draws.uniform() * 10);
        std::string name = fmt::format("{} ({}, {})", title(pattern, first, second, third), genreName(genre), year);
        // A crowded genre runs out of titles: a number then tells its items apart.
        names.add(attempt < kTitleAttempts ? name : fmt::format("{} {}", name, item));
      }
    }
    names_ = std::make_shared<const rt::Names>(names.names());
  }

  std::vector<double> weight_, sums_; // by item; running sum
  std::vector<int32_t> cell_;         // by item: genre * kDecades + decade
  std::vector<int32_t> byCell_, byPopularity_;
  std::vector<double> cellSums_; // parallel to byCell_: running sum inside the cell
  std::array<int64_t, kCells + 1> cellBegin_{};
  std::shared_ptr<const rt::Names> names_;
};

int64_t lengthOf(const Options &options, Draws &draws) {
  double extra = options.mean - double(options.minimum);
  double median = extra * std::exp(-kLengthSpread * kLengthSpread / 2);
  double length = median * std::exp(kLengthSpread * draws.normal());
  return options.minimum + std::min<int64_t>(std::llround(length), options.columns / 2 - options.minimum);
}

/// Running sums of the user's liking over genres x decades.
std::array<double, kCells> tasteOf(const Catalogue &catalogue, Draws &draws) {
  std::array<double, kGenres> genres;
  std::array<double, kDecades> decades;
  for (double &liking : genres)
    liking = std::exp(kGenreSpread * draws.normal());
  double favourite = kDecades * std::sqrt(draws.uniform()) - 0.5; // later decades more often
  for (int i = 0; i < kDecades; ++i) {
    double away = (i - favourite) / kDecadeSpread;
    decades[i] = std::exp(-away * away / 2) + kOtherDecades;
  }
  std::array<double, kCells> sums;
  double sum = 0;
  for (int cell = 0; cell < kCells; ++cell)
    sums[cell] = sum += genres[cell / kDecades] * decades[cell % kDecades] * catalogue.cellWeight(cell);
  return sums;
}

/// Appends the user's items, distinct and sorted. `seenBy` holds for each item the last row that took it.
void drawRow(const Options &options, const Catalogue &catalogue, int64_t row, std::vector<int64_t> &seenBy,
             std::vector<int32_t> &items) {
  Draws draws(options.seed, kUsers, row);
  int64_t length = lengthOf(options, draws);
  std::array<double, kCells> taste = tasteOf(catalogue, draws);
  size_t begin = items.size(), end = begin + size_t(length);
  auto take = [&](int32_t item) {
    if (std::exchange(seenBy[item], row) != row)
      items.push_back(item);
  };
  for (int64_t tries = 0; items.size() < end && tries < 40 * length; ++tries) {
    if (draws.uniform() < kByPopularityAlone) {
      take(catalogue.drawPopular(draws.uniform()));
      continue;
    }
    int cell = int(place(taste.begin(), taste.end(), draws.uniform() * taste.back()));
    take(catalogue.drawFrom(cell, draws.uniform()));
  }
  // Who likes little but took much goes on with what is popular.
  for (size_t rank = 0; items.size() < end; ++rank)
    take(catalogue.byPopularity()[rank]);
  std::sort(items.begin() + int64_t(begin), items.end());
}
} // namespace

rt::DataSet generate(const Options &options) {
  if (options.rows < 1 || options.columns < 4 || options.columns > (int64_t(1) << 26))
    userError("{} rows and {} columns: there should be at least 1 row, and 4 to 2^26 columns", options.rows,
              options.columns);
  if (options.minimum < 1 || options.mean < double(options.minimum) || options.mean > double(options.columns) / 4)
    userError("--mean {} --minimum {}: should be 1 <= minimum <= mean <= columns / 4 = {}", options.mean,
              options.minimum, options.columns / 4);
  Catalogue catalogue(options);
  rt::DataSet data;
  data.rows = options.rows;
  data.columns = options.columns;
  data.indptr = {0};
  data.indices.reserve(size_t(double(options.rows) * options.mean * 1.1));
  std::vector<int64_t> seenBy(options.columns, -1);
  rt::Names users;
  for (int64_t row = 0; row < options.rows; ++row) {
    drawRow(options, catalogue, row, seenBy, data.indices);
    data.indptr.push_back(int64_t(data.indices.size()));
    if (options.names)
      users.add(userName(row));
  }
  if (options.names)
    data.rowNames = std::make_shared<const rt::Names>(std::move(users));
  data.columnNames = catalogue.names();
  return data;
}
} // namespace sn::datagen
