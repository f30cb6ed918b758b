// wide_output `single` in its factored form: an output layer whose loss is half of slope * weight * (y - t)^2, trained
// by W <- W + rate * gradient on sparse targets, without a look at the outputs that no example of the batch has
// (docs/spec/plan.md, "Factored outputs"). In what follows H is the batch [B, width] (with a column of ones where the
// layer has a bias), H' the same times the examples' weights, Y the targets, beta = rate * slope / B:
//   E = H W^T - Y            G = E W = H Q - Y W               Q = W^T W
//   W <- W (1 - beta C) + beta Y^T H'                          C = H^T H'
//   Q <- Q + D + D^T,  D = H'^T M,  M = beta^2/2 E E^T H' - beta G
//   E E^T H' = G C - H F + Y (Y^T H')                          F = (Y W)^T H'
// and the loss of an example is the diagonal of E E^T = G H^T - H (Y W)^T + Y Y^T.
#pragma once
#include "kernels-templates/cpu/Generations.h"
#include "kernels-templates/cpu/Products.h"
#include "runtime/plan/Expr.h"

namespace sn::rt::cpu {
/// The outputs that a batch's targets store, each once, and their entries.
class TouchedOutputs {
public:
  std::vector<int32_t> ids;            // outputs, by generation, ascending inside each: their places
  std::vector<GenerationBlock> blocks; // of places
  std::vector<int64_t> rowBegin;       // [B + 1]: entries of each example
  std::vector<int32_t> place;          // of each entry, by example
  std::vector<float> value;
  std::vector<int64_t> idBegin, idEnd; // of each place: its entries in byOutput and sorted
  std::vector<int32_t> byOutput;       // examples, ascending for each output
  std::vector<float> sorted;           // their values

  void collect(const DataView &target, const Batch &batch, const Generations &rows) {
    gather(target, batch);
    order(rows.outputsOf());
    std::vector<int32_t> distinct;
    std::vector<int64_t> begins;
    for (size_t i = 0; i < keys.size(); ++i)
      if (i == 0 || keys[i].output != keys[i - 1].output) {
        distinct.push_back(keys[i].output);
        begins.push_back(static_cast<int64_t>(i));
      }
    begins.push_back(static_cast<int64_t>(keys.size()));
    ids = distinct;
    rows.group(ids, blocks);
    placeEntries(distinct, begins, rows);
  }

private:
  struct Entry {
    int32_t output, entry, row;
  };
  std::vector<Entry> keys, other;

  void gather(const DataView &target, const Batch &batch) {
    keys.clear();
    value.clear();
    rowBegin.assign(1, 0);
    for (int64_t row = 0; row < batch.rows; ++row) {
      const int64_t stored = target.storedRow(batch.ids[row]);
      for (int64_t i = target.indptr[stored]; i < target.indptr[stored + 1]; ++i) {
        keys.push_back({target.indices[i], static_cast<int32_t>(keys.size()), static_cast<int32_t>(row)});
        value.push_back(target.values ? target.values[i] : 1.0f);
      }
      rowBegin.push_back(static_cast<int64_t>(keys.size()));
    }
  }
  /// By output, examples ascending: digits of 11 bits, the lowest first.
  void order(int64_t outputs) {
    constexpr int kBits = 11;
    for (int shift = 0; (outputs - 1) >> shift > 0; shift += kBits) {
      int64_t starts[(1 << kBits) + 1] = {};
      auto digit = [&](const Entry &e) { return (e.output >> shift) & ((1 << kBits) - 1); };
      for (const Entry &e : keys)
        ++starts[digit(e) + 1];
      for (int i = 0; i < 1 << kBits; ++i)
        starts[i + 1] += starts[i];
      other.resize(keys.size());
      for (const Entry &e : keys)
        other[static_cast<size_t>(starts[digit(e)]++)] = e;
      keys.swap(other);
    }
  }
  /// `distinct` ascending; its outputs went to places by generation in the same order.
  void placeEntries(const std::vector<int32_t> &distinct, const std::vector<int64_t> &begins, const Generations &rows) {
    int64_t next[Generations::kCount] = {};
    for (size_t b = blocks.size(); b-- > 0;)
      next[blocks[b].generation] = blocks[b].begin;
    place.resize(keys.size()), byOutput.resize(keys.size()), sorted.resize(keys.size());
    idBegin.resize(ids.size()), idEnd.resize(ids.size());
    for (size_t d = 0; d < distinct.size(); ++d) {
      const auto at = static_cast<size_t>(next[rows.generationOf(distinct[d])]++);
      idBegin[at] = begins[d], idEnd[at] = begins[d + 1];
      for (int64_t i = begins[d]; i < begins[d + 1]; ++i) {
        const Entry &e = keys[static_cast<size_t>(i)];
        place[static_cast<size_t>(e.entry)] = static_cast<int32_t>(at);
        byOutput[static_cast<size_t>(i)] = e.row;
        sorted[static_cast<size_t>(i)] = value[static_cast<size_t>(e.entry)];
      }
    }
  }
};

class FactoredOutput {
public:
  Generations *weights = nullptr;
  const float *x = nullptr;  // [B, inner]
  float *gradient = nullptr; // [B, inner]: of x; null: not needed
  DataView target;           // CSR; entries that are not stored are 0
  double slope = 1;          // of the delta
  plan::Expr rate;           // of the update

