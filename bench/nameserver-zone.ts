import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_TENANT_ID, delegationProof } from '@certwright/core';
import { Client } from 'pg';

export const APEX = 'acme.platform.test';
export const NAME_SERVERS = [
  { name: `ns1.${APEX}`, address: '192.0.2.1' },
  { name: `ns2.${APEX}`, address: '192.0.2.2' },
];

/** What resolvers ask of a label beside its TXT values, and of the apex. */
const OTHER_TYPES = [
  ...['A', 'AAAA', 'CAA', 'NS'].map((type) => ({ type, isLabel: true })),
  ...['SOA', 'NS', 'CAA', 'DS'].map((type) => ({ type, isLabel: false })),
];

/** Domains with a label each, as the API makes them. Returns the labels. */
export async function insertLabels(databaseUrl: string, count: number): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO domains (id, tenant_id, name, names, status, verification_token)
       SELECT gen_random_uuid(), $1, name, ARRAY[name], 'active', 'x' FROM (SELECT 'n' || n || '.customer.test' AS name FROM generate_series(1, $2::int) n) n`,
      [DEFAULT_TENANT_ID, count],
    );
    const { rows } = await client.query<{ label: string }>(
      `INSERT INTO delegations (label, domain_id) SELECT translate(md5(name), '0189', 'wxyz'), id FROM domains RETURNING label`,
    );
    return rows.map(({ label }) => label);
  } finally {
    await client.end();
  }
}

/** The same as our name server answers, for Knot. */
export function writeZoneFile(dir: string, labels: string[]): string {
  const lines = [
    `$ORIGIN ${APEX}.`,
    `@ 5 SOA ns1 hostmaster 1 3600 600 1209600 5`,
    '@ 3600 CAA 0 issue ";"',
    ...NAME_SERVERS.flatMap(({ name, address }) => [`@ 3600 NS ${name}.`, `${name}. 3600 A ${address}`]),
    ...labels.map((label) => `${label} 0 TXT "${delegationProof(label)}"`),
  ];
  return written(path.join(dir, 'zone'), lines);
}

/** Of ten questions eight are for a label's TXT values, one for a label that nobody has, one for another type. */
export function writeQuestions(dir: string, labels: string[]): string {
  const lines = labels.map((label, index) => {
    const other = OTHER_TYPES[Math.floor(index / 10) % OTHER_TYPES.length];
    if (index % 10 === 8) return `${label.slice(0, -4)}none.${APEX} TXT`;
    if (index % 10 === 9 && other) return `${other.isLabel ? `${label}.` : ''}${APEX} ${other.type}`;
    return `${label}.${APEX} TXT`;
  });
  return written(path.join(dir, 'questions'), lines);
}

function written(file: string, lines: string[]): string {
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}
