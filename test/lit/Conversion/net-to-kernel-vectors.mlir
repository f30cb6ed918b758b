// What the importer does not emit today, but the dialect allows: gradients of vectors that are no single batch sum, values by example alone, an
// assignment whose value has other readers, one product of two pairs.
// RUN: sn-opt %s -pass-pipeline='builtin.module(net.entry(net-to-kernel))' | FileCheck %s
net.parameter @s : !net.value<8> init "none" "1.0" "0.0" stream 1
net.parameter @f : !net.value<8> fixed init "none" "1.0" "0.0" stream 2
net.parameter @W : !net.value<8 x 8> init "none" "1.0" "0.0" stream 3

// The sum is read twice and updates: one reduction, then minus a B-th of it into a buffer, then the optimizer.
// CHECK-LABEL: net.entry @vector_update
// CHECK: %[[X:.*]] = kernel.expand
// CHECK: %[[SUM:.*]] = kernel.column_reduce sources() [] reads(%[[X]]) {{.*}}slotNames = ["value", "finish"]
// CHECK: %[[G:.*]] = kernel.map sources() [] reads(%[[SUM]]) {{.*}}#kernel.arg<hyper "[\22div\22,-1.0,\22B\22]">
// CHECK: arith.mulf
// CHECK: kernel.update sources() [{weight_gradient, weights = "s"}] reads(%[[G]]) {{.*}}update
// CHECK: kernel.map sources() [] reads(%[[SUM]]) {{.*}}columns = 8 : i64{{.*}}outputs = {{\[\[}}#kernel.arg<column "f">]]
// CHECK-NOT: net.{{update|assign|column_sum}}
net.entry @vector_update {
  %x = net.data "x" : !net.value<"B" x 8>
  %sum = net.column_sum %x : !net.value<"B" x 8> -> !net.value<8>
  net.assign @f, %sum : !net.value<8>
  net.update @s, %sum : !net.value<8>
}

// Two gradients of a vector are added.
// CHECK-LABEL: net.entry @two_gradients
// CHECK: kernel.map {{.*}}reads(%{{.*}}, %{{.*}})
// CHECK: arith.addf
// CHECK: kernel.update
net.entry @two_gradients {
  %x = net.data "x" : !net.value<"B" x 8>
  %y = net.data "y" : !net.value<"B" x 8>
  %a = net.column_sum %x : !net.value<"B" x 8> -> !net.value<8>
  %b = net.column_sum %y : !net.value<"B" x 8> -> !net.value<8>
  net.update @s, %a, %b : !net.value<8>, !net.value<8>
}

// One value for each example: the sum over a row of one column.
// CHECK-LABEL: net.entry @rows
// CHECK: %[[N:.*]] = kernel.row_reduce {{.*}}reductions = ["sum"]
// CHECK: %[[R:.*]] = kernel.row_reduce sources() [] reads(%[[N]]) {{.*}}<row 0>{{.*}}columns = 1 : i64
// CHECK: math.sqrt
// CHECK: kernel.wide_topk sources() [] reads(%[[R]]) {{.*}}<row 0>
net.entry @rows {
  %x = net.data "x" : !net.value<"B" x 8>
  %n = net.row_reduce "sum"(%x) {
  ^bb0(%a: f32):
    net.yield %a : f32
  } : (!net.value<"B" x 8>) -> !net.value<"B">
  %r = net.map(%n) {
  ^bb0(%a: f32):
    %s = math.sqrt %a : f32
    net.yield %s : f32
  } : (!net.value<"B">) -> !net.value<"B">
  %y = net.map(%r) {
  ^bb0(%a: f32):
    net.yield %a : f32
  } : (!net.value<"B">) -> !net.value<"B" x 1>
  net.rank %y layers ["o"] : !net.value<"B" x 1>
}

// Two pairs in one product are two contributions; data on the right turns the matrix round.
// CHECK-LABEL: net.entry @pairs
// CHECK-DAG: kernel.csc_update {{.*}}data = "x", transposed, weight_gradient, weights = "W"
// CHECK-DAG: kernel.gemm_update {{.*}}weight_gradient, weights = "W"
// CHECK: kernel.update sources() [{weight_gradient, weights = "W"}] reads()
net.entry @pairs {
  %x = net.data "x" : !net.value<"B" x 8>
  %y = net.data "y" : !net.value<"B" x 8>
  %c = net.data "c" : !net.value<"B" x 8>
  %z = net.map(%y) {
  ^bb0(%a: f32):
    %s = math.tanh %a : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>) -> !net.value<"B" x 8>
  %v = net.map(%c) {
  ^bb0(%a: f32):
    %s = math.exp %a : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>) -> !net.value<"B" x 8>
  %g = net.contract(%z, %z) by (%x, %v) transpose_a : (!net.value<"B" x 8>, !net.value<"B" x 8>) by (!net.value<"B" x 8>, !net.value<"B" x 8>) -> !net.value<8 x 8>
  net.update @W, %g : !net.value<8 x 8>
}
