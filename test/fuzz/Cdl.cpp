// A CDL file's text: readCdlText gives a checked command or a located UserError, nothing else.
#include "tools/convert/Cdl.h"
#include "runtime/plan/Error.h"
#include "test/fuzz/support/JsonMutator.h"
#include "test/fuzz/support/Target.h"
#include <cmath>

namespace {
using sn::convert::Cdl;
using sn::fuzz::demand;

void check(const Cdl &cdl) {
  demand(!cdl.data.empty(), "a command without data");
  demand(cdl.epochs >= 0 && cdl.alphaInterval >= 0 && cdl.checkpointInterval >= 0, "a negative number of epochs");
  demand(!cdl.batch || *cdl.batch >= 1, "a batch of nothing");
  demand(cdl.k >= 1, "lists of nothing");
  demand(cdl.alphaMultiplier > 0 && std::isfinite(cdl.alphaMultiplier), "a multiplier that is no rate");
  for (const auto &[name, value] : cdl.hyper)
    demand(std::isfinite(value) && value >= 0, name + " below 0");
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    check(sn::convert::readCdlText(std::string(reinterpret_cast<const char *>(data), size), "a.cdl"));
  } catch (const sn::UserError &error) {
    std::string_view said = error.what();
    sn::fuzz::say(said);
    demand(said.starts_with("a.cdl:") && said.find(": error: ") != said.npos,
           "a message without a place: " + std::string(said));
  }
  return 0;
}
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  return sn::fuzz::mutateJson(data, size, maxSize, seed);
}
extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t firstSize, const uint8_t *second,
                                            size_t secondSize, uint8_t *out, size_t maxSize, unsigned seed) {
  return sn::fuzz::crossJson(first, firstSize, second, secondSize, out, maxSize, seed);
}
