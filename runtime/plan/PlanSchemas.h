// The schemas of docs/spec/plan.md as a table: which fields a step may have and which slots it needs. Used by verify()
// alone.
#pragma once
#include "runtime/plan/Plan.h"

namespace sn::plan {
enum class Use { Never, Optional, Always, WithBiases };

struct Schema {
  std::string_view kernel = "", sweep = "";
  int64_t leastSources = 0, mostSources = 0;
  bool dataSource = false; // sources are data sets, else buffers
  bool refs = true;        // sources name what is multiplied or expanded
  bool weights = true;     // sources name a parameter
  bool gradients = false;  // a source may ask for its gradient
  Use weightGradient = Use::Never;
  bool delta = false;
  bool limit = false; // reads Step::limit
  Use biases = Use::Never, updates = Use::Never, target = Use::Never;
  bool columns = true;    // reads Step::columns
  size_t rows = 0;        // row buffers written (row_reduce: at most one for each reduction)
  bool readsRows = false; // Step::rows, if given, are the statistics of an earlier sweep
  bool rowReduce = false;
  /// Slots: required ones, then "|", then optional ones. "target" stands for the four target slots.
  std::string_view slots = "";
};
struct SlotRule {
  std::string name;
  bool required = true;
  size_t writesRow = SIZE_MAX; // index into Step::rows of the result written after this slot
};
inline constexpr const char *kTargetSlots[] = {"background", "stored", "stored_only", "dense"};

/// Whether the step's fields ask for an update of a parameter by the optimizer: of a matrix whose gradient goes to no
/// buffer, of a bias, or of what is in a gradient buffer.
bool asksForUpdate(const Schema &schema, const Step &step);
/// A `map` of vectors: all its results are columns.
bool isVectorMap(const Step &step);
const Schema *findSchema(std::string_view kernel, std::string_view sweep);
/// The slots of a step in the order in which its kernel runs them.
std::vector<SlotRule> slotsOf(const Schema &schema, const Step &step);
} // namespace sn::plan
