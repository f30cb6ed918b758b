// RUN: sn-opt %s -split-input-file -verify-diagnostics -verify-net

// expected-error @+1 {{parameter 'w' is updated 0 times}}
net.entry @train {
  %w = net.read @w : !net.value<4 x 8>
}

// -----

net.entry @train {
  %x = net.data "input" : !net.value<"B" x 4>
  // expected-error @+1 {{does not belong into a net entry after differentiation}}
  %y = net.penalty %x {
  ^bb0(%s: f32, %inverse: f32):
    net.yield %s : f32
  } : !net.value<"B" x 4> -> !net.value<"B" x 4>
}

// -----

net.entry @train {
  %x = net.data "input" : !net.value<"B" x 4>
  // expected-error @+1 {{does not belong into a net entry after differentiation}}
  %y = net.delta_norm %x limit 0.5 : !net.value<"B" x 4> -> !net.value<"B" x 4>
}

// -----

net.parameter @mean : !net.value<4> fixed init "none" "0.0" "0.0" stream 1
// expected-error @+1 {{parameter 'mean' is updated 1 times}}
net.entry @train {
  %m = net.read @mean : !net.value<4>
  net.update @mean, %m : !net.value<4>
}
