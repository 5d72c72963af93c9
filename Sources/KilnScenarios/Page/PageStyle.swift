/// How the page looks: on a projector, on a phone and on paper, light and dark; colour is never the only carrier.
///
/// It holds no character that HTML escapes, since the template escapes it like everything else.
enum PageStyle {
    static let text = """
        :root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --good: #176f30;
          --bad: #b42318; --open: #7a5600; --first: #7fa8d6; --second: #4f7fb5; --back: #b98016; --serves: #5f8f6b;
          --third: #a48fc9; --fourth: #6fb3ad; }
        @media (prefers-color-scheme: dark) { :root { --paper: #12161b; --ink: #e6edf3; --soft: #a9b4bf; --line: #3a434d;
          --good: #62d67f; --bad: #ff8b7e; --open: #e3b341; --first: #5b88ba; --second: #86b3e6; --back: #d9a441;
          --serves: #7fb58c; --third: #b7a3dd; --fourth: #7fc9c2; } }
        * { box-sizing: border-box; min-width: 0; overflow-wrap: anywhere; }
        body { margin: 0 auto; max-width: 90rem; padding: 1rem; background: var(--paper); color: var(--ink);
          font: 1rem/1.4 system-ui, sans-serif; }
        h1, h2, h3, p, ul, ol, dl, dd { margin: 0; padding: 0; }
        ul, ol { list-style: none; }
        h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
        small, .ticks, .words, .legend, .notes, .more { color: var(--soft); font-size: .85rem; }
        a { color: inherit; }
        .patterns { position: absolute; }
        .part { border-top: 4px solid var(--tone); padding-top: .6rem; margin-bottom: 2rem; }
        .good { --tone: var(--good); } .bad { --tone: var(--bad); } .open { --tone: var(--open); }
        .verdict { font-size: clamp(1.15rem, 2.6vw, 1.9rem); line-height: 1.25; margin: .2rem 0 .8rem; }
        .mark { color: var(--tone); font-weight: 700; }
        .tiles { display: grid; grid-template-columns: repeat(3, 1fr) 2fr; gap: .6rem; }
        .tile { border: 1px solid var(--line); border-left: 4px solid var(--tone); padding: .4rem .6rem; }
        .tile dt { color: var(--soft); font-size: .85rem; }
        .tile dd { font-size: 1.25rem; font-weight: 600; line-height: 1.25; }
        .tile.cause dd { font-size: 1rem; font-weight: 400; }
        .lane { display: grid; grid-template-columns: 12rem 1fr; gap: .2rem .8rem; padding: .25rem 0;
          border-top: 1px solid var(--line); break-inside: avoid; }
        .lane.axis { border: 0; }
        .ticks { display: flex; justify-content: space-between; }
        .row svg { display: block; width: 100%; height: 1.9rem; }
        .words, .legend { display: flex; flex-wrap: wrap; gap: 0 .9rem; }
        polyline { fill: none; stroke: var(--second); stroke-width: 2; vector-effect: non-scaling-stroke; }
        rect { stroke: var(--paper); stroke-width: .6; vector-effect: non-scaling-stroke; }
        .v0, .even { fill: var(--first); } .v1, .odd { fill: var(--second); } .v2 { fill: var(--third); }
        .v3 { fill: var(--fourth); } .back, .held { fill: var(--back); stroke: var(--back); } .serves { fill: var(--serves); }
        .failed { fill: url(#stripes); stroke: var(--bad); } .fault { fill: var(--bad); stroke: var(--bad); } .skipped { fill: var(--line); }
        .ground { fill: var(--paper); stroke: none; } .stripe { fill: var(--bad); stroke: none; }
        .step { display: grid; grid-template-columns: 1.4rem 1fr auto; gap: 0 .5rem; padding: .15rem 0;
          border-top: 1px solid var(--line); break-inside: avoid; }
        .step .more { grid-column: 2 / 4; } .detail { white-space: pre-wrap; }
        .step.bad .name { font-weight: 700; }
        .depth-2 { padding-left: 1rem; } .depth-3 { padding-left: 2rem; } .depth-4 { padding-left: 3rem; }
        pre { border: 1px solid var(--line); padding: .5rem; white-space: pre-wrap; margin: 0;
          font: .8rem/1.35 ui-monospace, monospace; }
        @media (max-width: 45rem) {
          body { padding: .6rem; } .tiles { grid-template-columns: 1fr 1fr; } .lane { grid-template-columns: 1fr; }
          .tile dd { font-size: 1.05rem; } .tile.cause { grid-column: 1 / 3; } }
        @media print {
          :root { --paper: #fff; --ink: #000; --soft: #333; --line: #999; --good: #176f30; --bad: #b42318; --open: #7a5600;
            --first: #bbb; --second: #888; --back: #ccc; --serves: #666; --third: #ddd; --fourth: #aaa; }
          body { max-width: none; padding: 0; font-size: 10pt; } .part + .part { break-before: page; }
          rect, .stripe { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
        """
}
