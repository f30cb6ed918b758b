// What the language's cases are held to on this backend; finite differences and threads are the CPU suite's.
#include "test/conformance/language/Cases.h"

namespace sn::test {
void checkLanguage(const Case &made) { checkNetwork(made); }
} // namespace sn::test
