// Two hand-made plans with C++ slots, and data for them.
#pragma once
#include "runtime/exec/Session.h"
#include "runtime/exec/Trainer.h"
#include <filesystem>

namespace sn::test {
/// input -> sigmoid cross-entropy, no hidden layer: csr_gather, map with a target, column_reduce, csc_update. SGD.
plan::Plan oneLayerPlan();
/// input -> `hidden` sigmoid units -> output, one sweep over the wide output. SGD and Adam; entries train, evaluate,
/// predict.
plan::Plan twoLayerPlan(int64_t hidden = 8);

/// The session of a plan with the test's own slots.
std::unique_ptr<rt::Session> sessionOf(plan::Plan plan, int threads);
/// The archive of a plan with the slots as its object for every instruction set level.
plan::Archive archiveOf(const plan::Plan &plan);

/// `rows` rows over `columns` columns in two tastes: rows like the lower or the upper half of the columns.
std::shared_ptr<rt::DataSet> tastes(int64_t rows, int64_t columns, uint64_t seed);
std::shared_ptr<rt::DataSet> sparse(int64_t columns, const std::vector<std::vector<int32_t>> &rows);
rt::Binding bindingOf(const std::map<std::string, std::shared_ptr<const rt::DataSet>> &sets);

/// A folder that is removed at the end.
struct Folder {
  Folder();
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
  std::string operator()(const std::string &name) const { return (path / name).string(); }
};
std::string contentOf(const std::string &path);
/// The message of the UserError that `call` throws, "" if it throws none.
std::string refusal(const std::function<void()> &call);
} // namespace sn::test
