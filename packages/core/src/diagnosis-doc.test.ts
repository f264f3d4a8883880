import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DIAGNOSIS_CODES } from './diagnosis';

describe('docs/dns-diagnoses.md', () => {
  it('has each code once, in the order of the code', () => {
    const text = readFileSync(path.resolve(__dirname, '../../../docs/dns-diagnoses.md'), 'utf8');
    expect([...text.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code)).toEqual([...DIAGNOSIS_CODES]);
  });
});