  void layout(Carver &carver, int64_t rows, const Context &context) {
    const int64_t stride = weights->strideOf(), square = weights->widthOf() * stride;
    for (float **matrix : {&h, &shares, &g, &found, &back})
      *matrix = carver.take<float>(matrix == &shares && !target.weights ? 0 : rows * stride);
    for (float **matrix : {&c, &f, &k, &d})
      *matrix = carver.take<float>(square);
    losses = carver.take<double>(rows);
    scratch = carver.take<float>(context.pool.workers() * weights->scratchFloats());
  }

  /// What is kept for each entry of a batch: lines of its output, and its places in lists.
  int64_t bytesOfEntry() const { return 2 * weights->strideOf() * 4 + 76; }

  void run(Context &context, Launch &launch) {
    weights->open(context);
    const Batch &batch = launch.batch;
    beta = static_cast<float>(rate.evaluate(launch.scalar) * slope / static_cast<double>(batch.rows));
    touched.collect(target, batch, *weights);
    const int64_t lines = static_cast<int64_t>(touched.ids.size()) * weights->strideOf();
    old.reserve(lines * static_cast<int64_t>(sizeof(float)));
    pulls.reserve(lines * static_cast<int64_t>(sizeof(float)));
    fillBatch(batch);
    project(context, batch.rows);
    change(context, batch);
    reduce(context, batch.rows);
    finish(context, batch.rows);
    weights->close(context);
    for (int64_t row = 0; row < batch.rows; ++row)
      launch.sum += losses[row];
  }

private:
  template <typename Body> struct Work {
    Work(int64_t count, Body body) : count(count), body(std::move(body)) {}
    int64_t count;
    Body body;
  };
  /// Columns of a [width, width] product over the batch that are computed together.
  static constexpr int64_t kStrip = 32;
  static constexpr int64_t kRows = 64, kFewRows = 16;
  static int64_t pieces(int64_t extent, int64_t size) { return (extent + size - 1) / size; }
  static plan::Range piece(int64_t extent, int64_t size, int64_t index) {
    return {index * size, std::min(extent, (index + 1) * size)};
  }
  int64_t stride() const { return weights->strideOf(); }
  int64_t width() const { return weights->widthOf(); }
  const float *weighted() const { return target.weights ? shares : h; }
  float *linesOf(const AlignedMemory &memory) const { return reinterpret_cast<float *>(memory.data()); }
  float exampleWeight(int64_t example) const { return target.weights ? target.weights[example] : 1.0f; }

