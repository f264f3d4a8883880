import { type ServerState } from '@certwright/core';
import { type SetupRecord, type SetupState } from './view';

/** Colour and icon; never the only sign, there is always a word beside it. */
export type Tone = 'todo' | 'wait' | 'ok' | 'bad';

export const TONES: Record<SetupState, Tone> = {
  preparing: 'wait',
  missing: 'todo',
  partly: 'wait',
  checking: 'wait',
  done: 'ok',
  failed: 'bad',
};

export function recordBadge({ state, servers, waiting }: SetupRecord): { tone: Tone; label: string } {
  if (state === null) return { tone: 'todo', label: 'Not checked yet' };
  if (state === 'ready') return { tone: 'ok', label: 'Found' };
  const isNothing = state === 'delegation_missing' && servers.every((one) => one.state === 'nxdomain' || one.state === 'nodata');
  if (state === 'record_missing' || isNothing) return { tone: 'todo', label: 'Not found yet' };
  if (waiting.helps) return { tone: 'wait', label: 'On its way' };
  return { tone: 'bad', label: 'Needs a change' };
}

export const PURPOSES: Record<SetupRecord['purpose'], string> = {
  delegation: 'Allows this certificate and all later ones: set it once',
  ownership: 'Shows that the domain is yours',
  'acme-challenge': 'Allows the certificate',
};

export const SERVER_WORDS: Record<ServerState, { tone: Tone; label: string }> = {
  match: { tone: 'ok', label: 'Has the record' },
  mismatch: { tone: 'bad', label: 'Has another value' },
  nodata: { tone: 'todo', label: 'Does not have it yet' },
  nxdomain: { tone: 'todo', label: 'Does not have it yet' },
  lame: { tone: 'bad', label: 'Is not in charge of this domain' },
  refused: { tone: 'bad', label: 'Refuses to answer' },
  servfail: { tone: 'bad', label: 'Reports an error' },
  timeout: { tone: 'bad', label: 'Does not answer' },
  unreachable: { tone: 'bad', label: 'Cannot be reached' },
  malformed: { tone: 'bad', label: 'Sends an unreadable answer' },
  not_public: { tone: 'bad', label: 'Has an address that is not public' },
};

const MOMENT = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });

/** In UTC, since nobody here knows where the reader is; the script turns it into their own time. */
export const timeWords = (at: string, style: 'moment' | 'clock') =>
  `${(style === 'moment' ? MOMENT : CLOCK).format(new Date(at))} UTC`;
