// The texts of this folder, inside the program: what plans carry so that their kernels compile anywhere.
#pragma once
#include <map>
#include <string_view>

namespace sn::cuda {
/// Every header kernels-templates/cuda/*.cuh by the name that text includes it under
/// ("kernels-templates/cuda/abi.cuh").
const std::map<std::string_view, std::string_view> &templateTexts();
} // namespace sn::cuda
