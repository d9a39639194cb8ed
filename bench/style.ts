/** The page's style: light or dark as the reader has it. */
export const style = `
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --soft: #5b6470; --grid: #e3e6ea;
  --sluice: #1667d9; --ours: #86b2ec; --polars: #d1690e; --duckdb: #8a7a00; --pyarrow: #a23bb0; --other: #8b939e;
  --mark: #c62839; --streaming: #1b9e6b; --fragment: #c08a00; --batch: #4b5a68 }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --ink: #e6e9ed; --soft: #9aa4b0; --grid: #2b3138;
  --sluice: #5b9dff; --ours: #2f568f; --polars: #f0923f; --duckdb: #d3c04a; --pyarrow: #cf7bdb; --other: #77818d;
  --mark: #ff7080; --streaming: #4fd0a0; --fragment: #e0b030; --batch: #a9b7c6 } }
body { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 1120px;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-top: 1px solid var(--grid); padding-top: 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; color: var(--soft) } dd { margin: 0 }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 1rem }
figure { margin: 0 0 .6rem } figcaption { color: var(--soft); font-size: .85rem }
svg { width: 100%; height: auto; max-width: 760px; display: block; font-size: 12px } svg text { fill: var(--ink) }
svg .tick, svg .value { fill: var(--soft); font-variant-numeric: tabular-nums }
svg .value { paint-order: stroke; stroke: var(--page); stroke-width: 4px }
.grid { stroke: var(--grid) } line.reference { stroke: var(--mark); stroke-dasharray: 4 3 } svg text.reference { fill: var(--mark) }
.sluice { --own: var(--sluice) } .sluice-streaming, .sluice-fragment, .sluice-batch, .sluice-one-lane, .sluice-decoded, .sluice-fsync, .sluice-zstd-3 { --own: var(--ours) }
.peer { --own: var(--other) } .copy { --own: var(--soft) } .polars { --own: var(--polars) } .duckdb { --own: var(--duckdb) } .pyarrow { --own: var(--pyarrow) }
.mode.auto { --own: var(--sluice) } .mode.streaming { --own: var(--streaming) } .mode.fragment { --own: var(--fragment) }
.mode.batch { --own: var(--batch) } circle.mode { fill-opacity: .85; stroke: var(--page) }
rect, circle { fill: var(--own) } .line { fill: none; stroke: var(--own); stroke-width: 1.6 } .line.sluice { stroke-width: 2.6 }
.legend span { margin-right: 1rem; color: var(--soft) } .legend i { display: inline-block; width: .8em; height: .8em;
  border-radius: 2px; margin-right: .35em; background: var(--own) }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .45rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid) }
th:first-child, .modes th { text-align: left } .modes th[rowspan] { vertical-align: top }
.modes th:not([rowspan]) { font-weight: normal } .modes tr:first-child th, .modes tr.best th:not([rowspan]), .modes tr.best td { font-weight: bold } tr.ours th { color: var(--sluice) } td.failed { color: var(--mark); text-align: left;
  white-space: pre-wrap }
`
