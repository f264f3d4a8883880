import type { ServerAnswer } from '@certwright/core';
import type { SoaAnswer } from 'dns-packet';
import { lower } from './names';
import { DnsWireError, query } from './wire';

/** A zone's SOA as one server has it (RFC 1035 section 3.3.13). */
export interface AskedSoa {
  address: string;
  serial: number;
  /** MNAME: the server that the zone is edited at. */
  primary: string;
  /** How often secondaries look for a new serial, in seconds. */
  refresh: number;
  /** For how long resolvers keep an absence, in seconds (RFC 2308 section 5). */
  negativeTtl: number;
}

/** Servers that give no SOA are left out. */
export async function soaAt(
  zone: string,
  servers: Pick<ServerAnswer, 'address'>[],
  { budgetMs, authoritativePort }: { budgetMs(): number; authoritativePort: number },
): Promise<AskedSoa[]> {
  const asked = await Promise.all(
    servers.map(async ({ address }) => {
      try {
        const reply = await query({ name: zone, type: 'SOA' }, { address, port: authoritativePort }, { timeoutMs: Math.max(1, budgetMs()) });
        const soa = reply.answers?.find((record): record is SoaAnswer => record.type === 'SOA');
        if (!soa) return [];
        const { serial = 0, refresh = 0, minimum = 0, mname } = soa.data;
        return [{ address, serial, primary: lower(mname), refresh, negativeTtl: Math.min(minimum, soa.ttl ?? minimum) }];
      } catch (error) {
        if (error instanceof DnsWireError) return [];
        throw error;
      }
    }),
  );
  return asked.flat();
}
