// The net dialect and its type: the network as values on symbolic extents. It knows no device, no buffer, no JSON, and no record by name: formulas are regions.
#ifndef SN_NET_BASE_TD
#define SN_NET_BASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Net_Dialect : Dialect {
  let name = "net";
  let cppNamespace = "::sn::net";
  let summary = "Networks as tensors with symbolic extents";
  let description = [{
    A module holds `net.parameter`s, `net.optimizer`s and `net.entry`s (train, trial, evaluate, predict). Entries are straight-line code on
    `!net.value`s. Pointwise formulas are regions of arith and math operations on f32; the interpreter evaluates them in double.
  }];
  let useDefaultTypePrinterParser = 1;
}

def Net_Value : TypeDef<Net_Dialect, "Value"> {
  let mnemonic = "value";
  let summary = "a matrix, vector or scalar with symbolic extents";
  let description = [{
    `!net.value<"B" x 128>`: one row per example of the batch. `!net.value<"input" x 128>`: an extent named after a data set is its number of
    columns. `<"B">` is one scalar per example, `<128>` one per unit (a column vector broadcasts over rows), `<>` a scalar.
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::Attribute">:$dims);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    bool isScalar() const { return getDims().empty(); }
    bool isMatrix() const { return getDims().size() == 2; }
    /// One value per example.
    bool isRow() const;
    /// One value per unit.
    bool isColumn() const { return getDims().size() == 1 && !isRow(); }
  }];
}

#endif
