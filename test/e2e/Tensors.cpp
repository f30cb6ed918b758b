// sn-e2e-tensors W.h5: the tensors of a weights file as one JSON object, {"name": [values in the file's order]}: the
// parameters, and the states of its optimizer as "name state".
#include "runtime/checkpoint/Checkpoint.h"
#include <cstdio>

int main(int argc, char **argv) {
  if (argc != 2)
    return std::fprintf(stderr, "usage: sn-e2e-tensors W.h5\n"), 1;
  sn::rt::CheckpointReader reader(argv[1]);
  sn::rt::h5::File file = sn::rt::h5::File::open(argv[1]);
  nlohmann::json all = nlohmann::json::object();
  for (const sn::rt::TensorSpec &spec : reader.parameters()) {
    auto into = [&](const std::string &name) {
      return [&all, &spec, name](const sn::rt::Tile &tile, const float *block) {
        if (tile.count() == spec.count())
          all[name] = std::vector<float>(block, block + tile.count());
      };
    };
    reader.readParameter(spec, into(spec.name));
    std::string group = "snc/state/" + spec.name + "/" + reader.header().optimizer;
    if (file.kind(group) == sn::rt::h5::Kind::Group)
      for (const std::string &state : file.members(group))
        reader.readState(spec, reader.header().optimizer, state, into(spec.name + " " + state));
  }
  std::puts(all.dump().c_str());
}
