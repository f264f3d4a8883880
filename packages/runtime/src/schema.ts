import { isIP } from 'node:net';
import Joi from 'joi';

const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What a timer can hold, 24.8 days: a longer one would fire at once. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/** `10s`, `5m`, `500ms`: to milliseconds. A number without a unit is refused: nobody remembers which it would be. */
const duration = (fallback: string) =>
  Joi.string()
    .custom((text: string, helpers) => {
      const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
      const ms = Number(amount) * (UNIT_MS[unit ?? ''] ?? NaN);
      return ms > 0 && ms <= MAX_DURATION_MS ? ms : helpers.error('any.invalid');
    })
    .default(() => toMs(fallback))
    .messages({ 'any.invalid': '{{#label}} must be a duration such as 10s, 5m, 1h or 500ms, of at most 24d' });

const toMs = (text: string): number => parseInt(text, 10) * (UNIT_MS[text.replace(/\d+/, '')] ?? NaN);

const port = (fallback: number) =>
  Joi.number().integer().min(1).max(65_535).default(fallback).messages({ '*': '{{#label}} must be a port, 1 to 65535' });

const count = (fallback: number) =>
  Joi.number().integer().min(1).max(1_000_000).default(fallback).messages({ '*': '{{#label}} must be a whole number from 1 to 1000000' });

/** Where a process under test ends itself, or blocks its event loop for `blockMs`. */
export interface CrashAt {
  point: string;
  /** At the how-manieth time. */
  nth: number;
  /** For this order alone. */
  orderId: string | null;
  blockMs: number | null;
}

/** `point`, `point:3` (the third time), `point@<order id>`, `point=8s` (blocks instead). */
const crashAt = Joi.string()
  .custom((text: string, helpers): CrashAt | Joi.ErrorReport => {
    const [, point, nth, orderId, seconds] = /^([a-z-]+)(?::(\d+))?(?:@([0-9a-f-]{36}))?(?:=(\d+)s)?$/.exec(text) ?? [];
    if (point === undefined) return helpers.error('any.invalid');
    return { point, nth: Number(nth ?? 1), orderId: orderId ?? null, blockMs: seconds === undefined ? null : Number(seconds) * 1_000 };
  })
  .messages({ 'any.invalid': '{{#label}} must be a crash point such as after-finalize-sent:1' });

const flag = Joi.boolean().default(false).messages({ '*': '{{#label}} must be true or false' });

/** Names what is wrong, never the value: it may be a secret. */
const url = (schemes: string[], example: string) =>
  Joi.string()
    .uri({ scheme: schemes })
    .messages({ '*': `{{#label}} must be a URL such as ${example}` });

export interface Resolver {
  address: string;
  port: number;
}

/** `ip`, `ip:port`, `[ipv6]:port`, comma-separated. */
const resolvers = Joi.string()
  .custom((text: string, helpers) => {
    const parsed = text.split(',').map((one) => parseResolver(one.trim()));
    return parsed.every((one) => one !== null) ? parsed : helpers.error('any.invalid');
  })
  .default(() => [])
  .messages({ 'any.invalid': '{{#label}} must be addresses such as 9.9.9.9,[2620:fe::fe]:53' });

function parseResolver(text: string): Resolver | null {
  if (isIP(text)) return { address: text, port: 53 };
  const [, address = '', portText = ''] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  const number = Number(portText);
  if (!isIP(address) || number < 1 || number > 65_535) return null;
  return { address, port: number };
}

export interface ZoneNameServer {
  name: string;
  addresses: string[];
}

/** `name=address|address`, comma-separated; a name outside of the zone needs no addresses. */
const nameServers = Joi.string()
  .custom((text: string, helpers) => {
    const parsed = text.split(',').map((one): ZoneNameServer | null => {
      const [name = '', addresses = ''] = one.trim().split('=');
      const listed = addresses.split('|').filter(Boolean);
      return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name) && listed.every((address) => isIP(address)) ? { name, addresses: listed } : null;
    });
    return parsed.every((one) => one !== null) ? parsed : helpers.error('any.invalid');
  })
  .default(() => [])
  .messages({ 'any.invalid': '{{#label}} must be name servers such as ns1.acme.example.com=192.0.2.1|2001:db8::1,ns2.acme.example.com=192.0.2.2' });

