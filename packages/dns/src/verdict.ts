import type { ServerAnswer, ServerState, TxtEvidence, TxtVerdict } from '@certwright/core';

/** A server whose word counts: one that speaks for the zone, whatever it says. */
const ANSWERING: ReadonlySet<ServerState> = new Set(['match', 'mismatch', 'nodata', 'nxdomain']);

/** What a state means to the owner of the domain. */
const IN_WORDS: Record<ServerState, string> = {
  match: 'has the value',
  mismatch: 'has TXT records there, but not this value',
  nodata: 'has no TXT record there',
  nxdomain: 'answers that the name does not exist',
  lame: 'does not speak for the zone',
  refused: 'refuses to answer',
  servfail: 'answers with an error',
  timeout: 'does not answer',
  unreachable: 'cannot be reached',
  malformed: 'answers something unreadable',
  not_public: 'has an address that is not public, and is not asked',
};

/** A sentence stays one: further servers are in the evidence. */
const MAX_NAMED = 4;

export const isAnswering = ({ state }: ServerAnswer): boolean => ANSWERING.has(state);

export function verdictOf(servers: ServerAnswer[]): TxtVerdict {
  const answering = servers.filter(isAnswering);
  const matching = answering.filter(({ state }) => state === 'match');
  if (answering.length === 0) return 'no_answer';
  if (matching.length === answering.length) return 'ready';
  return matching.length > 0 ? 'partial' : 'absent';
}

/** `behind`: servers of zones passed on the way that lack the alias or delegation which the others there have. */
export function conclude(
  fqdn: string,
  via: string[],
  zone: string,
  { servers: own, behind = [] }: { servers: ServerAnswer[]; behind?: ServerAnswer[] },
): TxtEvidence {
  const record = nameOf(fqdn, via);
  if (own.length > 0 && own.every(({ address }) => address === '') && own.some(({ state }) => state === 'timeout')) {
    const detail = `The addresses of the name servers of ${zone} could not be looked up, so nobody could be asked for TXT ${record}.`;
    return { fqdn, verdict: 'no_answer', via, zone, servers: own, detail };
  }
  if (own.every(({ address }) => address === '')) {
    const detail = `The zone ${zone} has no name servers with an address, so nobody can be asked for TXT ${record}.`;
    return { fqdn, verdict: 'no_zone', via, zone, servers: own, detail };
  }
  const servers = [...behind, ...own];
  const matching = servers.filter(({ state }) => state === 'match').length;
  const of = behind.length > 0 ? 'on the way to the record' : `of ${zone}`;
  const others = servers.filter(({ state }) => state !== 'match').map(inWords);
  const more = others.length > MAX_NAMED ? [`${others.length - MAX_NAMED} more do not have it either`] : [];
  const said = [counted(matching, servers.length, of), ...others.slice(0, MAX_NAMED), ...more];
  const detail = `TXT ${record}: ${said.join('; ')}.`;
  return { fqdn, verdict: verdictOf(servers), via, zone, servers, detail };
}

export const loop = (fqdn: string, via: string[]): TxtEvidence => ({
  fqdn,
  verdict: 'cname_loop',
  via,
  zone: null,
  servers: [],
  detail: `The aliases (CNAME) of ${fqdn} never end: ${via.join(' → ')}.`,
});

/** Nothing is said about the servers that were asked: not all were. */
export const tooMany = (fqdn: string, via: string[], max: number): TxtEvidence => ({
  fqdn,
  verdict: 'no_answer',
  via,
  zone: null,
  servers: [],
  detail: `TXT ${nameOf(fqdn, via)}: there are too many aliases, delegations and name servers on the way, more than ${max} queries.`,
});

/** `resolved`: whether a resolver could tell; where none could, the domain is not to blame. */
export const noZone = (fqdn: string, via: string[], resolved: boolean): TxtEvidence => ({
  fqdn,
  verdict: 'no_zone',
  ...(!resolved && { untold: true as const }),
  via,
  zone: null,
  servers: [],
  detail: resolved
    ? `No zone was found for ${nameOf(fqdn, via)}: the domain is not registered, or not delegated to any name server.`
    : `The zone of ${nameOf(fqdn, via)} could not be looked up: no DNS resolver of this service has an answer.`,
});

const nameOf = (fqdn: string, via: string[]): string =>
  via.length > 0 ? `${fqdn} (an alias of ${via.join(' → ')})` : fqdn;

function inWords({ server, address, state, values }: ServerAnswer): string {
  if (address === '') return state === 'timeout' ? `the address of ${server} could not be looked up` : `${server} has no address`;
  const elsewhere = state === 'mismatch' && values.length === 0;
  return `${server} (${address}) ${elsewhere ? 'has another alias there' : IN_WORDS[state]}`;
}

function counted(matching: number, all: number, of: string): string {
  if (all === 1) return `the name server ${of} ${matching === 1 ? 'has' : 'does not have'} the value`;
  if (matching === all) return `all ${all} name servers ${of} have the value`;
  if (matching === 0) return `none of the ${all} name servers ${of} has the value`;
  return `${matching} of ${all} name servers ${of} ${matching > 1 ? 'have' : 'has'} the value`;
}
