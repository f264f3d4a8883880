import { domainToUnicode } from 'node:url';
import { Html, html } from './html';
import { icon, recordCard, time } from './record';
import { SCRIPT } from './script';
import { STYLES } from './styles';
import { type SetupRecord, type SetupState, type SetupView } from './view';
import { TONES } from './words';

/** Between two looks, in seconds: of the script, and of a browser without one. 0: nothing will change any more. */
const EVERY: Record<SetupState, number> = { preparing: 3, missing: 3, partly: 3, checking: 3, done: 0, failed: 15 };
const EVERY_WITHOUT_SCRIPT = 15;

/** Nothing is loaded from anywhere, and nobody frames the page. */
export const setupPolicy = (nonce: string) =>
  [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:', // the empty icon
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** The page for the owner of a domain, who has never met us: what to set at the registrar, and how far it has come. */
export function renderSetupPage(view: SetupView, { nonce }: { nonce: string }): string {
  const every = EVERY[view.state];
  return page(`${view.headline} · ${view.domain.unicode}`, every, nonce, html`
    <div class="hero">
      ${!isWaitingForOwner(view) && html`<p class="sign ${TONES[view.state]}">${icon(TONES[view.state])}</p>`}
      ${domainLine(view)}
      <h1 tabindex="-1">${view.headline}</h1>
      <p class="sentence">${view.sentence}</p>
      ${due(view)}
      ${steps(view)}
    </div>
    ${recordsPart(view)}
    ${isWaitingForOwner(view) && help(view)}
    ${isWaitingForOwner(view) && html`<p class="part soft">Does somebody else look after the domain? Send them the address of this page. It only shows what to set, and works until ${time(view.linkExpiresAt, 'moment')}.</p>`}`);
}

/** For a link that is unknown or too old. */
export const renderSetupGone = ({ nonce }: { nonce: string }): string =>
  page('This link no longer works', 0, nonce, html`
    <div class="hero">
      <h1 tabindex="-1">This link no longer works</h1>
      <p class="sentence">It may be too old, or a part of it got lost on the way. Nothing about your domain has changed.</p>
      <p class="sentence">Go back to where you got the link and ask for a new one.</p>
    </div>`);

/** Title and content; `every` 0: it stays as it is. */
function page(title: string, every: number, nonce: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <meta name="referrer" content="no-referrer">
    <meta name="format-detection" content="telephone=no">
    <title>${title}</title>
    <link rel="icon" href="data:,">
    ${every > 0 && html`<noscript><meta http-equiv="refresh" content="${EVERY_WITHOUT_SCRIPT}"></noscript>`}
    <style nonce="${nonce}">${new Html(STYLES)}</style>
  </head>
  <body>
    <header class="top">
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/></svg>
      <span>Domain setup</span>
    </header>
    <main data-every="${every}">${content}
    </main>
    <p class="unseen" id="news" role="status" aria-live="polite"></p>
    <footer class="end soft">
      <p id="link">${every > 0 && 'This page updates by itself.'}</p>
      ${every > 0 && html`<noscript><p>It reloads every ${EVERY_WITHOUT_SCRIPT} seconds.</p></noscript>`}
    </footer>
    <script nonce="${nonce}">${new Html(SCRIPT)}</script>
  </body>
</html>
`.markup;
}

function domainLine({ domain: { ascii, unicode } }: SetupView): Html {
  const alias = ascii !== unicode && html` <span class="soft">written <bdi dir="ltr">${ascii}</bdi> in DNS</span>`;
  return html`<p class="domain"><bdi>${unicode}</bdi>${alias}</p>`;
}

const isWaitingForOwner = ({ state }: SetupView) => state === 'missing' || state === 'partly';

function due(view: SetupView): Html | null {
  const { deadline, nextCheckAt, state } = view;
  if (state === 'done' || state === 'failed' || (deadline === null && nextCheckAt === null)) return null;
  return html`<p class="due soft">
        ${isWaitingForOwner(view) && deadline !== null && html`Please have it done by ${time(deadline, 'moment')}.`}
        ${nextCheckAt !== null && html`We look again at ${time(nextCheckAt, 'clock')}.`}
      </p>`;
}

function steps({ state, records }: SetupView): Html | null {
  if (state === 'failed') return null;
  const current = { preparing: 0, missing: 0, partly: 1, checking: 2, done: 3 }[state];
  const many = records.length > 1;
  const names = [`Add the ${many ? 'records' : 'record'}`, `We find ${many ? 'them' : 'it'} in DNS`, 'Secure connection'];
  const item = (name: string, at: number) => {
    if (at < current) return html`<li class="past">${name}<span class="unseen">, done</span></li>`;
    return at === current ? html`<li aria-current="step">${name}</li>` : html`<li>${name}</li>`;
  };
  return html`<ol class="steps" aria-label="Steps">${names.map(item)}</ol>`;
}

function recordsPart(view: SetupView): Html | null {
  const { records } = view;
  if (records.length === 0) return null;
  const sharesName = new Set(records.map(({ fqdn }) => fqdn)).size < records.length;
  return html`
    <section class="part" aria-labelledby="records-title">
      ${recordsIntro(view)}
      ${isWaitingForOwner(view) && sharesName && html`<p class="note">Some records have the same host. That is right: add each of them, and let none replace another.</p>`}
      ${records.map((record, index) => recordCard(record, index, view))}
    </section>`;
}

function recordsIntro({ state, records }: SetupView): Html {
  const many = records.length > 1;
  if (isOver(state)) return html`<h2 id="records-title">${many ? 'The records' : 'The record'}, as we last saw ${many ? 'them' : 'it'}</h2>`;
  if (state === 'checking' || records.every((one) => one.state === 'ready')) {
    const isForGood = records.some(({ purpose }) => purpose === 'delegation');
    return html`<h2 id="records-title">Your ${many ? 'records' : 'record'}</h2>
      ${!isForGood && html`<p class="soft">Please leave ${many ? 'them' : 'it'} in place for now.</p>`}`;
  }
  return html`<h2 id="records-title">${many ? 'Add these records' : 'Add this record'}</h2>
      <p class="soft">${many ? 'They belong' : 'It belongs'} in your domain's DNS settings, at the company where you bought the domain or that runs its DNS.</p>`;
}

const isOver = (state: SetupState) => TONES[state] === 'ok' || TONES[state] === 'bad';

/** What most people stumble over, in the order in which they will. */
/** What a record's host is relative to. */
const zoneOf = ({ fqdn, host }: SetupRecord): string => fqdn.slice(host.length + 1);

function help({ records }: SetupView): Html {
  const first = records[0];
  return html`
    <section class="part help" aria-labelledby="help-title">
      <h2 id="help-title">How to do it</h2>
      <ol>
        <li>Sign in where your domain is managed, and look for “DNS”, “DNS records” or “DNS zone”.</li>
        <li>Add a new record. Choose the type, then copy host and value from above, exactly as they are and without quotation marks.</li>
        ${first !== undefined && first.host !== '@' && html`<li>Most forms add <bdi>${domainToUnicode(zoneOf(first))}</bdi> to the host by themselves, so enter only <code dir="ltr">${first.host}</code>.</li>`}
        <li>Leave the other records as they are: your website and your mail need them.</li>
        <li>Save, and come back here. It often takes a few minutes, and sometimes an hour, until every name server knows.</li>
      </ol>
    </section>`;
}
