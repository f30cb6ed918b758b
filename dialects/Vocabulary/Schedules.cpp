// Learning-rate schedules: a = {Alpha, Step, Epoch, Steps, Epochs}; Step and Epoch count from 1, Steps is per epoch.
// Golden rows: Python's decimal module at 60 digits, rounded to 18.
#include "dialects/Vocabulary/Records.h"

namespace sn::vocab {
namespace {
std::vector<Schedule> table() {
  return {
      {.name = "Constant",
       .rate = formula([](const auto *a, const auto *p) { return a[0]; }),
       .golden = {{{0.02, 31, 2, 25, 4}, {}, 0.02, 1}},
       .doc = "Alpha",
       .note = "5.3 without Decay"},
      {.name = "Step",
       .params = {{.name = "Every", .byDefault = 20, .key = "Every", .low = 1},
                  {.name = "Factor", .byDefault = 0.5, .key = "Factor", .low = 0}},
       .rate = formula([](const auto *a, const auto *p) { return a[0] * pow_(p[1], floor_((a[2] - 1) / p[0])); }),
       .golden = {{{0.02, 1001, 41, 25, 60}, {20, 0.8}, 0.0128, 0.64}, {{0.02, 500, 20, 25, 60}, {}, 0.02, 1}},
       .doc = "Alpha Factor^floor((Epoch - 1) / Every)",
       .note = "4.6: AlphaInterval and AlphaMultiplier of a CDL file"},
      {.name = "Exponential",
       .params = {{.name = "Factor", .byDefault = 0.95, .key = "Factor", .low = 0}},
       .rate = formula([](const auto *a, const auto *p) { return a[0] * pow_(p[0], a[2] - 1); }),
       .golden = {{{0.02, 80, 4, 25, 60}, {0.9}, 0.01458, 0.729}},
       .doc = "Alpha Factor^(Epoch - 1)",
       .note = "ours"},
      // The reference's Decay (5.3) as a schedule.
      {.name = "InverseTime",
       .params = {{.name = "Decay", .byDefault = 1e-4, .key = "Decay", .low = 0}},
       .rate = formula([](const auto *a, const auto *p) { return a[0] / (1 + p[0] * (a[1] - 1)); }),
       .golden = {{{0.02, 101, 5, 25, 60}, {0.01}, 0.01, 0.5}, {{0.02, 8, 1, 25, 60}, {0.5}, 0.02 / 4.5, 1 / 4.5}},
       .doc = "Alpha / (1 + Decay (Step - 1))",
       .note = "5.3: the network's key Decay"},
      {.name = "Cosine",
       .params = {{.name = "Floor", .byDefault = 0, .key = "Floor", .low = 0, .high = 1}},
       .rate = formula([](const auto *a, const auto *p) {
         using T = std::decay_t<decltype(a[0])>;
         T progress = min_((a[1] - 1) / (a[3] * a[4]), T(1));
         return a[0] * (p[0] + (1 - p[0]) * 0.5 * (1 + cos_(3.14159265358979323846 * progress)));
       }),
       .golden = {{{0.02, 31, 2, 25, 4}, {0.1}, 0.0162900672706322582, 0.81450336353161291},
                  {{0.02, 101, 5, 25, 4}, {0.1}, 0.002, 0.1}},
       .doc =
           "Alpha (Floor + (1 - Floor) (1 + cos(pi (Step - 1) / (Steps Epochs))) / 2), from Alpha down to Floor Alpha",
       .note = "ours"},
      {.name = "Warmup",
       .params = {{.name = "Steps", .byDefault = 1000, .key = "Steps", .low = 1}},
       .rate = formula([](const auto *a, const auto *p) {
         using T = std::decay_t<decltype(a[0])>;
         return a[0] * min_(a[1] / p[0], T(1));
       }),
       .golden = {{{0.02, 5, 1, 25, 4}, {20}, 0.005, 0.25}, {{0.02, 50, 2, 25, 4}, {20}, 0.02, 1}},
       .doc = "Alpha min(1, Step / Steps): linear, then constant",
       .note = "ours"},
  };
}
} // namespace

std::span<const Schedule> schedules() {
  static const std::vector<Schedule> records = table();
  return records;
}
} // namespace sn::vocab
