import type { TxtEvidence } from '@certwright/core';
import { answerTo, type NameServers, type Rudeness, rudenesses, type RudeNameServer, startNameServers, startRudeNameServer } from '@certwright/testing';
import { createTxtLookup } from './lookup-txt';

const RESOLVER = '127.0.0.41';
const RUDE = '127.0.0.42';
const NAME = '_acme-challenge.rude.test';
const VALUE = 'v'.repeat(43);
const TIMEOUT_MS = 700;
/** What a busy machine may add to a bound. */
const SLACK_MS = 600;

const RUDENESSES: Record<string, Rudeness> = rudenesses(VALUE);

/** What becomes of the lookup: its verdict, and what is said of the server. */
const OUTCOMES: Record<keyof ReturnType<typeof rudenesses>, [string, string?]> = {
  'another id': ['no_answer', 'malformed'],
  'the answer to another question': ['no_answer', 'malformed'],
  'a query instead of an answer': ['no_answer', 'malformed'],
  'a name that points to itself': ['no_answer', 'malformed'],
  'texts past the end': ['no_answer', 'malformed'],
  silence: ['no_answer', 'timeout'],
  'an answer from another port': ['no_answer', 'timeout'],
  '65,535 bytes over TCP': ['no_answer', 'malformed'],
  'TCP a byte a second': ['no_answer', 'timeout'],
  'TCP a byte at a time': ['ready', 'match'],
  'TCP that says nothing': ['no_answer', 'timeout'],
  'thousands of garbage packets': ['ready', 'match'],
  'endless aliases, each longer': ['cname_loop'],
  'five hundred name servers': ['no_zone', 'unreachable'],
};

describe('a name server that is no honest one', () => {
  let dns: NameServers;
  let rude: RudeNameServer;

  beforeEach(async () => {
    dns = await startNameServers({ addresses: [RESOLVER] });
    rude = await startRudeNameServer(RUDE, dns.port);
    dns.addZone('rude.test', { servers: [RUDE] });
  });
  afterEach(() => Promise.all([dns.close(), rude.close()]));

  const lookupThrough = (resolver: string) =>
    createTxtLookup({ resolvers: [{ address: resolver, port: dns.port }], authoritativePort: dns.port, allowPrivate: true, timeoutMs: TIMEOUT_MS });

  async function inTime(lookup: () => Promise<TxtEvidence>): Promise<TxtEvidence> {
    const startedAt = performance.now();
    const evidence = await lookup();
    expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    return evidence;
  }

  it.each(Object.entries(OUTCOMES))('%s: ends in time, in a verdict', async (how, [verdict, state]) => {
    rude.behave(RUDENESSES[how] ?? {});
    const evidence = await inTime(() => lookupThrough(RESOLVER).lookup(NAME, [VALUE]));
    expect({ verdict: evidence.verdict, state: evidence.servers[0]?.state }).toEqual({ verdict, state });
    expect(evidence.servers.length).toBeLessThanOrEqual(16);
    expect(rude.seen.length).toBeLessThanOrEqual(100);
  });

  it.each(Object.keys(OUTCOMES))('%s, from a resolver: ends in time, and nobody else is blamed', async (how) => {
    rude.behave(RUDENESSES[how] ?? {});
    expect(await inTime(() => lookupThrough(RUDE).lookup(NAME, [VALUE]))).toMatchObject({ verdict: 'no_zone', servers: [] });
  });

  it('nobody can foresee the id or the source port of a query', async () => {
    rude.behave({ udp: (query, send) => send(answerTo(query, VALUE)) });
    const { lookup } = lookupThrough(RESOLVER);
    for (let count = 0; count < 200; count += 1) expect((await lookup(NAME, [VALUE])).verdict).toBe('ready');
    expect(rude.seen).toHaveLength(200);
    for (const what of ['id', 'port'] as const) {
      const values = rude.seen.map((one) => one[what]);
      const steps = values.slice(1).map((value, index) => value - (values[index] ?? 0));
      // 200 of 28,000 ports or of 65,536 ids: hardly any twice, and no step more often than another.
      expect(new Set(values).size).toBeGreaterThan(190);
      expect(new Set(steps).size).toBeGreaterThan(180);
    }
  });
});
