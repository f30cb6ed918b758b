// RUN: sn-opt %s -split-input-file -verify-diagnostics

net.entry @bad {
  %x = net.data "input" : !net.value<"B" x "input">
  %w = net.read @w : !net.value<7 x 128>
  // expected-error @+1 {{extents do not fit}}
  %z = net.contract(%x) by(%w) : (!net.value<"B" x "input">) by (!net.value<7 x 128>) -> !net.value<"B" x 128>
}

// -----

net.entry @bad {
  %x = net.data "input" : !net.value<"B" x 7>
  %w = net.read @w : !net.value<7 x 128>
  // expected-error @+1 {{has the unknown precision 'half'}}
  %z = net.contract(%x) by(%w) precision "half" : (!net.value<"B" x 7>) by (!net.value<7 x 128>) -> !net.value<"B" x 128>
}

// -----

net.entry @bad {
  %x = net.data "input" : !net.value<"B" x 7>
  // expected-error @+1 {{formula takes 1 values and yields 1}}
  %y = net.map(%x) {
  ^bb0(%a: f32, %b: f32):
    net.yield %a : f32
  } : (!net.value<"B" x 7>) -> !net.value<"B" x 7>
}

// -----

net.entry @bad {
  %x = net.data "input" : !net.value<"B" x 7>
  // expected-error @+1 {{a delta result needs a delta formula}}
  %s, %d = net.loss(%x) target "output" layers ["o"] value {
  ^bb0(%a: f32, %t: f32):
    net.yield %a : f32
  } : (!net.value<"B" x 7>) -> (!net.value<>, !net.value<"B" x 7>)
}
