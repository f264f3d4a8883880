import { createPrivateKey } from 'node:crypto';
import { type Stack, startStack } from '@certwright/testing';

/** All tables of all schemas, as text: bytea in hex. */
async function dumpDatabase(stack: Stack): Promise<string> {
  const tables = await stack.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
      WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  const parts = [];
  for (const { name } of tables) parts.push(JSON.stringify(await stack.query(`SELECT t::text AS row FROM ${name} AS t`)));
  return parts.join('\n');
}

describe.each(['redis', 'postgres'] as const)('after a run with the queue in %s', (queue) => {
  let stack: Stack;
  let dumps: Record<string, string>;
  let privateKeyPem: string;

  beforeAll(async () => {
    stack = await startStack({ queue });
    const { id } = await stack.verifiedDomain('secret.customer.test');
    await stack.order(id);
    await stack.api.settled(id, 30_000);
    const failing = await stack.verifiedDomain('failing.customer.test');
    await stack.api.issue(failing.id);
    privateKeyPem = await stack.api.privateKey(id);
    const refused = await fetch(`${stack.apiProcess.url}/domains`, { headers: { authorization: `Bearer ${stack.secrets.authToken}x` } });
    expect(await refused.text()).toContain('unauthorized');
    dumps = {
      database: await dumpDatabase(stack),
      queue: (await stack.redis?.dump()) ?? '',
      logs: [stack.apiProcess, ...stack.workers].map((one) => one.output()).join('\n'),
    };
  }, 90_000);
  afterAll(() => stack.stop());

  it('the dumps hold what was looked for at all', () => {
    expect(dumps.database).toContain('secret.customer.test');
    expect(dumps.logs).toContain('place-order');
    if (queue === 'redis') expect(dumps.queue).toContain('place-order');
    else expect(dumps.database).toContain('await-dns');
  });

  it.each(['database', 'queue', 'logs'])('the %s shows no private key, token or master key', (which) => {
    const dump = dumps[which] ?? '';
    const der = createPrivateKey(privateKeyPem).export({ format: 'der', type: 'pkcs8' });
    const jwk = createPrivateKey(privateKeyPem).export({ format: 'jwk' });
    const scalar = Buffer.from(jwk.d ?? '', 'base64url');
    const masterKey = Buffer.from(stack.secrets.masterKey, 'base64');
    const secrets = [der, scalar, masterKey].flatMap((bytes) => [
      bytes.toString('hex'),
      bytes.toString('base64').slice(0, -4),
      bytes.toString('base64url').slice(0, -4),
    ]);
    secrets.push(...Object.values(stack.secrets), 'PRIVATE KEY');
    for (const secret of secrets) expect(dump.includes(secret)).toBe(false);
  });

  it('every line about an order in the worker’s log names the order, and the request that asked for it', () => {
    const lines = stack.workers[0]?.output().trim().split('\n').map((line) => JSON.parse(line) as Record<string, string>) ?? [];
    const about = lines.filter(({ job }) => job && !['reconcile', 'renew-due', 'watch-delegation'].includes(job));
    expect(about.length).toBeGreaterThan(3);
    for (const line of about) expect(line).toMatchObject({ orderId: expect.any(String), requestId: expect.any(String) });
  });
});
