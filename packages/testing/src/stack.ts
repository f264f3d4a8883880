import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { type AcmeCa, startAcmeCa } from './acme-ca';
import { type ApiClient, createApiClient, type DomainBody } from './api-client';
import { type CertwrightProcess, startCertwright } from './certwright-process';
import { createTestDatabase } from './database';
import { type NameServers, startNameServers } from './name-servers';
import { type RedisServer, startRedis } from './redis';

export interface StackOptions {
  /** Where BullMQ keeps its jobs. */
  queue: 'redis' | 'postgres';
  /** Default 1. */
  workers?: number;
  /** Added to, or replacing, what every process gets. */
  env?: Record<string, string>;
  /** What stands between the processes and the CA, if anything. */
  acmeProxy?: (ca: AcmeCa) => Promise<{ directoryUrl: string; stop(): Promise<void> }>;
}

export interface Stack {
  api: ApiClient;
  apiProcess: CertwrightProcess;
  workers: CertwrightProcess[];
  dns: NameServers;
  ca: AcmeCa;
  databaseUrl: string;
  redis: RedisServer | null;
  /** Secrets that must not turn up anywhere. */
  secrets: { authToken: string; masterKey: string; adminPassword: string };
  startWorker(): Promise<CertwrightProcess>;
  /** From nothing to a verified domain. */
  verifiedDomain(name: string): Promise<DomainBody>;
  /** Rows straight from the database. */
  query<T extends object>(sql: string): Promise<T[]>;
  /** Asks for a certificate and publishes the value. Returns the order's id. */
  order(domainId: string): Promise<string>;
  stop(): Promise<void>;
}

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
  const database = opened(await createTestDatabase(), (one) => one.drop());
  const redis = options.queue === 'redis' ? opened(await startRedis(), (one) => one.stop()) : null;
  const dns = opened(await startNameServers(), (one) => one.close());
  dns.addZone('customer.test');
  const ca = opened(await startAcmeCa({ dnsServer: `127.0.0.1:${dns.port}` }), (one) => one.stop());
  const proxy = options.acmeProxy ? opened(await options.acmeProxy(ca), (one) => one.stop()) : null;
  const secrets = {
    authToken: randomBytes(32).toString('base64url'),
    masterKey: randomBytes(32).toString('base64'),
    adminPassword: randomBytes(16).toString('base64url'),
  };
  const env = {
    DATABASE_URL: database.url,
    ...(redis && { REDIS_URL: redis.url }),
    ACME_DIRECTORY: proxy?.directoryUrl ?? ca.directoryUrl,
    ACME_CA_FILE: ca.caFile,
    ACME_EMAIL: 'ops@platform.test',
    ACME_PROFILE: 'default',
    DNS_RESOLVERS: `127.0.0.1:${dns.port}`,
    DNS_AUTHORITATIVE_PORT: String(dns.port),
    DNS_ALLOW_PRIVATE: 'true',
    ALLOW_SPECIAL_USE_DOMAINS: 'true',
    POLL_INTERVAL: '500ms',
    AUTH_TOKEN: secrets.authToken,
    ADMIN_PASSWORD: secrets.adminPassword,
    MASTER_KEY: secrets.masterKey,
    LOG_LEVEL: 'debug',
    ...options.env,
  };
  const workers: CertwrightProcess[] = [];
  const startWorker = async (): Promise<CertwrightProcess> => {
    const worker = opened(await startCertwright('worker', env), (one) => one.stop());
    workers.push(worker);
    await worker.ready();
    return worker;
  };
  const apiProcess = opened(await startCertwright('api', env), (one) => one.stop());
  await Promise.all([apiProcess.ready(), ...Array.from({ length: options.workers ?? 1 }, startWorker)]);
  const api = createApiClient(apiProcess.url, secrets.authToken);

  return {
    api,
    apiProcess,
    workers,
    dns,
    ca,
    databaseUrl: database.url,
    redis,
    secrets,
    startWorker,
    stop,

    async query<T extends object>(sql: string): Promise<T[]> {
      const client = new Client({ connectionString: database.url });
      await client.connect();
      try {
        return (await client.query<T>(sql)).rows;
      } finally {
        await client.end();
      }
    },

    async verifiedDomain(name) {
      const { body: domain, status, text } = await api.register(name);
      if (status !== 201) throw new Error(`register ${name}: ${status} ${text}`);
      dns.setTxt(`_certwright-challenge.${name}`, [domain.verification_token ?? '']);
      const verified = await api.verify(domain.id);
      if (verified.status !== 200) throw new Error(`verify ${name}: ${verified.status} ${verified.text}`);
      return verified.body;
    },

    async order(domainId) {
      const { body, status, text } = await api.issue(domainId);
      if (status !== 202) throw new Error(`issue-certificate: ${status} ${text}`);
      if (body.expected_txt_value) dns.setTxt(body.challenge_domain, [body.expected_txt_value]);
      return body.order_id;
    },
  };
}
