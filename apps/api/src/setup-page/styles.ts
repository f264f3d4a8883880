/** Colours by role, light and dark; the pairs that carry text keep WCAG AA's 4.5 : 1, which styles.test.ts measures. */
export const LIGHT = {
  page: '#f6f5f1',
  card: '#ffffff',
  well: '#f4f3ee',
  ink: '#1c2530',
  soft: '#565f6b',
  line: '#dedbd2',
  edge: '#84816f',
  link: '#1b5a7d',
  todo: '#1b5a7d',
  'todo-bg': '#e5eff5',
  wait: '#7a4b00',
  'wait-bg': '#fbefd6',
  ok: '#17643a',
  'ok-bg': '#e2f1e7',
  bad: '#9c2a1c',
  'bad-bg': '#fae8e4',
};

export const DARK: typeof LIGHT = {
  page: '#131619',
  card: '#1b1f23',
  well: '#23282d',
  ink: '#e9ebee',
  soft: '#a7b0ba',
  line: '#30363d',
  edge: '#77818c',
  link: '#8cc4e6',
  todo: '#8cc4e6',
  'todo-bg': '#1a3040',
  wait: '#eebf6a',
  'wait-bg': '#382b12',
  ok: '#7fd0a0',
  'ok-bg': '#173424',
  bad: '#f3a296',
  'bad-bg': '#40211c',
};

const variables = (colours: typeof LIGHT) =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ');