  void fillBatch(const Batch &batch) {
    const int64_t inner = weights->innerOf();
    for (int64_t row = 0; row < batch.rows; ++row) {
      float *line = h + row * stride();
      std::copy_n(x + row * inner, inner, line);
      if (width() > inner)
        line[inner] = 1;
      const float weight = exampleWeight(batch.ids[row]);
      for (int64_t i = 0; target.weights && i < width(); ++i)
        shares[row * stride() + i] = weight * line[i];
    }
  }
  /// Runs the tasks of several kinds of work, of which none waits for another: counts and bodies in turns.
  template <typename... Kinds> static void together(Context &context, const Kinds &...work) {
    int64_t total = 0;
    ((total += work.count), ...);
    context.pool.parallelFor(total, [&](int64_t task, int worker) {
      (void)((task < work.count ? (work.body(task, worker), true) : (task -= work.count, false)) || ...);
    });
  }
  float *own(int worker) const { return scratch + worker * weights->scratchFloats(); }

  /// out = the strip of left^T right + beta out, sums over the batch.
  void strip(const Context &context, int64_t rows, int64_t index, float factor, const float *left, const float *right,
             float keep, float *out) const {
    const plan::Range range = piece(width(), kStrip, index);
    context.product('T', 'N', range.size(), width(), rows, factor, left + range.begin, stride(), right, stride(), keep,
                    out + range.begin * stride(), stride());
  }

  /// What the step begins with: W of the touched outputs, H Q, C.
  void project(Context &context, int64_t rows) {
    together(
        context,
        Work{static_cast<int64_t>(touched.blocks.size()),
             [&](int64_t task, int worker) {
               const GenerationBlock &block = touched.blocks[static_cast<size_t>(task)];
               weights->present(context, block.generation, touched.ids.data() + block.begin, block.end - block.begin,
                                own(worker), linesOf(old) + block.begin * stride());
             }},
        Work{pieces(rows, kRows),
             [&](int64_t task, int) {
               const plan::Range range = piece(rows, kRows, task);
               context.product('N', 'N', range.size(), width(), width(), 1, h + range.begin * stride(), stride(),
                               weights->gram(), stride(), 0, g + range.begin * stride(), stride());
             }},
        Work{pieces(width(), kStrip), [&](int64_t task, int) { strip(context, rows, task, 1, h, weighted(), 0, c); }});
  }

