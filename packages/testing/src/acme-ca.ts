import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPebble } from './find-tool';
import { freePort } from './free-port';
import { killWithParent } from './kill-with-parent';
import { makeListenerCertificate } from './listener-certificate';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 5_000;
const LOG_LINES = 20;
const BIND_TRIES = 3;

export interface AcmeCaOptions {
  /** The resolver that validations ask, `ip:port`. */
  dnsServer: string;
  /** For its configuration and the listener's key and certificate; created if absent, and kept. Default: temporary. */
  dir?: string;
  /** Pebble's own strict mode: changes that CAs may make one day. */
  strict?: boolean;
  /** Added to, or replacing, the `PEBBLE_*` variables it is started with. */
  env?: Record<string, string>;
  /** Name to life time in days. Default: `default` 90 and `shortlived` 6. An order without profile gets any of them. */
  profiles?: Record<string, number>;
  /** Fixed ports, for a CA that comes back where it was. Default: free ones. */
  ports?: { acme: number; management: number };
}

export interface AcmeCaExit {
  /** True when `stop` was called: it did not crash. */
  stopped: boolean;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines it logged. */
  log: string;
}

export interface AcmeCa {
  directoryUrl: string;
  managementUrl: string;
  /** PEM file that the TLS of both URLs is trusted by. */
  caFile: string;
  pid: number;
  /** The root of the chains it issues (another one at each start). */
  rootPem(): Promise<string>;
  /** What it suggests for a certificate from now on (RFC 9773 section 4.2). */
  suggestRenewal(chainPem: string, window: { start: Date; end: Date; explanationUrl?: string }): Promise<void>;
  /** Resolves, never rejects, when the process has ended for whatever reason. */
  exited: Promise<AcmeCaExit>;
  /** Ends it; any number of times. */
  stop(): Promise<void>;
}

/**
 * Starts Pebble on 127.0.0.1 and resolves when its directory answers. It keeps everything in memory: accounts, orders
 * and roots end with it. It ends with this process. Not to be used by more than 16 requests at once.
 * @throws Error, one sentence and the last log lines
 */
export async function startAcmeCa(options: AcmeCaOptions): Promise<AcmeCa> {
  const executable = findPebble();
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'certwright-acme-ca-')));
  const cleanUp = async (): Promise<void> => {
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };
  try {
    await mkdir(dir, { recursive: true });
    const listener = await makeListenerCertificate();
    const files = {
      ca: join(dir, 'listener.pem'),
      key: join(dir, 'listener-key.pem'),
      config: join(dir, 'pebble.json'),
    };
    await writeFile(files.ca, listener.certificatePem);
    await writeFile(files.key, listener.privateKeyPem, { mode: 0o600 });

    for (let attempt = 1; ; attempt += 1) {
      const ports = options.ports ?? { acme: await freePort(), management: await freePort() };
      await writeFile(files.config, JSON.stringify(configuration(ports, files, options.profiles), null, 2));
      const pebble = launch(executable, files.config, options);
      const ca = present(pebble, { ports, caFile: files.ca, caPem: listener.certificatePem, cleanUp });
      const failure = await untilAnswering(pebble, async (signal) => {
        await getText(ca.directoryUrl, listener.certificatePem, { ended: signal });
        await getText(`${ca.managementUrl}/roots/0`, listener.certificatePem, { ended: signal });
      });
      if (failure === null) return ca;
      await pebble.stop();
      // Somebody else took the port between our look and Pebble's.
      const lostRace = options.ports === undefined && failure.includes('address already in use');
      if (!lostRace || attempt === BIND_TRIES) throw new Error(failure);
    }
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

function configuration(
  ports: { acme: number; management: number },
  files: { ca: string; key: string },
  profiles: Record<string, number> = { default: 90, shortlived: 6 },
): object {
  const described = Object.entries(profiles).map(([name, days]) => [
    name,
    { description: `Certificates for ${days} days`, validityPeriod: days * 86_400 },
  ]);
  return {
    pebble: {
      listenAddress: `127.0.0.1:${ports.acme}`,
      managementListenAddress: `127.0.0.1:${ports.management}`,
      certificate: files.ca,
      privateKey: files.key,
      httpPort: 5002,
      tlsPort: 5001,
      keyAlgorithm: 'ecdsa',
      profiles: Object.fromEntries(described),
    },
  };
}

interface PebbleProcess {
  pid: number;
  exited: Promise<AcmeCaExit>;
  hasExited(): boolean;
  log(): string;
  stop(): Promise<void>;
}

function launch(executable: string, configFile: string, options: AcmeCaOptions): PebbleProcess {
  const args = ['-config', configFile, '-dnsserver', options.dnsServer];
  if (options.strict === true) args.push('-strict');
  const child = spawn(executable, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C is ours to handle; the guard sees to it that nothing is left behind
    env: { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '5', PEBBLE_AUTHZREUSE: '0', ...options.env },
  });
  const guard = child.pid === undefined ? null : killWithParent(child.pid);
  const log = lastLines(child);
  let stopped = false;
  let over = false;
  const exited = new Promise<AcmeCaExit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      over = true;
      guard?.release();
      resolve({ stopped, code, signal, log: log() });
    };
    child.once('close', end);
    child.once('error', () => end(null, null)); // it could not be started: there is no `close` then
  });
  return {
    pid: child.pid ?? -1,
    exited,
    hasExited: () => over,
    log,
    async stop() {
      stopped = true;
      if (over) return;
      child.kill('SIGTERM');
      const patience = new AbortController();
      const outOfTime = sleep(STOP_TIMEOUT_MS, 'late', { signal: patience.signal }).catch(() => 'aborted');
      if ((await Promise.race([exited, outOfTime])) === 'late') child.kill('SIGKILL');
      patience.abort();
      await exited;
    },
  };
}

