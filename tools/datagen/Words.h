// Names that people can read, from word lists.
#pragma once
#include <cstdint>
#include <string>

namespace sn::datagen {
inline constexpr int kGenres = 30;
/// A title without genre and year. The four numbers pick pattern and words.
std::string title(uint32_t pattern, uint32_t first, uint32_t second, uint32_t third);
const char *genreName(int genre);
/// The name of user i; all are different.
std::string userName(int64_t i);
} // namespace sn::datagen
