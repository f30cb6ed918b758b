// Operations of the net dialect.
#ifndef SN_NET_TD
#define SN_NET_TD

include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Net/NetBase.td"

class Net_Op<string mnemonic, list<Trait> traits = []> : Op<Net_Dialect, mnemonic, traits>;

def Net_ParameterOp : Net_Op<"parameter", [Symbol]> {
  let summary = "a trained tensor";
  let description = [{
    Weights are [in, out]; a bias is [out]. `decays`: weight decay applies. `fixed`: no gradient and no optimizer; only net.assign changes it
    (running statistics). `norm`: after each update the incoming weights of every output unit (a column) are scaled down to this Euclidean norm.
    `share`: how many layers use it; its descent gradient is divided by that number. The initial value is scale * draw + shift: plan expressions over
    nin and nout in JSON form, drawn from the random stream `stream`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Net_Value>:$type, UnitAttr:$decays, UnitAttr:$fixed, OptionalAttr<F64Attr>:$norm,
                       OptionalAttr<I64Attr>:$share, StrAttr:$draw, StrAttr:$scale, StrAttr:$shift, I64Attr:$stream);
  let assemblyFormat = [{ $sym_name `:` $type (`decays` $decays^)? (`fixed` $fixed^)? (`norm` $norm^)? (`share` $share^)? `init` $draw $scale $shift
    `stream` $stream attr-dict }];
}

def Net_OptimizerOp : Net_Op<"optimizer", [IsolatedFromAbove, Symbol]> {
  let summary = "an update rule";
  let description = [{
    Regions take (w, g, states..., scalars...) and yield (w, states..., regularisation term); g is the descent gradient. `scalars` name plan expressions
    over Alpha, Lambda, Lambda1, Mu, Mu1, Step. `idle` lists the hyper-parameters that must all be zero for a value without gradient to stay as it
    is; absent if it never does. `linear` lists those that must be zero for a decaying value without gradient to be updated linearly, its states too: they
    are multiplied by the matrix `untouched`, row-major plan expressions over the scalars' names.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrArrayAttr:$states, StrArrayAttr:$scalarNames, StrArrayAttr:$scalarValues, DictionaryAttr:$defaults,
                       OptionalAttr<StrArrayAttr>:$idle, OptionalAttr<StrArrayAttr>:$linear, OptionalAttr<StrArrayAttr>:$untouched);
  let regions = (region SizedRegion<1>:$weights, SizedRegion<1>:$bias);
  let assemblyFormat = [{ $sym_name `states` $states `scalars` $scalarNames `=` $scalarValues `defaults` $defaults (`idle` $idle^)?
    (`linear` $linear^ `=` $untouched)? `weights` $weights `bias` $bias attr-dict }];
}

def Net_EntryOp : Net_Op<"entry", [IsolatedFromAbove, Symbol, NoTerminator, SingleBlock]> {
  let summary = "one way to run the network: a training step, an evaluation, a prediction";
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name $body attr-dict";
}

def Net_YieldOp : Net_Op<"yield", [Pure, Terminator]> {
  let summary = "results of a formula";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Net_DataOp : Net_Op<"data", [Pure]> {
  let summary = "the batch's rows of a data set, however it is stored";
  let arguments = (ins StrAttr:$dataset);
  let results = (outs Net_Value:$result);
  let assemblyFormat = "$dataset attr-dict `:` type($result)";
}

def Net_CorruptOp : Net_Op<"corrupt", [Pure]> {
  let summary = "zeroes each entry with probability p and scales the kept ones by 1/(1-p)";
  let description = [{ Decided by Philox at (stream, epoch, data-set row, column); zero entries stay zero. Denoising, and dropout on inputs. }];
  let arguments = (ins Net_Value:$data, F64Attr:$p, I64Attr:$stream);
  let results = (outs Net_Value:$result);
  let assemblyFormat = "$data `p` $p `stream` $stream attr-dict `:` type($data) `->` type($result)";
}

def Net_MaskOp : Net_Op<"mask", [Pure]> {
  let summary = "the inverted dropout mask: 0 with probability p, else 1/(1-p)";
  let arguments = (ins F64Attr:$p, I64Attr:$stream);
  let results = (outs Net_Value:$result);
  let assemblyFormat = "`p` $p `stream` $stream attr-dict `:` type($result)";
}

def Net_ReadOp : Net_Op<"read", [Pure]> {
  let summary = "the parameter's value at the beginning of the step";
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs Net_Value:$result);
  let assemblyFormat = "$parameter attr-dict `:` type($result)";
}

def Net_ScalarOp : Net_Op<"scalar", [Pure]> {
  let summary = "a host expression (JSON form of plan expressions) over B and the hyper-parameters";
  let arguments = (ins StrAttr:$expression);
  let results = (outs Net_Value:$result);
  let assemblyFormat = "$expression attr-dict `:` type($result)";
}

def Net_TargetScalarOp : Net_Op<"target_scalar", [Pure]> {
  let summary = "a per-example scalar of a target data set: weight, scale (1/n if binary) or sum (of scale * t)";
  let arguments = (ins StrAttr:$dataset, StrAttr:$what);
  let results = (outs Net_Value:$result);
  let assemblyFormat = "$dataset $what attr-dict `:` type($result)";
}

def Net_ContractOp : Net_Op<"contract", [Pure, SameVariadicOperandSize]> {
  let summary = "sum of products lhs_i x rhs_i, with either side transposed";
  let description = [{
    Forward: x [B,in] x W [in,out]. Backprop to the source: transposeB. Weight gradient: transposeA, summed over the batch. `precision`: how a GPU
    forms the products (runtime/plan/Precision.h); absent: fp32. Products of different precision are different operations: none replaces another.
  }];
  let arguments = (ins Variadic<Net_Value>:$lhs, Variadic<Net_Value>:$rhs, UnitAttr:$transposeA, UnitAttr:$transposeB,
                       OptionalAttr<StrAttr>:$precision);
  let results = (outs Net_Value:$result);
  let assemblyFormat = [{ `(` $lhs `)` `by` `(` $rhs `)` (`transpose_a` $transposeA^)? (`transpose_b` $transposeB^)?
    (`precision` $precision^)? attr-dict `:` `(` type($lhs) `)` `by` `(` type($rhs) `)` `->` type($result) }];
  let hasVerifier = 1;
}

def Net_MapOp : Net_Op<"map", [IsolatedFromAbove, Pure]> {
  let summary = "a pointwise formula with broadcasting of rows, columns and scalars";
  let description = [{
    `formula` takes one f32 per operand and yields one per result. `from_output`, if present, takes (y, g) and yields g * dy/dx for a map of one
    operand and one result: a derivative stated by the record and checked by the conformance suite.
  }];
  let arguments = (ins Variadic<Net_Value>:$inputs);
  let results = (outs Variadic<Net_Value>:$results);
  let regions = (region SizedRegion<1>:$formula, MaxSizedRegion<1>:$fromOutput);
  let assemblyFormat = "`(` $inputs `)` $formula (`from_output` $fromOutput^)? attr-dict `:` functional-type($inputs, $results)";
  let hasVerifier = 1;
}

def Net_RowReduceOp : Net_Op<"row_reduce", [IsolatedFromAbove, Pure]> {
  let summary = "max or sum over the units of a formula, one result per example";
  let description = [{ `detached`: no gradient flows through (the maximum of a soft-max). }];
  let arguments = (ins StrAttr:$kind, Variadic<Net_Value>:$inputs, UnitAttr:$detached);
  let results = (outs Net_Value:$result);
  let regions = (region SizedRegion<1>:$formula);
  let assemblyFormat = "$kind `(` $inputs `)` (`detached` $detached^)? $formula attr-dict `:` functional-type($inputs, $result)";
}

def Net_IotaOp : Net_Op<"iota", [Pure]> {
  let summary = "the numbers 0, 1, 2, ... of the units";
  let description = [{ One value per unit: a map tells units apart by it, and so builds a matrix of row vectors, unit by unit. }];
  let results = (outs Net_Value:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Net_ColumnSumOp : Net_Op<"column_sum", [Pure]> {
  let summary = "sum over the examples of the batch, one result per unit";
  let arguments = (ins Net_Value:$input);
  let results = (outs Net_Value:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def Net_PenaltyOp : Net_Op<"penalty", [IsolatedFromAbove, Pure]> {
  let summary = "its operand, with a penalty on each unit's batch mean";
  let description = [{ The formula takes the unit's sum over the batch and 1/B and yields what backprop adds to the derivative of every example. }];
  let arguments = (ins Net_Value:$input);
  let results = (outs Net_Value:$result);
  let regions = (region SizedRegion<1>:$formula);
  let assemblyFormat = "$input $formula attr-dict `:` type($input) `->` type($result)";
}

def Net_DeltaNormOp : Net_Op<"delta_norm", [Pure]> {
  let summary = "its operand, with a bound on the Euclidean norm of its gradient's rows";
  let description = [{ Backprop scales the row of an example whose norm is above `limit` down to it. }];
  let arguments = (ins Net_Value:$input, F64Attr:$limit);
  let results = (outs Net_Value:$result);
  let assemblyFormat = "$input `limit` $limit attr-dict `:` type($input) `->` type($result)";
}

def Net_LossOp : Net_Op<"loss", [IsolatedFromAbove, Pure]> {
  let summary = "the sum over examples and units of a loss against a target";
  let description = [{
    `value` takes one f32 per operand and then the target t; units not stored in a sparse target have t = 0. `delta` (same arguments) yields the
    derivative with respect to operand 0; where the record does not state it, `differentiate` derives it. After `differentiate` the second result is
    the delta. `indicator`: stored entries count as 1. `boost` [zero, binary, analog] multiplies the delta, not the value, of a sparse target's
    units: those not stored, and the stored ones of a binary and of an analog target.
  }];
  let arguments = (ins Variadic<Net_Value>:$inputs, StrAttr:$target, UnitAttr:$indicator, OptionalAttr<DenseF64ArrayAttr>:$boost,
                       StrArrayAttr:$layers);
  let results = (outs Net_Value:$sum, Optional<Net_Value>:$deltaResult);
  let regions = (region SizedRegion<1>:$value, MaxSizedRegion<1>:$delta);
  let assemblyFormat = [{ `(` $inputs `)` `target` $target (`indicator` $indicator^)? (`boost` $boost^)? `layers` $layers `value` $value (`delta` $delta^)? attr-dict
    `:` functional-type($inputs, results) }];
  let hasVerifier = 1;
}

def Net_UpdateOp : Net_Op<"update"> {
  let summary = "applies the optimizer with the descent gradient";
  let description = [{
    The descent gradient is -1/(B share) times the sum of the contributions, added in their order; `share` is the parameter's. A parameter with a
    `norm` is scaled down after it.
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter, Variadic<Net_Value>:$gradients);
  let assemblyFormat = "$parameter `,` $gradients attr-dict `:` type($gradients)";
}

def Net_AssignOp : Net_Op<"assign"> {
  let summary = "gives a fixed parameter a new value at the end of the step";
  let arguments = (ins FlatSymbolRefAttr:$parameter, Net_Value:$value);
  let assemblyFormat = "$parameter `,` $value attr-dict `:` type($value)";
}

def Net_ReportOp : Net_Op<"report"> {
  let summary = "a scalar the run prints and records";
  let arguments = (ins StrAttr:$name, Net_Value:$value);
  let assemblyFormat = "$name `,` $value attr-dict `:` type($value)";
}

def Net_RankOp : Net_Op<"rank"> {
  let summary = "the best columns of every row, by score";
  let arguments = (ins Net_Value:$scores, StrArrayAttr:$layers);
  let assemblyFormat = "$scores `layers` $layers attr-dict `:` type($scores)";
}
#endif
