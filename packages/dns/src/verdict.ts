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

export function verdictOf(servers: ServerAnswer[]): TxtVerdict {
  const answering = servers.filter(({ state }) => ANSWERING.has(state));
  const matching = answering.filter(({ state }) => state === 'match');
  if (answering.length === 0) return 'no_answer';
  if (matching.length === answering.length) return 'ready';
  return matching.length > 0 ? 'partial' : 'absent';
}

export function conclude(fqdn: string, via: string[], zone: string | null, servers: ServerAnswer[]): TxtEvidence {
  const verdict = zone === null || servers.length === 0 ? 'no_zone' : verdictOf(servers);
  return { fqdn, verdict, via, zone, servers, detail: sentence(verdict, { fqdn, via, zone, servers }) };
}

export const loop = (fqdn: string, via: string[]): TxtEvidence => ({
  fqdn,
  verdict: 'cname_loop',
  via,
  zone: null,
  servers: [],
  detail: `The aliases (CNAME) of ${fqdn} never end: ${via.join(' → ')}.`,
});

function sentence(verdict: TxtVerdict, { fqdn, via, zone, servers }: Omit<TxtEvidence, 'verdict' | 'detail'>): string {
  const alias = via.length > 0 ? ` (an alias of ${via.join(' → ')})` : '';
  if (verdict === 'no_zone') {
    return zone === null
      ? `No zone was found for ${fqdn}${alias}: the domain is not registered, or not delegated, or its resolver does not answer.`
      : `The zone ${zone} has no name servers with an address, so nobody can be asked for ${fqdn}${alias}.`;
  }
  const matching = servers.filter(({ state }) => state === 'match').length;
  const others = servers.filter(({ state }) => state !== 'match');
  const said = others.map(({ server, address, state }) => `${server} (${address}) ${IN_WORDS[state]}`).join('; ');
  const record = `TXT ${fqdn}${alias}`;
  if (verdict === 'ready') {
    return `${count(matching, servers.length)} of ${zone ?? ''} ${verb(matching)} the value of ${record}${said && `; ${said}`}.`;
  }
  return `${record}: ${count(matching, servers.length)} of ${zone ?? ''} ${verb(matching)} the value; ${said}.`;
}

function count(matching: number, all: number): string {
  if (matching === all) return all === 1 ? 'the name server' : `all ${all} name servers`;
  return matching === 0 ? `none of the ${all} name server${all === 1 ? '' : 's'}` : `${matching} of ${all} name servers`;
}

const verb = (matching: number): string => (matching > 1 ? 'have' : 'has');
