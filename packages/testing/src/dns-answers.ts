import * as packet from 'dns-packet';
import { exists, glueOf, isUnder, lower, nsOf, recordsOf, soaOf, type Zone } from './zone-data';

/** What a server answers, before it becomes a message. */
export interface DnsAnswer {
  rcode: number;
  flags?: number;
  answers?: packet.Answer[];
  authorities?: packet.Answer[];
  additionals?: packet.Answer[];
  /** A resolver's: the alias that leads to a zone that is somebody else's. */
  leadsTo?: string;
}

export const NOERROR = 0;
export const SERVFAIL = 2;
export const NXDOMAIN = 3;
export const REFUSED = 5;

const MAX_ALIASES = 8;

/** The zone with the longest apex that the name lies under. */
export const closest = (zones: Iterable<Zone>, name: string): Zone | undefined =>
  [...zones].filter(({ apex }) => isUnder(name, apex)).sort((a, b) => b.apex.length - a.apex.length)[0];

/** As the server at `address` speaks for its own zones (RFC 1034 section 4.3.2). */
export function authoritative(zones: Zone[], address: string, question: packet.Question): DnsAnswer {
  const name = lower(question.name);
  const zone = closest(zones.filter(({ servers }) => [...servers.values()].includes(address)), name);
  if (!zone) return { rcode: REFUSED };
  const below = zones.filter(({ apex }) => apex !== zone.apex && isUnder(apex, zone.apex) && isUnder(name, apex));
  // The topmost cut: each zone knows only what it delegates itself.
  const child = below.sort((a, b) => a.apex.length - b.apex.length)[0];
  // A server that was given a say of its own at the name has not heard of the delegation.
  const unaware = child?.txtOn.get(address)?.has(name) ?? false;
  if (child && !unaware) return { rcode: NOERROR, authorities: nsOf(child), additionals: glueOf(child) };
  const answers = recordsOf(child ?? zone, name, question.type, address);
  if (answers.length > 0) return { rcode: NOERROR, flags: packet.AUTHORITATIVE_ANSWER, answers };
  const rcode = exists(zone, name, address) ? NOERROR : NXDOMAIN;
  return { rcode, flags: packet.AUTHORITATIVE_ANSWER, authorities: [soaOf(zone)] };
}

/** As a resolver answers: from each zone's first server, through aliases; what lies in no zone does not exist. */
export function recursive(zones: Zone[], question: packet.Question): DnsAnswer {
  const flags = packet.RECURSION_AVAILABLE;
  const answers: packet.Answer[] = [];
  let name = lower(question.name);
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases += 1) {
    const zone = closest(zones, name);
    if (!zone) return { rcode: NXDOMAIN, flags, answers, authorities: [soaOf({ apex: '' })], leadsTo: name };
    const [address = ''] = zone.servers.values();
    const found = recordsOf(zone, name, question.type, address);
    answers.push(...found);
    const alias = found.find((record): record is packet.StringAnswer => record.type === 'CNAME');
    if (alias && question.type !== 'CNAME') {
      name = lower(alias.data);
      continue;
    }
    if (found.length > 0) return { rcode: NOERROR, flags, answers };
    return { rcode: exists(zone, name, address) ? NOERROR : NXDOMAIN, flags, answers, authorities: [soaOf(zone)] };
  }
  return { rcode: SERVFAIL, flags };
}
