// JSON with places: every key and value remembers where it starts. Comments (// and /* */) are accepted.
#pragma once
#include "compiler/Frontend/Diagnostics.h"

namespace sn::frontend {
/// One form a JSON value can take; key tables combine them.
enum Form : unsigned { kText = 1, kNumber = 2, kInteger = 4, kBoolean = 8, kObject = 16, kArray = 32, kNull = 64 };

struct Member;
struct Value {
  Form form = kNull; // kInteger for a number without fraction or exponent
  Position at;
  double number = 0;           // kNumber, kInteger; kBoolean: 1 or 0
  std::string text;            // kText
  std::vector<Value> items;    // kArray
  std::vector<Member> members; // kObject, in the file's order, repeated keys included
};
struct Member {
  std::string key;
  Position at;
  Value value;
};

inline constexpr int kMaxDepth = 64; // deeper nesting is no network

/// Parses the whole text. Throws NetworkError with one located error for anything that is not text in UTF-8, not JSON,
/// or nested too deeply.
Value parseJson(const SourceText &source);
} // namespace sn::frontend
