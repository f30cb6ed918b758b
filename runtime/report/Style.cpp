#include "runtime/report/Page.h"

namespace sn::report {
// XML as well as HTML: neither of the two texts holds an ampersand or a less-than sign.
const char *const kStyle = R"(:root {
  --paper: #ffffff; --panel: #f6f7f9; --ink: #1b1f24; --soft: #5b6570; --line: #d9dee4; --heat: #e8743b; --bad: #b3261e;
  --c0: #2463c5; --c1: #d2600a; --c2: #12806a; --c3: #b0328a; --c4: #6f52d0; --c5: #8f6c00; --c6: #c0392b; --c7: #4b6578;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --panel: #1d2127; --ink: #e6e9ed; --soft: #9aa5b1; --line: #343b44; --heat: #f08a4f; --bad: #ff8a80;
    --c0: #7fb0ff; --c1: #ffa657; --c2: #4ecfae; --c3: #f18ccc; --c4: #b7a3ff; --c5: #dfc14a; --c6: #ff8c7c; --c7: #a8c1d2;
  }
}
@media print {
  :root {
    --paper: #ffffff; --panel: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --heat: #e8743b; --bad: #b3261e;
    --c0: #2463c5; --c1: #d2600a; --c2: #12806a; --c3: #b0328a; --c4: #6f52d0; --c5: #8f6c00; --c6: #c0392b; --c7: #4b6578;
  }
  figure, tr, .tile, svg.plan { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 3rem; max-width: 1120px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { margin: 2.6rem 0 .8rem; padding-top: .9rem; border-top: 1px solid var(--line); font-size: 1.3rem; }
h3 { margin: 1.8rem 0 .5rem; font-size: 1.02rem; }
a { color: var(--c0); text-decoration: none; }
.ending { margin: .3rem 0 1.2rem; color: var(--soft); overflow-wrap: anywhere; }
.bad { color: var(--bad); }
.note { margin: .3rem 0 .8rem; color: var(--soft); font-size: .9rem; max-width: 62rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1rem 0 .4rem; }
.tile { flex: 1 1 8.6rem; padding: .7rem .9rem; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
.tile span { display: block; }
.tile .name, .tile .with { color: var(--soft); font-size: .8rem; }
.tile .value { font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(440px, 100%), 1fr)); gap: 1.4rem 1.6rem; margin-top: 1.4rem; }
figure { min-width: 0; margin: 0; position: relative; }
figure.wide { grid-column: 1 / -1; }
figcaption { font-weight: 600; }
.legend { margin: .1rem 0 .3rem; min-height: 1.3em; color: var(--soft); font-size: .82rem; }
.legend span { margin-right: 1.1em; white-space: nowrap; }
.key { vertical-align: -1px; margin-right: .4em; }
.chart svg:not(.key) { display: block; width: 100%; height: auto; }
.readout { position: absolute; right: 14px; top: 0; margin: 0; padding: .2rem .5rem; background: var(--panel); color: var(--ink);
  border: 1px solid var(--line); border-radius: 5px; font-size: .78rem; font-variant-numeric: tabular-nums; }
.readout:empty { display: none; }
svg text { fill: var(--ink); font-size: 12px; }
svg .tick, svg .unit { fill: var(--soft); font-size: 11.5px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; }
.cursor { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; }
.curve { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.thin .curve { stroke-width: 1; opacity: .45; }
.dashed { stroke-dasharray: 6 4; }
.dotted { stroke-dasharray: 1 4; }
circle { fill: currentColor; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); } .c3 { color: var(--c3); }
.c4 { color: var(--c4); } .c5 { color: var(--c5); } .c6 { color: var(--c6); } .c7 { color: var(--c7); }
.saved { fill: var(--soft); }
.resumed { fill: none; stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 5 3; }
rect.c0, rect.c2 { fill: currentColor; opacity: .75; }
.scroll { overflow-x: auto; }
svg.plan { display: block; width: 100%; min-width: 760px; height: auto; }
.plan .phase { fill: var(--panel); }
.plan .phasename { fill: var(--soft); font-size: 12px; letter-spacing: .04em; }
.plan .box { fill: var(--paper); stroke: var(--soft); stroke-width: 1; }
.plan .heat { fill: var(--heat); }
.plan .kernel { font-weight: 600; font-size: 12.5px; }
.plan .label { fill: var(--ink); font-size: 11.5px; }
.plan .share { font-weight: 600; font-variant-numeric: tabular-nums; }
.plan .item { fill: var(--soft); font-size: 11px; }
.plan .output { font-size: 10.5px; fill: var(--soft); }
.plan .output tspan { fill: currentColor; }
.plan .leader { stroke: var(--line); fill: none; }
.plan .dataset { fill: var(--c2); }
.plan .parameter { fill: none; stroke: var(--c4); stroke-width: 1.4; }
.plan .updated { fill: var(--c4); }
.buffer .wire { fill: none; stroke: currentColor; stroke-width: 1.5; }
.buffer path { fill: currentColor; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
th, td { padding: .26rem .9rem .26rem 0; text-align: right; white-space: nowrap; }
th { color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, th.l, td.l { text-align: left; }
.epochs { font-size: .8rem; }
.epochs th, .epochs td { padding-right: .7rem; }
.epochs th:first-child, .epochs td:first-child { text-align: right; }
tbody tr + tr td { border-top: 1px solid var(--line); }
tfoot td { border-top: 1px solid var(--soft); font-weight: 600; }
td.bar { text-align: left; padding-right: 0; line-height: 0; vertical-align: middle; }
.pair { display: flex; flex-wrap: wrap; gap: 0 3.5rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .5rem 1.6rem; margin: .6rem 0 0; }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
footer { margin-top: 3rem; color: var(--soft); font-size: .8rem; }
)";

// A line under the pointer and the values of the curves there.
const char *const kHover = R"(document.querySelectorAll("figure.chart").forEach(function (figure) {
  var svg = figure.querySelector("svg[data-x]"), x = svg.dataset.x.split(" ").map(Number), cursor = svg.querySelector(".cursor");
  var series = JSON.parse(figure.querySelector("script").textContent), readout = figure.querySelector(".readout");
  svg.addEventListener("pointermove", function (event) {
    var box = svg.getBoundingClientRect(), at = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    var value = x[0] + (at - x[2]) / (x[3] - x[2]) * (x[1] - x[0]), best = null;
    var near = series.map(function (one) {
      return one.points.reduce(function (a, b) { return b[1] !== null ? (a === null || Math.abs(a[0] - value) > Math.abs(b[0] - value) ? b : a) : a; }, null);
    });
    near.forEach(function (p) { if (p ? best === null || Math.abs(best - value) > Math.abs(p[0] - value) : false) best = p[0]; });
    if (best === null) return;
    var place = x[2] + (best - x[0]) / (x[1] - x[0]) * (x[3] - x[2]);
    cursor.setAttribute("x1", place); cursor.setAttribute("x2", place); cursor.setAttribute("visibility", "visible");
    readout.textContent = "epochs " + Number(best.toPrecision(6)) + near.map(function (p, i) {
      return p ? (Math.abs(p[0] - best) > (x[1] - x[0]) / 60 || !series[i].name ? "" : "  ·  " + series[i].name + " " + Number(p[1].toPrecision(5))) : "";
    }).join("");
  });
  svg.addEventListener("pointerleave", function () { cursor.setAttribute("visibility", "hidden"); readout.textContent = ""; });
});
)";
} // namespace sn::report
