import path from 'node:path';
import { migrate } from '@certwright/db';
import { migrateQueueSchema } from '@certwright/jobs';
import {
  type CertwrightProcess,
  type CertwrightRole,
  type NameServers,
  startAcmeCa,
  startCertwright,
  startNameServers,
  startPostgres,
} from '@certwright/testing';
import type { CustomerDns } from './customer';
import { startDnsControl } from './dns-control';
import { choosePort } from './ports';
import type { Printer } from './print';
import { type Settings, shown } from './settings';

/** Parts that the person has already: given, they are used instead of an embedded one. */
export interface Given {
  databaseUrl?: string;
  redisUrl?: string;
  acmeDirectory?: string;
  acmeCaFile?: string;
  port?: number;
}

export interface DevStack {
  apiUrl: string;
  dns: CustomerDns;
  /** Where anybody on this machine can set TXT records of the demo's zone. */
  dnsControlUrl: string;
  rootPem: string | null;
  /** Resolves with one sentence when a part has ended that nobody told to. */
  crashed: Promise<string>;
  stop(): Promise<void>;
}

const POLL_INTERVAL = '2s';
/** Who tries it reads in between. */
const POLL_TIMEOUT = '1h';

/** The platform's own, for `--delegated`. */
const ACME_ZONE = 'acme.platform.test';

/** Starts the parts that are not given, then the API and a worker, each printing its line. */
export async function startDevStack(settings: Settings, given: Given, print: Printer): Promise<DevStack> {
  const closers: { what: string; close: () => Promise<unknown> }[] = [];
  let stopping = false;
  const crashes: Promise<string>[] = [];
  const watch = (what: string, exited: Promise<unknown>): void => {
    crashes.push(
      exited.then(() => (stopping ? new Promise<string>(() => undefined) : `${what} ended unexpectedly`)),
    );
  };
  const stop = async (): Promise<void> => {
    stopping = true;
    for (const { what, close } of closers.splice(0).reverse()) {
      await close().catch((error: unknown) => print.step(what, `did not stop in order: ${String(error)}`));
    }
  };
  const opened = <T extends { exited?: Promise<unknown> }>(what: string, part: T, close: () => Promise<unknown>): T => {
    closers.push({ what, close });
    if (part.exited) watch(what, part.exited);
    return part;
  };

  try {
    const databaseUrl = given.databaseUrl ?? (await embeddedPostgres());
    await migrate(databaseUrl);
    if (!given.redisUrl) await migrateQueueSchema(databaseUrl);
    print.step('queue', given.redisUrl ? 'in the Redis given by REDIS_URL' : "BullMQ's tables in the same PostgreSQL");
    const dns = await nameServer();
    const ca = await certificateAuthority(dns.port);
    const env = environment(settings, { databaseUrl, given, dnsPort: dns.port, ca });
    await ourNameServer(dns, env);
    const apiPort = await choosePort(print, 'api', given.port ?? 3000);
    const [api] = await Promise.all([
      ourProcess('api', env, apiPort),
      ourProcess('worker', env, await choosePort(print, 'worker', 3001)),
    ]);
    const dnsControlUrl = await dnsControl(dns);
    return { apiUrl: api.url, dns, dnsControlUrl, rootPem: ca.rootPem, crashed: Promise.race(crashes), stop };
  } catch (error) {
    await stop();
    throw error;
  }

  async function embeddedPostgres(): Promise<string> {
    const port = await choosePort(print, 'postgres', 54_329);
    const dataDir = path.join(settings.folder, 'postgres');
    const postgres = await startPostgres({ dataDir, port });
    opened('postgres', postgres, () => postgres.stop());
    print.step('postgres', `listens on 127.0.0.1:${postgres.port} (process ${postgres.pid})`);
    return postgres.url('postgres');
  }

  async function nameServer(): Promise<NameServers> {
    const dns = await startNameServers({ port: await choosePort(print, 'dns', 8053) });
    opened('dns', {}, () => dns.close());
    dns.addZone('customer.test');
    print.step('dns', `answers for customer.test on 127.0.0.1:${dns.port}`);
    return dns;
  }

  /** Behind the demo's own, as a zone that is delegated to it would be: it has no port 53 of its own here. */
  async function ourNameServer(dns: NameServers, env: Record<string, string>): Promise<void> {
    const port = await choosePort(print, 'nameserver', 8056);
    const healthPort = await choosePort(print, 'nameserver', 3002);
    await ourProcess('nameserver', { ...env, NAMESERVER_LISTEN: `127.0.0.1:${port}` }, healthPort);
    dns.relay(ACME_ZONE, port);
  }

  async function dnsControl(dns: NameServers): Promise<string> {
    const port = await choosePort(print, 'dns', 8055);
    const control = await startDnsControl(dns, { port, host: '127.0.0.1' });
    opened('dns control', {}, () => control.close());
    return `http://127.0.0.1:${port}`;
  }

  async function certificateAuthority(dnsPort: number): Promise<Ca> {
    if (given.acmeDirectory) {
      print.step('ca', `${given.acmeDirectory}, given by ACME_DIRECTORY`);
      return { directoryUrl: given.acmeDirectory, rootPem: null, ...(given.acmeCaFile && { caFile: given.acmeCaFile }) };
    }
    const ports = {
      acme: await choosePort(print, 'pebble', 14_000),
      management: await choosePort(print, 'pebble', 15_000),
    };
    const ca = await startAcmeCa({ dnsServer: `127.0.0.1:${dnsPort}`, ports, dir: path.join(settings.folder, 'pebble') });
    opened('pebble', ca, () => ca.stop());
    print.step('pebble', `the test CA, ${ca.directoryUrl} (process ${ca.pid})`);
    return { directoryUrl: ca.directoryUrl, caFile: ca.caFile, rootPem: await ca.rootPem(), profile: 'default' };
  }

  async function ourProcess(role: CertwrightRole, env: Record<string, string>, port: number): Promise<CertwrightProcess> {
    const logFile = path.join(settings.folder, 'logs', `${role}.log`);
    const one = await startCertwright(role, env, { port, logFile });
    opened(role, one, () => one.stop());
    await one.ready();
    print.step(role, `ready at ${one.url} (process ${one.pid}, log in ${shown(logFile)})`);
    return one;
  }
}

interface Ca {
  directoryUrl: string;
  caFile?: string;
  rootPem: string | null;
  profile?: string;
}

function environment(
  settings: Settings,
  { databaseUrl, given, dnsPort, ca }: { databaseUrl: string; given: Given; dnsPort: number; ca: Ca },
): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    ...(given.redisUrl && { REDIS_URL: given.redisUrl }),
    ACME_DIRECTORY: ca.directoryUrl,
    ...(ca.caFile && { ACME_CA_FILE: ca.caFile }),
    ...(ca.profile && { ACME_PROFILE: ca.profile }),
    ACME_EMAIL: 'operator@platform.test',
    DNS_RESOLVERS: `127.0.0.1:${dnsPort}`,
    DNS_AUTHORITATIVE_PORT: String(dnsPort),
    DNS_ALLOW_PRIVATE: 'true',
    ALLOW_SPECIAL_USE_DOMAINS: 'true',
    POLL_INTERVAL,
    POLL_TIMEOUT,
    ACME_ZONE,
    ACME_ZONE_NS: `ns1.${ACME_ZONE}=127.0.0.1`,
    HOST: '127.0.0.1',
    AUTH_TOKEN: settings.authToken,
    ADMIN_PASSWORD: settings.adminPassword,
    MASTER_KEY_FILE: settings.masterKeyFile,
  };
}
