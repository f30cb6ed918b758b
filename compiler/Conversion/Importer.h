// The importer's state and its parts: Import.cpp (entries and layers), ImportParameters.cpp (parameters, optimizers,
// the training attribute), ImportLayers.cpp (what a layer computes), ImportLoss.cpp (losses).
#pragma once
#include "compiler/Conversion/Import.h"
#include "compiler/Transforms/Formulas.h"
#include "dialects/Net/Net.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <set>

namespace sn {
/// What an entry computes. Trial: the forward half of Train with the same masks and batch statistics, and its loss.
enum class Mode { Train, Trial, Evaluate, Predict };

class Importer {
public:
  Importer(mlir::MLIRContext &context, const frontend::Network &network)
      : context(context), network(network), builder(&context) {}
  mlir::OwningOpRef<mlir::ModuleOp> run();

private:
  using Value = mlir::Value;
  template <typename T> using ArrayRef = mlir::ArrayRef<T>;
  template <typename T> using SmallVector = mlir::SmallVector<T>;

  mlir::Location at(frontend::Position position) {
    return mlir::FileLineColLoc::get(&context, network.file, position.line, position.column);
  }
  /// Where a layer stands, under its name; the record that a formula comes from is added as an inner name, for people
  /// only.
  mlir::Location at(const frontend::Layer &layer, std::string_view record = {}) {
    mlir::Location place = at(layer.at);
    if (!record.empty())
      place = mlir::NameLoc::get(builder.getStringAttr(record), place);
    return mlir::NameLoc::get(builder.getStringAttr(layer.name), place);
  }
  void unifyExtents();
  mlir::Attribute extent(int layer) const { return extents.at(layer); }
  net::ValueType type(ArrayRef<mlir::Attribute> dims) { return net::valueType(&context, dims); }
  net::ValueType batchOf(mlir::Attribute units) { return type({builder.getStringAttr(net::kBatch), units}); }
  net::ValueType rowType() { return type({builder.getStringAttr(net::kBatch)}); }
  std::string pairName(int source, int layer, mlir::StringRef what) {
    return (network.layers[source].name + "->" + network.layers[layer].name + "/" + what).str();
  }
  std::string layerName(int layer, mlir::StringRef what) { return (network.layers[layer].name + "/" + what).str(); }
  /// How the layer's source number `index` shares its matrix, or null.
  const frontend::Sharing *sharing(int layer, size_t index) const;
  /// The block of a fresh formula region of `arguments` f32 values; the builder is left inside it.
  mlir::Block *openFormula(mlir::Region &region, unsigned arguments, mlir::Location loc);
  using Body = llvm::function_ref<Value(ArrayRef<Value>)>;
  Value map(mlir::Location loc, net::ValueType result, ArrayRef<Value> inputs, Body body);
  /// A sum over the units. Operands that `body` does not use are left out.
  Value rowSum(mlir::Location loc, ArrayRef<Value> inputs, Body body);
  Value scalar(mlir::Location loc, const plan::Expr &expression);
  Value read(mlir::Location loc, const std::string &parameter, net::ValueType type);

  // Parameters
  void parameters();
  void weights(int layer, size_t source);
  void constantVector(int layer, mlir::StringRef what, double value, bool fixed);
  void optimizer(const vocab::Optimizer &record);
  void optimizerRegion(mlir::Region &region, const vocab::Optimizer &record, bool decays, mlir::Location loc);
  mlir::DictionaryAttr training();

  // Layers
  void entry(mlir::StringRef name, Mode mode);
  std::set<int> ends() const;
  std::set<int> needed(const std::set<int> &ends) const;
  Value inputLayer(int index, Mode mode);
  void layer(int index, Mode mode);
  SmallVector<Value> biases(int index);
  /// Of the products that form the layer's units; null: fp32. Backprop takes it from them.
  mlir::StringAttr precision(const frontend::Layer &layer);
  Value preActivation(int index, Mode mode);
  Value pooled(int index);
  Value compared(int index);
  Value normalized(int index, Value z, Mode mode);
  Value batchNormalized(int index, Value z, Mode mode);
  void moveTowards(int index, mlir::StringRef what, Value value, Value rate);
  Value scaledAndShifted(int index, Value z, Value mean, Value inverse);
  Value inverseDeviation(int index, Value variance);
  Value activate(int index, Value z);
  Value dropped(mlir::Location loc, const frontend::Layer &layer, Value y, Value mask);
  Value regularised(int index, Value y, Mode mode);
  SmallVector<Value> rowStatistics(const vocab::RowFormula &row, Value z, mlir::Location loc, ArrayRef<double> params);

  // Losses
  void loss(int index);
  mlir::DenseF64ArrayAttr boost(const vocab::Activation *activation);

  mlir::MLIRContext &context;
  const frontend::Network &network;
  mlir::OpBuilder builder;
  mlir::ModuleOp module;
  std::vector<mlir::Attribute> extents; // by layer: a number, or the data set whose columns it counts
  // Of the entry at hand, by layer: what it passes on, and what its activation is applied to.
  std::map<int, Value> outputs, preActivations;
  std::map<std::string, Value> reads; // of the entry at hand: a parameter is read once
  std::map<std::string, uint32_t> streams;
  uint32_t stream(const std::string &purpose) {
    return streams.try_emplace(purpose, static_cast<uint32_t>(streams.size()) + 1).first->second;
  }
};
} // namespace sn
