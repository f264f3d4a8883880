import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freeDnsPort, type Knot, startKnot } from './knot';
import { ADDRESSES, type DnsRecord, type DnsRole, KEEPERS, type ZoneKeeper, zoneKeeper } from './real-dns-zones';
import { startUnbound, type Unbound } from './unbound';

export type { DnsRecord, DnsRole } from './real-dns-zones';

const BOTH: DnsRole[] = ['primary', 'secondary'];

export interface RealDns {
  /** The recursor's, which validates. */
  resolver: { address: string; port: number };
  addresses: Readonly<Record<DnsRole, string>>;
  /** Of all authoritative servers. */
  port: number;
  /** A zone below "test", delegated to `servers` (default: primary and secondary) as ns1.<name>, ns2.<name> … */
  addZone(name: string, options?: ZoneOptions): Promise<void>;
  /** Replaces what there is of these names and types; with `on`, at that server only, until the next change without. */
  set(zone: string, records: DnsRecord[], options?: { on?: DnsRole }): Promise<void>;
  /** Without a type: everything that the name has. */
  remove(zone: string, name: string, type?: string): Promise<void>;
  /** The secondary keeps what it has until it is thawed. */
  freezeSecondary(): void;
  thawSecondary(): Promise<void>;
  serial(zone: string, role: DnsRole): Promise<number>;
  /** The parent vouches for a key that the zone doesn't have, so that validators answer SERVFAIL. */
  breakSigning(zone: string): Promise<void>;
  mendSigning(zone: string): Promise<void>;
  /** The recursor forgets what is at and below a name; default: everything. */
  flush(name?: string): Promise<void>;
  /** From then on nobody answers there. */
  stopServer(role: DnsRole): Promise<void>;
  stop(): Promise<void>;
}

interface ZoneOptions {
  servers?: DnsRole[];
  signed?: boolean;
}

export interface RealDnsOptions {
  /** Whether the recursor answers from its cache who doesn't ask for recursion: it is then lame without refusing. */
  allowSnoop?: boolean;
  /** How long the recursor keeps anything. Default: as long as records say. */
  maxTtlSeconds?: number;
}

/**
 * A small Internet of real servers on loopback addresses: Knot with the root and "test.", as primary, as secondary and as
 * a lame server, and Unbound, which resolves from there. Nothing leaves the machine.
 */
export async function startRealDns({ allowSnoop = false, maxTtlSeconds }: RealDnsOptions = {}): Promise<RealDns> {
  const dir = mkdtempSync(path.join(tmpdir(), 'certwright-dns-'));
  const running = new Map<DnsRole, { stop(): Promise<void> }>();
  const stop = async (): Promise<void> => {
    await Promise.all([...running.values()].map((server) => server.stop()));
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const port = await freeDnsPort(Object.values(ADDRESSES));
    const knots = new Map<DnsRole, Knot>();
    for (const role of [...KEEPERS, 'lame' as const]) {
      const knot = await startKnot({ address: ADDRESSES[role], port });
      knots.set(role, knot);
      running.set(role, knot);
    }
    const zones = zoneKeeper(dir, knots);
    await zones.add('.', ['parent'], false);
    const tld = await zones.add('test', ['parent'], true);
    const unbound = await startUnbound({
      stubs: ['.', 'test'].map((zone) => ({ zone, addresses: [ADDRESSES.parent], port })),
      trustAnchors: (await zones.dsOf(tld)).map((data) => `test. DS ${data}`),
      alsoAt: { address: ADDRESSES.recursor, port },
      allowSnoop,
      ...(maxTtlSeconds !== undefined && { maxTtlSeconds }),
    });
    running.set('recursor', unbound);
    return realDns({ port, zones, unbound, running, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Parts extends Pick<RealDns, 'port' | 'stop'> {
  zones: ZoneKeeper;
  unbound: Unbound;
  running: ReadonlyMap<DnsRole, { stop(): Promise<void> }>;
}

function realDns({ port, zones, unbound, running, stop }: Parts): RealDns {
  let last: Promise<unknown> = Promise.resolve();
  /** What changes zones comes one after the other, also when tests don't wait: the servers don't bear it otherwise. */
  const inTurn = <A extends unknown[]>(work: (...args: A) => Promise<void>) => {
    return (...args: A): Promise<void> => {
      const turn = last.then(() => work(...args));
      last = turn.catch(() => undefined);
      return turn;
    };
  };
  return {
    resolver: { address: unbound.address, port: unbound.port },
    addresses: ADDRESSES,
    port,
    stop,
    flush: unbound.flush,
    addZone: inTurn(async (name: string, { servers = BOTH, signed = false }: ZoneOptions = {}) => {
      await zones.add(name, servers, signed);
      await unbound.addStub({ zone: name, addresses: servers.map((role) => ADDRESSES[role]), port });
      await unbound.flush(); // it may have learned that there is no such zone
    }),
    set: inTurn(zones.set),
    remove: inTurn(zones.remove),
    freezeSecondary: zones.freeze,
    thawSecondary: inTurn(zones.thaw),
    serial: zones.serial,
    breakSigning: inTurn(async (name: string) => {
      await zones.delegate(name, (ds) => ds.replace(/[0-9a-f]+$/i, (digest) => '0'.repeat(digest.length)));
      await unbound.flush();
    }),
    mendSigning: inTurn(async (name: string) => {
      await zones.delegate(name);
      await unbound.flush();
    }),
    async stopServer(role) {
      await running.get(role)?.stop();
    },
  };
}
