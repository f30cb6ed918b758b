// Values, parameters and operations print and parse back.
// RUN: sn-opt %s | sn-opt | FileCheck %s

// CHECK: net.parameter @"a->b/weights" : !net.value<"input" x 128> decays init "uniform" "1.0" "-0.5" stream 1
net.parameter @"a->b/weights" : !net.value<"input" x 128> decays init "uniform" "1.0" "-0.5" stream 1
// CHECK: net.parameter @"a->b/bias" : !net.value<128> init "none" "0.0" "0.0" stream 2
net.parameter @"a->b/bias" : !net.value<128> init "none" "0.0" "0.0" stream 2
// CHECK: net.parameter @"b->c/weights" : !net.value<128 x 4> decays norm 5.000000e-01 share 2 init "normal" "1.0" "0.0" stream 3
net.parameter @"b->c/weights" : !net.value<128 x 4> decays norm 0.5 share 2 init "normal" "1.0" "0.0" stream 3
// CHECK: net.parameter @"b/running_mean" : !net.value<128> fixed init "none" "0.0" "0.0" stream 4
net.parameter @"b/running_mean" : !net.value<128> fixed init "none" "0.0" "0.0" stream 4

// CHECK-LABEL: net.entry @evaluate
net.entry @evaluate {
  %x = net.data "input" : !net.value<"B" x "input">
  // CHECK: net.corrupt %{{.*}} p 2.000000e-01 stream 3
  %c = net.corrupt %x p 0.2 stream 3 : !net.value<"B" x "input"> -> !net.value<"B" x "input">
  %w = net.read @"a->b/weights" : !net.value<"input" x 128>
  // CHECK: net.contract(%{{.*}}) by(%{{.*}})
  %z = net.contract(%c) by(%w) : (!net.value<"B" x "input">) by (!net.value<"input" x 128>) -> !net.value<"B" x 128>
  // CHECK: net.row_reduce "max"(%{{.*}}) detached
  %m = net.row_reduce "max"(%z) detached {
  ^bb0(%a: f32):
    net.yield %a : f32
  } : (!net.value<"B" x 128>) -> !net.value<"B">
  net.rank %z layers ["b"] : !net.value<"B" x 128>
}

// CHECK-LABEL: net.entry @train
net.entry @train {
  // CHECK: net.iota : <128>
  %i = net.iota : !net.value<128>
  %x = net.data "input" : !net.value<"B" x 128>
  // CHECK: net.delta_norm %{{.*}} limit 5.000000e-01 : <"B" x 128> -> <"B" x 128>
  %d = net.delta_norm %x limit 0.5 : !net.value<"B" x 128> -> !net.value<"B" x 128>
  // CHECK: net.loss(%{{.*}}) target "output" indicator boost [5.000000e-01, 3.000000e+00, 1.000000e+00] layers ["c"] value {
  %s = net.loss(%d) target "output" indicator boost [0.5, 3.0, 1.0] layers ["c"] value {
  ^bb0(%a: f32, %t: f32):
    net.yield %a : f32
  } : (!net.value<"B" x 128>) -> !net.value<>
  // CHECK: net.assign @"b/running_mean", %{{.*}} : <128>
  net.assign @"b/running_mean", %i : !net.value<128>
  %w = net.read @"b->c/weights" : !net.value<128 x 4>
  // CHECK: net.update @"b->c/weights", %[[G:.*]], %[[G]] : !net.value<128 x 4>
  net.update @"b->c/weights", %w, %w : !net.value<128 x 4>, !net.value<128 x 4>
}
