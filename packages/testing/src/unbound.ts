import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runDnsProgram, startDnsServer } from './dns-program';
import { findDnsProgram } from './find-tool';
import { freePort } from './free-port';

export interface Stub {
  zone: string;
  addresses: string[];
  port: number;
}

export interface UnboundOptions {
  /** Where zones are: Unbound follows a delegation to port 53 only, so each zone needs to be named. */
  stubs: Stub[];
  /** DNSKEY or DS records; what is below one must validate. */
  trustAnchors?: string[];
  /** Whether questions without the wish for recursion are answered, from the cache. */
  allowSnoop?: boolean;
  /** Default: as long as records say. */
  maxTtlSeconds?: number;
  /** Default: 127.0.0.1 and a free port. */
  address?: string;
  port?: number;
  /** A second place to listen. */
  alsoAt?: { address: string; port: number };
}

export interface Unbound {
  address: string;
  port: number;
  pid: number;
  addStub(stub: Stub): Promise<void>;
  /** Forgets what is at and below a name; default: everything. */
  flush(name?: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts Unbound, a recursor that validates DNSSEC. */
export async function startUnbound(options: UnboundOptions): Promise<Unbound> {
  const address = options.address ?? '127.0.0.1';
  const port = options.port ?? (await freePort());
  const dir = mkdtempSync(path.join(tmpdir(), 'certwright-unbound-'));
  const log = path.join(dir, 'log');
  const config = path.join(dir, 'unbound.conf');
  writeFileSync(config, configOf({ ...options, address, port, dir, log }));
  const control = (...args: string[]): Promise<string> =>
    runDnsProgram(findDnsProgram('unbound', 'unbound-control'), ['-c', config, ...args]);
  let server;
  try {
    const program = findDnsProgram('unbound', 'unbound');
    server = await startDnsServer(program, ['-d', '-c', config], { log, isReady: () => control('status') });
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  const { pid } = server;
  return {
    address,
    port,
    pid,
    async addStub({ zone, addresses, port: stubPort }) {
      await control('stub_add', zone, ...addresses.map((one) => `${one}@${stubPort}`));
    },
    async flush(name = '.') {
      await control('flush_zone', name);
    },
    async stop() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

type Settings = UnboundOptions & { address: string; port: number; dir: string; log: string };

function configOf(settings: Settings): string {
  const { address, port, alsoAt, dir, log, stubs, trustAnchors = [], allowSnoop, maxTtlSeconds } = settings;
  const ttl = maxTtlSeconds === undefined ? '' : `cache-max-ttl: ${maxTtlSeconds}\n  cache-max-negative-ttl: ${maxTtlSeconds}`;
  // "test." is answered with NXDOMAIN by default (RFC 6761), and loopback addresses are not asked.
  return `
server:
  interface: ${address}@${port}
  ${alsoAt ? `interface: ${alsoAt.address}@${alsoAt.port}` : ''}
  port: ${port}
  access-control: 127.0.0.0/8 ${allowSnoop === true ? 'allow_snoop' : 'allow'}
  do-ip6: no
  do-not-query-localhost: no
  local-zone: "test." nodefault
  module-config: "validator iterator"
  num-threads: 1
  # Pebble asks over TCP, each question on a connection of its own; with half of the default 10 taken Unbound drops idle ones at once.
  incoming-num-tcp: 200
  outgoing-num-tcp: 100
  username: ""
  chroot: ""
  pidfile: ""
  directory: "${dir}"
  use-syslog: no
  logfile: "${log}"
  ${ttl}
${trustAnchors.map((anchor) => `  trust-anchor: "${anchor}"\n`).join('')}
remote-control:
  control-enable: yes
  control-use-cert: no
  control-interface: "${dir}/control"
${stubs.map(stubConfig).join('')}`;
}

const stubConfig = ({ zone, addresses, port }: Stub): string => `
stub-zone:
  name: "${zone}"
${addresses.map((address) => `  stub-addr: ${address}@${port}\n`).join('')}`;
