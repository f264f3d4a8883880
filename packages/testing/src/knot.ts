import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listenDns } from './dns-listener';
import { endOf, runDnsProgram, startDnsServer } from './dns-program';
import { findDnsProgram } from './find-tool';

/** Below those that `freePort` gives, and that clients get meanwhile. */
const [FROM, TO] = [10_000, 15_000];

/** A port for all servers that are asked on one: free on all these addresses. */
export async function freeDnsPort(addresses: string[]): Promise<number> {
  for (;;) {
    const port = randomInt(FROM, TO);
    try {
      await (await listenDns(addresses, port, () => null)).close();
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

export interface KnotZone {
  name: string;
  /** The zone file; a serial in it doesn't count: Knot counts changes itself. */
  file?: string;
  /** Instead of a file: the server that the zone is transferred from, when `transfer` says so. */
  from?: string;
  /** Whether Knot makes a key and signs. */
  signed?: boolean;
}

export interface Knot {
  address: string;
  pid: number;
  addZone(zone: KnotZone): Promise<void>;
  /** Takes a changed zone file. */
  reload(zone: string): Promise<void>;
  /** Takes the whole zone from its primary, whatever the serials say. */
  transfer(zone: string): Promise<void>;
  /** Replaces records past the zone file, or past the primary that a zone is from. */
  replace(zone: string, records: { name: string; type: string; ttl: number; data: string }[]): Promise<void>;
  serial(zone: string): Promise<number>;
  /** What the parent zone, or a validator as its trust anchor, needs of a signed zone: the data of DS records. */
  ds(zone: string): Promise<string[]>;
  stop(): Promise<void>;
}

export interface KnotOptions {
  address: string;
  port: number;
  zones?: KnotZone[];
  /** Threads that answer over UDP; `default` is Knot's own: as many as there are processors. */
  workers?: number | 'default';
}

/**
 * Starts Knot DNS, authoritative for its zones; for all others it answers REFUSED. It hands its zones to whoever asks for
 * a transfer, and notifies nobody: secondaries stay as they are until they are told to. One thing at a time, please: it
 * has crashed when told to reload twice at once.
 */
export async function startKnot(options: KnotOptions): Promise<Knot> {
  const { address, port, workers = 1 } = options;
  const dir = mkdtempSync(path.join(tmpdir(), 'certwright-knot-'));
  const log = path.join(dir, 'log');
  const config = path.join(dir, 'knot.conf');
  const zones: KnotZone[] = [];
  const writeConfig = (): void => writeFileSync(config, configOf({ dir, log, address, port, zones, workers }));
  const knotc = async (...args: string[]): Promise<string> => {
    try {
      return await runDnsProgram(findDnsProgram('knot', 'knotc'), ['-s', path.join(dir, 'knot.sock'), ...args]);
    } catch (cause) {
      throw new Error(`knotc ${args.join(' ')} failed: ${endOf(log, 5)}`, { cause }); // it says little itself
    }
  };
  writeConfig();
  let server;
  try {
    server = await startDnsServer(findDnsProgram('knot', 'knotd'), ['-c', config], { log, isReady: () => knotc('status') });
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  const { pid } = server;
  const knot: Knot = {
    address,
    pid,
    async addZone(zone) {
      zones.push(zone);
      writeConfig();
      await knotc('reload');
      await knotc('-b', ...(zone.from === undefined ? ['zone-reload', zone.name] : ['zone-retransfer', zone.name]));
    },
    async reload(zone) {
      await knotc('-b', 'zone-reload', zone);
    },
    async transfer(zone) {
      await knotc('-b', 'zone-retransfer', zone);
    },
    async replace(zone, records) {
      await knotc('zone-begin', zone);
      try {
        for (const { name, type } of records) {
          const isThere = await knotc('zone-get', zone, `${name}.`, type).then(() => true, () => false);
          if (isThere) await knotc('zone-unset', zone, `${name}.`, type);
        }
        for (const { name, type, ttl, data } of records) await knotc('zone-set', zone, `${name}.`, String(ttl), type, data);
        await knotc('zone-commit', zone);
      } catch (error) {
        await knotc('zone-abort', zone);
        throw error;
      }
    },
    async serial(zone) {
      const [, serial] = /SOA \S+ \S+ (\d+)/.exec(await knotc('zone-read', zone, '@', 'SOA')) ?? [];
      return Number(serial);
    },
    async ds(zone) {
      const printed = await runDnsProgram(findDnsProgram('knot', 'keymgr'), ['-c', config, zone, 'ds']);
      return [...printed.matchAll(/ DS (.+)/g)].map(([, data = '']) => data.trim());
    },
    async stop() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  try {
    for (const zone of options.zones ?? []) await knot.addZone(zone);
    return knot;
  } catch (error) {
    await knot.stop();
    throw error;
  }
}

/** Knot's own maxima for its databases are beyond what a small machine maps. */
function configOf(settings: Required<KnotOptions> & { dir: string; log: string }): string {
  const { dir, log, address, port, zones, workers } = settings;
  const followed = zones.filter((zone) => zone.from !== undefined);
  return `
server:
  rundir: "${dir}"
  listen: ${address}@${port}
${workers === 'default' ? '' : `  udp-workers: ${workers}\n`}  tcp-workers: 1
  background-workers: 1
control:
  listen: "${dir}/knot.sock"
database:
  storage: "${dir}"
  journal-db-max-size: 50M
  kasp-db-max-size: 50M
  timer-db-max-size: 5M
log:
  - target: "${log}"
    any: info
acl:
  - id: anybody
    address: 127.0.0.0/8
    action: transfer
policy:
  - id: default-key
    algorithm: ecdsap256sha256
    single-type-signing: on
    cds-cdnskey-publish: none
remote:
${followed.map(({ name, from }) => `  - id: "from-${name}"\n    address: ${from}@${port}\n    via: ${address}\n`).join('')}
zone:
${zones.map(zoneConfig).join('')}`;
}

const zoneConfig = ({ name, file, from, signed }: KnotZone): string => `
  - domain: "${name}"
    acl: anybody
    journal-content: all
    zonefile-sync: -1
${
  from === undefined
    ? `    file: "${file}"\n    zonefile-load: difference-no-serial`
    : `    master: "from-${name}"\n    zonefile-load: none`
}
${signed === true ? '    dnssec-signing: on\n    dnssec-policy: default-key\n' : ''}`;
