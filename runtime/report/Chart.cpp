#include "runtime/report/Chart.h"
#include "runtime/report/Text.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace sn::report {
namespace {
constexpr double kLeft = 58, kTop = 26, kBottom = 34, kRight = 14;
constexpr size_t kPointBudget = 2400; // of a chart
constexpr double kLogFrom = 6;        // highest / lowest from which y is logarithmic

struct Axis {
  double low = 0, high = 1, from = 0, to = 1; // values; pixels
  bool logarithmic = false;
  std::vector<double> ticks = {};
  double operator()(double value) const {
    double share = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + (to - from) * share;
  }
};

struct Range {
  double low = INFINITY, high = -INFINITY;
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// Not empty, and wide enough to divide by.
  void widen() {
    double least = std::max({std::abs(low), std::abs(high), 1e-290}) * 1e-9;
    if (high - low < least) {
      double pad = std::max(std::abs(high) * 0.1, 1e-280);
      low -= pad, high += pad;
    }
  }
};

Axis horizontal(const Chart &chart, double width) {
  Range range;
  for (const Series &series : chart.series)
    for (const Point &point : series.points)
      range.take(point.x);
  range.low = std::min(range.low, std::max(0.0, range.high - 1));
  if (range.low <= 1) // runs begin at epoch 0
    range.low = 0;
  range.widen();
  Axis axis{range.low, range.high, kLeft, width - kRight};
  for (double tick : linearTicks(range.low, range.high, chart.wide ? 12 : 7))
    if (std::abs(tick - std::round(tick)) < 1e-9 || range.high - range.low < 1)
      axis.ticks.push_back(tick);
  return axis;
}

Axis vertical(const Chart &chart, double height) {
  Range range;
  for (const Series &series : chart.series)
    for (const Point &point : series.points)
      if (std::isfinite(point.y))
        range.take(point.y);
  bool logarithmic = !chart.fromZero && !chart.linear && range.low > 0 && range.high / range.low >= kLogFrom;
  if (chart.fromZero)
    range.low = std::min(0.0, range.low);
  range.widen();
  Axis axis{range.low, range.high, height - kBottom, kTop, logarithmic};
  if (logarithmic) {
    double pad = std::pow(range.high / range.low, 0.04);
    axis.low = range.low / pad, axis.high = range.high * pad;
    axis.ticks = logarithmicTicks(axis.low, axis.high, 8);
    return axis;
  }
  double pad = (range.high - range.low) * 0.06;
  axis.low = chart.fromZero && range.low == 0 ? 0 : range.low - pad;
  if (range.low >= 0)
    axis.low = std::max(0.0, axis.low);
  axis.high = range.high + pad;
  if (chart.floor < chart.ceiling) {
    axis.low = std::max(axis.low, std::min(chart.floor, range.low));
    axis.high = std::min(axis.high, std::max(chart.ceiling, range.high));
  }
  axis.ticks = linearTicks(axis.low, axis.high, 6);
  return axis;
}

/// All labels of an axis with the same number of decimals.
std::vector<std::string> labels(const Axis &axis) {
  std::vector<std::string> texts;
  double step = axis.ticks.size() > 1 ? std::abs(axis.ticks[1] - axis.ticks[0]) : std::abs(axis.high);
  double largest = std::max(std::abs(axis.low), std::abs(axis.high));
  for (double tick : axis.ticks) {
    double size = std::abs(tick);
    if (axis.logarithmic)
      texts.push_back(size >= 1 && size < 1e7 ? whole(tick) : fmt::format("{:g}", tick));
    else if (largest >= 1e7 || step < 1e-5)
      texts.push_back(fmt::format("{:.6g}", tick));
    else
      texts.push_back(step >= 1 ? whole(tick) : fmt::format("{:.{}f}", tick, int(std::ceil(-std::log10(step) - 1e-9))));
  }
  return texts;
}

void frame(std::string &to, const Chart &chart, const Axis &x, const Axis &y, double width, double height) {
  std::vector<std::string> texts = labels(y);
  for (size_t i = 0; i < y.ticks.size(); ++i) {
    double at = y(y.ticks[i]);
    put(to, "<line class=\"grid\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", x.from, x.to, at, at);
    put(to, "<text class=\"tick\" text-anchor=\"end\" x=\"{:.0f}\" y=\"{:.1f}\">{}</text>\n", x.from - 8, at + 3.5,
        texts[i]);
  }
  texts = labels(x);
  for (size_t i = 0; i < x.ticks.size(); ++i) {
    double at = x(x.ticks[i]);
    put(to, "<line class=\"axis\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.0f}\" y2=\"{:.0f}\"/>", at, at, y.from,
        y.from + 4);
    put(to, "<text class=\"tick\" text-anchor=\"middle\" x=\"{:.1f}\" y=\"{:.0f}\">{}</text>\n", at, y.from + 16,
        texts[i]);
  }
  put(to, "<line class=\"axis\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.0f}\" y2=\"{:.0f}\"/>", x.from, x.to, y.from,
      y.from);
  put(to, "<text class=\"unit\" x=\"{:.0f}\" y=\"14\">{}{}</text>", 4.0, escaped(chart.unit),
      y.logarithmic ? ", logarithmic" : "");
  put(to, "<text class=\"unit\" text-anchor=\"end\" x=\"{:.0f}\" y=\"{:.0f}\">epochs</text>\n", width - kRight,
      height - 4);
}

void marks(std::string &to, const Chart &chart, const Axis &x, const Axis &y) {
  for (const Mark &mark : chart.marks) {
    if (!(mark.x >= x.low && mark.x <= x.high))
      continue;
    double at = x(mark.x);
    if (mark.strong)
      put(to,
          "<line class=\"resumed\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.0f}\" "
          "y2=\"{2:.0f}\"><title>{3}</title></line>\n",
          at, y.to, y.from, escaped(mark.text));
    else
      put(to, "<path class=\"saved\" d=\"M{:.1f} {:.1f}l4 7h-8z\"><title>{}</title></path>\n", at, y.from - 7,
          escaped(mark.text));
  }
}

void curve(std::string &to, const Series &series, const std::vector<Point> &points, const Axis &x, const Axis &y) {
  std::string path, dots;
  bool gap = true;
  for (const Point &point : points) {
    if (!std::isfinite(point.y) || (y.logarithmic && point.y <= 0)) {
      gap = true;
      continue;
    }
    put(path, "{}{:.1f} {:.1f}", gap ? 'M' : 'L', x(point.x), y(point.y));
    gap = false;
    if (series.dots)
      put(dots, "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>", x(point.x), y(point.y),
          points.size() > 60 ? 1.5 : 2.6);
  }
  put(to, "<g class=\"c{}{}\"><path class=\"curve{}\" d=\"{}\"/>{}</g>\n", series.color % kColors,
      series.thin ? " thin" : "",
      series.dash == 1   ? " dashed"
      : series.dash == 2 ? " dotted"
                         : "",
      path, dots);
}

std::string legend(const Chart &chart) {
  std::string to = "<p class=\"legend\">";
  for (const Series &series : chart.series)
    if (!series.legend.empty())
      put(to,
          "<span><svg class=\"key\" viewBox=\"0 0 26 10\" width=\"26\" height=\"10\"><g class=\"c{}{}\"><path "
          "class=\"curve{}\" d=\"M1 5H25\"/>{}</g></svg>{}</span> ",
          series.color % kColors, series.thin ? " thin" : "",
          series.dash == 1   ? " dashed"
          : series.dash == 2 ? " dotted"
                             : "",
          series.dots ? "<circle cx=\"13\" cy=\"5\" r=\"2.6\"/>" : "", escaped(shortened(series.legend, 60)));
  for (const auto &[what, dash] : chart.kinds)
    put(to,
        "<span><svg class=\"key\" viewBox=\"0 0 26 10\" width=\"26\" height=\"10\"><path class=\"curve{}\" d=\"M1 "
        "5H25\"/></svg>{}</span> ",
        dash == 1   ? " dashed"
        : dash == 2 ? " dotted"
                    : "",
        escaped(shortened(what, 60)));
  bool saved = false, resumed = false;
  for (const Mark &mark : chart.marks)
    (mark.strong ? resumed : saved) = true;
  if (saved)
    to += "<span><svg class=\"key\" viewBox=\"0 0 12 10\" width=\"12\" height=\"10\"><path class=\"saved\" d=\"M6 "
          "1l4 7h-8z\"/></svg>checkpoint</span> ";
  if (resumed)
    to += "<span><svg class=\"key\" viewBox=\"0 0 12 10\" width=\"12\" height=\"10\"><path class=\"resumed\" d=\"M6 "
          "0V10\"/></svg>resumed</span> ";
  return to + "</p>\n";
}

/// A value for JSON in as few digits as tell it apart on the page.
std::string datum(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : "null"; }
} // namespace

