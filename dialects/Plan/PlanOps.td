// The plan dialect: buffers, steps and dependencies in the order they run. It mirrors runtime/plan/Plan.h one to one.
#ifndef SN_PLAN_TD
#define SN_PLAN_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::sn::planir";
  let summary = "What runs, in order";
}
class Plan_Op<string mnemonic, list<Trait> traits = []> : Op<Plan_Dialect, mnemonic, traits>;

def Plan_EntryOp : Plan_Op<"entry", [Symbol, NoTerminator, SingleBlock]> {
  let summary = "the step list of an entry";
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name $body attr-dict";
}
def Plan_BufferOp : Plan_Op<"buffer"> {
  let summary = "device memory, live from step `first` to step `last`";
  let arguments = (ins StrAttr:$name, TypeAttr:$type, I64Attr:$first, I64Attr:$last);
  let assemblyFormat = "$name `:` $type `live` $first `to` $last attr-dict";
}
def Plan_StepOp : Plan_Op<"step"> {
  let summary = "one kernel launch; `fields` are those of plan::Step";
  let arguments = (ins StrAttr:$kernel, StrAttr:$label, DictionaryAttr:$fields);
  let assemblyFormat = "$kernel $label $fields attr-dict";
}
#endif
