// Values, parameters and operations print and parse back.
// RUN: sn-opt %s | sn-opt | FileCheck %s

// CHECK: net.parameter @"a->b/weights" : !net.value<"input" x 128> decays init "uniform" "1.0" "-0.5" stream 1
net.parameter @"a->b/weights" : !net.value<"input" x 128> decays init "uniform" "1.0" "-0.5" stream 1
// CHECK: net.parameter @"a->b/bias" : !net.value<128> init "none" "0.0" "0.0" stream 2
net.parameter @"a->b/bias" : !net.value<128> init "none" "0.0" "0.0" stream 2

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
