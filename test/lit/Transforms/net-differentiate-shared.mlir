// A matrix read as it is and transposed collects two contributions in one update; the adjoint of a batch sum is a broadcast; a bound on the delta
// scales rows of the gradient before anything else sees them; a fixed parameter gets no update, and one that the loss does not depend on the gradient 0.
// RUN: sn-opt %s -pass-pipeline='builtin.module(net.entry(net-differentiate,cse),verify-net)' | FileCheck %s

net.parameter @w : !net.value<"x" x 8> decays share 2 init "none" "0.0" "0.0" stream 1
net.parameter @b : !net.value<"x"> init "none" "0.0" "0.0" stream 2
net.parameter @mean : !net.value<8> fixed init "none" "0.0" "0.0" stream 3
net.parameter @offset : !net.value<8> init "none" "0.0" "0.0" stream 4

// CHECK-LABEL: net.entry @train
net.entry @train {
  %x = net.data "x" : !net.value<"B" x "x">
  // CHECK: %[[W:.*]] = net.read @w
  %w = net.read @w : !net.value<"x" x 8>
  %b = net.read @b : !net.value<"x">
  %old = net.read @mean : !net.value<8>
  %h = net.contract(%x) by(%w) : (!net.value<"B" x "x">) by (!net.value<"x" x 8>) -> !net.value<"B" x 8>
  %s = net.column_sum %h : !net.value<"B" x 8> -> !net.value<8>
  %offset = net.read @offset : !net.value<8>
  %next = net.map(%s, %old, %offset) {
  ^bb0(%a: f32, %c: f32, %e: f32):
    %t = arith.addf %a, %c : f32
    %u = arith.addf %t, %e : f32
    net.yield %u : f32
  } : (!net.value<8>, !net.value<8>, !net.value<8>) -> !net.value<8>
  // CHECK: net.assign @mean
  net.assign @mean, %next : !net.value<8>
  // CHECK: %[[M:.*]] = net.map
  %m = net.map(%h, %s) {
  ^bb0(%a: f32, %c: f32):
    %t = arith.subf %a, %c : f32
    net.yield %t : f32
  } : (!net.value<"B" x 8>, !net.value<8>) -> !net.value<"B" x 8>
  %z = net.contract(%m) by(%w) transpose_b : (!net.value<"B" x 8>) by (!net.value<"x" x 8>) -> !net.value<"B" x "x">
  // CHECK: %[[Y:.*]] = net.map
  %y = net.map(%z, %b) {
  ^bb0(%a: f32, %c: f32):
    %t = arith.addf %a, %c : f32
    net.yield %t : f32
  } : (!net.value<"B" x "x">, !net.value<"x">) -> !net.value<"B" x "x">
  // CHECK-NOT: net.delta_norm
  // CHECK: %{{.*}}, %[[D:.*]] = net.loss(%[[Y]]) target "x"
  %bounded = net.delta_norm %y limit 0.5 : !net.value<"B" x "x"> -> !net.value<"B" x "x">
  %sum = net.loss(%bounded) target "x" layers ["o"] value {
  ^bb0(%a: f32, %t: f32):
    %e = arith.subf %a, %t : f32
    %l = arith.mulf %e, %e : f32
    net.yield %l : f32
  } : (!net.value<"B" x "x">) -> !net.value<>
  net.report "loss", %sum : !net.value<>
}
// CHECK: %[[SQUARE:.*]] = net.row_reduce "sum"(%[[D]])
// CHECK: %[[G:.*]] = net.map(%[[D]], %[[SQUARE]])
// CHECK: math.sqrt
// CHECK: %[[GB:.*]] = net.column_sum %[[G]]
// x W^T: the other side gets g W, the matrix g^T x.
// CHECK: %[[GM:.*]] = net.contract(%[[G]]) by(%[[W]]) :
// CHECK: %[[FIRST:.*]] = net.contract(%[[G]]) by(%[[M]]) transpose_a
// The batch sum's own gradient, the same for every example.
// CHECK: net.column_sum
// CHECK: net.map(%{{.*}}) {
// CHECK: : (!net.value<8>) -> !net.value<"B" x 8>
// CHECK: %[[SECOND:.*]] = net.contract(%{{.*}}) by(%{{.*}}) transpose_a
// CHECK: net.update @w, %[[FIRST]], %[[SECOND]]
// CHECK: net.update @b, %[[GB]]
// CHECK: %[[ZERO:.*]] = net.map
// CHECK: %[[CONSTANT:.*]] = arith.constant 0.000000e+00
// CHECK: net.yield %[[CONSTANT]]
// CHECK: net.update @offset, %[[ZERO]]
// CHECK-NOT: net.update