export const STYLES = `
:root { color-scheme: light dark; ${variables(LIGHT)} }
@media (prefers-color-scheme: dark) { :root { ${variables(DARK)} } }
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; padding: 0 clamp(1rem, 4vw, 2rem); background: var(--page); color: var(--ink);
  font: 1.0625rem/1.6 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  overflow-wrap: break-word;
}
h1, h2, h3, p, dl, dd, ol, ul, figure { margin: 0; padding: 0; }
h1, h2, h3 { text-wrap: balance; }
p { text-wrap: pretty; }
.top, main, .end { max-width: 43rem; margin-inline: auto; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft { color: var(--soft); font-size: .9375rem; }
.icon { width: 1em; height: 1em; flex: none; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; border-radius: .25rem; }
h1:focus { outline: none; }

.top { display: flex; gap: .5rem; align-items: center; padding-block: 1.75rem 0; color: var(--soft); font-size: .9375rem; }

.hero { padding-block: clamp(2rem, 7vw, 3.5rem) clamp(2rem, 6vw, 3rem); }
/* Where there is nothing left to do, how it went. */
.sign { display: inline-flex; margin-bottom: 1.25rem; padding: .75rem; border-radius: 50%; font-size: 2rem; line-height: 1; }
.sign.ok { background: var(--ok-bg); } .sign.wait { background: var(--wait-bg); } .sign.bad { background: var(--bad-bg); }
.domain { color: var(--soft); font-size: 1.0625rem; margin-bottom: .5rem; }
.domain bdi:first-child { color: var(--ink); font-weight: 600; }
h1 { font-size: clamp(1.75rem, 1.35rem + 2vw, 2.5rem); line-height: 1.15; letter-spacing: -.02em; font-weight: 680; }
.sentence { margin-top: 1rem; font-size: 1.1875rem; line-height: 1.55; max-width: 36rem; }
.due { margin-top: .75rem; }
.due time { color: var(--ink); font-weight: 600; }

.steps { list-style: none; display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; margin-top: 2rem; font-size: .9375rem; line-height: 1.35; }
.steps li { border-top: 4px solid var(--line); padding-top: .625rem; color: var(--soft); }
.steps .past { border-color: var(--ok); }
.steps [aria-current] { border-color: var(--link); color: var(--ink); font-weight: 600; }

.part { padding-block: clamp(1.5rem, 5vw, 2.25rem); }
h2 { font-size: 1.375rem; line-height: 1.3; letter-spacing: -.01em; font-weight: 660; }
h2 + p { margin-top: .375rem; max-width: 36rem; }
.note { margin-top: .75rem; font-weight: 600; }

.record { margin-top: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: .875rem; padding: clamp(1.125rem, 4vw, 1.75rem); }
.record > * + * { margin-top: 1.25rem; }
.record > header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; }
h3 { font-size: 1.125rem; line-height: 1.35; font-weight: 640; }
.badge { display: inline-flex; gap: .375rem; align-items: center; padding: .1875rem .75rem; border: 1px solid transparent; border-radius: 1rem; font-size: .875rem; font-weight: 600; }
.todo { color: var(--todo); } .wait { color: var(--wait); } .ok { color: var(--ok); } .bad { color: var(--bad); }
.badge.todo, .advice.todo { background: var(--todo-bg); } .badge.wait, .advice.wait { background: var(--wait-bg); }
.badge.ok, .advice.ok { background: var(--ok-bg); } .badge.bad, .advice.bad { background: var(--bad-bg); }

.advice { padding: .875rem 1.125rem; border-radius: .625rem; border-left: 4px solid currentColor; }
.advice > * { color: var(--ink); }
.advice > * + * { margin-top: .375rem; }
.advice .do { font-weight: 600; }

.field { padding-block: .875rem; border-top: 1px solid var(--line); }
.field:first-child { border-top: 0; padding-top: 0; }
.field:last-child { padding-bottom: 0; }
.pair { display: grid; grid-template-columns: 1fr 1fr; border-top: 0; padding-top: 0; }
.pair + dl > .field:first-child { border-top: 1px solid var(--line); padding-top: .875rem; }
.pair > div + div { padding-left: 1rem; border-left: 1px solid var(--line); }
dt { color: var(--soft); font-size: .9375rem; }
dd > code, .box code { font-size: 1.0625rem; font-weight: 500; }
.row { display: flex; gap: .75rem; margin-top: .25rem; }
.row .box { flex: 1; min-width: 0; background: var(--well); border-radius: .5rem; padding: .5rem .75rem; align-content: center; }
.hint { margin-top: .375rem; }
code {
  font: .9375em/1.5 ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
  overflow-wrap: anywhere; white-space: break-spaces;
}
/* Strangers' text: piled up accents stay within their box. */
.theirs { display: inline-block; max-width: 100%; overflow: hidden; vertical-align: bottom; background: var(--well); border-radius: .25rem; padding: 0 .375rem; }
.box .whole { word-break: break-all; }
.hint code, .domain .soft bdi { display: inline-block; }
.whole { user-select: all; -webkit-user-select: all; }
.copy { display: none; }
.js .copy {
  display: inline-flex; justify-content: center; align-items: center; min-width: 5.5rem; min-height: 2.75rem; padding: .25rem .875rem;
  font: inherit; font-size: .9375rem; font-weight: 600; color: var(--link); background: var(--card);
  border: 1px solid var(--edge); border-radius: .5rem; cursor: pointer; transition: background-color .15s, color .15s;
}
.js .copy:hover { background: var(--todo-bg); }
.js .copy.copied { color: var(--ok); border-color: var(--ok); background: var(--ok-bg); }

.away { border: 1px solid var(--line); border-radius: .625rem; padding: .875rem 1.125rem; }
.away ul { list-style: none; }
.away li { margin-top: .5rem; }

summary { cursor: pointer; font-weight: 600; font-size: .9375rem; padding-block: .25rem; }
summary .soft { font-weight: 400; }
table { width: 100%; margin-top: .5rem; border-collapse: collapse; font-size: .9375rem; line-height: 1.45; }
th, td { text-align: left; vertical-align: top; padding: .625rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th + td, th + th { padding-left: 1rem; width: 52%; }
thead th { border: 0; padding-block: .25rem; color: var(--soft); font-weight: 400; font-size: .875rem; }
tbody th { font-weight: 500; }
th .soft { display: block; font-weight: 400; font-size: .875rem; }
.says { display: inline-flex; gap: .5rem; font-weight: 600; }
.says .icon { margin-top: .2em; }
.says + * { margin-top: .25rem; }
.values { list-style: none; }
.values li { margin-top: .25rem; }

.help ol { margin-top: 1rem; padding-left: 1.5rem; }
.help li { padding-left: .25rem; }
.help li + li { margin-top: .75rem; }
.help li::marker { color: var(--soft); font-weight: 600; }

.end { margin-top: 1rem; padding-block: 1.5rem 3.5rem; border-top: 1px solid var(--line); }
.end:not(:has(p:first-child:not(:empty))) { border: 0; }
.end p + p { margin-top: .375rem; }

@media (max-width: 30rem) {
  .record { margin-inline: -.5rem; }
  .steps { font-size: .875rem; }
  .row.long { flex-wrap: wrap; }
  .row.long .box { flex-basis: 100%; }
  .js .row.long .copy { width: 100%; }
  thead { position: absolute; clip-path: inset(50%); }
  tbody, tbody tr, tbody th, tbody td { display: block; width: auto; }
  tbody th { padding-bottom: 0; }
  tbody td { padding: .25rem 0 .75rem; border: 0; }
}
@media (max-width: 21.5rem) {
  .row { flex-wrap: wrap; }
  .row .box { flex-basis: 100%; }
  .js .row .copy { width: 100%; }
}
@media (prefers-reduced-motion: reduce) { *, ::before, ::after { transition: none !important; animation: none !important; } }
@media (forced-colors: active) { .badge, .advice, .steps li { border-color: currentColor; } }
@media print { .copy { display: none !important; } body { background: none; } .record { break-inside: avoid; } }
`;
