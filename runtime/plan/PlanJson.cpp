// plan.json. Each struct lists its fields once; a Writer and a strict Reader walk the same list, so a plan that is
// written can be read, and a field that is missing, unknown or of the wrong type is refused with its place.
#include "runtime/plan/Error.h"
#include "runtime/plan/Plan.h"
#include <algorithm>
#include <limits>
#include <type_traits>

namespace sn::plan {
namespace {
using nlohmann::json;

template <typename IO> void fields(IO &io, Symbol &v) { io("name", v.name), io("dataset", v.dataset); }
template <typename IO> void fields(IO &io, DataSet &v) {
  io("name", v.name), io("columns", v.columns), io("input", v.input), io("target", v.target);
}
template <typename IO> void fields(IO &io, Initializer &v) {
  io("draw", v.draw), io("scale", v.scale), io("shift", v.shift), io("stream", v.stream);
}
template <typename IO> void fields(IO &io, Parameter &v) {
  io("name", v.name), io("in", v.in), io("out", v.out), io("layout", v.layout), io("decays", v.decays),
      io("trained", v.trained), io("init", v.init), io("storage", v.storage);
}
template <typename IO> void fields(IO &io, NamedExpr &v) { io("name", v.name), io("value", v.value); }
template <typename IO> void fields(IO &io, Untouched &v) { io("whenZero", v.whenZero), io("matrix", v.matrix); }
template <typename IO> void fields(IO &io, PlainUpdate &v) { io("rate", v.rate), io("whenZero", v.whenZero); }
template <typename IO> void fields(IO &io, Optimizer &v) {
  io("name", v.name), io("states", v.states), io("scalars", v.scalars), io("weights", v.weights), io("bias", v.bias);
  io("defaults", v.defaults), io("idleWhenZero", v.idleWhenZero), io("untouched", v.untouched), io("plain", v.plain);
}
template <typename IO> void fields(IO &io, Training &v) {
  io("optimizer", v.optimizer), io("hyper", v.hyper), io("given", v.given), io("alpha", v.alpha), io("batch", v.batch),
      io("epochs", v.epochs);
  io("seed", v.seed), io("shuffle", v.shuffle), io("clearState", v.clearState), io("brake", v.brake);
  io("weights", v.weights);
}
template <typename IO> void fields(IO &io, SlotArg &v) {
  io("role", v.role), io("ref", v.ref), io("index", v.index), io("stream", v.stream), io("p", v.p),
      io("value", v.value);
}
template <typename IO> void fields(IO &io, SlotUse &v) {
  io("function", v.function), io("in", v.in), io("out", v.out), io("scalars", v.scalars), io("sum", v.sum);
}
template <typename IO> void fields(IO &io, Corruption &v) { io("stream", v.stream), io("p", v.p); }
template <typename IO> void fields(IO &io, Source &v) {
  io("data", v.data), io("ref", v.ref), io("weights", v.weights), io("transposed", v.transposed);
  io("corruption", v.corruption), io("gradient", v.gradient);
  io("weightGradient", v.weightGradient), io("accumulate", v.accumulate), io("scale", v.scale);
}
template <typename IO> void fields(IO &io, Factored &v) { io("slope", v.slope), io("always", v.always); }
template <typename IO> void fields(IO &io, Step &v) {
  io("kernel", v.kernel), io("label", v.label), io("layers", v.layers), io("sweep", v.sweep), io("sources", v.sources);
  io("delta", v.delta), io("biases", v.biases), io("update", v.update), io("target", v.target);
  io("reductions", v.reductions), io("rows", v.rows), io("columns", v.columns), io("slots", v.slots);
  io("limit", v.limit);
  io("report", v.report), io("after", v.after), io("precision", v.precision), io("factored", v.factored);
}
template <typename IO> void fields(IO &io, Buffer &v) {
  io("name", v.name), io("dims", v.dims), io("first", v.first), io("last", v.last);
}
template <typename IO> void fields(IO &io, Entry &v) {
  io("name", v.name), io("buffers", v.buffers), io("steps", v.steps);
}
template <typename IO> void fields(IO &io, SlotFunction &v) {
  io("name", v.name), io("inputs", v.inputs), io("outputs", v.outputs), io("scalars", v.scalars), io("sum", v.sum);
}
template <typename IO> void fields(IO &io, Plan &v) {
  io("schema", v.schema), io("network", v.network), io("lanes", v.lanes), io("symbols", v.symbols);
  io("datasets", v.datasets), io("parameters", v.parameters), io("optimizers", v.optimizers),
      io("training", v.training);
  io("entries", v.entries), io("functions", v.functions), io("remarks", v.remarks);
  io("shuffleStream", v.shuffleStream), io("allowDeltaBuffer", v.allowDeltaBuffer);
}

struct Writer {
  json &out;
  template <typename T> void operator()(const char *name, T &value) { out[name] = write(value); }

