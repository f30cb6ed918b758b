// Networks of one feature each, with data.
#pragma once
#include "test/support/Check.h"

namespace sn::test {
struct Data {
  std::string name;
  TableShape shape; // `rows` counts for nothing
};
/// The layers, and what else stands in the network object, as JSON text; examples in batches of 9, 9 and 4.
Case languageCase(const std::string &layers, const std::vector<Data> &data, const std::string &keys = {},
                  uint64_t seed = 1, int64_t examples = 17);

/// Everything: three steps under every schedule, losses and lists against the oracle, the oracle's gradients against
/// finite differences (where the reference does not define them otherwise), the same bits with 1, 2 and 3 threads.
void checkLanguage(const Case &made);
} // namespace sn::test
