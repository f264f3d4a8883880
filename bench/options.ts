import { parseArgs } from 'node:util';

const PARTS = ['issuance', 'visible', 'waiting', 'nameserver', 'year', 'renewal-query'] as const;
export type Part = (typeof PARTS)[number];

/** What takes minutes; the others only where they are asked for. */
const BY_DEFAULT: Part[] = ['issuance', 'visible', 'waiting', 'nameserver'];

export interface Options {
  short: boolean;
  parts: Part[];
  jsonFile: string;
  /** Of the part `waiting`, as the product's POLL_INTERVAL. */
  pollIntervalMs: number;
  /** Of the part `year`; null: as many as it is made for. */
  certificates: number | null;
  /** Of the part `waiting`: how many of the names, 0 to 1, are on name servers that never answer. */
  silentShare: number;
}

export const USAGE = `npm run bench -- [--short] [--only ${PARTS.join('|')}]... (without: ${BY_DEFAULT.join(', ')})
  [--json FILE] [--poll-interval 10s] [--silent-share 0.1] [--certificates 1000]`;

/** @throws Error with what is wrong */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'string', default: '.certwright/bench.json' },
      'poll-interval': { type: 'string', default: '10s' },
      'silent-share': { type: 'string', default: '0' },
      certificates: { type: 'string' },
    },
  });
  const isPart = (name: string): name is Part => PARTS.some((part) => part === name);
  const unknown = values.only.find((name) => !isPart(name));
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}`);
  const wanted = values.only.filter(isPart);
  return {
    short: values.short,
    parts: wanted.length > 0 ? wanted : BY_DEFAULT,
    jsonFile: values.json,
    pollIntervalMs: milliseconds(values['poll-interval']),
    silentShare: share(values['silent-share']),
    certificates: values.certificates === undefined ? null : count(values.certificates),
  };
}

function share(text: string): number {
  const number = Number(text);
  if (!(number >= 0 && number < 1)) throw new Error(`--silent-share is a number from 0 to below 1, not ${text}`);
  return number;
}

function count(text: string): number {
  if (!/^[1-9]\d{1,5}$/.test(text)) throw new Error(`--certificates is a number from 10 to 999999, not ${text}`);
  return Number(text);
}

function milliseconds(text: string): number {
  const [, amount, unit] = /^(\d+)(ms|s)$/.exec(text) ?? [];
  if (amount === undefined) throw new Error(`--poll-interval is 500ms or 10s, not ${text}`);
  return Number(amount) * (unit === 's' ? 1000 : 1);
}
