// The kernel dialect: one operation is one fused device computation, an instance of a schema (docs/spec/plan.md) with its slots filled in.
#ifndef SN_KERNEL_TD
#define SN_KERNEL_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Net/NetBase.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::sn::kernel";
  let summary = "Fused device computations: schemas and their slots";
  let description = [{
    Operands and results are buffers (`!net.value`). Slots are formula regions over f32; `bindings` says what each argument is, `outputs` where each
    result goes. Parameters are read and updated by name.
  }];
  let useDefaultAttributePrinterParser = 1;
}

def Kernel_Arg : AttrDef<Kernel_Dialect, "Arg"> {
  let mnemonic = "arg";
  let summary = "what a slot's argument or result is bound to";
  let description = [{
    `<element 0>` operand or result 0; `<column 1>` an operand vector, `<column "Hidden->Output/bias">` a parameter; `<mask 3 p 0.5>` stream 3;
    `<row 2>` operand 2; `<hyper "[...]">` a host expression; `<reduction 0>`; `<accumulator>`, `<target>`, `<delta>`, `<target.scale>` and so on.
  }];
  let parameters = (ins StringRefParameter<>:$role, "int64_t":$index, StringRefParameter<>:$ref, "::mlir::FloatAttr":$p);
  let hasCustomAssemblyFormat = 1;
}

class Kernel_Schema<string mnemonic> : Op<Kernel_Dialect, mnemonic, [AttrSizedOperandSegments, IsolatedFromAbove]> {
  let description = [{
    sources: dictionaries with `data` (a data set) or `operand` (index into sourceValues), `weights`, `transposed`, `corruption`, `gradient` (result index),
    `weight_gradient` (the descent gradient goes to the parameter's gradient buffer, and no update), `scale` (of that gradient, 1 if absent).
    For csc_update and gemm_update, the delta is input 0. `update` applies the parameter's gradient buffer, or input 0 where it has one (a vector).
    A `column` output with a name assigns that parameter. `columns`: the width of the tiles where no operand or result tells it.
    `precision`: of its products on a GPU; absent: fp32. `factored`: `slope` and `always` of plan::Factored, where that form is proved.
  }];
  let arguments = (ins Variadic<Net_Value>:$sourceValues, Variadic<Net_Value>:$inputs, DefaultValuedAttr<ArrayAttr, "{}">:$sources,
                       StrArrayAttr:$slotNames, ArrayAttr:$bindings, ArrayAttr:$outputs, StrArrayAttr:$sums, StrArrayAttr:$layers,
                       OptionalAttr<StrAttr>:$schedule, OptionalAttr<StrAttr>:$target, OptionalAttr<StrArrayAttr>:$biases,
                       OptionalAttr<StrArrayAttr>:$reductions, OptionalAttr<StrAttr>:$report, OptionalAttr<StrAttr>:$remark, UnitAttr:$update,
                       OptionalAttr<F64Attr>:$limit, OptionalAttr<AnyAttr>:$columns, OptionalAttr<StrAttr>:$precision,
                       OptionalAttr<DictionaryAttr>:$factored);
  let results = (outs Variadic<Net_Value>:$results);
  let regions = (region VariadicRegion<SizedRegion<1>>:$slots);
  let assemblyFormat = [{ `sources` `(` $sourceValues `)` $sources `reads` `(` $inputs `)` attr-dict-with-keyword $slots
    `:` functional-type(operands, results) }];
  let hasVerifier = 1;
  let extraClassDefinition = "::mlir::LogicalResult $cppClass::verify() { return ::sn::kernel::verifySchema(*this); }";
}
def Kernel_CsrGather : Kernel_Schema<"csr_gather"> { let summary = "sparse rows x weights, then an epilogue"; }
def Kernel_Gemm : Kernel_Schema<"gemm"> { let summary = "dense contraction, then an epilogue"; }
def Kernel_WideOutput : Kernel_Schema<"wide_output"> { let summary = "contraction, loss, delta, input gradient and update, tile by tile"; }
def Kernel_WideSoftmax : Kernel_Schema<"wide_softmax"> { let summary = "wide_output with row statistics in a first sweep"; }
def Kernel_CscUpdate : Kernel_Schema<"csc_update"> { let summary = "a sparse input's weight gradient and update"; }
def Kernel_GemmUpdate : Kernel_Schema<"gemm_update"> { let summary = "a dense weight gradient and update"; }
def Kernel_WideTopk : Kernel_Schema<"wide_topk"> { let summary = "contraction, scores and the best k of each row"; }
def Kernel_Map : Kernel_Schema<"map"> { let summary = "pointwise work, with or without a target"; }
def Kernel_RowReduce : Kernel_Schema<"row_reduce"> { let summary = "row statistics and what follows from them"; }
def Kernel_ColumnReduce : Kernel_Schema<"column_reduce"> { let summary = "sums over the batch"; }
def Kernel_Expand : Kernel_Schema<"expand"> { let summary = "the batch's rows of a data set, written out"; }
def Kernel_Update : Kernel_Schema<"update"> { let summary = "the optimizer with a gradient buffer"; }
def Kernel_LimitNorm : Kernel_Schema<"limit_norm"> { let summary = "a bound on the norms of a matrix's columns"; }
#endif
