import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { type AcmeCa, startAcmeCa } from './acme-ca';
import { type ApiClient, createApiClient, type DomainBody } from './api-client';
import { deactivateAuthorizations } from './at-ca';
import { type CertwrightProcess, type CertwrightRole, startCertwright } from './certwright-process';
import { CUT_SHORT_SQL } from './cut-short';
import { createTestDatabase } from './database';
import { type FaultProxy, startFaultProxy } from './fault-proxy';
import type { NameServers } from './name-servers';
import { startNameServersApart } from './name-servers-apart';
import { openOwnPostgres } from './own-postgres';
import type { PostgresServer } from './postgres';
import type { RealDns } from './real-dns';
import { type RedisOptions, type RedisServer, startRedis } from './redis';

export interface StackOptions {
  /** Where BullMQ keeps its jobs. */
  queue: 'redis' | 'postgres';
  /** Default 1. */
  workers?: number;
  /** Added to, or replacing, what every process gets. */
  env?: Record<string, string>;
  /** Whether a fault proxy stands between the processes and the CA. */
  proxy?: boolean;
  redis?: RedisOptions;
  /** A PostgreSQL of its own, to be restarted. */
  ownPostgres?: boolean;
  /** Loopback addresses that name servers listen on. Default: one. */
  nameServers?: string[];
  /** Whether `dns.queries` is kept. Default true. */
  wantsQueries?: boolean;
  /** Of Pebble. */
  caEnv?: Record<string, string>;
  /** Real servers instead of those in this process: for the product, and the recursor for the CA, too. */
  realDns?: Pick<RealDns, 'resolver' | 'addresses' | 'port'>;
  /** The zone of our own name servers, which real DNS has been told to delegate to `ours` and `ours2`. */
  acmeZone?: string;
}

export interface Stack {
  api: ApiClient;
  apiProcess: CertwrightProcess;
  workers: CertwrightProcess[];
  dns: NameServers;
  ca: AcmeCa;
  /** When the CA was replaced by one that knows nothing of what was before. */
  caReplacedAt: Date | null;
  /** The roots that the processes trust the CA's TLS by. */
  caFile: string;
  /** As the processes know it. */
  directoryUrl: string;
  proxy: FaultProxy;
  databaseUrl: string;
  redis: RedisServer | null;
  postgres: PostgresServer | null;
  /** Secrets that must not turn up anywhere. */
  secrets: { authToken: string; masterKey: string; adminPassword: string };
  /** All that were ever started. */
  processes(): CertwrightProcess[];
  startWorker(env?: Record<string, string>): Promise<CertwrightProcess>;
  /** Our own, for `options.acmeZone`, at one of the addresses that real DNS delegates it to. */
  startNameServer(address: string, env?: Record<string, string>): Promise<CertwrightProcess>;
  /** In the place of the one before. */
  startApi(env?: Record<string, string>): Promise<CertwrightProcess>;
  /** Redis at the same address, again. */
  startRedis(): Promise<RedisServer>;
  /** PostgreSQL at the same address, on the same data, again. */
  startPostgres(): Promise<PostgresServer>;
  /** From nothing to a verified domain. */
  verifiedDomain(name: string): Promise<DomainBody>;
  /** Verified domains, straight into the database: their ids. */
  seedDomains(names: string[]): Promise<string[]>;
  /** Rows straight from the database. */
  query<T extends object>(sql: string, values?: unknown[]): Promise<T[]>;
  /** Asks for a certificate and publishes the value. Returns the order's id. */
  order(domainId: string): Promise<string>;
  /** Publishes the values that an order asks for, once it is placed: that may take longer than issue-certificate waits. */
  setRecords(orderId: string): Promise<void>;
  /** What the CA has validated it has to validate again. */
  forgetAuthorizations(): Promise<void>;
  /** Another CA process behind the proxy, which knows nothing of what the first one did. */
  replaceCa(): Promise<void>;
  stop(): Promise<void>;
}

