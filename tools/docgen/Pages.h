// Reference pages in Markdown, formed from the tables of records and keys alone: equal tables give equal bytes.
#pragma once
#include "compiler/Frontend/Keys.h"
#include "dialects/Vocabulary/Records.h"
#include <map>
#include <span>
#include <string>

namespace sn::docgen {
// One page per kind of record. Names of the language that never will be records (vocab::planned) close the page of
// their key.
std::string activationPage(std::span<const vocab::Activation> table);
std::string lossPage(std::span<const vocab::Loss> table);
std::string pairPage(std::span<const vocab::Pair> table);
std::string optimizerPage(std::span<const vocab::Optimizer> table);
std::string initializerPage(std::span<const vocab::Initializer> table);
std::string schedulePage(std::span<const vocab::Schedule> table);
std::string poolingPage(std::span<const vocab::Pooling> table);

/// Keys of one object of the language, and where it stands.
struct KeyLevel {
  std::string title;
  std::span<const frontend::Key> keys;
  bool ofLayers = false;                            // says on which layers each is legal
  std::map<std::string, std::string> defaults = {}; // of keys whose row states none: parameters of records
};
/// One table of keys per level, then the words that are no records.
std::string keyPage(std::span<const KeyLevel> levels);

/// Every page of the tables the compiler has, by file name.
std::map<std::string, std::string> pages();
} // namespace sn::docgen
