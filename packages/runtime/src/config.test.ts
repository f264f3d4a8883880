import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Config, ConfigError, loadConfig, type Role } from './config';
import { readEnvironment } from './env';

const database = 'postgresql://user:hunter2@db:5432/certwright';
const masterKey = Buffer.alloc(32, 7).toString('base64');
const load = (env: Record<string, string>, role: Role = 'api'): Config => loadConfig(role, readEnvironment(env));

function problemsOf(env: Record<string, string>, role: Role = 'api'): string[] {
  try {
    load(env, role);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('needs nothing but the database in development', () => {
    expect(load({ DATABASE_URL: database })).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      redisUrl: null,
      acme: { directoryUrl: 'https://acme-staging-v02.api.letsencrypt.org/directory', email: null, profile: null },
      dns: { resolvers: [], authoritativePort: 53, allowPrivate: false, timeoutMs: 10_000 },
      orders: { pollIntervalMs: 10_000, pollTimeoutMs: 300_000, issueWaitMs: 10_000, keyType: 'ec-256' },
      masterKey: { isDevelopmentKey: true },
      adminPassword: null,
    });
  });

  it('listens beyond this machine only when there is a token to ask for', () => {
    expect(load({ DATABASE_URL: database, AUTH_TOKEN: 'a-long-enough-token' }).host).toBe('0.0.0.0');
  });

  it('names every wrong variable in one message', () => {
    const problems = problemsOf({
      DATABASE_URL: 'mysql://db',
      PORT: '99999',
      POLL_INTERVAL: '10',
      DNS_RESOLVERS: '9.9.9.9,nonsense',
      CERT_KEY_TYPE: 'dsa',
      MASTER_KEY: 'short',
      ACME_EMAIL: 'nobody',
      WORKER_CONCURRENCY: 'many',
    });
    for (const name of ['DATABASE_URL', 'PORT', 'POLL_INTERVAL', 'DNS_RESOLVERS', 'CERT_KEY_TYPE', 'MASTER_KEY', 'ACME_EMAIL', 'WORKER_CONCURRENCY']) {
      expect(problems.filter((problem) => problem.startsWith(`${name} must`))).toHaveLength(1);
    }
    expect(problems).toHaveLength(8);
  });

  it('never repeats a value: it may be a secret', () => {
    const problems = problemsOf({ DATABASE_URL: 'http://user:hunter2@db', MASTER_KEY: 'hunter2', AUTH_TOKEN: 'hunter2' });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('refuses production without a token and a master key', () => {
    const production = { DATABASE_URL: database, NODE_ENV: 'production' };
    expect(problemsOf(production).map((text) => text.split(' ')[0])).toEqual(['AUTH_TOKEN', 'MASTER_KEY']);
    expect(problemsOf(production, 'worker').map((text) => text.split(' ')[0])).toEqual(['MASTER_KEY']);
    expect(problemsOf(production, 'migrate')).toEqual([]);
    expect(problemsOf({ ...production, AUTH_TOKEN: 'a-long-enough-token', MASTER_KEY: masterKey })).toEqual([]);
  });

  it.each(['prod', 'Production', 'live'])('refuses NODE_ENV=%s, which would quietly be development', (value) => {
    expect(problemsOf({ DATABASE_URL: database, NODE_ENV: value })).toEqual([
      'NODE_ENV must be production, development or test',
    ]);
    expect(load({ DATABASE_URL: database, NODE_ENV: 'test' }).production).toBe(false);
  });

  it.each(['a token of several words', 'schlüssel-schlüssel'])('refuses a token that no header could carry: %s', (token) => {
    const problems = problemsOf({ DATABASE_URL: database, AUTH_TOKEN: token });
    expect(problems).toEqual(['AUTH_TOKEN must have visible ASCII characters only, without spaces']);
  });

  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['24d', 2_073_600_000],
  ])('reads the duration %s', (text, ms) => {
    expect(load({ DATABASE_URL: database, POLL_TIMEOUT: text }).orders.pollTimeoutMs).toBe(ms);
  });

  it.each(['0s', '10', '-5s', '1w', '5 m', '1.5s', '25d', '999999999d'])('refuses the duration %s', (text) => {
    expect(problemsOf({ DATABASE_URL: database, POLL_TIMEOUT: text })).toHaveLength(1);
  });

  it('reads resolvers with and without a port, of both families', () => {
    expect(load({ DATABASE_URL: database, DNS_RESOLVERS: '9.9.9.9, 127.0.0.1:8053,[2620:fe::fe]:5353,2620:fe::9' }).dns.resolvers).toEqual([
      { address: '9.9.9.9', port: 53 },
      { address: '127.0.0.1', port: 8053 },
      { address: '2620:fe::fe', port: 5353 },
      { address: '2620:fe::9', port: 53 },
    ]);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(load({ DATABASE_URL: database, REDIS_URL: '', AUTH_TOKEN: ' ' })).toMatchObject({ redisUrl: null, authToken: null });
  });

  it('reads a secret from a file, and says which file variable is wrong', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'certwright-config-'));
    const file = path.join(folder, 'key');
    writeFileSync(file, `${masterKey}\n`);
    expect(load({ DATABASE_URL: database, MASTER_KEY_FILE: file }).masterKey.bytes).toEqual(Buffer.alloc(32, 7));
    expect(problemsOf({ DATABASE_URL: database, MASTER_KEY_FILE: `${file}-absent` })).toEqual([
      'MASTER_KEY_FILE names a file that cannot be read (ENOENT)',
    ]);
    expect(problemsOf({ DATABASE_URL: database, MASTER_KEY_FILE: file, MASTER_KEY: masterKey })).toEqual([
      'MASTER_KEY and MASTER_KEY_FILE are both set: set one of them',
    ]);
    rmSync(folder, { recursive: true });
  });
});
