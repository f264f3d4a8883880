import { type ServerAnswer } from '@certwright/core';
import { Html, html } from './html';
import { type SetupRecord, type SetupView } from './view';
import { PURPOSES, recordBadge, SERVER_WORDS, timeWords, type Tone } from './words';

/** More than this of a server's values tell nobody anything. */
const VALUES_SHOWN = 3;

const SHAPES: Record<Tone, string> = {
  todo: '<circle cx="12" cy="12" r="9" stroke-dasharray="3.5 3.57"/>',
  wait: '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>',
  ok: '<circle cx="12" cy="12" r="9"/><path d="m8 12.5 2.7 2.7L16 9.5"/>',
  bad: '<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5M12 16.2v.1"/>',
};

/** For the eye only: a word is always beside it. */
export const icon = (tone: Tone) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${new Html(SHAPES[tone])}</svg>`;

export const time = (at: string, style: 'moment' | 'clock') =>
  html`<time datetime="${at}" data-style="${style}">${timeWords(at, style)}</time>`;

const code = (value: string) =>
  value === '' ? html`<span class="soft">(empty)</span>` : html`<code class="theirs" dir="ltr">${value}</code>`;

export function recordCard(record: SetupRecord, index: number, view: SetupView): Html {
  const id = `record-${index + 1}`;
  const { tone, label } = recordBadge(record);
  const number = view.records.length > 1 ? html`Record ${index + 1}: ` : null;
  return html`
    <section class="record" id="${id}" aria-labelledby="${id}-title">
      <header>
        <h3 id="${id}-title">${number}${PURPOSES[record.purpose]}</h3>
        <span class="badge ${tone}">${icon(tone)}<span>${label}</span></span>
      </header>
      ${advice(record, tone)}
      ${toRemove(record)}
      ${fields(record, id, isOpen(record, view))}
      ${servers(record, id)}
    </section>`;
}

/** Whether it still makes sense to set it: a failed order's challenge never comes back. */
const isOpen = ({ purpose }: SetupRecord, { state }: SetupView) =>
  state !== 'done' && (state !== 'failed' || purpose !== 'acme-challenge');

function advice({ message, action, waiting }: SetupRecord, tone: Tone): Html | null {
  if (message === null && action === null) return null;
  return html`
      <div class="advice ${tone}">
        ${message !== null && html`<p>${message}</p>`}
        ${action !== null && html`<p class="do">${action}</p>`}
        ${waiting.helps && waiting.until !== null && html`<p>This should be settled by about ${time(waiting.until, 'clock')}.</p>`}
      </div>`;
}

function toRemove({ remove }: SetupRecord): Html | null {
  if (remove.length === 0) return null;
  const item = (one: SetupRecord['remove'][number]) =>
    html`<li>${one.type} record at ${code(one.fqdn)} (host ${code(one.host)}) with the value ${code(one.value)}</li>`;
  return html`
      <div class="away">
        <p class="note-title"><strong>First remove ${remove.length === 1 ? 'this record, which is' : 'these records, which are'} in the wrong place or in the way</strong></p>
        <ul>${remove.map(item)}</ul>
      </div>`;
}

function fields({ type, host, fqdn, value, ttl }: SetupRecord, id: string, copyable: boolean): Html {
  const box = (name: string, what: string, content: string, size: 'short' | 'long') => html`
            <div class="row ${size}">
              <div class="box"><code class="whole" id="${id}-${name}" dir="ltr">${content}</code></div>
              ${copyable && copyButton(`${id}-${name}`, what)}
            </div>`;
  return html`
      <dl class="field pair">
        <div><dt>Type</dt><dd><code>${type}</code></dd></div>
        <div><dt>TTL, in seconds</dt><dd><code>${ttl}</code> <span class="soft">or the lowest on offer</span></dd></div>
      </dl>
      <dl>
        <div class="field">
          <dt>Host or name</dt>
          <dd>${box('host', 'Host', host, 'short')}
            <p class="hint soft">In full, should you be asked for that: <code class="whole" dir="ltr">${fqdn}</code></p>
          </dd>
        </div>
        <div class="field">
          <dt>Value or content</dt>
          <dd>${box('value', 'Value', value, 'long')}</dd>
        </div>
      </dl>`;
}

const copyButton = (source: string, what: string) =>
  html`<button class="copy" type="button" id="${source}-copy" data-copy="${source}" data-what="${what}"><span class="label">Copy</span><span class="unseen"> ${what.toLowerCase()}</span></button>`;

/** The roles look idle; they are what is left of the table on a phone, where its rows become blocks. */
function servers({ servers: answers, state, checkedAt }: SetupRecord, id: string): Html | null {
  if (answers.length === 0) return null;
  const having = answers.filter((one) => one.state === 'match').length;
  const looked = checkedAt !== null && html`, checked at ${time(checkedAt, 'clock')}`;
  return html`
      <details id="${id}-servers"${state === 'ready' ? null : html` open`}>
        <summary id="${id}-summary">${having} of ${answers.length} name servers ${having === 1 ? 'has' : 'have'} it<span class="soft">${looked}</span></summary>
        <table role="table">
          <caption class="unseen">What each name server of the domain answers</caption>
          <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Name server</th><th role="columnheader" scope="col">Answer</th></tr></thead>
          <tbody role="rowgroup">${answers.map(serverRow)}</tbody>
        </table>
      </details>`;
}

function serverRow({ server, address, state, values }: ServerAnswer): Html {
  const { tone, label } = SERVER_WORDS[state];
  // What is right needs no second showing.
  const seen = state === 'match' ? [] : values.slice(0, VALUES_SHOWN);
  const more = state === 'match' ? 0 : values.length - seen.length;
  return html`
            <tr role="row">
              <th role="rowheader" scope="row"><bdi dir="ltr">${server}</bdi><span class="soft"><bdi dir="ltr">${address}</bdi></span></th>
              <td role="cell"><span class="says ${tone}">${icon(tone)}<span>${label}</span></span>
                ${seen.length > 0 && html`<ul class="values">${seen.map((value) => html`<li>${code(value)}</li>`)}</ul>`}
                ${more > 0 && html`<p class="soft">and ${more} more</p>`}
              </td>
            </tr>`;
}