const listen = Joi.string()
  .custom((text: string, helpers) => {
    const parsed = text.split(',').map((one) => parseResolver(one.trim()));
    return parsed.every((one) => one !== null) ? parsed : helpers.error('any.invalid');
  })
  .default(() => [{ address: '0.0.0.0', port: 53 }, { address: '::', port: 53 }])
  .messages({ 'any.invalid': '{{#label}} must be addresses such as 192.0.2.1,[2001:db8::1]:53' });

const masterKey = Joi.string()
  .custom((text: string, helpers) => {
    const bytes = Buffer.from(text, 'base64');
    const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(text);
    return isBase64 && bytes.length === 32 ? bytes : helpers.error('any.invalid');
  })
  .messages({ 'any.invalid': '{{#label}} must be 32 bytes in base64 (make one: openssl rand -base64 32)' });

const neededInProduction = <S extends Joi.Schema>(schema: S, isNeeded: boolean): S =>
  isNeeded
    ? (schema.required().messages({ 'any.required': '{{#label}} must be set when NODE_ENV is production' }) as S)
    : schema;

/** The environment once it has been validated: durations in milliseconds. */
export interface Environment {
  NODE_ENV?: 'production' | 'development' | 'test';
  PORT: number;
  HOST?: string;
  HEALTH_PORT: number;
  DATABASE_URL: string;
  DATABASE_POOL: number;
  REDIS_URL?: string;
  ACME_DIRECTORY: string;
  ACME_EMAIL?: string;
  ACME_CA_PEM?: string;
  ACME_PROFILE?: string;
  ACME_CAA_IDENTITIES: string[];
  ACME_ZONE?: string;
  ACME_ZONE_NS: ZoneNameServer[];
  NAMESERVER_LISTEN: Resolver[];
  NAMESERVER_RATE: number;
  PUBLIC_URL?: string;
  DNS_RESOLVERS: Resolver[];
  DNS_AUTHORITATIVE_PORT: number;
  DNS_ALLOW_PRIVATE: boolean;
  POLL_INTERVAL: number;
  POLL_TIMEOUT: number;
  ORDER_TIMEOUT: number;
  DNS_TIMEOUT: number;
  ISSUE_WAIT: number;
  ACME_TIMEOUT: number;
  ACME_ORDERS_PER_3H: number;
  ACME_ORDERS_PER_DOMAIN_PER_WEEK: number;
  LEASE_TIME: number;
  CRASH_AT?: CrashAt;
  REUSE_KEYS: boolean;
  CERT_KEY_TYPE: 'ec-256' | 'ec-384' | 'rsa-2048' | 'rsa-4096';
  AUTH_TOKEN?: string;
  ADMIN_PASSWORD?: string;
  BULL_BOARD_WRITE: boolean;
  MASTER_KEY?: Buffer;
  LOG_LEVEL: 'error' | 'warn' | 'info' | 'debug';
  ALLOW_SPECIAL_USE_DOMAINS: boolean;
  WORKER_CONCURRENCY: number;
}

