#include "kernels-templates/cpu/Vector.h"
#include <stdexcept>

namespace sn::rt::cpu {
namespace v2 {
extern const VectorOps ops;
}
namespace v3 {
extern const VectorOps ops;
}
namespace v4 {
extern const VectorOps ops;
}

const VectorOps &vectorOps(std::string_view level) {
  if (level == "x86-64-v2")
    return v2::ops;
  if (level == "x86-64-v3")
    return v3::ops;
  if (level == "x86-64-v4")
    return v4::ops;
  throw std::logic_error("no vector loops for this level");
}
} // namespace sn::rt::cpu
