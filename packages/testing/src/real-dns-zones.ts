import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Knot } from './knot';

/**
 * `parent` has the root and "test."; `lame` is delegated to without knowing the zone, and so is the recursor itself; at `ours` and
 * `ours2` our own name servers can be started.
 */
export type DnsRole = 'parent' | 'primary' | 'secondary' | 'lame' | 'recursor' | 'ours' | 'ours2';

export const ADDRESSES: Readonly<Record<DnsRole, string>> = {
  parent: '127.0.0.10',
  primary: '127.0.0.11',
  secondary: '127.0.0.12',
  lame: '127.0.0.13',
  recursor: '127.0.0.14',
  ours: '127.0.0.15',
  ours2: '127.0.0.16',
};

/** Those that have the zones they are named for. */
export const KEEPERS: readonly DnsRole[] = ['parent', 'primary', 'secondary'];

export interface DnsRecord {
  /** Without a dot at the end. */
  name: string;
  type: string;
  /** Default: 1 second. */
  ttl?: number;
  /** As in a zone file, names with the dot at the end: `"v"` for TXT, `0 issue "ca.test"` for CAA, `other.test.` */
  data: string;
}

interface Zone {
  name: string;
  servers: DnsRole[];
  /** Has the zone file; the others have it from there. Undefined: nobody knows the zone. */
  home: DnsRole | undefined;
  signed: boolean;
  records: DnsRecord[];
  /** What delegates the zones below, by their names. */
  delegations: Map<string, DnsRecord[]>;
}

export type ZoneKeeper = ReturnType<typeof zoneKeeper>;

/** The zones' files, and who has which. */
export function zoneKeeper(dir: string, knots: ReadonlyMap<DnsRole, Knot>) {
  const zones = new Map<string, Zone>();
  let frozen = false;
  const find = (name: string): Zone => {
    const zone = zones.get(name);
    if (!zone) throw new Error(`no zone ${name}: call addZone first`);
    return zone;
  };
  const knotOf = (role: DnsRole | undefined): Knot => {
    const knot = role && knots.get(role);
    if (!knot) throw new Error(`${role ?? 'no server'} keeps no zones`);
    return knot;
  };
  const fileOf = ({ name }: Zone): string => path.join(dir, `zone-${name}`);
  const followers = ({ servers, home }: Zone): DnsRole[] =>
    servers.filter((role) => role !== home && KEEPERS.includes(role) && !(role === 'secondary' && frozen));
  const follow = async (zone: Zone): Promise<void> => {
    for (const role of followers(zone)) await knotOf(role).transfer(zone.name);
  };
  const publish = async (zone: Zone): Promise<void> => {
    writeFileSync(fileOf(zone), zoneFile(zone));
    if (zone.home) await knotOf(zone.home).reload(zone.name);
  };
  const dsOf = async ({ home, name, signed }: Zone): Promise<string[]> => (signed ? knotOf(home).ds(name) : []);

  /** Other records; those that were there again if the server doesn't take them. */
  const change = async (zone: Zone, records: DnsRecord[]): Promise<void> => {
    const before = zone.records;
    zone.records = records;
    try {
      await publish(zone);
    } catch (error) {
      zone.records = before;
      throw error;
    }
  };

  /** The parent's side of a zone. */
  const delegate = async (name: string, distort: (ds: string) => string = (ds) => ds): Promise<void> => {
    const zone = find(name);
    const above = [...zones.values()].filter((one) => one !== zone && (one.name === '.' || name.endsWith(`.${one.name}`)));
    const parent = above.sort((a, b) => b.name.length - a.name.length)[0];
    if (!parent) return; // the root
    const ds = (await dsOf(zone)).map((data) => ({ name, type: 'DS', data: distort(data) }));
    parent.delegations.set(name, [...serversOf(zone), ...ds]);
    await publish(parent);
    await follow(parent);
  };

  return {
    delegate,
    dsOf,
    async add(name: string, servers: DnsRole[], signed: boolean): Promise<Zone> {
      const home = servers.find((role) => KEEPERS.includes(role));
      const zone: Zone = { name, servers, home, signed, records: [], delegations: new Map() };
      zones.set(name, zone);
      writeFileSync(fileOf(zone), zoneFile(zone));
      if (home) {
        await knotOf(home).addZone({ name, file: fileOf(zone), signed });
        const from = ADDRESSES[home];
        for (const role of servers.filter((one) => one !== home && KEEPERS.includes(one))) await knotOf(role).addZone({ name, from });
      }
      await delegate(name);
      return zone;
    },
    async set(name: string, records: DnsRecord[], { on }: { on?: DnsRole } = {}): Promise<void> {
      const zone = find(name);
      if (on !== undefined && on !== zone.home) return knotOf(on).replace(name, records.map(withTtl));
      const isReplaced = (old: DnsRecord): boolean => records.some((one) => one.name === old.name && one.type === old.type);
      await change(zone, [...zone.records.filter((old) => !isReplaced(old)), ...records]);
      if (on === undefined) await follow(zone);
    },
    async remove(name: string, owner: string, type?: string): Promise<void> {
      const zone = find(name);
      await change(
        zone,
        zone.records.filter((one) => one.name !== owner || (type !== undefined && one.type !== type)),
      );
      await follow(zone);
    },
    serial: (name: string, role: DnsRole) => knotOf(role).serial(name),
    freeze(): void {
      frozen = true;
    },
    async thaw(): Promise<void> {
      frozen = false;
      for (const zone of zones.values()) await follow(zone);
    },
  };
}

const withTtl = (record: DnsRecord): Required<DnsRecord> => ({ ttl: 1, ...record });

const below = (label: string, zone: string): string => (zone === '.' ? label : `${label}.${zone}`);

function serversOf({ name, servers }: Zone): DnsRecord[] {
  return servers.flatMap((role, index) => {
    const host = below(`ns${index + 1}`, name);
    return [
      { name, type: 'NS', data: `${host}.` },
      { name: host, type: 'A', data: ADDRESSES[role] },
    ];
  });
}

function zoneFile(zone: Zone): string {
  // No timer but ours: the secondary asks once a day. What doesn't exist is remembered for a second.
  const soa = `${below('ns1', zone.name)}. ${below('hostmaster', zone.name)}. 1 86400 3600 2419200 1`;
  const records = [{ name: zone.name, type: 'SOA', data: soa }, ...serversOf(zone), ...zone.records, ...[...zone.delegations.values()].flat()];
  return ['$ORIGIN .', ...records.map(withTtl).map(({ name, ttl, type, data }) => `${name} ${ttl} IN ${type} ${data}`), ''].join('\n');
}
