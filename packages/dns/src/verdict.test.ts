import type { ServerAnswer, ServerState } from '@certwright/core';
import { conclude, noZone, verdictOf } from './verdict';

const answer = (state: ServerState, index = 1): ServerAnswer => ({
  server: `ns${index}.customer.test`,
  address: `192.0.2.${index}`,
  state,
  values: [],
});

describe('the verdict over all name servers', () => {
  it.each<[ServerState[], string]>([
    [['match'], 'ready'],
    [['match', 'match'], 'ready'],
    [['match', 'timeout', 'lame', 'refused', 'servfail', 'unreachable', 'malformed', 'not_public'], 'ready'],
    [['match', 'nxdomain'], 'partial'],
    [['match', 'mismatch'], 'partial'],
    [['nodata', 'nxdomain'], 'absent'],
    [['mismatch', 'timeout'], 'absent'],
    [['timeout', 'lame'], 'no_answer'],
  ])('%j is %s', (states, verdict) => {
    expect(verdictOf(states.map((state) => answer(state)))).toBe(verdict);
  });

  it('says who has the value and who does not, by name', () => {
    const servers = [answer('match', 1), answer('match', 2), answer('nxdomain', 3)];
    expect(conclude('_acme-challenge.a.customer.test', [], 'customer.test', { servers }).detail).toBe(
      'TXT _acme-challenge.a.customer.test: 2 of 3 name servers of customer.test have the value; ' +
        'ns3.customer.test (192.0.2.3) answers that the name does not exist.',
    );
  });

  it('names the alias that was followed', () => {
    const { detail } = conclude('_acme-challenge.a.test', ['x.acme.test'], 'acme.test', { servers: [answer('nodata')] });
    expect(detail).toContain('_acme-challenge.a.test (an alias of x.acme.test)');
  });

  it.each<[ServerState[], string]>([
    [['match'], 'the name server of customer.test has the value.'],
    [['match', 'match'], 'all 2 name servers of customer.test have the value.'],
    [['nxdomain'], 'the name server of customer.test does not have the value; ns1'],
    [['nodata', 'timeout'], 'none of the 2 name servers of customer.test has the value; ns1'],
    [['match', 'timeout'], '1 of 2 name servers of customer.test has the value; ns2'],
  ])('%j reads as a sentence: %s', (states, words) => {
    const servers = states.map((state, index) => answer(state, index + 1));
    expect(conclude('a.customer.test', [], 'customer.test', { servers }).detail).toContain(`TXT a.customer.test: ${words}`);
  });

  it('stays one sentence however many servers there are', () => {
    const servers = Array.from({ length: 16 }, (_, index) => answer('timeout', index + 1));
    const { detail } = conclude('a.customer.test', [], 'customer.test', { servers });
    expect(detail).toContain('ns4.customer.test');
    expect(detail).not.toContain('ns5.customer.test');
    expect(detail).toMatch(/; 12 more do not have it either\.$/);
  });

  it('a server that lacks the alias of the others keeps a record from being ready', () => {
    const said = { servers: [answer('match')], behind: [answer('nxdomain', 2)] };
    const evidence = conclude('a.test', ['x.acme.test'], 'acme.test', said);
    expect(evidence).toMatchObject({ verdict: 'partial', servers: [{ state: 'nxdomain' }, { state: 'match' }] });
  });

  it('tells a domain without a zone, a resolver that is silent, and a zone without servers apart', () => {
    expect(noZone('a.b.test', [], true).detail).toContain('not registered');
    expect(noZone('a.b.test', [], false).detail).toContain('no DNS resolver');
    const nowhere = { ...answer('unreachable'), address: '' };
    expect(conclude('a.b.test', [], 'b.test', { servers: [nowhere] })).toMatchObject({
      verdict: 'no_zone',
      detail: expect.stringContaining('no name servers with an address'),
    });
  });

  it('names the server that has no address', () => {
    const servers = [answer('match'), { ...answer('unreachable', 2), address: '' }];
    const { detail } = conclude('a.test', [], 'a.test', { servers });
    expect(detail).toContain('; ns2.customer.test has no address.');
  });
});
