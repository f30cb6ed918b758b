// Held-out entries and how many of them the lists of a model find: what `snrt eval --truth` and `snrt train --truth`
// share.
#pragma once
#include "runtime/exec/Recommender.h"

namespace sn::rt {
/// What should be recommended: the data set `dataset` of the file, else its `output`, else its `input`, its rows
/// matched with those of `data` and its columns with `columnNames` (may be null). UserError if the file has none of the
/// three or does not match.
Truth readTruth(const std::string &path, const std::string &dataset, const DataSet &data, const Names *columnNames);

/// What is measured.
struct HeldOutWish {
  std::string truth;                   // data file
  std::string layer;                   // the ranked one; "" as for Recommender
  std::string exclude;                 // data set of the training file whose entries stay out of the lists; "" = none
  std::vector<int64_t> at = {20, 100}; // list lengths
};

/// A model in training measured on held-out entries, as often as one likes. Reads the parameters and writes none.
class HeldOut {
public:
  /// `file` is the training data; what it has loaded is shared. The arena of the model must have bufferCount() floats
  /// already if other entries are prepared. `model` must outlive this. UserError for a plan that ranks nothing and for
  /// data that do not match.
  HeldOut(Model &model, const Settings &settings, DataFile &file, const Aliases &aliases, const HeldOutWish &wish);
  HeldOut(const HeldOut &) = delete; // the recommender points into it
  HeldOut &operator=(const HeldOut &) = delete;
  /// Floats that the buffers need for data of `rows` rows.
  static int64_t bufferCount(const Model &model, const Settings &settings, int64_t rows);
  /// As `snrt eval` would after saving now. `stop` (may be empty) is asked now and then: nothing comes back if it says
  /// so.
  std::optional<RankingReport> measure(const std::function<bool()> &stop = {});

private:
  std::vector<int64_t> at;
  Binding inputs; // what entry "predict" reads
  std::optional<Recommender> recommender;
  std::shared_ptr<const DataSet> known;
  Truth truth;
};

/// {"recall@20": ..., "precision@20": ..., "ndcg@20": ...}; an empty object where no row had anything to find.
nlohmann::json recordOf(const RankingReport &report);
} // namespace sn::rt