/** Every variable there is, with its form and default. `production` makes the secrets required. */
export const environmentSchema = (production: boolean, role: 'api' | 'worker' | 'nameserver' | 'migrate') =>
  Joi.object<Environment>({
    // Anything else, `prod` say, would quietly be development: without the guards of production.
    NODE_ENV: Joi.string()
      .valid('production', 'development', 'test')
      .messages({ '*': '{{#label}} must be production, development or test' }),
    PORT: port(3000),
    HOST: Joi.string().hostname().messages({ '*': '{{#label}} must be an address or host name' }),
    HEALTH_PORT: port(3001),
    DATABASE_URL: url(['postgres', 'postgresql'], 'postgresql://user:password@host:5432/certwright')
      .required()
      .messages({ 'any.required': '{{#label}} must be set, such as postgresql://user:password@host:5432/certwright' }),
    DATABASE_POOL: count(10),
    REDIS_URL: url(['redis', 'rediss'], 'redis://host:6379'),
    ACME_DIRECTORY: url(['https', 'http'], 'https://acme-v02.api.letsencrypt.org/directory').default(
      'https://acme-staging-v02.api.letsencrypt.org/directory',
    ),
    ACME_EMAIL: Joi.string().email({ tlds: false }).messages({ '*': '{{#label}} must be an e-mail address' }),
    ACME_CA_PEM: Joi.string()
      .pattern(/-----BEGIN CERTIFICATE-----/)
      .messages({ '*': 'ACME_CA_FILE must be a file with certificates in PEM' }),
    ACME_PROFILE: Joi.string().max(64),
    ACME_CAA_IDENTITIES: Joi.string()
      .pattern(/^[a-z0-9.-]+(,[a-z0-9.-]+)*$/)
      .custom((text: string) => text.split(','))
      .default(() => [])
      .messages({ '*': '{{#label}} must be domain names, comma-separated, such as letsencrypt.org' }),
    ACME_ZONE_NS: nameServers,
    NAMESERVER_LISTEN: listen,
    NAMESERVER_RATE: count(200),
    ACME_ZONE: Joi.string()
      .pattern(/^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/)
      .max(180)
      .messages({ '*': '{{#label}} must be a zone of your own, in lower case and without a final dot, such as acme.platform.example.com' }),
    PUBLIC_URL: url(['http', 'https'], 'https://certwright.example.com'),
    DNS_RESOLVERS: resolvers,
    DNS_AUTHORITATIVE_PORT: port(53),
    DNS_ALLOW_PRIVATE: flag,
    POLL_INTERVAL: duration('10s'),
    POLL_TIMEOUT: duration('5m'),
    ORDER_TIMEOUT: duration('3d'),
    DNS_TIMEOUT: duration('10s'),
    ISSUE_WAIT: duration('10s'),
    ACME_TIMEOUT: duration('15s'),
    ACME_ORDERS_PER_3H: count(300),
    ACME_ORDERS_PER_DOMAIN_PER_WEEK: count(50),
    LEASE_TIME: duration('30s'),
    CRASH_AT: production ? Joi.forbidden().messages({ '*': '{{#label}} is for tests, not for production' }) : crashAt,
    REUSE_KEYS: flag,
    CERT_KEY_TYPE: Joi.string()
      .valid('ec-256', 'ec-384', 'rsa-2048', 'rsa-4096')
      .default('ec-256')
      .messages({ '*': '{{#label}} must be ec-256, ec-384, rsa-2048 or rsa-4096' }),
    AUTH_TOKEN: neededInProduction(
      // What a header can carry after "Bearer ": no client could send any other.
      Joi.string().min(16).pattern(/^[\x21-\x7e]+$/).messages({
        'string.min': '{{#label}} must have at least 16 characters',
        'string.pattern.base': '{{#label}} must have visible ASCII characters only, without spaces',
      }),
      production && role === 'api',
    ),
    ADMIN_PASSWORD: Joi.string().min(8).messages({ '*': '{{#label}} must have at least 8 characters' }),
    BULL_BOARD_WRITE: flag,
    MASTER_KEY: neededInProduction(masterKey, production && (role === 'api' || role === 'worker')),
    LOG_LEVEL: Joi.string()
      .valid('error', 'warn', 'info', 'debug')
      .default('info')
      .messages({ '*': '{{#label}} must be error, warn, info or debug' }),
    ALLOW_SPECIAL_USE_DOMAINS: flag,
    WORKER_CONCURRENCY: Joi.number()
      .integer()
      .min(1)
      .max(10_000)
      .default(100)
      .messages({ '*': '{{#label}} must be a whole number from 1 to 10000' }),
  }).unknown(true);
