import { DEFAULT_TENANT_ID } from '@certwright/core';
import type { Client } from 'pg';

const ID = (prefix: number): string => `(lpad('${prefix}', 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`;

/**
 * Domains number `from` to `to`, each with an order that is over, a certificate, and a renewal that nothing is to be done about for days; one
 * of a hundred is in trouble. Foreign keys are not looked at while they are written.
 */
export async function insertRenewals(client: Client, { from, to }: { from: number; to: number }): Promise<void> {
  const tenant = `'${DEFAULT_TENANT_ID}'::uuid`;
  const series = `FROM generate_series(${from}, ${to}) n`;
  await client.query(`
    SET session_replication_role = replica;
    INSERT INTO domains (id, tenant_id, name, names, status, verification_token, watch_at)
      SELECT ${ID(1)}, ${tenant}, 'd' || n || '.test', ARRAY['d' || n || '.test'], 'active', 'token',
             now() + interval '1 hour' + random() * interval '1 day' ${series};
    INSERT INTO orders (id, tenant_id, domain_id, names, key_type, status, created_at)
      SELECT ${ID(2)}, ${tenant}, ${ID(1)}, ARRAY['d' || n || '.test'], 'ec-256', 'valid', now() - interval '1 day' ${series};
    INSERT INTO certificates (id, tenant_id, domain_id, order_id, names, chain_pem, sealed_key, serial, sha256, issuer, key_type, not_before, not_after)
      SELECT ${ID(3)}, ${tenant}, ${ID(1)}, ${ID(2)}, ARRAY['d' || n || '.test'], 'chain', '\\x00', '01', 'ab', 'Test CA', 'ec-256', now(),
             now() + interval '90 days' ${series};
    INSERT INTO renewals (domain_id, tenant_id, certificate_id, issued_at, not_before, not_after, directory_url, cert_id, window_start, window_end,
                          renew_at, ask_at, manual, failures, look_at)
      SELECT ${ID(1)}, ${tenant}, ${ID(3)}, now(), now(), now() + (1 + random() * 89) * interval '1 day', 'https://ca.test/dir', 'aki.' || n,
             now() + interval '50 days', now() + interval '60 days', now() + interval '55 days', now() + random() * interval '1 day', false,
             CASE WHEN n % 100 = 0 THEN 1 ELSE 0 END, now() + interval '1 hour' + random() * interval '60 days' ${series};
    SET session_replication_role = DEFAULT;`);
  await client.query('VACUUM ANALYZE domains, orders, certificates, renewals');
}

/** So many renewals, and as many domains, all over the table, are due, and no others; what that leaves behind is swept up, as it would be by itself. */
export async function makeDue(client: Client, { rows, due }: { rows: number; due: number }): Promise<void> {
  const chosen = `SELECT ${ID(1)} FROM generate_series(1, ${rows}, greatest(1, ${rows} / greatest(1, ${due}))) n LIMIT ${due}`;
  await client.query(`
    UPDATE renewals SET look_at = now() + interval '1 day' WHERE look_at < now() + interval '30 minutes';
    UPDATE domains SET watch_at = now() + interval '1 day' WHERE watch_at < now() + interval '30 minutes';
    UPDATE renewals SET look_at = now() - random() * interval '1 hour' WHERE domain_id IN (${chosen});
    UPDATE domains SET watch_at = now() - random() * interval '1 hour' WHERE id IN (${chosen})`);
  await client.query('VACUUM renewals, domains');
}
