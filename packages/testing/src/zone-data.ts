import type { Answer, CaaData } from 'dns-packet';

const TTL = 1;

/**
 * One zone in memory: TXT, CNAME and address records under an apex, the same on all its servers unless said. TXT beside a CNAME is
 * given out as it stands, though it is forbidden.
 */
export interface Zone {
  apex: string;
  /** NS host name to its address; empty where it has none. */
  servers: Map<string, string>;
  cnames: Map<string, string>;
  /** TXT values by name. */
  txt: Map<string, string[]>;
  /** What one server has at a name instead of the above: by address, then name. */
  txtOn: Map<string, Map<string, string[]>>;
  addresses: Map<string, string>;
  /** CAA records by name, as `0 issue "ca.example"` without the quotes. */
  caa: Map<string, { flags: number; tag: string; value: string }[]>;
}

export const lower = (name: string): string => name.toLowerCase().replace(/\.$/, '');
export const isUnder = (name: string, apex: string): boolean => name === apex || name.endsWith(`.${apex}`);

export function makeZone(apex: string, addresses: string[]): Zone {
  const servers = new Map(addresses.map((address, index) => [`ns${index + 1}.${apex}`, address]));
  return { apex, servers, cnames: new Map(), txt: new Map(), txtOn: new Map(), addresses: new Map(addressed(servers)), caa: new Map() };
}

const addressed = (servers: Map<string, string>): [string, string][] =>
  [...servers].filter(([, address]) => address !== '');

/** `apex`: empty for the root. */
export const soaOf = ({ apex }: { apex: string }): Answer => ({
  type: 'SOA',
  name: apex || '.',
  ttl: TTL,
  data: { mname: `ns1.${apex}`, rname: `hostmaster.${apex}`, serial: 1, refresh: 60, retry: 60, expire: 3_600, minimum: TTL },
});

export const nsOf = ({ apex, servers }: Zone): Answer[] =>
  [...servers.keys()].map((host) => ({ type: 'NS', name: apex, ttl: TTL, data: host }));

export const glueOf = ({ servers }: Zone): Answer[] =>
  addressed(servers).map(([name, data]) => ({ type: data.includes(':') ? 'AAAA' : 'A', name, ttl: TTL, data }));

/** The zone's records of one name and type, as the server at `address` has them; a CNAME answers for every type. */
export function recordsOf(zone: Zone, name: string, type: string, address: string): Answer[] {
  const own = zone.txtOn.get(address)?.get(name);
  const alias = own ? undefined : zone.cnames.get(name);
  if (alias !== undefined) return [{ type: 'CNAME', name, ttl: TTL, data: alias }, ...(type === 'TXT' ? txtOf(zone.txt.get(name), name) : [])];
  if (name === zone.apex && type === 'SOA') return [soaOf(zone)];
  if (name === zone.apex && type === 'NS') return nsOf(zone);
  const ip = zone.addresses.get(name);
  if ((type === 'A' || type === 'AAAA') && ip !== undefined) {
    return ip.includes(':') === (type === 'AAAA') ? [{ type, name, ttl: TTL, data: ip }] : [];
  }
  if (type === 'CAA') return (zone.caa.get(name) ?? []).map((data) => ({ type, name, ttl: TTL, data: data as CaaData }));
  if (type !== 'TXT') return [];
  return txtOf(own ?? zone.txt.get(name), name);
}

const txtOf = (values: string[] = [], name: string): Answer[] =>
  values.map((value) => ({ type: 'TXT', name, ttl: TTL, data: strings(value) }));

/** A TXT record is made of strings of at most 255 bytes (RFC 1035 section 3.3.14). */
function strings(value: string): Buffer[] {
  const bytes = Buffer.from(value);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += 255) parts.push(bytes.subarray(at, at + 255));
  return parts;
}

/** Whether the name, or one below it, has any record: NODATA if so, NXDOMAIN if not (RFC 8020). */
export function exists(zone: Zone, name: string, address: string): boolean {
  const own = zone.txtOn.get(address) ?? new Map<string, string[]>();
  if (isUnder(zone.apex, name)) return true;
  for (const one of zone.addresses.keys()) if (isUnder(one, name)) return true;
  for (const one of zone.caa.keys()) if (isUnder(one, name)) return true;
  for (const one of zone.cnames.keys()) if (isUnder(one, name) && !own.has(one)) return true;
  for (const [one, values] of zone.txt) if (values.length > 0 && isUnder(one, name) && !own.has(one)) return true;
  for (const [one, values] of own) if (values.length > 0 && isUnder(one, name)) return true;
  return false;
}