std::vector<double> linearTicks(double low, double high, int most) {
  double rough = (high - low) / most, power = std::pow(10, std::floor(std::log10(rough))), step = power;
  for (double factor : {1.0, 2.0, 5.0, 10.0})
    if (step = factor * power; step >= rough * (1 - 1e-9))
      break;
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && ticks.size() < 64; ++i)
    ticks.push_back(i == 0 ? 0 : i * step);
  return ticks;
}

std::vector<double> logarithmicTicks(double low, double high, int most) {
  auto within = [&](const std::vector<double> &factors, int every) {
    std::vector<double> ticks;
    for (int power = static_cast<int>(std::floor(std::log10(low))); std::pow(10, power) <= high; ++power)
      for (double factor : factors) {
        double tick = std::strtod(fmt::format("{}e{}", factor, power).c_str(), nullptr); // nearest to the decimal text
        if (power % every == 0 && tick >= low && tick <= high)
          ticks.push_back(tick);
      }
    return ticks;
  };
  for (const std::vector<double> &factors :
       {std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 5}, {1, 2, 5}, {1, 3}})
    if (std::vector<double> ticks = within(factors, 1); static_cast<int>(ticks.size()) <= most)
      return ticks;
  int every = 1;
  while (static_cast<int>(within({1}, every).size()) > most)
    ++every;
  return within({1}, every);
}

