// Made-up interactions: users with tastes choose items of genres and decades.
// - Popularity: item of rank r has weight (r + 80)^-1.3 (Zipf and Mandelbrot), shuffled over the columns.
// - Items: a genre (of 30, Zipf) and a decade (of 10, later ones more often).
// - Users: a log-normal liking for each genre, and a favourite decade with a spread.
// - A choice is an item drawn with probability ~ weight * liking of its genre * liking of its decade; one in ten by
// weight alone.
// - Lengths: minimum + log-normal, with the given mean; a user's items are distinct.
// Popularity alone therefore predicts a little, similar items more, and a model of tastes most.
#pragma once
#include "runtime/data/DataSet.h"

namespace sn::datagen {
struct Options {
  int64_t rows = 20000, columns = 27278;
  double mean = 144;    // items per user
  int64_t minimum = 20; // of them at least
  uint64_t seed = 1;
  bool names = true; // of rows and columns
};
/// A binary data set, with names of rows ("Ada Brook") and columns ("The Silent Harbor (Western, 1994)") if asked for;
/// the entries do not depend on that.
/// UserError for shapes that cannot be filled: minimum < 1, mean < minimum, mean > columns / 4.
rt::DataSet generate(const Options &options);
} // namespace sn::datagen
