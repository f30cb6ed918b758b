// RUN: sn-opt %s -split-input-file -verify-diagnostics

net.entry @bad {
  // expected-error @+1 {{slot 'body' does not fit its bindings}}
  %y = kernel.map sources() [] reads() attributes {bindings = [[]], layers = ["a"], outputs = [[#kernel.arg<element 0>]], slotNames = ["body"], sums = []} {
  ^bb0(%a: f32):
    net.yield %a : f32
  } : () -> !net.value<"B" x 7>
}

// -----

net.entry @bad {
  // expected-error @+1 {{but names, bindings or outputs for another number}}
  kernel.map sources() [] reads() attributes {bindings = [[]], layers = ["a"], outputs = [], slotNames = [], sums = []} : () -> ()
}
