// The raw bytes of a classic NetCDF file: of data sets, or of a trained network. Both readers stand on one interface,
// so what is found here holds for NetCDF-4 too, whose bytes the target hdf5 tries.
#include "runtime/checkpoint/DsstneNetwork.h"
#include "runtime/plan/Error.h"
#include "test/fuzz/support/DataSets.h"
#include "test/fuzz/support/Target.h"
#include "tools/convert/DsstneJson.h"
#include <cmath>

namespace {
using namespace sn;
using namespace sn::fuzz;

void network(const std::string &path) {
  const rt::CheckpointReader reader(path);
  for (const rt::TensorSpec &spec : reader.parameters()) {
    int64_t values = 0;
    reader.readParameter(spec, [&](const rt::Tile &tile, const float *block) {
      values += tile.count();
      for (int64_t i = 0; i < tile.count(); ++i)
        demand(std::isfinite(block[i]), "a parameter that is not finite");
    });
    demand(values == spec.count(), "values of a parameter are missing");
  }
  const rt::DsstneNetwork found = rt::readDsstneNetwork(*rt::nc::Reader::open(path));
  const std::string json = convert::networkJson(found, path);
  // What the language takes comes back as the same attributes.
  const frontend::Network understood = frontend::readNetworkText(json, path);
  const rt::DsstneNetwork again = convert::dsstneNetwork(understood, {}, path);
  demand(convert::networkJson(again, path) == json, "a network changes from attributes to JSON and back");
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  MemoryFile file({reinterpret_cast<const char *>(data), size});
  loadAll(file.path(), {"input", "output"});
  try {
    if (rt::isDsstneNetwork(file.path()))
      network(file.path());
  } catch (const UserError &error) {
    say(error.what());
    demand(std::string_view(error.what()).find(file.path()) != std::string_view::npos, "a message without the file");
  }
  closeAbandonedFiles();
  return 0;
}
