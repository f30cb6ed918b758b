// A soft-max's Jacobian follows from its row reductions: the sum carries a gradient, the detached maximum none.
// RUN: sn-opt %s -pass-pipeline='builtin.module(net.entry(net-differentiate,canonicalize,cse))' | FileCheck %s

net.parameter @w : !net.value<4 x 8> init "none" "0.0" "0.0" stream 1

// CHECK-LABEL: net.entry @train
net.entry @train {
  %x = net.data "input" : !net.value<"B" x 4>
  %w = net.read @w : !net.value<4 x 8>
  %z = net.contract(%x) by(%w) : (!net.value<"B" x 4>) by (!net.value<4 x 8>) -> !net.value<"B" x 8>
  // CHECK: %[[M:.*]] = net.row_reduce "max"
  %m = net.row_reduce "max"(%z) detached {
  ^bb0(%a: f32):
    net.yield %a : f32
  } : (!net.value<"B" x 8>) -> !net.value<"B">
  // CHECK: %[[S:.*]] = net.row_reduce "sum"
  %s = net.row_reduce "sum"(%z, %m) {
  ^bb0(%a: f32, %b: f32):
    %d = arith.subf %a, %b : f32
    %e = math.exp %d : f32
    net.yield %e : f32
  } : (!net.value<"B" x 8>, !net.value<"B">) -> !net.value<"B">
  %y = net.map(%z, %m, %s) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %d = arith.subf %a, %b : f32
    %e = math.exp %d : f32
    %q = arith.divf %e, %c : f32
    net.yield %q : f32
  } : (!net.value<"B" x 8>, !net.value<"B">, !net.value<"B">) -> !net.value<"B" x 8>
  // CHECK: %{{.*}}, %[[G:.*]] = net.loss
  %sum = net.loss(%y) target "output" layers ["o"] value {
  ^bb0(%a: f32, %t: f32):
    %d = arith.subf %a, %t : f32
    %q = arith.mulf %d, %d : f32
    net.yield %q : f32
  } : (!net.value<"B" x 8>) -> !net.value<>
  net.report "loss", %sum : !net.value<>
}
// dL/ds is a row sum, then both paths meet in dL/dz.
// CHECK: net.map(%{{.*}}, %[[M]], %[[S]], %[[G]])
// CHECK: %[[GS:.*]] = net.row_reduce "sum"
// CHECK: net.map(%{{.*}}, %[[M]], %[[GS]])
// CHECK: net.update @w
// CHECK-NOT: net.row_reduce "max"
