// Line charts as SVG: axes with sensible ticks, logarithmic where the range asks for it.
#pragma once
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sn::report {
struct Point {
  double x = 0, y = 0;
};
/// A curve. A point whose y is missing leaves a gap.
struct Series {
  std::string name, legend;  // legend: "" = not in it
  size_t color = 0;          // of kColors
  bool thin = false;         // many points, drawn faintly
  bool dots = false;         // a dot at each point
  int dash = 0;              // 0 whole, 1 dashed, 2 dotted
  std::vector<Point> points; // ascending in x
};
inline constexpr size_t kColors = 8;
/// Something that happened at x.
struct Mark {
  double x = 0;
  std::string text;
  bool strong = false; // a line over the whole height instead of a tick on the axis
};
struct Chart {
  std::string id, title, unit; // unit: of y
  std::vector<Series> series;
  std::vector<Mark> marks;
  bool fromZero = false; // rates begin at 0
  bool wide = false;
  bool linear = false;                                 // never logarithmic
  std::vector<std::pair<std::string, int>> kinds = {}; // what the dashes mean, for the legend
  double floor = 0, ceiling = 0; // y never leaves [floor, ceiling] if floor < ceiling: shares end at 1
};

/// Values a linear axis shows for [low, high], at most `most` of them, steps of 1, 2 or 5 times a power of ten.
std::vector<double> linearTicks(double low, double high, int most);
/// Values a logarithmic axis shows for 0 < low < high: powers of ten, with 2 and 5 times them where there are few.
std::vector<double> logarithmicTicks(double low, double high, int most);
/// At most `most` points that show the same: the first, the last, and the lowest and highest of each stretch.
std::vector<Point> thinned(const std::vector<Point> &points, size_t most);

/// A figure with legend, curves and their points as JSON (for the hover); "" if there is no point to draw.
std::string draw(const Chart &chart);
} // namespace sn::report
