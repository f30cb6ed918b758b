// Formulas move only where shapes allow.
// RUN: sn-opt %s -split-input-file -pass-pipeline='builtin.module(net.entry(net-fuse-maps))' | FileCheck %s

// A root of each unit's variance is taken once, not once for each example; what adds and multiplies alone may move.
// CHECK-LABEL: net.entry @vectors
// CHECK: %[[I:.*]] = net.map(%{{.*}}, %{{.*}}) {
// CHECK: arith.mulf
// CHECK: math.sqrt
// CHECK: : (!net.value<8>, !net.value<>) -> !net.value<8>
// CHECK: net.map(%{{.*}}, %[[I]]) {
// CHECK-NOT: math.sqrt
net.entry @vectors {
  %z = net.data "z" : !net.value<"B" x 8>
  %s = net.column_sum %z : !net.value<"B" x 8> -> !net.value<8>
  %share = net.scalar "[\22div\22,1.0,\22B\22]" : !net.value<>
  %v = net.map(%s, %share) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.mulf %a, %b : f32
    net.yield %0 : f32
  } : (!net.value<8>, !net.value<>) -> !net.value<8>
  %i = net.map(%v) {
  ^bb0(%a: f32):
    %0 = math.sqrt %a : f32
    net.yield %0 : f32
  } : (!net.value<8>) -> !net.value<8>
  %y = net.map(%z, %i) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.divf %a, %b : f32
    net.yield %0 : f32
  } : (!net.value<"B" x 8>, !net.value<8>) -> !net.value<"B" x 8>
  net.rank %y layers ["o"] : !net.value<"B" x 8>
}

// -----

// A layer made of row vectors stays a matrix for its loss; a row reduction keeps a matrix to run over.
// CHECK-LABEL: net.entry @rows
// CHECK: %[[R:.*]] = net.row_reduce "sum"
// CHECK: %[[Y:.*]] = net.map(%[[R]]) {
// CHECK: -> !net.value<"B" x 1>
// CHECK: net.loss(%[[Y]])
// CHECK: net.row_reduce "sum"(%[[Y]])
net.entry @rows {
  %z = net.data "z" : !net.value<"B" x 8>
  %r = net.row_reduce "sum"(%z) {
  ^bb0(%a: f32):
    net.yield %a : f32
  } : (!net.value<"B" x 8>) -> !net.value<"B">
  %y = net.map(%r) {
  ^bb0(%a: f32):
    net.yield %a : f32
  } : (!net.value<"B">) -> !net.value<"B" x 1>
  %sum = net.loss(%y) target "t" layers ["o"] value {
  ^bb0(%a: f32, %t: f32):
    net.yield %a : f32
  } : (!net.value<"B" x 1>) -> !net.value<>
  net.report "loss", %sum : !net.value<>
  %q = net.row_reduce "sum"(%y) {
  ^bb0(%a: f32):
    net.yield %a : f32
  } : (!net.value<"B" x 1>) -> !net.value<"B">
  %p = net.map(%q) {
  ^bb0(%a: f32):
    net.yield %a : f32
  } : (!net.value<"B">) -> !net.value<"B" x 1>
  net.rank %p layers ["o"] : !net.value<"B" x 1>
}
