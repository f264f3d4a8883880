import type { Answer } from 'dns-packet';
import type { Resolver } from './resolver';
import type { DnsReply } from './message';
import type { Question } from './wire';
import { createZones, type Zones } from './zones';

const ZONE = 'customer.test';
const spendNothing = (): void => undefined;

describe('the zones that are known', () => {
  let at: number;
  let asked: string[];
  let fails: (question: Question) => boolean;
  let apexes: string[];
  let host: string;
  let zones: Zones;

  const soa = (apex: string): Answer => ({ type: 'SOA', name: apex, ttl: 60, data: { mname: 'ns.test', rname: 'h.test' } });
  const replyTo = ({ name, type }: Question): Partial<DnsReply> => {
    if (type === 'SOA') {
      const apex = apexes.filter((one) => name === one || name.endsWith(`.${one}`)).sort((a, b) => b.length - a.length)[0];
      return apex ? { authorities: [soa(apex)] } : {};
    }
    if (type === 'NS') return { answers: [{ type, name, ttl: 60, data: host }] };
    return type === 'A' ? { answers: [{ type, name, ttl: 60, data: '192.0.2.1' }] } : {};
  };
  const resolver: Pick<Resolver, 'ask'> = {
    async ask(question) {
      asked.push(`${question.type} ${question.name}`);
      await Promise.resolve();
      return fails(question) ? null : ({ rcode: 'NOERROR', ...replyTo(question) } as DnsReply);
    },
  };

  beforeEach(() => {
    at = 0;
    asked = [];
    fails = () => false;
    apexes = [ZONE];
    host = 'ns1.hoster.test';
    zones = createZones({ resolvers: () => resolver, timeoutMs: 1_000, now: () => at });
  });

  const serversFor = async (name: string) => {
    const { zone } = await zones.nearest(name, spendNothing);
    return zone && zones.serversAt(zone.hosts, spendNothing);
  };

  it('a thousand names of one zone ask for it once', async () => {
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => serversFor(`d${n}.${ZONE}`)));
    expect(asked).toEqual(['SOA d0.customer.test', `NS ${ZONE}`, 'A ns1.hoster.test', 'AAAA ns1.hoster.test']);
  });

  it('zones of one hoster ask for its servers once', async () => {
    apexes = ['a.test', 'b.test'];
    await serversFor('a.test');
    await serversFor('b.test');
    expect(asked.filter((one) => one.startsWith('A'))).toEqual(['A ns1.hoster.test', 'AAAA ns1.hoster.test']);
  });

  it('a missing AAAA is not asked for again as long as the A holds', async () => {
    await serversFor(ZONE);
    at = 59_000;
    await serversFor(ZONE);
    expect(asked.filter((one) => one.startsWith('AAAA'))).toHaveLength(1);
  });

  it('moved name servers are noticed at expiry', async () => {
    await serversFor(ZONE);
    host = 'ns9.elsewhere.test';
    at = 59_999;
    expect(await serversFor(ZONE)).toMatchObject([{ server: 'ns1.hoster.test' }]);
    at = 60_000;
    expect(await serversFor(ZONE)).toMatchObject([{ server: 'ns9.elsewhere.test' }]);
  });

  it.each(['SOA', 'NS', 'A'] as const)('where %s could not be looked up, the next one asks again', async (type) => {
    fails = (question) => question.type === type || (type === 'A' && question.type === 'AAAA');
    expect((await serversFor(`shop.${ZONE}`)) ?? []).not.toMatchObject([{ address: '192.0.2.1' }]);
    fails = () => false;
    expect(await serversFor(`shop.${ZONE}`)).toMatchObject([{ address: '192.0.2.1' }]);
  });

  it('a name that lies in nobody\'s zone is asked for again: it may be registered by now', async () => {
    apexes = [];
    expect(await zones.nearest(ZONE, spendNothing)).toEqual({ zone: null, answered: true });
    apexes = [ZONE];
    expect(await serversFor(ZONE)).toHaveLength(1);
  });

  it('tells what lies below a known zone from what a resolver said of the name itself', async () => {
    const sure = async (name: string) => (await zones.nearest(name, spendNothing)).zone?.sure;
    expect(await sure(`a.${ZONE}`)).toBe(true);
    expect([await sure(`a.${ZONE}`), await sure(ZONE), await sure(`b.${ZONE}`)]).toEqual([true, true, false]);
    await zones.exact(`b.${ZONE}`, spendNothing);
    expect(await sure(`b.${ZONE}`)).toBe(true);
  });

  it('nothing below a top-level domain is taken to lie in its zone', async () => {
    apexes = ['test', ZONE];
    await serversFor('test');
    expect(await zones.nearest(ZONE, spendNothing)).toMatchObject({ zone: { apex: ZONE, sure: true } });
  });

  it('the root is nobody\'s zone', async () => {
    expect(await zones.nearest('', spendNothing)).toEqual({ zone: null, answered: false });
  });

  it('a name waits for a slow neighbour a moment only', async () => {
    const { ask } = resolver;
    const slow: Pick<Resolver, 'ask'> = { ask: (question) => (question.name === `slow.${ZONE}` ? new Promise(() => undefined) : ask(question)) };
    zones = createZones({ resolvers: () => slow, timeoutMs: 1_000, now: () => at });
    void zones.nearest(`slow.${ZONE}`, spendNothing);
    expect(await zones.nearest(`b.${ZONE}`, spendNothing)).toMatchObject({ zone: { apex: ZONE, sure: true } });
  });

  it('what a lookup may not spend any more is not asked, and others may still', async () => {
    const broke = (): never => {
      throw new Error('no more');
    };
    await expect(zones.nearest(ZONE, broke)).rejects.toThrow('no more');
    expect(asked).toEqual([]);
    expect(await serversFor(ZONE)).toHaveLength(1);
    expect(await zones.nearest(ZONE, broke)).toMatchObject({ zone: { apex: ZONE } });
  });
});
