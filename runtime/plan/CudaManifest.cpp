#include "runtime/plan/CudaManifest.h"

namespace sn::plan {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CudaImage, kernel, architecture, loader, optimizer, entry, names, resources)

void to_json(nlohmann::json &j, const CudaManifest &manifest) {
  j = {{"abi", manifest.abi},           {"entries", manifest.entries}, {"names", manifest.names},
       {"variants", manifest.variants}, {"shared", manifest.shared},   {"images", manifest.images}};
}
void from_json(const nlohmann::json &j, CudaManifest &manifest) {
  j.at("abi").get_to(manifest.abi);
  j.at("entries").get_to(manifest.entries);
  j.at("names").get_to(manifest.names);
  j.at("variants").get_to(manifest.variants);
  j.at("shared").get_to(manifest.shared);
  j.at("images").get_to(manifest.images);
}

std::string instanceName(const std::string &kernel, const std::string &loader, const std::string &optimizer, int pass) {
  return kernel + "<sn::cuda::" + loader + ", " +
         (optimizer.empty() ? "sn::cuda::NoOptimizer" : "optimizer::" + optimizer) + ", " + std::to_string(pass) + ">";
}
} // namespace sn::plan