std::vector<Point> thinned(const std::vector<Point> &points, size_t most) {
  size_t stretches = std::max<size_t>(1, (std::max<size_t>(most, 4) - 2) / 2);
  if (points.size() <= most)
    return points;
  std::vector<Point> kept = {points.front()};
  size_t inner = points.size() - 2;
  for (size_t i = 0; i < stretches; ++i) {
    size_t begin = 1 + inner * i / stretches, end = 1 + inner * (i + 1) / stretches, low = end, high = end;
    for (size_t j = begin; j < end; ++j) {
      if (!std::isfinite(points[j].y))
        continue;
      low = low == end || points[j].y < points[low].y ? j : low;
      high = high == end || points[j].y > points[high].y ? j : high;
    }
    if (std::min(low, high) < end)
      kept.push_back(points[std::min(low, high)]);
    if (low != high)
      kept.push_back(points[std::max(low, high)]);
  }
  kept.push_back(points.back());
  return kept;
}

std::string draw(const Chart &chart) {
  size_t drawn = 0;
  for (const Series &series : chart.series)
    for (const Point &point : series.points)
      drawn += std::isfinite(point.y);
  if (drawn == 0)
    return "";
  double width = chart.wide ? 1040 : 510, height = chart.wide ? 340 : 230;
  Axis x = horizontal(chart, width), y = vertical(chart, height);
  std::string curves, json;
  for (const Series &series : chart.series) {
    std::vector<Point> points = thinned(series.points, std::max<size_t>(40, kPointBudget / chart.series.size()));
    curve(curves, series, points, x, y);
    put(json, "{}\n{{\"name\":{},\"count\":{},\"points\":[", json.empty() ? "" : ",", quoted(series.name),
        series.points.size());
    for (size_t i = 0; i < points.size(); ++i)
      put(json, "{}[{},{}]", i ? "," : "", datum(points[i].x), datum(points[i].y));
    json += "]}";
  }
  std::string to;
  put(to, "<figure class=\"chart{}\" id=\"{}\">\n<figcaption>{}</figcaption>\n{}", chart.wide ? " wide" : "", chart.id,
      escaped(chart.title), legend(chart));
  put(to,
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" data-x=\"{:.9g} {:.9g} {} {}\" data-y=\"{:.9g} {:.9g} {} {} "
      "{}\">",
      width, height, x.low, x.high, x.from, x.to, y.low, y.high, y.from, y.to, y.logarithmic ? "log" : "linear");
  put(to, "<title>{}</title>\n", escaped(chart.title));
  frame(to, chart, x, y, width, height);
  marks(to, chart, x, y);
  put(to, "{}<line class=\"cursor\" y1=\"{:.0f}\" y2=\"{:.0f}\" visibility=\"hidden\"/></svg>\n", curves, y.to, y.from);
  put(to,
      "<script type=\"application/json\">[{}]</script>\n<p class=\"readout\" aria-hidden=\"true\"></p>\n</figure>\n",
      json);
  return to;
}
} // namespace sn::report
