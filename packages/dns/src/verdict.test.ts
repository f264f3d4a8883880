import type { ServerAnswer, ServerState } from '@certwright/core';
import { conclude, verdictOf } from './verdict';

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
    expect(conclude('_acme-challenge.a.customer.test', [], 'customer.test', servers).detail).toBe(
      'TXT _acme-challenge.a.customer.test: 2 of 3 name servers of customer.test have the value; ' +
        'ns3.customer.test (192.0.2.3) answers that the name does not exist.',
    );
  });

  it('names the alias that was followed', () => {
    const { detail } = conclude('_acme-challenge.a.test', ['x.acme.test'], 'acme.test', [answer('nodata')]);
    expect(detail).toContain('_acme-challenge.a.test (an alias of x.acme.test)');
  });

  it('tells a domain without a zone from a zone without servers', () => {
    expect(conclude('a.b.test', [], null, [])).toMatchObject({
      verdict: 'no_zone',
      detail: expect.stringContaining('No zone was found'),
    });
    expect(conclude('a.b.test', [], 'b.test', []).detail).toContain('no name servers with an address');
  });
});
