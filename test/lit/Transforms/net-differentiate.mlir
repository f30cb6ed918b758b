// Backprop and updates become explicit: the delta, one transposed contraction for each side, batch sums for biases, one update each.
// RUN: sn-opt %s -pass-pipeline='builtin.module(net.entry(net-differentiate,cse))' | FileCheck %s

net.parameter @w1 : !net.value<"input" x 8> decays init "none" "0.0" "0.0" stream 1
net.parameter @b1 : !net.value<8> init "none" "0.0" "0.0" stream 2
net.parameter @w2 : !net.value<8 x "output"> decays init "none" "0.0" "0.0" stream 3

// CHECK-LABEL: net.entry @train
net.entry @train {
  %x = net.data "input" : !net.value<"B" x "input">
  %w1 = net.read @w1 : !net.value<"input" x 8>
  %b1 = net.read @b1 : !net.value<8>
  %c = net.contract(%x) by(%w1) : (!net.value<"B" x "input">) by (!net.value<"input" x 8>) -> !net.value<"B" x 8>
  // A derivative from the output, stated beside the formula, is used as it stands.
  %p = net.map(%c, %b1) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>, !net.value<8>) -> !net.value<"B" x 8>
  // CHECK: %[[Y:.*]] = net.map(%{{[0-9]+}}) {
  // CHECK: math.tanh
  %y = net.map(%p) {
  ^bb0(%a: f32):
    %t = math.tanh %a : f32
    net.yield %t : f32
  } from_output {
  ^bb0(%out: f32, %g: f32):
    %one = arith.constant 1.0 : f32
    %sq = arith.mulf %out, %out : f32
    %d = arith.subf %one, %sq : f32
    %r = arith.mulf %d, %g : f32
    net.yield %r : f32
  } : (!net.value<"B" x 8>) -> !net.value<"B" x 8>
  %w2 = net.read @w2 : !net.value<8 x "output">
  %z = net.contract(%y) by(%w2) : (!net.value<"B" x 8>) by (!net.value<8 x "output">) -> !net.value<"B" x "output">
  // The delta of (z - t)^2 is derived: the loss gains a second result.
  // CHECK: %{{.*}}, %[[D:.*]] = net.loss(%{{.*}}) target "output" layers ["o"] value {
  // CHECK: } delta {
  // CHECK: ^bb0(%[[Z:.*]]: f32, %[[T:.*]]: f32):
  // CHECK: %[[E:.*]] = arith.subf %[[Z]], %[[T]]
  // CHECK: arith.addf %[[E]], %[[E]]
  %sum = net.loss(%z) target "output" layers ["o"] value {
  ^bb0(%a: f32, %t: f32):
    %e = arith.subf %a, %t : f32
    %l = arith.mulf %e, %e : f32
    net.yield %l : f32
  } : (!net.value<"B" x "output">) -> !net.value<>
  net.report "loss", %sum : !net.value<>
}
// CHECK: %[[DY:.*]] = net.contract(%[[D]]) by(%{{.*}}) transpose_b
// CHECK: %[[GW2:.*]] = net.contract(%[[Y]]) by(%[[D]]) transpose_a
// CHECK: %[[DP:.*]] = net.map(%[[Y]], %[[DY]])
// CHECK-NOT: math.tanh
// CHECK: %[[GB1:.*]] = net.column_sum %[[DP]]
// CHECK: %[[GW1:.*]] = net.contract(%{{.*}}) by(%[[DP]]) transpose_a
// CHECK: net.update @w1, %[[GW1]]
// CHECK: net.update @b1, %[[GB1]]
// CHECK: net.update @w2, %[[GW2]]

// Only training entries are differentiated.
// CHECK-LABEL: net.entry @evaluate
net.entry @evaluate {
  %x = net.data "input" : !net.value<"B" x "input">
  // CHECK: %{{.*}} = net.loss
  // CHECK-NOT: net.update
  %sum = net.loss(%x) target "output" layers ["o"] value {
  ^bb0(%a: f32, %t: f32):
    net.yield %a : f32
  } : (!net.value<"B" x "input">) -> !net.value<>
  net.report "loss", %sum : !net.value<>
}
