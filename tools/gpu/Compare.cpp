// sn-gpu-compare ACTUAL EXPECTED TOLERANCE: whether each value of a weights file lies within the tolerance of the
// expected one, states of the optimizer included. All three are weights files; the third holds what each value may be
// off. Prints one JSON object.
#include "runtime/checkpoint/Checkpoint.h"
#include <cmath>
#include <cstdio>

namespace {
using sn::rt::CheckpointReader;
using sn::rt::TensorSpec;

/// What is off most, in tolerances.
struct Worst {
  double ratio = 0, actual = 0, expected = 0, allowed = 0;
  std::string tensor;
  int64_t entry = 0;
};

class Comparison {
public:
  explicit Comparison(char **paths)
      : files{CheckpointReader(paths[0]), CheckpointReader(paths[1]), CheckpointReader(paths[2])} {}

  nlohmann::json run() {
    const std::string &optimizer = files[1].header().optimizer;
    sn::rt::h5::File file = sn::rt::h5::File::open(files[1].path());
    for (const TensorSpec &spec : files[1].parameters()) {
      compare(spec.name, spec,
              [&](const CheckpointReader &from, const sn::rt::TakeTile &take) { from.readParameter(spec, take); });
      const std::string group = "snc/state/" + spec.name + "/" + optimizer;
      if (file.kind(group) == sn::rt::h5::Kind::Group)
        for (const std::string &state : file.members(group))
          compare(spec.name + " " + state, spec, [&](const CheckpointReader &from, const sn::rt::TakeTile &take) {
            from.readState(spec, optimizer, state, take);
          });
    }
    return {{"values", values},
            {"ratio", std::isfinite(worst.ratio) ? worst.ratio : 1e30},
            {"agrees", worst.ratio <= 1},
            {"worst",
             {{"tensor", worst.tensor},
              {"entry", worst.entry},
              {"actual", worst.actual},
              {"expected", worst.expected},
              {"allowed", worst.allowed}}}};
  }

private:
  template <typename Read> void compare(const std::string &name, const TensorSpec &spec, const Read &read) {
    std::vector<float> all[3];
    for (size_t i = 0; i < 3; ++i)
      read(files[i], [&](const sn::rt::Tile &tile, const float *block) {
        all[i].insert(all[i].end(), block, block + tile.count());
      });
    for (size_t i = 0; i < all[1].size(); ++i) {
      const double actual = all[0][i], expected = all[1][i], allowed = all[2][i];
      double ratio = std::abs(actual - expected) / allowed;
      if (std::isnan(ratio))
        ratio = INFINITY;
      if (ratio > worst.ratio || worst.tensor.empty())
        worst = {ratio, actual, expected, allowed, name, static_cast<int64_t>(i)};
    }
    values += static_cast<int64_t>(all[1].size());
  }

  CheckpointReader files[3];
  Worst worst;
  int64_t values = 0;
};
} // namespace

int main(int argc, char **argv) {
  if (argc != 4)
    return std::fprintf(stderr, "usage: sn-gpu-compare ACTUAL EXPECTED TOLERANCE\n"), 1;
  try {
    std::puts(Comparison(argv + 1).run().dump().c_str());
  } catch (const sn::UserError &problem) {
    return std::fprintf(stderr, "sn-gpu-compare: %s\n", problem.what()), 1;
  }
}
