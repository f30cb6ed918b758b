// The products of backprop are as precise as the one they come from; none of another precision is taken for it, and absent is fp32.
// RUN: sn-opt %s -pass-pipeline='builtin.module(net.entry(net-differentiate,cse))' | FileCheck %s

net.parameter @v : !net.value<7 x 8> decays init "none" "0.0" "0.0" stream 1
net.parameter @w : !net.value<8 x 8> decays share 2 init "none" "0.0" "0.0" stream 2

// CHECK-LABEL: net.entry @train
net.entry @train {
  %x = net.data "x" : !net.value<"B" x 7>
  %v = net.read @v : !net.value<7 x 8>
  // CHECK: %[[W:.*]] = net.read @w
  %w = net.read @w : !net.value<8 x 8>
  // CHECK: %[[H:.*]] = net.contract(%{{.*}}) by(%{{.*}}) :
  %h = net.contract(%x) by(%v) : (!net.value<"B" x 7>) by (!net.value<7 x 8>) -> !net.value<"B" x 8>
  // CHECK: net.contract(%[[H]]) by(%[[W]]) precision "tf32" :
  // CHECK: net.contract(%[[H]]) by(%[[W]]) precision "bf16" :
  %a = net.contract(%h) by(%w) precision "tf32" : (!net.value<"B" x 8>) by (!net.value<8 x 8>) -> !net.value<"B" x 8>
  %b = net.contract(%h) by(%w) precision "bf16" : (!net.value<"B" x 8>) by (!net.value<8 x 8>) -> !net.value<"B" x 8>
  %y = net.map(%a, %b) {
  ^bb0(%p: f32, %q: f32):
    %s = arith.addf %p, %q : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>, !net.value<"B" x 8>) -> !net.value<"B" x 8>
  %loss = net.loss(%y) target "t" layers ["y"] value {
  ^bb0(%p: f32, %t: f32):
    %d = arith.subf %p, %t : f32
    %e = arith.mulf %d, %d : f32
    net.yield %e : f32
  } : (!net.value<"B" x 8>) -> !net.value<>
  net.report "loss", %loss : !net.value<>
}
// CHECK-DAG: net.contract(%[[DELTA:.*]]) by(%[[W]]) transpose_b precision "tf32"
// CHECK-DAG: net.contract(%{{.*}}) by(%[[W]]) transpose_b precision "bf16"
// CHECK-DAG: net.contract(%[[H]]) by(%{{.*}}) transpose_a precision "tf32"
// CHECK-DAG: net.contract(%[[H]]) by(%{{.*}}) transpose_a precision "bf16"
// CHECK-DAG: net.contract(%{{.*}}) by(%{{.*}}) transpose_a : (!net.value<"B" x 7>)
