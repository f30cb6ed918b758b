// oneDNN's matrix product, opened at run time. Every call is single-threaded: threads are ours (design.md section 5,
// Lanes).
#pragma once
#include "kernels-templates/cpu/Context.h"

namespace sn::rt::cpu {
/// The product of libdnnl.so.2, opened on the first call and kept. UserError naming the package if it cannot be opened.
/// A signal handler must not run on the stack of a thread inside it (docs/decisions/0007-interruption.md).
Contraction openOneDnn();
/// Makes oneDNN's calls from the calling thread single-threaded. After openOneDnn().
void makeProductsSingleThreaded();
} // namespace sn::rt::cpu
