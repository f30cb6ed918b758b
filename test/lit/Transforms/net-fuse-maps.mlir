// RUN: sn-opt %s -pass-pipeline='builtin.module(net.entry(net-fuse-maps))' | FileCheck %s

// Add, then exp, then scale: one formula.
// CHECK-LABEL: net.entry @chain
// CHECK-COUNT-1: net.map
// CHECK: arith.addf
// CHECK: math.exp
// CHECK: arith.mulf
// CHECK-NOT: net.map
net.entry @chain {
  %z = net.data "z" : !net.value<"B" x 8>
  %b = net.read @b : !net.value<8>
  %m = net.mask p 0.5 stream 4 : !net.value<"B" x 8>
  %p = net.map(%z, %b) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.addf %a, %c : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>, !net.value<8>) -> !net.value<"B" x 8>
  %e = net.map(%p) {
  ^bb0(%a: f32):
    %s = math.exp %a : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>) -> !net.value<"B" x 8>
  %y = net.map(%e, %m) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.mulf %a, %c : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>, !net.value<"B" x 8>) -> !net.value<"B" x 8>
  net.rank %y layers ["o"] : !net.value<"B" x 8>
}

// The value before a mask is read again later: one map with two results, so that one epilogue writes both.
// CHECK-LABEL: net.entry @two_results
// CHECK: %[[R:.*]]:2 = net.map
// CHECK: net.yield %{{.*}}, %{{.*}} : f32, f32
// CHECK: net.contract(%[[R]]#1)
// CHECK: net.rank %[[R]]#0
net.entry @two_results {
  %z = net.data "z" : !net.value<"B" x 8>
  %m = net.mask p 0.5 stream 4 : !net.value<"B" x 8>
  %e = net.map(%z) {
  ^bb0(%a: f32):
    %s = math.exp %a : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>) -> !net.value<"B" x 8>
  %y = net.map(%e, %m) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.mulf %a, %c : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>, !net.value<"B" x 8>) -> !net.value<"B" x 8>
  %w = net.read @w : !net.value<8 x 3>
  %q = net.contract(%y) by(%w) : (!net.value<"B" x 8>) by (!net.value<8 x 3>) -> !net.value<"B" x 3>
  net.rank %q layers ["o"] : !net.value<"B" x 3>
  net.rank %e layers ["o"] : !net.value<"B" x 8>
}

// An exponential with two readers is not computed twice.
// CHECK-LABEL: net.entry @costly
// CHECK-COUNT-1: math.exp
// CHECK-NOT: math.exp
net.entry @costly {
  %z = net.data "z" : !net.value<"B" x 8>
  %e = net.map(%z) {
  ^bb0(%a: f32):
    %s = math.exp %a : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>) -> !net.value<"B" x 8>
  %c = net.column_sum %e : !net.value<"B" x 8> -> !net.value<8>
  %y = net.map(%e, %c) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.mulf %a, %b : f32
    net.yield %s : f32
  } : (!net.value<"B" x 8>, !net.value<8>) -> !net.value<"B" x 8>
  net.rank %y layers ["o"] : !net.value<"B" x 8>
}
