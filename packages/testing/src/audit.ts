import { createPrivateKey, X509Certificate } from 'node:crypto';
import { DEFAULT_TENANT_ID } from '@certwright/core';
import { createDatabase } from '@certwright/db';
import { ordersAtCa } from './at-ca';
import type { Stack } from './stack';

export interface Audit {
  orders: number;
  valid: number;
  /** By the code of their reason. */
  invalid: Record<string, number>;
  live: number;
  /** Orders with a certificate at the CA. */
  certificates: number;
  /** Certificates at the CA that no stored key belongs to. */
  lostKeys: number;
  /** Certificates at the CA beyond one for an order of ours. */
  duplicates: number;
  /** Orders at the CA that are neither finished nor ours any more. */
  leftBehind: number;
  /** What breaks an invariant, in words; empty when all hold. */
  violations: string[];
}

interface OrderRow {
  id: string;
  status: string;
  names: string[];
  reason: { code: string } | null;
  due_at: Date | null;
  acme_url: string | null;
  certificate_id: string | null;
  certificate_at: Date | null;
}

/** The invariants I1 to I6 of docs/faults.md, looked up in the database, at the CA, in the queue store and in the logs. */
export async function audit(stack: Stack): Promise<Audit> {
  const rows = await stack.query<OrderRow>(
    `SELECT o.id, o.status, o.names, o.reason, o.due_at, o.acme_url, c.id AS certificate_id, c.created_at AS certificate_at
       FROM orders o LEFT JOIN certificates c ON c.order_id = o.id`,
  );
  const atCa = await ordersAtCa(stack);
  const issued = atCa.filter(({ status }) => status === 'valid');
  const ours = new Map(rows.filter(({ acme_url: url }) => url).map((row) => [row.acme_url, row]));
  const lost = issued.filter(({ url }) => !ours.get(url)?.certificate_id);
  const known = new Set(issued.map(({ url }) => url));
  const unheardOf = rows.filter(
    ({ acme_url: url, certificate_at: at }) => at !== null && !(stack.caReplacedAt && at < stack.caReplacedAt) && !known.has(url ?? ''),
  );
  const perName = new Map<string, number>();
  for (const { names } of issued) perName.set(names.join(), (perName.get(names.join()) ?? 0) + 1);
  const expected = new Map<string, number>();
  for (const { names } of rows) expected.set(names.join(), (expected.get(names.join()) ?? 0) + 1);
  const duplicates = [...perName].reduce((sum, [name, count]) => sum + Math.max(0, count - (expected.get(name) ?? 0)), 0);
  const leftBehind = atCa.filter(({ url, status }) => status !== 'valid' && status !== 'invalid' && !ours.has(url)).length;
  const mismatched = await mismatches(stack);
  const leaks = await leakedSecrets(stack);
  const cutShort = (await stack.query('SELECT 1 FROM audit.cut_short')).length;
  const I1 = rows.filter(({ status, reason, due_at: due }) => status !== 'valid' && !(status === 'invalid' ? reason : due));
  const isLive = ({ status }: OrderRow): boolean => status !== 'valid' && status !== 'invalid';
  const invalid: Record<string, number> = {};
  for (const { status, reason } of rows) {
    if (status === 'invalid') invalid[reason?.code ?? 'none'] = (invalid[reason?.code ?? 'none'] ?? 0) + 1;
  }
  return {
    orders: rows.length,
    valid: rows.filter(({ status }) => status === 'valid').length,
    invalid,
    live: rows.filter(isLive).length,
    certificates: issued.length,
    lostKeys: lost.length,
    duplicates,
    leftBehind,
    violations: [
      ...I1.map(({ id }) => `I1: order ${id} has neither an end nor a due time`),
      ...(duplicates > 0 ? [`I2: ${duplicates} certificates too many at the CA`] : []),
      ...lost.map(({ names }) => `I2, I3: the CA's certificate for ${names.join()} is not stored`),
      ...unheardOf.map(({ id }) => `I3: order ${id} has a certificate that the CA does not know of`),
      ...mismatched.map((id) => `I3: certificate ${id} does not match its key`),
      ...rows.filter((row) => isLive(row) && row.due_at === null).map(({ id }) => `I4: nothing will find live order ${id}`),
      ...leaks.map((where) => `I5: a secret is in ${where}`),
      ...(leftBehind > cutShort ? [`I6: ${leftBehind} orders left behind at the CA, ${cutShort} placings cut short`] : []),
    ],
  };
}

async function mismatches(stack: Stack): Promise<string[]> {
  const database = createDatabase({ url: stack.databaseUrl, sealingKey: Buffer.from(stack.secrets.masterKey, 'base64') });
  try {
    const wrong: string[] = [];
    for (const { id, chain_pem: chain } of await stack.query<{ id: string; chain_pem: string }>('SELECT id, chain_pem FROM certificates')) {
      const key = await database.certificates.privateKey(DEFAULT_TENANT_ID, id);
      if (!key || !new X509Certificate(chain).checkPrivateKey(createPrivateKey(key))) wrong.push(id);
    }
    return wrong;
  } finally {
    await database.close();
  }
}

const PEM = /-----BEGIN|PRIVATE KEY/;

/** e2e/secrets.test.ts looks for the keys themselves; here it is what any leak would look like. */
async function leakedSecrets(stack: Stack): Promise<string[]> {
  const { masterKey, authToken, adminPassword } = stack.secrets;
  const isLeak = (text: string): boolean => PEM.test(text) || [masterKey, authToken, adminPassword].some((one) => text.includes(one));
  const jobs = await stack.query<{ text: string }>('SELECT row_to_json(j)::text AS text FROM bullmq.job j');
  const told = await stack.query<{ text: string }>(
    `SELECT row_to_json(x)::text AS text FROM (SELECT reason FROM orders) x
      UNION ALL SELECT row_to_json(x)::text FROM domains x UNION ALL SELECT row_to_json(x)::text FROM domain_events x
      UNION ALL SELECT row_to_json(x)::text FROM authorizations x`,
  );
  const places: [string, string][] = [
    ['what is told of an order', told.map(({ text }) => text).join('\n')],
    ['the queue store', (await stack.redis?.dump().catch(() => '')) ?? ''],
    ['the job rows', jobs.map(({ text }) => text).join('\n')],
    ...stack.processes().map((one): [string, string] => [`the log of ${one.role} ${one.pid}`, one.output()]),
  ];
  return places.filter(([, text]) => isLeak(text)).map(([where]) => where);
}
