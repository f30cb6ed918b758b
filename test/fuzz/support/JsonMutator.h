// Mutates JSON as a tree, so that most offspring still parse: what byte flips seldom achieve in a long document.
#pragma once
#include <cstddef>
#include <cstdint>

namespace sn::fuzz {
/// As LLVMFuzzerCustomMutator: one change to the tree, or libFuzzer's own to the bytes (always for what does not
/// parse).
size_t mutateJson(uint8_t *data, size_t size, size_t maxSize, unsigned seed);
/// As LLVMFuzzerCustomCrossOver: the first document with a part of the second in it.
size_t crossJson(const uint8_t *first, size_t firstSize, const uint8_t *second, size_t secondSize, uint8_t *out,
                 size_t maxSize, unsigned seed);
} // namespace sn::fuzz
