import { startNameServers } from '@certwright/testing';
import { startDnsControl } from './dns-control';

/** The demo's name server as a process of its own, for docker compose: authoritative for one zone, set over HTTP. */
async function main(): Promise<void> {
  const { env } = process;
  const dns = await startNameServers({
    port: Number(env.NAME_SERVER_PORT ?? 8053),
    addresses: [env.NAME_SERVER_ADDRESS ?? '127.0.0.1'],
  });
  dns.addZone(env.NAME_SERVER_ZONE ?? 'customer.test');
  await startDnsControl(dns, { port: Number(env.NAME_SERVER_CONTROL_PORT ?? 8055), host: env.NAME_SERVER_CONTROL_HOST ?? '127.0.0.1' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));
}

void main();
