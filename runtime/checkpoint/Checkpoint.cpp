#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/checkpoint/DsstneNetwork.h"
#include "runtime/plan/Error.h"
#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>
#include <stdexcept>

namespace sn::rt {
namespace {
constexpr const char *kFormat = "snc-weights";
constexpr uint64_t kVersion = 2, kDeferredVersion = 3;
/// Narrower tiles would be many small pieces of the file.
constexpr int64_t kLeastColumns = 1 << 10;

std::string shapeText(const std::vector<int64_t> &shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

bool allFinite(const float *values, int64_t count) {
  constexpr uint32_t kExponent = 0x7f800000; // all ones in NaN and infinity
  uint32_t found = 0;
  for (int64_t i = 0; i < count; ++i)
    found |= (std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent;
  return found == 0;
}

/// Layer names become part of HDF5 paths, where "." and empty parts mean nothing.
void checkName(const std::string &path, const std::string &name) {
  bool fine = !name.empty() && name.rfind("snc/", 0) != 0 && name.find('\0') == std::string::npos;
  for (size_t begin = 0; fine && begin <= name.size();) {
    size_t end = std::min(name.find('/', begin), name.size());
    std::string part = name.substr(begin, end - begin);
    fine = !part.empty() && part != ".";
    begin = end + 1;
  }
  if (!fine)
    userError("{}: a parameter cannot be stored under the name \"{}\"; name the layer without slashes and dots alone",
              path, name);
}
} // namespace

std::string stateName(const std::string &parameter, const std::string &optimizer, const std::string &state) {
  return fmt::format("snc/state/{}/{}/{}", parameter, optimizer, state);
}

namespace {
/// Parameters are made in these sizes, so nothing else than a possible one may get past here.
std::map<std::string, int64_t> extentsFrom(const std::string &path, const nlohmann::json &symbols) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (!symbols.is_object())
    userError("{}: snc/symbols should be an object of extents; the file is damaged", path);
  std::map<std::string, int64_t> extents;
  for (const auto &[name, value] : symbols.items()) {
    // Beyond 64 bits the parser makes them floating-point numbers, beyond 63 unsigned ones.
    bool fits = value.is_number_integer() && (!value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t(kMost));
    if (!fits || value.get<int64_t>() < 1 || value.get<int64_t>() > kMost)
      userError("{}: the extent '{}' in snc/symbols is {}; a whole number from 1 to {} is expected, so the file is "
                "damaged",
                path, name, value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 40), kMost);
    extents[name] = value.get<int64_t>();
  }
  return extents;
}
} // namespace

std::vector<Tile> tilesOf(const TensorSpec &spec) {
  int64_t rows = 0, columns = 0;
  if (spec.transposed) {
    columns = std::min(spec.out, std::max(kLeastColumns, kTileFloats / std::max<int64_t>(1, spec.in)));
    rows = std::min(spec.in, std::max<int64_t>(1, kTileFloats / std::max<int64_t>(1, columns)));
  } else {
    columns = std::min(spec.out, kTileFloats);
    rows = std::min(spec.in, std::max<int64_t>(1, kTileFloats / std::max<int64_t>(1, columns)));
  }
  std::vector<Tile> tiles;
  for (int64_t column = 0; column < spec.out; column += columns)
    for (int64_t row = 0; row < spec.in; row += rows)
      tiles.push_back({row, std::min(rows, spec.in - row), column, std::min(columns, spec.out - column)});
  return tiles;
}

void transpose(const float *from, float *to, int64_t rows, int64_t columns) {
  constexpr int64_t kSquare = 32; // stays in the cache
  for (int64_t i0 = 0; i0 < rows; i0 += kSquare)
    for (int64_t j0 = 0; j0 < columns; j0 += kSquare)
      for (int64_t i = i0; i < std::min(rows, i0 + kSquare); ++i)
        for (int64_t j = j0; j < std::min(columns, j0 + kSquare); ++j)
          to[i * columns + j] = from[j * rows + i];
}

CheckpointWriter::CheckpointWriter(const std::string &path, bool force)
    : target_(path, force), file_(h5::File::create(target_.temporary(), path)) {
  file_.createGroup("snc");
  file_.setAttribute("snc", "format", std::string(kFormat));
}

void CheckpointWriter::writeHeader(const CheckpointHeader &header) {
  file_.setAttribute("snc", "optimizer", header.optimizer);
  file_.setAttribute("snc", "step", uint64_t(header.step));
  file_.setAttribute("snc", "epoch", uint64_t(header.epoch));
  file_.setAttribute("snc", "position", uint64_t(header.position));
  file_.setAttribute("snc", "seed", header.seed);
  file_.setAttribute("snc", "examples", uint64_t(header.examples));
  file_.writeText("snc/network", header.network);
  file_.writeText("snc/training", header.training.dump());
  file_.writeText("snc/symbols", nlohmann::json(header.symbols).dump());
  file_.writeText("snc/sums", header.sums.dump());
  std::map<const Names *, std::string> written;
  Names datasets;
  for (const auto &[dataset, names] : header.columnNames) {
    if (!names)
      continue;
    datasets.add(dataset);
    std::string array = fmt::format("snc/names/{}/column_names", dataset);
    if (auto [at, fresh] = written.emplace(names.get(), array); fresh)
      file_.writeNames(array, *names);
    else
      file_.hardLink(at->second, array);
  }
  file_.writeNames("snc/datasets", datasets);
}

void CheckpointWriter::writeTensor(const std::string &array, const std::string &shownAs, const TensorSpec &spec,
                                   const FillTile &fill) {
  assert(spec.in >= 1 && spec.out >= 1 && (!spec.vector || spec.in == 1));
  file_.createArray<float>(array, spec.vector ? std::vector<int64_t>{spec.out} : std::vector{spec.in, spec.out});
  std::vector<float> block;
  for (const Tile &tile : tilesOf(spec)) {
    block.resize(std::max<size_t>(block.size(), tile.count()));
    fill(tile, block.data());
    if (!allFinite(block.data(), tile.count()))
      throw NotFiniteTensor(fmt::format("{} holds numbers that are infinite or not numbers", shownAs));
    if (spec.vector)
      file_.writeRows(array, tile.column, tile.columns, block.data());
    else
      file_.writeTile(array, tile.row, tile.rows, tile.column, tile.columns, block.data());
  }
}

void CheckpointWriter::writeParameter(const TensorSpec &spec, const FillTile &fill) {
  checkName(target_.path(), spec.name);
  writeTensor(spec.name, fmt::format("the parameter '{}'", spec.name), spec, fill);
  parameters_.add(spec.name);
}

void CheckpointWriter::writeState(const TensorSpec &parameter, const std::string &optimizer, const std::string &state,
                                  const FillTile &fill) {
  checkName(target_.path(), parameter.name);
  writeTensor(stateName(parameter.name, optimizer, state),
              fmt::format("the state '{}' of the parameter '{}'", state, parameter.name), parameter, fill);
}

void CheckpointWriter::commit() {
  if (file_.kind("snc/network") == h5::Kind::Missing)
    throw std::logic_error("a weights file needs its header");
  file_.writeNames("snc/parameters", parameters_);
  file_.setAttribute("snc", "version", deferred_ ? kDeferredVersion : kVersion);
  file_.close();
  target_.commit();
}

CheckpointReader::CheckpointReader(const std::string &path) : path_(path) {
  if (nc::isClassic(path)) {
    netcdf_ = nc::openClassic(path);
  } else {
    h5::File file = h5::File::open(path);
    if (holdsDsstneNetwork(file))
      netcdf_ = nc::openHdf5(std::move(file));
    else
      file_.emplace(std::move(file));
  }
  netcdf_ ? readDsstnes() : readOurs();
}

void CheckpointReader::readDsstnes() {
  if (!holdsDsstneNetwork(*netcdf_))
    userError("{}: is a NetCDF file, but not of a trained network", path());
  const DsstneNetwork network = readDsstneNetwork(*netcdf_);
  version_ = kVersion;
  for (const DsstneLayer &layer : network.layers)
    if (!layer.dataSet.empty())
      header_.symbols[layer.dataSet] = std::max(header_.symbols[layer.dataSet], layer.units());
  for (DsstneParameter &parameter : parametersOf(network)) {
    netcdf_->requireLength(parameter.variable, parameter.spec.count());
    parameters_.push_back(std::move(parameter.spec));
    variables_.push_back(std::move(parameter.variable));
  }
}

void CheckpointReader::readOurs() {
  const std::string &path = path_;
  if (file_->kind("snc") != h5::Kind::Group || file_->textAttribute("snc", "format") != kFormat)
    userError("{}: is not a weights file (written by snrt init or snrt train)", path);
  version_ = file_->unsignedAttribute("snc", "version");
  if (version_ > kDeferredVersion)
    userError("{}: is a weights file of version {}; this program reads up to {}", path, version_, kDeferredVersion);
  readHeader();
  Names names = file_->readNames("snc/parameters");
  for (int64_t i = 0; i < names.size(); ++i) {
    TensorSpec spec{.name = std::string(names[i])};
    std::vector<int64_t> shape = file_->shape(spec.name);
    if (shape.empty() || shape.size() > 2 || std::count(shape.begin(), shape.end(), 0))
      userError("{}: parameter {} has shape {}; it should have one or two axes, none of extent 0", path, spec.name,
                shapeText(shape));
    spec.vector = shape.size() == 1;
    spec.in = spec.vector ? 1 : shape[0];
    spec.out = shape.back();
    parameters_.push_back(std::move(spec));
  }
  if (version_ >= kDeferredVersion)
    readDeferred();
}

void CheckpointReader::readHeader() {
  header_.optimizer = file_->textAttribute("snc", "optimizer").value_or("");
  header_.step = int64_t(file_->unsignedAttribute("snc", "step"));
  header_.epoch = int64_t(file_->unsignedAttribute("snc", "epoch"));
  header_.position = int64_t(file_->unsignedAttribute("snc", "position"));
  header_.seed = file_->unsignedAttribute("snc", "seed");
  if (version_ > 1)
    header_.examples = int64_t(file_->unsignedAttribute("snc", "examples"));
  header_.network = file_->readText("snc/network");
  try {
    header_.training = nlohmann::json::parse(file_->readText("snc/training"));
    header_.symbols = extentsFrom(path(), nlohmann::json::parse(file_->readText("snc/symbols")));
    if (version_ > 1)
      header_.sums = nlohmann::json::parse(file_->readText("snc/sums"));
  } catch (const nlohmann::json::exception &error) {
    userError("{}: snc/training, snc/symbols or snc/sums is not the JSON that was written there: {}", path(),
              error.what());
  }
  std::map<haddr_t, std::shared_ptr<const Names>> loaded;
  Names datasets = file_->readNames("snc/datasets");
  for (int64_t i = 0; i < datasets.size(); ++i) {
    std::string dataset(datasets[i]), array = fmt::format("snc/names/{}/column_names", dataset);
    std::shared_ptr<const Names> &names = loaded[file_->address(array)];
    if (!names)
      names = std::make_shared<const Names>(file_->readNames(array));
    header_.columnNames[dataset] = names;
  }
}

bool CheckpointReader::hasParameter(const std::string &name) const {
  return std::any_of(parameters_.begin(), parameters_.end(), [&](const TensorSpec &spec) { return spec.name == name; });
}
bool CheckpointReader::hasState(const std::string &parameter, const std::string &optimizer,
                                const std::string &state) const {
  return file_ && file_->kind(stateName(parameter, optimizer, state)) == h5::Kind::Array;
}

void CheckpointReader::readTensor(const std::string &array, const TensorSpec &expected, const TakeTile &take) const {
  std::vector<int64_t> shape = file_->shape(array), wanted{expected.in, expected.out};
  if (expected.vector || (shape.size() == 1 && expected.in == 1))
    wanted = {expected.out}; // a row vector may be stored either way
  if (expected.vector && shape.size() == 2 && shape[0] == 1)
    shape = {shape[1]};
  if (shape != wanted || file_->element(array) != h5::Element::Float)
    userError("{}: {} should be floating-point numbers of shape {}, found shape {}{}", path(), array, shapeText(wanted),
              shapeText(shape), file_->element(array) == h5::Element::Float ? "" : " of another element type");
  bool flat = file_->shape(array).size() == 1;
  std::vector<float> block;
  for (const Tile &tile : tilesOf(expected)) {
    block.resize(std::max<size_t>(block.size(), tile.count()));
    if (flat)
      file_->readRows(array, tile.column, tile.columns, block.data());
    else
      file_->readTile(array, tile.row, tile.rows, tile.column, tile.columns, block.data());
    take(tile, block.data());
  }
}

void CheckpointReader::readParameter(const TensorSpec &expected, const TakeTile &take, bool asStored) const {
  if (!hasParameter(expected.name)) {
    std::vector<std::string> known;
    for (const TensorSpec &spec : parameters_)
      known.push_back(spec.name);
    userError("{}: has no parameter {} (it has {}); it belongs to another network", path(), expected.name,
              known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")));
  }
  if (file_ && !asStored && hasDeferred(expected.name))
    return readTensor(expected.name, expected, catchingUp(expected, 0, take));
  if (file_)
    return readTensor(expected.name, expected, take);
  for (size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].name == expected.name)
      return readVariable(variables_[i], parameters_[i], expected, take);
}

void CheckpointReader::readVariable(const std::string &variable, const TensorSpec &stored, const TensorSpec &expected,
                                    const TakeTile &take) const {
  if (stored.in != expected.in || stored.out != expected.out)
    userError("{}: {} should be of {} x {} numbers, found {} x {}", path(), expected.name, expected.in, expected.out,
              stored.in, stored.out);
  netcdf_->requireStored(variable);
  std::vector<float> block;
  for (const Tile &tile : tilesOf(expected)) {
    block.resize(std::max<size_t>(block.size(), size_t(tile.count())));
    if (tile.columns == stored.out)
      netcdf_->read(variable, tile.row * stored.out, tile.count(), block.data());
    else
      for (int64_t row = 0; row < tile.rows; ++row)
        netcdf_->read(variable, (tile.row + row) * stored.out + tile.column, tile.columns,
                      block.data() + row * tile.columns);
    if (!allFinite(block.data(), tile.count()))
      userError("{}: {} holds numbers that are infinite or not numbers", path(), expected.name);
    take(tile, block.data());
  }
}

void CheckpointReader::readState(const TensorSpec &parameter, const std::string &optimizer, const std::string &state,
                                 const TakeTile &take, bool asStored) const {
  if (!hasState(parameter.name, optimizer, state))
    userError("{}: has no state {} of optimizer {} for {}", path(), state, optimizer, parameter.name);
  if (!asStored && hasDeferred(parameter.name)) {
    const auto found = std::find(deferred_->states.begin(), deferred_->states.end(), state);
    if (found != deferred_->states.end() && optimizer == header_.optimizer)
      return readTensor(stateName(parameter.name, optimizer, state), parameter,
                        catchingUp(parameter, size_t(1 + (found - deferred_->states.begin())), take));
  }
  readTensor(stateName(parameter.name, optimizer, state), parameter, take);
}
} // namespace sn::rt
