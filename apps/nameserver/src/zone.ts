import type * as packet from 'dns-packet';

/** What our name servers know, apart from the labels. */
export interface ZoneSettings {
  /** `ACME_ZONE`: lower case, no final dot. */
  apex: string;
  /** Its name servers, with their addresses where their names lie in the zone (glue). */
  nameServers: { name: string; addresses: string[] }[];
}

/** The TXT values at a label; null: nobody has it. */
export type LabelLookup = (label: string) => readonly string[] | null;

/** What a name has. `exists` without records is an empty non-terminal, or a name with other types (NODATA). */
export interface Node {
  exists: boolean;
  records: packet.Answer[];
}

/** Seconds. Of what changes with an order: no resolver is to remember it, not even for the second that the CA may take. */
const TXT_TTL = 0;
/** Of what isn't there (RFC 2308): a label may be asked for before it has got here. */
const NEGATIVE_TTL = 5;
const APEX_TTL = 3_600;

/**
 * The same at all of our name servers and for ever, as each of them reads the same rows: there is no transfer for a serial to be of use to,
 * and monitors compare it.
 */
const SERIAL = 1;

const NONE: Node = { exists: false, records: [] };

/** Everything at `name` (lower case, in the zone). Owner names are written as they were asked for. */
export function nodeAt(name: string, owner: string, zone: ZoneSettings, lookup: LabelLookup): Node {
  if (name === zone.apex) return { exists: true, records: apexRecords(owner, zone) };
  const server = zone.nameServers.find((one) => one.name === name);
  if (server) return { exists: true, records: server.addresses.map((address) => addressRecord(owner, address)) };
  const label = name.slice(0, -zone.apex.length - 1);
  if (!label.includes('.')) {
    const values = lookup(label);
    if (values) return { exists: true, records: values.map((data) => ({ type: 'TXT', name: owner, ttl: TXT_TTL, data })) };
  }
  return zone.nameServers.some((one) => one.name.endsWith(`.${name}`)) ? { exists: true, records: [] } : NONE;
}

function apexRecords(owner: string, zone: ZoneSettings): packet.Answer[] {
  return [
    soaRecord(owner, zone),
    ...nsRecords(owner, zone),
    // Nobody needs a certificate for a name in here (RFC 8659 section 4.2).
    { type: 'CAA', name: owner, ttl: APEX_TTL, data: { flags: 0, tag: 'issue', value: ';' } },
  ];
}

export function soaRecord(owner: string, { apex, nameServers }: ZoneSettings): packet.Answer {
  const data = {
    mname: nameServers[0]?.name ?? apex,
    rname: `hostmaster.${apex}`,
    serial: SERIAL,
    refresh: 3_600,
    retry: 600,
    expire: 1_209_600,
    minimum: NEGATIVE_TTL,
  };
  // How long an absence is remembered is the lesser of the two (RFC 2308 section 5).
  return { type: 'SOA', name: owner, ttl: NEGATIVE_TTL, data };
}

const nsRecords = (owner: string, { nameServers }: ZoneSettings): packet.Answer[] =>
  nameServers.map(({ name }) => ({ type: 'NS', name: owner, ttl: APEX_TTL, data: name }));

const addressRecord = (name: string, address: string): packet.Answer => ({
  type: address.includes(':') ? 'AAAA' : 'A',
  name,
  ttl: APEX_TTL,
  data: address,
});

/** Addresses of name servers whose names lie in the zone: whoever gets their names needs them. */
export const glue = ({ apex, nameServers }: ZoneSettings): packet.Answer[] =>
  nameServers
    .filter(({ name }) => name.endsWith(`.${apex}`))
    .flatMap(({ name, addresses }) => addresses.map((address) => addressRecord(name, address)));

/** RFC 8482 section 4.2: an answer to ANY that is small whatever the name has. */
export const anyRecord = (owner: string): packet.Answer => ({ type: 'HINFO', name: owner, ttl: APEX_TTL, data: { cpu: 'RFC8482', os: '' } });
