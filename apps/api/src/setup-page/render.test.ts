import { Script } from 'node:vm';
import { DIAGNOSIS_CODES, type ServerState } from '@certwright/core';
import * as fc from 'fast-check';
import { escape } from './html';
import { renderSetupGone, renderSetupPage, setupPolicy } from './render';
import { SCRIPT } from './script';
import { type SetupRecord, type SetupState, type SetupView } from './view';
import { recordBadge } from './words';

const NONCE = 'bm9uY2U';
const STATES: SetupState[] = ['missing', 'partly', 'checking', 'done', 'failed'];

const record = (changes: Partial<SetupRecord> = {}): SetupRecord => ({
  purpose: 'ownership',
  type: 'TXT',
  host: '_certwright',
  fqdn: '_certwright.shop.example',
  value: 'token-1',
  ttl: 60,
  state: 'record_missing',
  message: 'There is no such record yet.',
  action: 'Add it.',
  remove: [],
  waiting: { helps: false, until: null },
  servers: [{ server: 'ns1.host.example', address: '192.0.2.1', state: 'nxdomain', values: [] }],
  checkedAt: '2026-06-05T14:31:20Z',
  ...changes,
});

const view = (changes: Partial<SetupView> = {}): SetupView => ({
  domain: { ascii: 'shop.example', unicode: 'shop.example' },
  state: 'missing',
  headline: 'One record to go',
  sentence: 'Add one record.',
  records: [record()],
  deadline: '2026-06-12T14:00:00Z',
  nextCheckAt: '2026-06-05T14:32:00Z',
  linkExpiresAt: '2026-06-19T14:00:00Z',
  ...changes,
});

const render = (changes: Partial<SetupView> = {}) => renderSetupPage(view(changes), { nonce: NONCE });

/** What is shown, without our own style and script. */
const content = (page: string) => page.replace(/<style[^]*?<\/style>/, '').replace(/<script[^]*?<\/script>/, '');

/** Everywhere a view has room for text. */
const filledWith = (text: string): SetupView =>
  view({
    domain: { ascii: text, unicode: `${text}.` },
    headline: text,
    sentence: text,
    records: [
      record({
        host: text,
        fqdn: text,
        value: text,
        message: text,
        action: text,
        remove: [{ type: 'TXT', host: text, fqdn: text, value: text }],
        servers: [{ server: text, address: text, state: 'mismatch', values: [text] }],
      }),
    ],
  });

const tags = (page: string) => content(page).match(/<[^>]*>/g) ?? [];

describe('escaping', () => {
  test.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    [`" onmouseover='x'`, '&quot; onmouseover=&#39;x&#39;'],
    ['&lt;', '&amp;lt;'],
    ['abc\u202etxt', 'abc\\u{202e}txt'],
    ['a\u2066b\u2069', 'a\\u{2066}b\\u{2069}'],
    ['a\0b\x1b[2J\r\n\u0085', 'a\\u{0}b\\u{1b}[2J\\u{d}\\u{a}\\u{85}'],
    ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
    ['no\u00a0break', 'no\\u{a0}break'],
    ['half\ud800', 'half\\u{d800}'],
    ['two  spaces ', 'two  spaces '],
    ['bücher 中文 שלום 🎉', 'bücher 中文 שלום 🎉'],
  ])('%j', (text, expected) => {
    expect(escape(text)).toBe(expected);
    expect(content(renderSetupPage(filledWith(text), { nonce: NONCE }))).toContain(`dir="ltr">${expected}</code>`);
  });

  test('no text of a view adds a tag, an attribute or a strange character', () => {
    const nasty = fc.constantFrom('<', '>', '"', "'", '&', '`', '/', '=', '\0', '\n', '\u202e', '\u2028', '\ud800', '</script>', '<!--', ']]>');
    const text = fc.array(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 4 })), { minLength: 1, maxLength: 8 });
    // Ids and classes are ours, so tags differ in nothing that a view says.
    const usual = tags(renderSetupPage(filledWith('x'), { nonce: NONCE }));
    fc.assert(
      fc.property(text, (parts) => {
        const page = renderSetupPage(filledWith(`x${parts.join('')}`), { nonce: NONCE });
        expect(tags(page)).toEqual(usual);
        expect(content(page)).not.toMatch(/(?![ \n])[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u);
      }),
    );
  });

  test('data cannot pose as markup', () => {
    const posing = { markup: '<b>' } as unknown as string;
    expect(() => render({ headline: posing })).toThrow(TypeError);
  });

  test('a nonce cannot leave its attribute', () => {
    expect(renderSetupPage(view(), { nonce: '"><b>' })).not.toContain('"><b>');
  });
});