  static json write(const Dim &v) { return v.symbol.empty() ? json(v.value) : json(v.symbol); }
  static json write(const std::string &v) { return v; }
  static json write(const Expr &v) { return v; }
  static json write(const Role &v) { return v; }
  static json write(const Precision &v) { return v; }
  template <typename T> static json write(const T &v) requires std::is_arithmetic_v<T> { return v; }
  template <typename T> static json write(const std::vector<T> &v) {
    json out = json::array();
    for (const T &element : v)
      out.push_back(write(element));
    return out;
  }
  template <typename T> static json write(const std::map<std::string, T> &v) {
    json out = json::object();
    for (const auto &[key, element] : v)
      out[key] = write(element);
    return out;
  }
  template <typename T> static json write(const std::optional<T> &v) { return v ? write(*v) : json(nullptr); }
  template <typename T> static json write(const T &v) requires requires(Writer &io, T &t) { fields(io, t); }
  {
    json out = json::object();
    Writer io{out};
    fields(io, const_cast<T &>(v)); // a Writer only reads
    return out;
  }
};

class Reader {
public:
  Reader(const json &in, std::string place) : in(in), place(std::move(place)) {
    if (!in.is_object())
      userError("{}: an object is expected, found {}", this->place, in.type_name());
  }
  template <typename T> void operator()(const char *name, T &value) {
    auto found = in.find(name);
    if (found == in.end())
      userError("{}: the field '{}' is missing", place, name);
    ++known;
    names.push_back(name);
    read(*found, value, place + "." + name);
  }
  void finish() const {
    if (known == in.size())
      return;
    for (const auto &[key, value] : in.items())
      if (std::find(names.begin(), names.end(), key) == names.end())
        userError("{}: the field '{}' is unknown", place, key);
  }

  static void read(const json &j, std::string &v, const std::string &place) {
    expect(j.is_string(), j, place, "a string");
    v = j.get<std::string>();
  }
  static void read(const json &j, bool &v, const std::string &place) {
    expect(j.is_boolean(), j, place, "true or false");
    v = j.get<bool>();
  }
  static void read(const json &j, double &v, const std::string &place) {
    expect(j.is_number(), j, place, "a number");
    v = j.get<double>();
  }
  template <typename T> static void read(const json &j, T &v, const std::string &place) requires std::is_integral_v<T> {
    if constexpr (std::is_unsigned_v<T>)
      expect(j.is_number_unsigned() && j.get<uint64_t>() <= std::numeric_limits<T>::max(), j, place,
             "a natural number");
    else
      expect(j.is_number_integer() && fitsSigned<T>(j), j, place, "an integer");
    v = j.get<T>();
  }
  static void read(const json &j, Dim &v, const std::string &place) {
    expect(j.is_number_integer() || j.is_string(), j, place, "an extent or a symbol");
    v = {};
    if (j.is_string())
      v.symbol = j.get<std::string>();
    else
      read(j, v.value, place);
  }
  static void read(const json &j, Expr &v, const std::string &place) {
    try {
      v = j.get<Expr>();
    } catch (const std::exception &problem) {
      userError("{}: no scalar expression: {}", place, problem.what());
    }
  }
  static void read(const json &j, Role &v, const std::string &place) {
    v = j.get<Role>();
    if (json(v) != j) // the library maps unknown text to the first role
      userError("{}: unknown role {}", place, j.dump());
  }
  static void read(const json &j, Precision &v, const std::string &place) {
    v = j.get<Precision>();
    if (json(v) != j) // as above
      userError("{}: unknown precision {}", place, j.dump());
  }
  template <typename T> static void read(const json &j, std::vector<T> &v, const std::string &place) {
    expect(j.is_array(), j, place, "an array");
    v.clear();
    for (size_t i = 0; i < j.size(); ++i)
      read(j[i], v.emplace_back(), fmt::format("{}[{}]", place, i));
  }
  template <typename T> static void read(const json &j, std::map<std::string, T> &v, const std::string &place) {
    expect(j.is_object(), j, place, "an object");
    v.clear();
    for (const auto &[key, element] : j.items())
      read(element, v[key], place + "." + key);
  }
  template <typename T> static void read(const json &j, std::optional<T> &v, const std::string &place) {
    if (j.is_null())
      v.reset();
    else
      read(j, v.emplace(), place);
  }
  template <typename T>
  static void read(const json &j, T &v, const std::string &place) requires std::is_class_v<T> &&
      requires(Reader &io, T &t) {
    fields(io, t);
  }
  {
    Reader io(j, place);
    fields(io, v);
    io.finish();
  }

private:
  const json &in;
  std::string place;
  size_t known = 0;
  std::vector<std::string_view> names;

  template <typename T> static bool fitsSigned(const json &j) {
    if (j.is_number_unsigned())
      return j.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<T>::max());
    return j.get<int64_t>() >= std::numeric_limits<T>::min() && j.get<int64_t>() <= std::numeric_limits<T>::max();
  }
  static void expect(bool condition, const json &j, const std::string &place, const char *what) {
    if (!condition)
      userError("{}: {} is expected, found {}", place, what, j.dump().substr(0, 60));
  }
};
} // namespace

void to_json(json &j, const Plan &plan) { j = Writer::write(plan); }
void from_json(const json &j, Plan &plan) { Reader::read(j, plan, "plan"); }
} // namespace sn::plan