  /// The touched outputs' new rows, what the others' generations have missed, G, the losses and the input's gradient.
  void change(Context &context, const Batch &batch) {
    const std::vector<std::pair<int, int>> runs = weights->livingRuns();
    const auto places = static_cast<int64_t>(touched.ids.size());
    together(context,
             Work{static_cast<int64_t>(runs.size()),
                  [&](int64_t task, int worker) {
                    weights->advance(context.product, runs[static_cast<size_t>(task)], beta, c, own(worker));
                  }},
             Work{pieces(places, kRows),
                  [&](int64_t task, int worker) { updateRows(context, piece(places, kRows, task), own(worker)); }},
             Work{pieces(batch.rows, kFewRows), [&](int64_t task, int) {
                    const plan::Range range = piece(batch.rows, kFewRows, task);
                    for (int64_t row = range.begin; row < range.end; ++row)
                      exampleRow(context, row, exampleWeight(batch.ids[row]));
                  }});
  }
  void updateRows(const Context &context, plan::Range block, float *lines) {
    const int64_t count = block.size(), base = block.begin * stride();
    const float *before = linesOf(old) + base;
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(block.begin + i);
      float *pull = linesOf(pulls) + base + i * stride(), *line = lines + i * stride();
      context.ops->gatherRows(width(), touched.byOutput.data() + touched.idBegin[at],
                              touched.sorted.data() + touched.idBegin[at], touched.idEnd[at] - touched.idBegin[at], 0,
                              weighted(), stride(), pull);
      for (int64_t j = 0; j < width(); ++j)
        line[j] = before[i * stride() + j] + beta * pull[j];
    }
    context.product('N', 'N', count, width(), width(), -beta, before, stride(), c, stride(), 1, lines, stride());
    weights->scatter(touched.ids.data() + block.begin, count, lines, weights->fresh());
  }
  /// out = the example's row of Y times `lines`, which lie by place.
  void gatherEntries(const Context &context, int64_t row, const AlignedMemory &lines, float *out) const {
    const auto begin = static_cast<size_t>(touched.rowBegin[static_cast<size_t>(row)]),
               end = static_cast<size_t>(touched.rowBegin[static_cast<size_t>(row) + 1]);
    context.ops->gatherRows(width(), touched.place.data() + begin, touched.value.data() + begin,
                            static_cast<int64_t>(end - begin), 0, linesOf(lines), stride(), out);
  }
  void exampleRow(const Context &context, int64_t row, float weight) {
    float *own = found + row * stride(), *error = g + row * stride();
    const float *line = h + row * stride();
    gatherEntries(context, row, old, own);
    double loss = 0;
    for (int64_t i = touched.rowBegin[static_cast<size_t>(row)]; i < touched.rowBegin[static_cast<size_t>(row) + 1];
         ++i)
      loss += static_cast<double>(touched.value[static_cast<size_t>(i)]) * touched.value[static_cast<size_t>(i)];
    for (int64_t j = 0; j < width(); ++j) {
      error[j] -= own[j];
      loss += static_cast<double>(error[j] - own[j]) * line[j];
    }
    losses[row] = slope / 2 * weight * loss;
    const float factor = static_cast<float>(slope) * weight;
    for (int64_t j = 0; gradient && j < weights->innerOf(); ++j)
      gradient[row * weights->innerOf() + j] = factor * error[j];
  }

  /// F, K = H'^T G, and Y (Y^T H').
  void reduce(Context &context, int64_t rows) {
    const int64_t strips = pieces(width(), kStrip);
    together(context, Work{strips, [&](int64_t task, int) { strip(context, rows, task, 1, found, weighted(), 0, f); }},
             Work{strips, [&](int64_t task, int) { strip(context, rows, task, 1, weighted(), g, 0, k); }},
             Work{pieces(rows, kFewRows), [&](int64_t task, int) {
                    const plan::Range range = piece(rows, kFewRows, task);
                    for (int64_t row = range.begin; row < range.end; ++row)
                      gatherEntries(context, row, pulls, back + row * stride());
                  }});
  }
  /// D = H'^T M = beta^2/2 (H'^T Y Y^T H' + K C - C^T F) - beta K, and Q.
  void finish(Context &context, int64_t rows) {
    const float half = beta * beta / 2;
    context.pool.parallelFor(pieces(width(), kStrip), [&](int64_t task, int) {
      const plan::Range range = piece(width(), kStrip, task);
      const int64_t first = range.begin * stride();
      for (int64_t i = first; i < range.end * stride(); ++i)
        d[i] = -beta * k[i];
      strip(context, rows, task, half, weighted(), back, 1, d);
      context.product('N', 'N', range.size(), width(), width(), half, k + first, stride(), c, stride(), 1, d + first,
                      stride());
      context.product('T', 'N', range.size(), width(), width(), -half, c + range.begin, stride(), f, stride(), 1,
                      d + first, stride());
    });
    weights->addToGram(d);
  }

  TouchedOutputs touched;
  AlignedMemory old, pulls; // by place: W before the step, and Y^T H'
  float beta = 0;
  float *h = nullptr, *shares = nullptr, *g = nullptr, *found = nullptr, *back = nullptr; // [B, stride]; found: Y W
  float *c = nullptr, *f = nullptr, *k = nullptr, *d = nullptr;                           // [width, stride]
  float *scratch = nullptr;                                                               // by worker
  double *losses = nullptr;                                                               // by example
};
} // namespace sn::rt::cpu
