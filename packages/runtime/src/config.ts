import { createHash } from 'node:crypto';
import { type RawEnvironment, readEnvironment } from './env';
import { type CrashAt, type Environment, environmentSchema, type Resolver, type ZoneNameServer } from './schema';

export type Role = 'api' | 'worker' | 'nameserver' | 'migrate';

/** Durations are in milliseconds. */
export interface Config {
  production: boolean;
  port: number;
  host: string;
  healthPort: number;
  databaseUrl: string;
  /** Connections to PostgreSQL, at most. */
  databasePool: number;
  /** Null: the queue lives in PostgreSQL. */
  redisUrl: string | null;
  acme: {
    directoryUrl: string;
    email: string | null;
    caPem: string | null;
    profile: string | null;
    /** Its names in CAA records; none: as its directory says. */
    caaIdentities: string[];
    /** The zone of our own name servers. */
    zone: string | null;
    timeoutMs: number;
    budget: { per3Hours: number; perRegisteredDomainPerWeek: number };
  };
  /** No resolvers: the system's. */
  dns: { resolvers: Resolver[]; authoritativePort: number; allowPrivate: boolean; timeoutMs: number };
  orders: {
    pollIntervalMs: number;
    pollTimeoutMs: number;
    phaseTimeoutMs: number;
    issueWaitMs: number;
    leaseMs: number;
    keyType: Environment['CERT_KEY_TYPE'];
    /** Whether a renewal keeps the private key. */
    reuseKeys: boolean;
  };
  /** Null, in development only: every request is accepted, and only from this machine. */
  authToken: string | null;
  /** Where clients reach the API, for links in answers; null: as each request was addressed. */
  publicUrl: string | null;
  /** Null: there is no dashboard. */
  adminPassword: string | null;
  bullBoardWrite: boolean;
  masterKey: { bytes: Buffer; isDevelopmentKey: boolean };
  logLevel: Environment['LOG_LEVEL'];
  allowSpecialUseDomains: boolean;
  workerConcurrency: number;
  /** Of `apps/nameserver`. */
  nameServer: { names: ZoneNameServer[]; listen: Resolver[]; perSecond: number };
  /** Null but in fault tests. */
  crashAt: CrashAt | null;
}

/** One message that names every wrong variable and never a value. */
export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** sysexits.h: something is wrong with the configuration. */
export const EXIT_CONFIG = 78;

/** Public, so worth nothing: it lets API and worker of a development machine share a database without any set-up. */
const developmentKey = (): Buffer => createHash('sha256').update('certwright development master key').digest();

/** @throws ConfigError */
export function loadConfig(role: Role, environment: RawEnvironment = readEnvironment()): Config {
  const production = environment.values.NODE_ENV === 'production';
  const result = environmentSchema(production, role).validate(environment.values, {
    abortEarly: false,
    errors: { wrap: { label: false } },
  });
  const unreadable = new Set(environment.errors.map((text) => text.split(/[_ ]FILE|\s/)[0]));
  const invalid = (result.error?.details ?? []).filter(({ path }) => !unreadable.has(String(path[0]))).map(({ message }) => message);
  const problems = [...environment.errors, ...invalid];
  if (result.error || problems.length > 0) throw new ConfigError(problems);
  return toConfig(result.value, production);
}

function toConfig(value: Environment, production: boolean): Config {
  const authToken = value.AUTH_TOKEN ?? null;
  return {
    production,
    port: value.PORT,
    host: value.HOST ?? (authToken === null ? '127.0.0.1' : '0.0.0.0'),
    healthPort: value.HEALTH_PORT,
    databaseUrl: value.DATABASE_URL,
    databasePool: value.DATABASE_POOL,
    redisUrl: value.REDIS_URL ?? null,
    acme: {
      directoryUrl: value.ACME_DIRECTORY,
      email: value.ACME_EMAIL ?? null,
      caPem: value.ACME_CA_PEM ?? null,
      profile: value.ACME_PROFILE ?? null,
      caaIdentities: value.ACME_CAA_IDENTITIES,
      zone: value.ACME_ZONE ?? null,
      timeoutMs: value.ACME_TIMEOUT,
      budget: {
        per3Hours: value.ACME_ORDERS_PER_3H,
        perRegisteredDomainPerWeek: value.ACME_ORDERS_PER_DOMAIN_PER_WEEK,
      },
    },
    dns: {
      resolvers: value.DNS_RESOLVERS,
      authoritativePort: value.DNS_AUTHORITATIVE_PORT,
      allowPrivate: value.DNS_ALLOW_PRIVATE,
      timeoutMs: value.DNS_TIMEOUT,
    },
    orders: {
      pollIntervalMs: value.POLL_INTERVAL,
      pollTimeoutMs: value.POLL_TIMEOUT,
      phaseTimeoutMs: value.ORDER_TIMEOUT,
      issueWaitMs: value.ISSUE_WAIT,
      leaseMs: value.LEASE_TIME,
      keyType: value.CERT_KEY_TYPE,
      reuseKeys: value.REUSE_KEYS,
    },
    authToken,
    publicUrl: value.PUBLIC_URL ?? null,
    adminPassword: value.ADMIN_PASSWORD ?? null,
    bullBoardWrite: value.BULL_BOARD_WRITE,
    masterKey: { bytes: value.MASTER_KEY ?? developmentKey(), isDevelopmentKey: value.MASTER_KEY === undefined },
    logLevel: value.LOG_LEVEL,
    allowSpecialUseDomains: value.ALLOW_SPECIAL_USE_DOMAINS,
    workerConcurrency: value.WORKER_CONCURRENCY,
    nameServer: { names: value.ACME_ZONE_NS, listen: value.NAMESERVER_LISTEN, perSecond: value.NAMESERVER_RATE },
    crashAt: value.CRASH_AT ?? null,
  };
}
