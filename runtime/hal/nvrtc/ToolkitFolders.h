// Where NVIDIA's libraries lie beside the loader's own path.
#pragma once
#include <filesystem>
#include <string_view>
#include <vector>

namespace sn::rt::cuda {
/// What `folder` has whose names begin with `prefix`, in their order; nothing if it cannot be read.
std::vector<std::filesystem::path> entriesOf(const std::filesystem::path &folder, std::string_view prefix);
/// A toolkit's folders ($CUDA_HOME, $CUDA_PATH, /usr/local/cuda), then those of Python wheels, as PyTorch and others
/// bring them, in an active environment, the user's and the system's packages. `wheels`: folders of libraries inside of
/// site-packages: "nvidia/cublas/lib". They need not exist.
std::vector<std::filesystem::path> toolkitFolders(const std::vector<std::string_view> &wheels);
} // namespace sn::rt::cuda
