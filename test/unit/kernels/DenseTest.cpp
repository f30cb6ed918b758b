// gemm, gemm_update, column_reduce, map, row_reduce.
#include "test/unit/kernels/Rig.h"

namespace sn::test {
namespace {
std::vector<int64_t> firstRows(int64_t count) {
  std::vector<int64_t> ids(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    ids[static_cast<size_t>(i)] = i;
  return ids;
}
double at(const std::vector<float> &values, int64_t row, int64_t stride, int64_t column) {
  return static_cast<double>(values[static_cast<size_t>(row * stride + column)]);
}

struct Product {
  int64_t rows, inner, columns;
  std::string layout;
  bool transposed;
  std::string name() const {
    return fmt::format("{} x {} x {} {} transposed {}", rows, inner, columns, layout, transposed);
  }
};
std::vector<Product> products() {
  std::vector<Product> all;
  for (const char *layout : {"rows", "columns"})
    for (bool transposed : {false, true}) {
      for (int64_t columns : {1, 3, 17, 513})
        all.push_back({64, 19, columns, layout, transposed});
      for (int64_t rows : {1, 5, 200})
        all.push_back({rows, 300, 40, layout, transposed});
      all.push_back({70, 4500, 3, layout, transposed});
    }
  return all;
}

/// W times x plus V times x2, V [5, columns].
std::vector<float> gemm(const Product &p, int threads, std::vector<double> *wanted = nullptr) {
  Rig rig(threads);
  auto x = randomValues(p.rows * p.inner, 1), x2 = randomValues(p.rows * 5, 2),
       w = randomValues(p.inner * p.columns, 3), v = randomValues(5 * p.columns, 4);
  rig.buffer("x", x);
  rig.buffer("x2", x2);
  rig.buffer("y", std::vector<float>(static_cast<size_t>(p.rows * p.columns), 9));
  rig.parameter("W", p.transposed ? p.columns : p.inner, p.transposed ? p.inner : p.columns, p.layout, w);
  rig.parameter("V", 5, p.columns, p.layout, v);
  rig.step.kernel = "gemm";
  rig.step.columns.value = p.columns;
  rig.step.sources = {rig.source("x", "W", "", p.transposed), rig.source("x2", "V")};
  rig.step.slots["epilogue"] = use("copy", {arg(Role::Accumulator)}, {arg(Role::Element, "y")});
  rig.prepare(p.rows);
  rig.launch(firstRows(p.rows));
  if (wanted)
    for (int64_t r = 0; r < p.rows; ++r)
      for (int64_t c = 0; c < p.columns; ++c) {
        double sum = 0;
        for (int64_t k = 0; k < p.inner; ++k)
          sum += at(x, r, p.inner, k) * (p.transposed ? at(w, c, p.inner, k) : at(w, k, p.columns, c));
        for (int64_t k = 0; k < 5; ++k)
          sum += at(x2, r, 5, k) * at(v, k, p.columns, c);
        wanted->push_back(sum);
      }
  return rig.read("y");
}

std::vector<float> gemmUpdate(const Product &p, int threads, double *regularization,
                              std::vector<double> *wanted = nullptr) {
  Rig rig(threads);
  auto x = randomValues(p.rows * p.inner, 1), w = randomValues(p.inner * p.columns, 3),
       delta = randomValues(p.rows * p.columns, 4);
  rig.buffer("x", x);
  rig.buffer("delta", delta);
  rig.parameter("W", p.transposed ? p.columns : p.inner, p.transposed ? p.inner : p.columns, p.layout, w);
  rig.step.kernel = "gemm_update";
  rig.step.columns.value = p.columns;
  rig.step.sources = {rig.source("x", "W", "", p.transposed)};
  rig.step.delta = "delta";
  rig.step.update = true;
  rig.prepare(p.rows);
  *regularization = rig.launch(firstRows(p.rows)).regularization;
  if (wanted) {
    *wanted = widened(w);
    for (int64_t k = 0; k < p.inner; ++k)
      for (int64_t c = 0; c < p.columns; ++c) {
        double g = 0;
        for (int64_t r = 0; r < p.rows; ++r)
          g -= at(x, r, p.inner, k) * at(delta, r, p.columns, c) / static_cast<double>(p.rows);
        double &value = (*wanted)[static_cast<size_t>(p.transposed ? c * p.inner + k : k * p.columns + c)];
        value += 0.1 * (g - 0.01 * value);
      }
  }
  return rig.readParameter("W");
}

struct ColumnOutcome {
  std::vector<float> bias, mean;
  double regularization;
  bool operator==(const ColumnOutcome &) const = default;
};
ColumnOutcome columnReduce(int64_t rows, int64_t columns, int threads) {
  Rig rig(threads);
  rig.buffer("x", randomValues(rows * columns, 1));
  rig.buffer("mean", std::vector<float>(static_cast<size_t>(columns), 9));
  rig.parameter("b", 1, columns, "rows", randomValues(columns, 2));
  rig.step.kernel = "column_reduce";
  rig.step.columns.value = columns;
  rig.step.biases = {"b"};
  rig.step.update = true;
  rig.hypers["B"] = static_cast<double>(rows);
  rig.step.slots["value"] = use("square", {arg(Role::Element, "x")}, {arg(Role::Delta)});
  rig.step.slots["finish"] = use("mean", {arg(Role::Accumulator)}, {arg(Role::Column, "mean")}, {hyper("B")});
  rig.prepare(rows);
  rt::Launch launch = rig.launch(firstRows(rows));
  return {rig.readParameter("b"), rig.read("mean"), launch.regularization};
}
} // namespace

TEST(Gemm, EqualsTheOracle) {
  for (const Product &p : products()) {
    std::vector<double> wanted;
    std::vector<float> got = gemm(p, 2, &wanted);
    expectNear(got, wanted, 3e-6, p.name());
  }
}

TEST(Gemm, BitsDoNotDependOnThreads) {
  for (const Product &p : {Product{200, 300, 700, "rows", false}, Product{70, 4500, 3, "columns", true}}) {
    std::vector<float> one = gemm(p, 1);
    for (int threads : {2, 3, 5})
      EXPECT_EQ(one, gemm(p, threads)) << p.name();
  }
}

TEST(GemmUpdate, EqualsTheOracle) {
  for (const Product &p : products()) {
    std::vector<double> wanted;
    double regularization = 0;
    std::vector<float> got = gemmUpdate(p, 2, &regularization, &wanted);
    expectNear(got, wanted, 2e-6, p.name());
  }
}

TEST(GemmUpdate, BitsDoNotDependOnThreads) {
  for (int64_t rows : {5, 200, 1024}) {
    Product p{rows, 300, 513, "columns", false};
    double first = 0, other = 0;
    std::vector<float> one = gemmUpdate(p, 1, &first);
    EXPECT_GT(first, 0);
    for (int threads : {2, 3, 5}) {
      EXPECT_EQ(one, gemmUpdate(p, threads, &other)) << p.name();
      EXPECT_EQ(first, other);
    }
  }
}

TEST(ColumnReduce, SumsUpdatesBiasesAndFinishes) {
  for (int64_t columns : {1, 3, 17, 513, 1025})
    for (int64_t rows : {1, 5, 64, 200}) {
      auto x = randomValues(rows * columns, 1), b = randomValues(columns, 2);
      std::vector<double> bias, mean;
      for (int64_t c = 0; c < columns; ++c) {
        double sum = 0;
        for (int64_t r = 0; r < rows; ++r)
          sum += at(x, r, columns, c) * at(x, r, columns, c);
        mean.push_back(sum / static_cast<double>(rows));
        bias.push_back(static_cast<double>(b[static_cast<size_t>(c)]) - 0.1 * mean.back());
      }
      ColumnOutcome got = columnReduce(rows, columns, 2);
      expectNear(got.bias, bias, 2e-6, "bias");
      expectNear(got.mean, mean, 2e-6, "mean");
    }
}

TEST(ColumnReduce, BitsDoNotDependOnThreads) {
  ColumnOutcome one = columnReduce(1024, 1025, 1);
  for (int threads : {2, 3, 5})
    EXPECT_TRUE(one == columnReduce(1024, 1025, threads)) << threads;
}

namespace {
struct MapOutcome {
  std::vector<float> first, second;
  double sum;
  bool operator==(const MapOutcome &) const = default;
};
struct MapProblem {
  int64_t rows, columns;
  Loader loader;
  bool ignoreZeros;
  Form form = {};
  TestData data{40, columns, columns < 10 ? 0.5 : 0.1, 3, form};
  std::vector<int64_t> ids = someRows(rows, 40);
  std::vector<float> element = randomValues(rows * columns, 1), column = randomValues(columns, 2),
                     row = randomValues(rows, 3);
};
/// The slots of map use every role; the step also reads a mask and per-row scalars.
MapOutcome map(const MapProblem &p, int threads) {
  Rig rig(threads);
  rig.buffer("e", p.element);
  rig.buffer("row", p.row);
  rig.buffer("y", std::vector<float>(p.element.size(), 9));
  rig.buffer("y2", std::vector<float>(p.element.size(), 9));
  rig.parameter("b", 1, p.columns, "rows", p.column);
  rig.memory.data["target"] = p.data.view(p.loader, p.ignoreZeros);
  rig.step.kernel = "map";
  rig.step.columns.value = p.columns;
  rig.step.target = "target";
  std::vector<plan::SlotArg> in = {arg(Role::Column, "b"), arg(Role::Element, "e"), mask(6, 0.25), arg(Role::Index)},
                             out = {arg(Role::Element, "y"), arg(Role::Element, "y2")},
                             scalars = {arg(Role::Row, "row"),
                                        arg(Role::TargetWeight),
                                        arg(Role::TargetScale),
                                        arg(Role::TargetSum),
                                        hyper("Mu"),
                                        arg(Role::TargetBinary)};
  rig.step.slots["background"] = use("rolesBackground", in, out, scalars);
  in.push_back(arg(Role::Target));
  rig.step.slots["stored"] = use("rolesStored", in, out, scalars);
  rig.step.slots["stored_only"] = rig.step.slots["dense"] = use("rolesFull", in, out, scalars);
  rig.prepare(p.rows);
  rt::Launch launch = rig.launch(p.ids);
  return {rig.read("y"), rig.read("y2"), launch.sum};
}
} // namespace

TEST(Map, EveryRoleAndEveryLoader) {
  for (int64_t columns : {1, 3, 17, 513, 1025})
    for (int64_t rows : {1, 5, 64})
      for (Loader loader : {Loader::Dense, Loader::CsrBinary, Loader::CsrAnalog})
        for (auto [ignoreZeros, form] : {std::pair{false, kForms[0]}, {true, kForms[0]}, {false, kForms[4]}}) {
          MapProblem p{rows, columns, loader, ignoreZeros, form};
          std::vector<double> first, second;
          double sum = 0;
          for (int64_t r = 0; r < rows; ++r) {
            int64_t id = p.ids[static_cast<size_t>(r)];
            double scalars[6] = {static_cast<double>(p.row[static_cast<size_t>(r)]),
                                 p.data.weight(id),
                                 p.data.scale(loader, id),
                                 p.data.sum(loader, id),
                                 0.5,
                                 loader == Loader::CsrBinary ? 1.0 : 0.0};
            for (int64_t c = 0; c < columns; ++c) {
              bool dropped = loader != Loader::Dense && ignoreZeros && !p.data.stored(id, c);
              double y = dropped
                             ? 0
                             : roles(at(p.column, 0, columns, c), at(p.element, r, columns, c), maskOf(6, id, c, 0.25),
                                     static_cast<double>(c), p.data.value(loader, id, c), scalars);
              first.push_back(y);
              second.push_back(2 * y);
              sum += y * y;
            }
          }
          MapOutcome got = map(p, 2);
          std::string what = fmt::format("rows {} columns {} loader {} ignore {} {}", rows, columns,
                                         static_cast<int>(loader), ignoreZeros, nameOf(form));
          expectNear(got.first, first, 1e-6, what);
          expectNear(got.second, second, 1e-6, what);
          EXPECT_NEAR(got.sum, sum, 1e-5 * (1 + sum)) << what;
        }
}

TEST(Map, BitsDoNotDependOnThreads) {
  MapProblem p{200, 1025, Loader::CsrAnalog, false, kForms[4]};
  MapOutcome one = map(p, 1);
  for (int threads : {2, 3, 5})
    EXPECT_TRUE(one == map(p, threads)) << threads;
}

TEST(Map, VectorsRunOneRowAndMayAssignWhatTheyRead) {
  for (int64_t columns : {1, 17, 1025})
    for (int threads : {1, 3}) {
      Rig rig(threads);
      auto running = randomValues(columns, 1), batch = randomValues(columns, 2);
      rig.parameter("running", 1, columns, "rows", running);
      rig.buffer("batch", batch);
      rig.buffer("numbers", std::vector<float>(static_cast<size_t>(columns), 9));
      rig.step.kernel = "map";
      rig.step.columns.value = columns;
      rig.step.slots["body"] =
          use("blend", {arg(Role::Column, "running"), arg(Role::Column, "batch"), arg(Role::Index)},
              {arg(Role::Column, "running"), arg(Role::Column, "numbers")}, {hyper("Mu")});
      rig.prepare(100);
      rig.launch(firstRows(100)); // 100 rows would blend 100 times
      std::vector<double> wanted, numbers;
      for (int64_t c = 0; c < columns; ++c) {
        wanted.push_back((at(running, 0, columns, c) + at(batch, 0, columns, c)) / 2);
        numbers.push_back(static_cast<double>(c));
      }
      expectNear(rig.readParameter("running"), wanted, 1e-6, "running");
      expectNear(rig.read("numbers"), numbers, 0, "numbers");
    }
}

TEST(Map, ColumnNumbersChooseAmongRowValues) {
  // As a DotProduct pooling does: row sums of products, then each unit takes its own; one unit needs no number.
  const int64_t rows = 70, wide = 513;
  auto a = randomValues(rows * wide, 1), b = randomValues(rows * wide, 2), c = randomValues(rows * wide, 3);
  Rig rig(2);
  for (auto [name, values] : {std::pair{"a", &a}, {"b", &b}, {"c", &c}})
    rig.buffer(name, *values);
  for (const char *name : {"ab", "ac", "one"})
    rig.buffer(name, std::vector<float>(rows, 9));
  rig.buffer("y", std::vector<float>(2 * rows, 9));
  rig.step.kernel = "row_reduce";
  rig.step.columns.value = wide;
  rig.step.reductions = {"sum", "sum"};
  rig.step.rows = {"ab", "ac"};
  rig.step.slots["reduce0"] = use("product", {arg(Role::Element, "a"), arg(Role::Element, "b")}, {arg(Role::Delta)});
  rig.step.slots["reduce1"] = use("product", {arg(Role::Element, "a"), arg(Role::Element, "c")}, {arg(Role::Delta)});
  rig.prepare(rows);
  rig.launch(firstRows(rows));
  rig.step = {};
  rig.step.kernel = "map";
  rig.step.columns.value = 2;
  rig.step.slots["body"] =
      use("choose", {arg(Role::Index)}, {arg(Role::Element, "y")}, {arg(Role::Row, "ab"), arg(Role::Row, "ac")});
  rig.prepare(rows);
  rig.launch(firstRows(rows));
  std::vector<double> wanted;
  for (int64_t r = 0; r < rows; ++r)
    for (const std::vector<float> *other : {&b, &c}) {
      wanted.push_back(0);
      for (int64_t i = 0; i < wide; ++i)
        wanted.back() += at(a, r, wide, i) * at(*other, r, wide, i);
    }
  expectNear(rig.read("y"), wanted, 1e-5, "y");
  rig.step.columns.value = 1;
  rig.step.slots["body"] = use("square", {arg(Role::Element, "ab")}, {arg(Role::Element, "one")});
  rig.prepare(rows);
  rig.launch(firstRows(rows));
  for (int64_t r = 0; r < rows; ++r)
    wanted[static_cast<size_t>(r)] = wanted[static_cast<size_t>(2 * r)] * wanted[static_cast<size_t>(2 * r)];
  wanted.resize(rows);
  expectNear(rig.read("one"), wanted, 1e-5, "one");
}

namespace {
struct RowOutcome {
  std::vector<float> y, maximum, sum;
  double loss;
  bool operator==(const RowOutcome &) const = default;
};
RowOutcome rowReduce(int64_t rows, int64_t columns, const std::vector<float> &x, int threads) {
  Rig rig(threads);
  rig.buffer("x", x);
  rig.buffer("y", std::vector<float>(x.size(), 9));
  rig.buffer("max", std::vector<float>(static_cast<size_t>(rows), 9));
  rig.buffer("sum", std::vector<float>(static_cast<size_t>(rows), 9));
  rig.step.kernel = "row_reduce";
  rig.step.columns.value = columns;
  rig.step.reductions = {"max", "sum"};
  rig.step.rows = {"max", "sum"};
  rig.step.slots["reduce0"] = use("copy", {arg(Role::Element, "x")}, {arg(Role::Delta)});
  rig.step.slots["reduce1"] = use("expMinus", {arg(Role::Element, "x")}, {arg(Role::Delta)}, {reduction(0)});
  rig.step.slots["body"] =
      use("softmaxBody", {arg(Role::Element, "x")}, {arg(Role::Element, "y")}, {reduction(0), reduction(1)});
  rig.prepare(rows);
  rt::Launch launch = rig.launch(firstRows(rows));
  return {rig.read("y"), rig.read("max"), rig.read("sum"), launch.sum};
}
} // namespace

TEST(RowReduce, SoftmaxOfARow) {
  for (int64_t columns : {1, 3, 17, 513, 1025, 30000})
    for (int64_t rows : {1, 5, 64}) {
      if (rows * columns > 200000)
        continue;
      auto x = randomValues(rows * columns, 1, 5);
      std::vector<double> y, maxima, sums;
      for (int64_t r = 0; r < rows; ++r) {
        double most = -INFINITY, sum = 0;
        for (int64_t c = 0; c < columns; ++c)
          most = std::max(most, at(x, r, columns, c));
        for (int64_t c = 0; c < columns; ++c)
          sum += std::exp(at(x, r, columns, c) - most);
        for (int64_t c = 0; c < columns; ++c)
          y.push_back(std::exp(at(x, r, columns, c) - most) / sum);
        maxima.push_back(most);
        sums.push_back(sum);
      }
      RowOutcome got = rowReduce(rows, columns, x, 2);
      expectNear(got.y, y, 1e-6, "y");
      expectNear(got.maximum, maxima, 0, "max");
      expectNear(got.sum, sums, 1e-6, "sum");
      EXPECT_NEAR(got.loss, static_cast<double>(rows), 1e-4 * static_cast<double>(rows));
    }
}

TEST(RowReduce, BitsDoNotDependOnThreads) {
  auto x = randomValues(200 * 1025, 1, 5);
  RowOutcome one = rowReduce(200, 1025, x, 1);
  for (int threads : {2, 3, 5})
    EXPECT_TRUE(one == rowReduce(200, 1025, x, threads)) << threads;
}
} // namespace sn::test
