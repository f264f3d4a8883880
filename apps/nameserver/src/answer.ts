import { HEADER_BYTES, IN, type Query, readQuery, TYPE } from './query';
import { NO_RECORDS, type Section } from './records';
import { isInZone, type LabelLookup, recordsAt, soaOf, type Zone } from './zone';

/** What a client takes over UDP that doesn't say (RFC 1035 section 4.2.1). */
const DEFAULT_UDP_SIZE = 512;

/** No fragments on any path (DNS flag day 2020). */
const MAX_UDP_SIZE = 1_232;

/** What its length says over TCP (RFC 1035 section 4.2.2). */
const MAX_TCP_SIZE = 65_535;

const NOERROR = 0;
const FORMERR = 1;
const NXDOMAIN = 3;
const NOTIMP = 4;
const REFUSED = 5;
/** RFC 6891 section 9: the upper bits are in the OPT record. */
const BADVERS = 16;

const RESPONSE = 0x8000;
const AUTHORITATIVE = 0x0400;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const DNSSEC_OK = 0x8000;
const OPT_BYTES = 11;

/** What became of a message, for the metrics. */
export type Outcome = 'answered' | 'nodata' | 'nxdomain' | 'refused' | 'unsupported' | 'malformed';

export interface Answered {
  outcome: Outcome;
  /** Null: what came is no query, or can't be read: it gets no answer, lest we are made to answer to somebody else. */
  bytes: Buffer | null;
}

const DROPPED: Answered = { outcome: 'malformed', bytes: null };

/** The one answer to one message (RFC 1035, RFC 6891); `isTcp`: it may be as long as it has to be. */
export function answer(message: Buffer, zone: Zone, lookup: LabelLookup, { isTcp }: { isTcp: boolean }): Answered {
  if (message.length < HEADER_BYTES || isResponse(message)) return DROPPED;
  if (opcodeOf(message) !== 0) return { outcome: 'unsupported', bytes: headerOnly(message, NOTIMP) };
  const query = readQuery(message);
  if (query === 'unreadable') return DROPPED;
  if (query === 'strange') return { outcome: 'malformed', bytes: headerOnly(message, FORMERR) };
  const found: Found = query.opt && query.opt.version > 0 ? { outcome: 'unsupported', rcode: BADVERS, flags: 0 } : find(query, zone, lookup);
  const maxSize = isTcp ? MAX_TCP_SIZE : Math.min(Math.max(query.opt?.udpSize ?? 0, DEFAULT_UDP_SIZE), MAX_UDP_SIZE);
  const { outcome, rcode, flags } = found;
  return { outcome, bytes: sizeOf(query, found) <= maxSize ? write(message, query, found) : write(message, query, { rcode, flags: flags | TRUNCATED }) };
}

/** For a client that asks too often: nothing but that it is to come back over TCP, which nobody can do under another's address. */
export function comeOverTcp(message: Buffer): Buffer | null {
  if (message.length < HEADER_BYTES || isResponse(message) || opcodeOf(message) !== 0) return null;
  const query = readQuery(message);
  if (query === 'unreadable' || query === 'strange') return null;
  return write(message, query, { rcode: NOERROR, flags: AUTHORITATIVE | TRUNCATED });
}

interface Content {
  rcode: number;
  /** Besides RESPONSE, and RECURSION_DESIRED as it was asked. */
  flags: number;
  answers?: Section;
  authorities?: Section;
  additionals?: Section;
}

interface Found extends Content {
  outcome: Outcome;
}

function find(query: Query, zone: Zone, lookup: LabelLookup): Found {
  const isTransfer = query.type === TYPE.AXFR || query.type === TYPE.IXFR;
  if (!isInZone(query, zone) || query.class !== IN || isTransfer) return { outcome: 'refused', rcode: REFUSED, flags: 0 };
  const flags = AUTHORITATIVE;
  const answers = recordsAt(query, zone, lookup);
  if (answers === null) return { outcome: 'nxdomain', rcode: NXDOMAIN, flags, authorities: soaOf(query, zone) };
  if (answers.count === 0) return { outcome: 'nodata', rcode: NOERROR, flags, authorities: soaOf(query, zone) };
  return { outcome: 'answered', rcode: NOERROR, flags, answers, ...(query.type === TYPE.NS && { additionals: zone.glue }) };
}

const sizeOf = ({ questionEnd, opt }: Query, { answers = NO_RECORDS, authorities = NO_RECORDS, additionals = NO_RECORDS }: Content): number =>
  questionEnd + answers.bytes.length + authorities.bytes.length + additionals.bytes.length + (opt ? OPT_BYTES : 0);

/** The question is repeated to the letter (0x20); OPT only where the client has sent one. */
function write(message: Buffer, query: Query, content: Content): Buffer {
  const { rcode, flags, answers = NO_RECORDS, authorities = NO_RECORDS, additionals = NO_RECORDS } = content;
  const { questionEnd, opt } = query;
  const bytes = Buffer.allocUnsafe(sizeOf(query, content));
  message.copy(bytes, 0, 0, questionEnd);
  bytes.writeUInt16BE(RESPONSE | flags | (message.readUInt16BE(2) & RECURSION_DESIRED) | (rcode & 0xf), 2);
  bytes.writeUInt16BE(answers.count, 6);
  bytes.writeUInt16BE(authorities.count, 8);
  bytes.writeUInt16BE(additionals.count + (opt ? 1 : 0), 10);
  let at = questionEnd;
  at += answers.bytes.copy(bytes, at);
  at += authorities.bytes.copy(bytes, at);
  at += additionals.bytes.copy(bytes, at);
  if (!opt) return bytes;
  at = bytes.writeUInt8(0, at);
  at = bytes.writeUInt16BE(TYPE.OPT, at);
  at = bytes.writeUInt16BE(MAX_UDP_SIZE, at);
  at = bytes.writeUInt16BE((rcode >> 4) << 8, at); // and version 0
  at = bytes.writeUInt16BE(opt.isDo ? DNSSEC_OK : 0, at); // as it was asked (RFC 3225 section 3)
  bytes.writeUInt16BE(0, at);
  return bytes;
}

const isResponse = (message: Buffer): boolean => ((message[2] ?? 0) & 0x80) !== 0;
const opcodeOf = (message: Buffer): number => ((message[2] ?? 0) >> 3) & 0xf;

/** Id, opcode and RD as they came; no question. */
function headerOnly(message: Buffer, rcode: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  message.copy(header, 0, 0, 3);
  header[2] = ((header[2] ?? 0) & 0x79) | 0x80;
  header[3] = rcode;
  return header;
}