/** Keeps the last lines of what the process prints; nothing is passed on. */
function lastLines(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).split('\n').slice(-LOG_LINES - 1).join('\n');
    });
  }
  return () => text.trim();
}

/** Null when `ask` gets its answers, else what went wrong. */
async function untilAnswering(
  pebble: PebbleProcess,
  ask: (signal: AbortSignal) => Promise<void>,
): Promise<string | null> {
  const ended = new AbortController(); // or, after losing its port, we would wait for a stranger's answer
  void pebble.exited.then(() => ended.abort());
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  let lastError = 'no answer';
  while (performance.now() < giveUpAt) {
    if (pebble.hasExited()) return `Pebble ended while it was starting. Its last lines:\n${pebble.log()}`;
    try {
      await ask(ended.signal);
      return null;
    } catch (error) {
      lastError = String(error);
    }
    await sleep(25);
  }
  return `Pebble did not answer within ${START_TIMEOUT_MS / 1000} s (${lastError}). Its last lines:\n${pebble.log()}`;
}

function present(
  pebble: PebbleProcess,
  place: {
    ports: { acme: number; management: number };
    caFile: string;
    caPem: string;
    cleanUp: () => Promise<void>;
  },
): AcmeCa {
  const managementUrl = `https://127.0.0.1:${place.ports.management}`;
  return {
    directoryUrl: `https://127.0.0.1:${place.ports.acme}/dir`,
    managementUrl,
    caFile: place.caFile,
    pid: pebble.pid,
    rootPem: () => getText(`${managementUrl}/roots/0`, place.caPem),
    async suggestRenewal(chainPem, { start, end, explanationUrl }) {
      const suggestedWindow = { start: start.toISOString(), end: end.toISOString() };
      const ARIResponse = JSON.stringify({ suggestedWindow, ...(explanationUrl !== undefined && { explanationURL: explanationUrl }) });
      const [Certificate] = chainPem.split(/(?<=-----END CERTIFICATE-----)/);
      await getText(`${managementUrl}/set-renewal-info/`, place.caPem, { body: JSON.stringify({ Certificate, ARIResponse }) });
    },
    exited: pebble.exited,
    async stop() {
      await pebble.stop();
      await place.cleanUp();
    },
  };
}

function getText(url: string, caPem: string, { ended, body }: { ended?: AbortSignal; body?: string } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const signal = ended === undefined ? timeout : AbortSignal.any([timeout, ended]);
    // RFC 8555 section 6.1: an ACME request names its user agent, and Pebble insists.
    const headers = { 'user-agent': 'certwright-testing' };
    const method = body === undefined ? 'GET' : 'POST';
    const request = https.request(url, { method, ca: caPem, agent: false, headers, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${url} answered ${response.statusCode ?? 'nothing'}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