describe('the page', () => {
  test.each(STATES)('%s: one main heading, landmarks, unique ids, nothing from elsewhere', (state) => {
    const page = render({ state, records: [record(), record({ purpose: 'acme-challenge' })] });
    expect(page.match(/<h1/g)).toHaveLength(1);
    for (const landmark of ['<header class="top">', '<main', '<footer']) expect(page).toContain(landmark);
    expect(page).toContain('<html lang="en">');
    expect(page).toContain('role="status" aria-live="polite"');
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page.matchAll(/(?:aria-labelledby|data-copy)="([^"]*)"/g)) expect(ids).toContain(id);
    expect(page).not.toMatch(/https?:|url\(|@import|@font-face|\ssrc=|\son[a-z]+=|\sstyle=/);
    expect([...page.matchAll(/\shref="([^"]*)"/g)].map(([, url]) => url)).toEqual(['data:,']);
  });

  test.each(['missing', 'partly', 'checking'] as const)('%s: every record has host, value and buttons', (state) => {
    const page = render({ state, records: [record(), record({ host: '_acme-challenge', value: 'token-2' })] });
    for (const [at, host, value] of [[1, '_certwright', 'token-1'], [2, '_acme-challenge', 'token-2']]) {
      expect(page).toContain(`id="record-${at}-host" dir="ltr">${host}</code>`);
      expect(page).toContain(`id="record-${at}-value" dir="ltr">${value}</code>`);
      expect(page).toContain(`data-copy="record-${at}-host"`);
      expect(page).toContain(`data-copy="record-${at}-value"`);
    }
  });

  test('what is no longer of use is not offered for copying', () => {
    expect(content(render({ state: 'done' }))).not.toContain('data-copy');
    expect(content(render({ state: 'failed', records: [record({ purpose: 'acme-challenge' })] }))).not.toContain('data-copy');
    expect(content(render({ state: 'failed' }))).toContain('data-copy');
  });

  test.each([
    ['missing', 3, true],
    ['partly', 3, true],
    ['checking', 3, true],
    ['failed', 15, true],
    ['done', 0, false],
  ] as const)('%s: looks for news every %d s, without a script too: %s', (state, every, reloads) => {
    const page = render({ state });
    expect(page).toContain(`<main data-every="${every}">`);
    expect(page.includes('<noscript><meta http-equiv="refresh" content="15"></noscript>')).toBe(reloads);
  });

  test.each([
    ['missing', 'Add the record'],
    ['partly', 'We find it in DNS'],
    ['checking', 'Secure connection'],
  ] as const)('%s: the step is "%s"', (state, step) => {
    expect(render({ state })).toContain(`<li aria-current="step">${step}</li>`);
  });

  test('a name in another script is shown with its ASCII form', () => {
    const page = render({ domain: { ascii: 'xn--bcher-kva.example', unicode: 'bücher.example' } });
    expect(page).toContain('<bdi>bücher.example</bdi> <span class="soft">written <bdi dir="ltr">xn--bcher-kva.example</bdi> in DNS');
    expect(render()).not.toContain('written <bdi');
  });

  test('records that share a host are not to replace each other', () => {
    expect(render({ records: [record(), record({ value: 'other' })] })).toContain('let none replace another');
    expect(render({ records: [record(), record({ fqdn: '_acme-challenge.shop.example' })] })).not.toContain('let none replace another');
  });

  test('times are UTC, and marked up for the script', () => {
    expect(render()).toContain('<time datetime="2026-06-12T14:00:00Z" data-style="moment">Friday 12 June at 14:00 UTC</time>');
  });

  test('what is to be removed, and how long waiting takes', () => {
    const page = render({
      records: [
        record({
          state: 'old_value',
          remove: [{ type: 'CNAME', host: '@', fqdn: 'customer.example', value: 'old.example' }],
          waiting: { helps: true, until: '2026-06-05T15:10:00Z' },
        }),
      ],
    });
    expect(page).toContain('First remove this record, which is in the wrong place or in the way');
    expect(page).toMatch(/CNAME record at .*>customer\.example<.*>@<.*>old\.example</);
    expect(page).toContain('15:10 UTC</time>');
  });

  test.each([...DIAGNOSIS_CODES, null])('a record in state %s has a word for it', (state) => {
    expect(render({ records: [record({ state })] })).toMatch(/class="badge (todo|wait|ok|bad)">.*<span>[A-Z][a-z ]+<\/span>/);
  });

  test('servers: how many have it, what the others say, and not more than three values of each', () => {
    const server = (state: ServerState, values: string[]) => ({ server: 'ns.example', address: '192.0.2.1', state, values });
    const page = render({
      records: [record({ servers: [server('match', ['unseen']), server('mismatch', ['', 'b', 'c', 'd', 'e']), server('timeout', [])] })],
    });
    expect(page).toContain('1 of 3 name servers has it');
    for (const words of ['Has the record', 'Has another value', 'Does not answer', '(empty)', 'and 2 more']) expect(page).toContain(words);
    expect(page).not.toContain('>unseen<');
    expect(page).not.toContain('>d<');
  });

  test('a link that is gone says so, and never reloads', () => {
    const page = renderSetupGone({ nonce: NONCE });
    expect(page).toContain('<h1 tabindex="-1">This link no longer works</h1>');
    expect(page).toContain('data-every="0"');
    expect(page).not.toContain('http-equiv="refresh"');
  });
});

describe('what the browser is allowed', () => {
  test('nothing but our own style and script', () => {
    expect(setupPolicy(NONCE)).toContain("default-src 'none'");
    expect(setupPolicy(NONCE)).not.toContain('unsafe');
    expect(render().match(/<(style|script) nonce="bm9uY2U">/g)).toHaveLength(2);
  });

  test('the script is one, ends nowhere early and writes no markup', () => {
    expect(() => new Script(SCRIPT)).not.toThrow();
    expect(SCRIPT).not.toMatch(/<\/script|<!--|innerHTML|insertAdjacent|document\.write|eval/i);
  });
});

describe('the badge of an alias', () => {
  test.each([
    ['nothing is there', ['nxdomain', 'nodata'], 'Not found yet'],
    ['something else is there', ['mismatch', 'nodata'], 'Needs a change'],
  ] satisfies [string, ServerState[], string][])('where %s', (_what, states, label) => {
    const servers = states.map((state) => ({ server: 'ns1.host.example', address: '192.0.2.1', state, values: [] }));
    expect(recordBadge(record({ purpose: 'delegation', type: 'CNAME', state: 'delegation_missing', servers })).label).toBe(label);
  });
});