/** Delegated to both places where our own name servers can be. */
function acmeZone({ acmeZone: zone, realDns }: StackOptions): Record<string, string> {
  if (zone === undefined) return {};
  const at = (['ours', 'ours2'] as const).map((role, index) => `ns${index + 1}.${zone}=${realDns?.addresses[role] ?? ''}`);
  return { ACME_ZONE: zone, ACME_ZONE_NS: at.join() };
}

const PLACED_WITHIN_MS = 20_000;

/** The whole service on real parts, for one test file: its own database, queue store, CA, zone `customer.test`. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const closers: (() => Promise<unknown>)[] = [];
  const opened = <T>(part: T, close: (part: T) => Promise<unknown>): T => {
    closers.unshift(() => close(part));
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0)) await close();
  };
  try {
    return await open(options, opened, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

type Opened = <T>(part: T, close: (part: T) => Promise<unknown>) => T;

async function open(options: StackOptions, opened: Opened, stop: () => Promise<void>): Promise<Stack> {
  const own = options.ownPostgres === true ? opened(await openOwnPostgres(), (one) => one.stop()) : null;
  const database = own ?? opened(await createTestDatabase(), (one) => one.drop());
  let redis = options.queue === 'redis' ? await startRedis(options.redis) : null;
  opened(null, async () => redis?.stop());
  const dns = opened(await startNameServersApart({ addresses: options.nameServers ?? ['127.0.0.1'], wantsQueries: options.wantsQueries ?? true }), (one) => one.close());
  dns.addZone('customer.test');
  const { resolver, port: authoritativePort } = options.realDns ?? { resolver: { address: '127.0.0.1', port: dns.port }, port: dns.port };
  const resolverAt = `${resolver.address}:${resolver.port}`;
  const caOptions = { dnsServer: resolverAt, ...(options.caEnv && { env: options.caEnv }) };
  let ca = opened(await startAcmeCa(caOptions), (one) => one.stop());
  const { caFile } = ca;
  const proxy = options.proxy === true ? opened(await startFaultProxy(ca), (one) => one.stop()) : null;
  const directoryUrl = proxy?.directoryUrl ?? ca.directoryUrl;
  const secrets = {
    authToken: randomBytes(32).toString('base64url'),
    masterKey: randomBytes(32).toString('base64'),
    adminPassword: randomBytes(16).toString('base64url'),
  };
  const env = {
    DATABASE_URL: database.url,
    ...(redis && { REDIS_URL: redis.url }),
    ACME_DIRECTORY: directoryUrl,
    ACME_CA_FILE: caFile,
    ACME_EMAIL: 'ops@platform.test',
    ACME_PROFILE: 'default',
    ACME_ORDERS_PER_3H: '100000',
    ACME_ORDERS_PER_DOMAIN_PER_WEEK: '100000',
    DNS_RESOLVERS: resolverAt,
    DNS_AUTHORITATIVE_PORT: String(authoritativePort),
    DNS_ALLOW_PRIVATE: 'true',
    ALLOW_SPECIAL_USE_DOMAINS: 'true',
    POLL_INTERVAL: '500ms',
    AUTH_TOKEN: secrets.authToken,
    ADMIN_PASSWORD: secrets.adminPassword,
    MASTER_KEY: secrets.masterKey,
    LOG_LEVEL: 'debug',
    ...acmeZone(options),
    ...options.env,
  };
  const all: CertwrightProcess[] = [];
  const start = async (role: CertwrightRole, more: Record<string, string> = {}): Promise<CertwrightProcess> => {
    const one = opened(await startCertwright(role, { ...env, ...more }), (it) => it.stop());
    all.push(one);
    if (role === 'worker') workers.push(one);
    // One that is to die may be dead before it is ready.
    await (more.CRASH_AT === undefined ? one.ready() : one.ready().catch(() => one.exited));
    return one;
  };
  const workers: CertwrightProcess[] = [];
  const [apiProcess] = await Promise.all([
    start('api'),
    ...Array.from({ length: options.workers ?? 1 }, () => start('worker')),
  ]);
  const pool = opened(new Pool({ connectionString: database.url, max: 2 }), (one) => one.end());
  pool.on('error', () => undefined); // PostgreSQL may be restarted under it
  await pool.query(CUT_SHORT_SQL);

  const stack: Stack = {
    api: createApiClient(apiProcess.url, secrets.authToken),
    apiProcess,
    workers,
    dns,
    ca,
    caReplacedAt: null,
    caFile,
    directoryUrl,
    get proxy() {
      if (!proxy) throw new Error('this stack has no fault proxy: start it with { proxy: true }');
      return proxy;
    },
    databaseUrl: database.url,
    redis,
    postgres: own?.server() ?? null,
    secrets,
    processes: () => all,
    startWorker: (more) => start('worker', more),
    startNameServer: (at, more) => start('nameserver', { NAMESERVER_LISTEN: `${at}:${authoritativePort}`, ...more }),
    async startApi(more) {
      stack.apiProcess = await start('api', more);
      stack.api = createApiClient(stack.apiProcess.url, secrets.authToken);
      return stack.apiProcess;
    },
    async startRedis() {
      redis = await startRedis({ ...options.redis, port: Number(new URL(redis?.url ?? '').port) });
      stack.redis = redis;
      return redis;
    },
    async startPostgres() {
      if (!own) throw new Error('this stack has no PostgreSQL of its own');
      stack.postgres = await own.restart();
      return stack.postgres;
    },
    stop,

    async query<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
      return (await pool.query<T>(sql, values)).rows;
    },

    async seedDomains(names) {
      const rows = await stack.query<{ id: string }>(
        `WITH seeded AS (
           INSERT INTO domains (id, tenant_id, name, names, status, verification_token, verified_at)
           SELECT gen_random_uuid(), (SELECT id FROM tenants LIMIT 1), n, ARRAY[n], 'verified', 'seeded', now()
             FROM unnest($1::text[]) AS n RETURNING id)
         INSERT INTO delegations (label, domain_id) SELECT replace(id::text, '-', ''), id FROM seeded RETURNING domain_id AS id`,
        [names],
      );
      return rows.map(({ id }) => id);
    },

    async verifiedDomain(name) {
      const { body: domain, status, text } = await stack.api.register(name);
      if (status !== 201) throw new Error(`register ${name}: ${status} ${text}`);
      dns.setTxt(`_certwright-challenge.${name}`, [domain.verification_token ?? '']);
      const verified = await stack.api.verify(domain.id);
      if (verified.status !== 200) throw new Error(`verify ${name}: ${verified.status} ${verified.text}`);
      return verified.body;
    },

    async order(domainId) {
      const { body, status, text } = await stack.api.issue(domainId);
      if (status !== 202) throw new Error(`issue-certificate: ${status} ${text}`);
      await stack.setRecords(body.order_id);
      return body.order_id;
    },

    async setRecords(orderId) {
      for (const giveUpAt = performance.now() + PLACED_WITHIN_MS; ; await sleep(50)) {
        const { status, authorizations } = (await stack.api.order(orderId)).body;
        if (status === 'new' && performance.now() < giveUpAt) continue;
        for (const name of new Set(authorizations.map(({ txt_name }) => txt_name))) {
          dns.setTxt(name, authorizations.filter(({ txt_name }) => txt_name === name).map(({ txt_value }) => txt_value));
        }
        return;
      }
    },

    // Pebble takes one valid authorization in a hundred again, whatever PEBBLE_AUTHZREUSE says.
    async forgetAuthorizations() {
      const urls = await stack.query<{ url: string }>("SELECT url FROM authorizations WHERE status = 'valid'");
      await deactivateAuthorizations(stack, urls.map(({ url }) => url));
    },

    async replaceCa() {
      ca = opened(await startAcmeCa(caOptions), (one) => one.stop());
      stack.ca = ca;
      stack.caReplacedAt = new Date();
      stack.proxy.redirect(ca);
    },
  };
  return stack;
}
