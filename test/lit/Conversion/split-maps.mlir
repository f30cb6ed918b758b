// A formula of 40 operands, cut where the least crosses: one partial sum. A comparison is formed again behind the cut, and its operand is read again.
// RUN: sn-opt %s -pass-pipeline='builtin.module(net.entry(net-to-kernel))' | FileCheck %s
// CHECK-LABEL: net.entry @sum
// CHECK: %[[PART:.*]] = kernel.map {{.*}}slotNames = ["body"]
// CHECK-COUNT-31: arith.addf
// CHECK-NEXT: net.yield
// CHECK: kernel.wide_topk sources() [] reads({{.*}}%[[PART]])
// CHECK: arith.cmpf
// CHECK-COUNT-8: arith.addf
// CHECK-NEXT: arith.select
net.entry @sum {
  %x0 = net.data "x0" : !net.value<"B" x 8>
  %x1 = net.data "x1" : !net.value<"B" x 8>
  %x2 = net.data "x2" : !net.value<"B" x 8>
  %x3 = net.data "x3" : !net.value<"B" x 8>
  %x4 = net.data "x4" : !net.value<"B" x 8>
  %x5 = net.data "x5" : !net.value<"B" x 8>
  %x6 = net.data "x6" : !net.value<"B" x 8>
  %x7 = net.data "x7" : !net.value<"B" x 8>
  %x8 = net.data "x8" : !net.value<"B" x 8>
  %x9 = net.data "x9" : !net.value<"B" x 8>
  %x10 = net.data "x10" : !net.value<"B" x 8>
  %x11 = net.data "x11" : !net.value<"B" x 8>
  %x12 = net.data "x12" : !net.value<"B" x 8>
  %x13 = net.data "x13" : !net.value<"B" x 8>
  %x14 = net.data "x14" : !net.value<"B" x 8>
  %x15 = net.data "x15" : !net.value<"B" x 8>
  %x16 = net.data "x16" : !net.value<"B" x 8>
  %x17 = net.data "x17" : !net.value<"B" x 8>
  %x18 = net.data "x18" : !net.value<"B" x 8>
  %x19 = net.data "x19" : !net.value<"B" x 8>
  %x20 = net.data "x20" : !net.value<"B" x 8>
  %x21 = net.data "x21" : !net.value<"B" x 8>
  %x22 = net.data "x22" : !net.value<"B" x 8>
  %x23 = net.data "x23" : !net.value<"B" x 8>
  %x24 = net.data "x24" : !net.value<"B" x 8>
  %x25 = net.data "x25" : !net.value<"B" x 8>
  %x26 = net.data "x26" : !net.value<"B" x 8>
  %x27 = net.data "x27" : !net.value<"B" x 8>
  %x28 = net.data "x28" : !net.value<"B" x 8>
  %x29 = net.data "x29" : !net.value<"B" x 8>
  %x30 = net.data "x30" : !net.value<"B" x 8>
  %x31 = net.data "x31" : !net.value<"B" x 8>
  %x32 = net.data "x32" : !net.value<"B" x 8>
  %x33 = net.data "x33" : !net.value<"B" x 8>
  %x34 = net.data "x34" : !net.value<"B" x 8>
  %x35 = net.data "x35" : !net.value<"B" x 8>
  %x36 = net.data "x36" : !net.value<"B" x 8>
  %x37 = net.data "x37" : !net.value<"B" x 8>
  %x38 = net.data "x38" : !net.value<"B" x 8>
  %x39 = net.data "x39" : !net.value<"B" x 8>
  %y = net.map(%x0, %x1, %x2, %x3, %x4, %x5, %x6, %x7, %x8, %x9, %x10, %x11, %x12, %x13, %x14, %x15, %x16, %x17, %x18, %x19, %x20, %x21, %x22, %x23, %x24, %x25, %x26, %x27, %x28, %x29, %x30, %x31, %x32, %x33, %x34, %x35, %x36, %x37, %x38, %x39) {
  ^bb0(%a0: f32, %a1: f32, %a2: f32, %a3: f32, %a4: f32, %a5: f32, %a6: f32, %a7: f32, %a8: f32, %a9: f32, %a10: f32, %a11: f32, %a12: f32, %a13: f32, %a14: f32, %a15: f32, %a16: f32, %a17: f32, %a18: f32, %a19: f32, %a20: f32, %a21: f32, %a22: f32, %a23: f32, %a24: f32, %a25: f32, %a26: f32, %a27: f32, %a28: f32, %a29: f32, %a30: f32, %a31: f32, %a32: f32, %a33: f32, %a34: f32, %a35: f32, %a36: f32, %a37: f32, %a38: f32, %a39: f32):
    %c0 = arith.constant 5.000000e-01 : f32
    %s1 = arith.addf %a0, %a1 : f32
    %s2 = arith.addf %s1, %a2 : f32
    %s3 = arith.addf %s2, %a3 : f32
    %s4 = arith.addf %s3, %a4 : f32
    %s5 = arith.addf %s4, %a5 : f32
    %s6 = arith.addf %s5, %a6 : f32
    %s7 = arith.addf %s6, %a7 : f32
    %s8 = arith.addf %s7, %a8 : f32
    %s9 = arith.addf %s8, %a9 : f32
    %s10 = arith.addf %s9, %a10 : f32
    %s11 = arith.addf %s10, %a11 : f32
    %s12 = arith.addf %s11, %a12 : f32
    %s13 = arith.addf %s12, %a13 : f32
    %s14 = arith.addf %s13, %a14 : f32
    %s15 = arith.addf %s14, %a15 : f32
    %s16 = arith.addf %s15, %a16 : f32
    %s17 = arith.addf %s16, %a17 : f32
    %s18 = arith.addf %s17, %a18 : f32
    %s19 = arith.addf %s18, %a19 : f32
    %m = arith.cmpf olt, %a0, %c0 : f32
    %s20 = arith.addf %s19, %a20 : f32
    %s21 = arith.addf %s20, %a21 : f32
    %s22 = arith.addf %s21, %a22 : f32
    %s23 = arith.addf %s22, %a23 : f32
    %s24 = arith.addf %s23, %a24 : f32
    %s25 = arith.addf %s24, %a25 : f32
    %s26 = arith.addf %s25, %a26 : f32
    %s27 = arith.addf %s26, %a27 : f32
    %s28 = arith.addf %s27, %a28 : f32
    %s29 = arith.addf %s28, %a29 : f32
    %s30 = arith.addf %s29, %a30 : f32
    %s31 = arith.addf %s30, %a31 : f32
    %s32 = arith.addf %s31, %a32 : f32
    %s33 = arith.addf %s32, %a33 : f32
    %s34 = arith.addf %s33, %a34 : f32
    %s35 = arith.addf %s34, %a35 : f32
    %s36 = arith.addf %s35, %a36 : f32
    %s37 = arith.addf %s36, %a37 : f32
    %s38 = arith.addf %s37, %a38 : f32
    %s39 = arith.addf %s38, %a39 : f32
    %e = arith.select %m, %s39, %c0 : f32
    net.yield %e : f32
  } : (!net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>, !net.value<"B" x 8>) -> !net.value<"B" x 8>
  net.rank %y layers ["o"] : !net.value<"B" x 8>
}
