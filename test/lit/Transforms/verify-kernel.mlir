// RUN: sn-opt %s -verify-diagnostics -verify-kernel

net.entry @evaluate {
  // expected-error @+1 {{was not lowered to a kernel}}
  %x = net.data "input" : !net.value<"B" x 4>
}
