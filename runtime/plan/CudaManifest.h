// What a plan's archive holds for the CUDA device, beside plan.json: entries of the archive
//   cuda/manifest.json               this
//   cuda/kernels/<id>.cu             the text of a step's kernel; steps with equal text share one
//   cuda/kernels/common.cu           the kernels that all plans share
//   cuda/include/<name>              the headers it includes, by the names it includes them under (optimizers.cuh, and
//                                    the templates kernels-templates/cuda/*.cuh as they were when the plan was made)
//   cuda/<architecture>/<key>        images made ahead
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sn::plan {
inline constexpr const char *kCudaManifest = "cuda/manifest.json", *kCudaInclude = "cuda/include/",
                            *kCudaKernels = "cuda/kernels/";
/// The id of the unit of kernels that all plans share; no step's.
inline constexpr const char *kCudaCommon = "common";

/// A kernel's image for one architecture, of one template instance for each pass.
struct CudaImage {
  std::string kernel;                       // id
  std::string architecture;                 // "sm_90a"; "compute_75" = PTX
  std::string loader;                       // "Csr", "CsrStoredOnly", "Dense", "NoData"
  std::string optimizer;                    // "Adam"; "" = the step updates nothing
  std::string entry;                        // of the archive
  std::map<std::string, std::string> names; // name expression -> function in the image
  std::vector<std::string> resources;       // what the assembler said of each function
};
struct CudaManifest {
  int abi = 0; // sn::cuda::kAbiVersion of the templates
  /// By entry of the plan: for each step the ids of the kernels that compute it, the best first. A device takes the
  /// first whose variant it can run and whose shared memory its blocks can have.
  std::map<std::string, std::vector<std::vector<std::string>>> entries;
  std::map<std::string, std::string> names; // by kernel id: the name of the template
  /// By kernel id: its row of kernels-templates/cuda/manifest.inc. Kernels without products have none: they run
  /// everywhere.
  std::map<std::string, std::string> variants;
  std::map<std::string, int> shared; // by kernel id with a variant: bytes of shared memory that a block takes, at most
  std::vector<CudaImage> images;
};
void to_json(nlohmann::json &j, const CudaManifest &manifest);
void from_json(const nlohmann::json &j, CudaManifest &manifest);

/// How instances are named: "Hidden_csr_gather<sn::cuda::Csr, optimizer::Adam, 0>"; without an optimizer
/// sn::cuda::NoOptimizer.
std::string instanceName(const std::string &kernel, const std::string &loader, const std::string &optimizer, int pass);
} // namespace sn::plan
