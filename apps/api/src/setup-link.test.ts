import { randomBytes, randomUUID } from 'node:crypto';
import { createSetupLinks } from './setup-link';

const LINK = { tenantId: randomUUID(), domainId: randomUUID(), expiresAt: new Date('2027-01-01T00:00:00Z') };
const BEFORE = new Date('2026-12-31T23:59:59Z');

describe('a setup link', () => {
  const links = createSetupLinks(randomBytes(32));
  const token = links.sign(LINK);

  it('names its domain until it expires', () => {
    expect(links.open(token, BEFORE)).toEqual(LINK);
    expect(links.open(token, LINK.expiresAt)).toBeNull();
  });

  it('is nobody’s once anything of it is changed', () => {
    for (let at = 0; at < token.length; at += 1) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      expect(links.open(changed, BEFORE)).toBeNull();
    }
    expect(links.open('', BEFORE)).toBeNull();
    expect(links.open(`${token}A`, BEFORE)).toBeNull();
    expect(createSetupLinks(randomBytes(32)).open(token, BEFORE)).toBeNull();
  });
});
