import type * as packet from 'dns-packet';
import { HEADER_BYTES, type Query, TYPE } from './query';
import { ASKED, encodeName, NO_RECORDS, pointerTo, record, type Section, sectionOf, txtSection } from './records';

/** What our name servers know, apart from the labels. */
export interface ZoneSettings {
  /** `ACME_ZONE`: lower case, no final dot. */
  apex: string;
  /** Its name servers, with their addresses where their names lie in the zone (glue). */
  nameServers: { name: string; addresses: string[] }[];
}

/** The TXT values at a label; null: nobody has it. */
export type LabelLookup = (label: string) => readonly string[] | null;

/** The settings, made ready to be sent. */
export interface Zone {
  /** As `Query.name` is. */
  apex: string;
  /** What names other than labels have, by type; a name with nothing is an empty non-terminal. */
  nodes: Map<string, Map<number, Section>>;
  /** Without its owner's name. */
  soa: Buffer;
  /** Addresses of name servers whose names lie in the zone: whoever gets their names needs them. */
  glue: Section;
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

/** RFC 8482 section 4.2: an answer to ANY that is small whatever the name has. */
const ANY_RECORD = sectionOf([record(ASKED, { type: 'HINFO', name: '.', ttl: APEX_TTL, data: { cpu: 'RFC8482', os: '' } })]);

const wireOf = (name: string): string => encodeName(name).toString('latin1');

export function createZone({ apex, nameServers }: ZoneSettings): Zone {
  const soa: packet.SoaAnswer = {
    type: 'SOA',
    name: apex,
    ttl: NEGATIVE_TTL, // how long an absence is remembered is the lesser of the two (RFC 2308 section 5)
    data: {
      mname: nameServers[0]?.name ?? apex,
      rname: `hostmaster.${apex}`,
      serial: SERIAL,
      refresh: 3_600,
      retry: 600,
      expire: 1_209_600,
      minimum: NEGATIVE_TTL,
    },
  };
  const nodes: Zone['nodes'] = new Map();
  const inside = nameServers.filter(({ name }) => name.endsWith(`.${apex}`));
  for (const { name } of inside) for (const above of namesBetween(name, apex)) nodes.set(wireOf(above), new Map());
  for (const { name, addresses } of inside) {
    const ofFamily = (isOfFamily: (address: string) => boolean): Section =>
      sectionOf(addresses.filter(isOfFamily).map((address) => record(ASKED, addressOf(name, address))));
    nodes.set(wireOf(name), withRecords([[TYPE.A, ofFamily((one) => !one.includes(':'))], [TYPE.AAAA, ofFamily((one) => one.includes(':'))]]));
  }
  nodes.set(
    wireOf(apex),
    withRecords([
      [TYPE.SOA, sectionOf([record(ASKED, soa)])],
      [TYPE.NS, sectionOf(nameServers.map(({ name }) => record(ASKED, { type: 'NS', name: apex, ttl: APEX_TTL, data: name })))],
      // Nobody needs a certificate for a name in here (RFC 8659 section 4.2).
      [TYPE.CAA, sectionOf([record(ASKED, { type: 'CAA', name: apex, ttl: APEX_TTL, data: { flags: 0, tag: 'issue', value: ';' } })])],
    ]),
  );
  const glue = sectionOf(inside.flatMap(({ name, addresses }) => addresses.map((address) => record(encodeName(name), addressOf(name, address)))));
  return { apex: wireOf(apex), nodes, soa: record(Buffer.alloc(0), soa), glue };
}

const addressOf = (name: string, address: string): packet.Answer => ({ type: address.includes(':') ? 'AAAA' : 'A', name, ttl: APEX_TTL, data: address });

const withRecords = (entries: [number, Section][]): Map<number, Section> => new Map(entries.filter(([, { count }]) => count > 0));

/** The names above `name`, below `apex`. */
function namesBetween(name: string, apex: string): string[] {
  const above = name.slice(name.indexOf('.') + 1);
  return above === apex ? [] : [above, ...namesBetween(above, apex)];
}

export const isInZone = ({ name, labels }: Query, { apex }: Zone): boolean => name.endsWith(apex) && labels.includes(name.length - apex.length);

/** What is at a name in the zone; without records it has other types (NODATA). Null: there is no such name. */
export function recordsAt({ name, labels, type }: Query, { apex, nodes }: Zone, lookup: LabelLookup): Section | null {
  const node = nodes.get(name);
  if (node) return (type === TYPE.ANY && node.size > 0 ? ANY_RECORD : node.get(type)) ?? NO_RECORDS;
  if (labels[1] !== name.length - apex.length) return null; // only labels right below the apex
  const values = lookup(name.slice(1, labels[1]));
  if (values === null) return null;
  if (type === TYPE.ANY) return ANY_RECORD;
  return type === TYPE.TXT ? txtSection(values, TXT_TTL) : NO_RECORDS;
}

/** For answers that have nothing: the SOA of the zone, whose name is the end of the asked one. */
export const soaOf = ({ name }: Query, { apex, soa }: Zone): Section =>
  sectionOf([Buffer.concat([pointerTo(HEADER_BYTES + name.length - apex.length), soa])]);
