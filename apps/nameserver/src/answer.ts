import { decodeMessage, encodeMessage } from '@certwright/dns';
import * as packet from 'dns-packet';
import { anyRecord, glue, type LabelLookup, nodeAt, soaRecord, type ZoneSettings } from './zone';

const HEADER_BYTES = 12;

/** What a client takes over UDP that doesn't say (RFC 1035 section 4.2.1). */
const DEFAULT_UDP_SIZE = 512;

/** No fragments on any path (DNS flag day 2020). */
const MAX_UDP_SIZE = 1_232;

const NOERROR = 0;
const FORMERR = 1;
const NXDOMAIN = 3;
const NOTIMP = 4;
const REFUSED = 5;
/** RFC 6891 section 9: the upper bits are in the OPT record. */
const BADVERS = 16;

const TRANSFERS = ['AXFR', 'IXFR'];

/** What became of a message, for the metrics. */
export type Outcome = 'answered' | 'nodata' | 'nxdomain' | 'refused' | 'unsupported' | 'malformed';

export interface Answered {
  outcome: Outcome;
  /** Null: what came is no query, or can't be read: it gets no answer, lest we are made to answer to somebody else. */
  bytes: Buffer | null;
}

/** The one answer to one message (RFC 1035, RFC 6891); `isTcp`: it may be as long as it has to be. */
export function answer(message: Buffer, zone: ZoneSettings, lookup: LabelLookup, { isTcp }: { isTcp: boolean }): Answered {
  if (message.length < HEADER_BYTES || isResponse(message)) return { outcome: 'malformed', bytes: null };
  if (opcodeOf(message) !== 0) return { outcome: 'unsupported', bytes: headerOnly(message, NOTIMP) };
  const query = decodeMessage(message);
  if (!query) return { outcome: 'malformed', bytes: null };
  const [question, ...more] = query.questions ?? [];
  const options = (query.additionals ?? []).filter((one) => one.type === 'OPT');
  const isStrange = more.length > 0 || (query.answers ?? []).length > 0 || (query.authorities ?? []).length > 0 || options.length > 1;
  if (!question || isStrange) return { outcome: 'malformed', bytes: headerOnly(message, FORMERR) };
  const [opt] = options;
  const found: Found = opt && opt.ednsVersion > 0 ? { outcome: 'unsupported', rcode: BADVERS } : find(question, zone, lookup);
  const udpSize = Math.min(Math.max(opt?.udpPayloadSize ?? 0, DEFAULT_UDP_SIZE), MAX_UDP_SIZE);
  const whole = encode(query, question, found, opt !== undefined);
  const asked = encodeMessage({ questions: [question] })?.length ?? HEADER_BYTES;
  // An answer has to repeat the question to the letter: a name that reads like another one, or is written in pieces, can't be.
  if (!whole?.subarray(HEADER_BYTES, asked).equals(message.subarray(HEADER_BYTES, asked))) return { outcome: 'malformed', bytes: headerOnly(message, FORMERR) };
  if (isTcp || whole.length <= udpSize) return { outcome: found.outcome, bytes: whole };
  return { outcome: found.outcome, bytes: encode(query, question, { ...found, answers: [], authorities: [], additionals: [], truncated: true }, opt !== undefined) };
}

/** For a client that asks too often: nothing but that it is to come back over TCP, which nobody can do under another's address. */
export function comeOverTcp(message: Buffer): Buffer | null {
  const query = decodeMessage(message);
  const [question] = query?.questions ?? [];
  if (!query || !question || isResponse(message) || opcodeOf(message) !== 0) return null;
  const hasOpt = (query.additionals ?? []).some(({ type }) => type === 'OPT');
  return encode(query, question, { outcome: 'answered', rcode: NOERROR, truncated: true }, hasOpt);
}

interface Found {
  outcome: Outcome;
  rcode: number;
  /** Default true, for what is in our zone. */
  authoritative?: boolean;
  truncated?: boolean;
  answers?: packet.Answer[];
  authorities?: packet.Answer[];
  additionals?: packet.Answer[];
}

function find({ name: asked, type, class: qclass }: packet.Question, zone: ZoneSettings, lookup: LabelLookup): Found {
  const name = asked.toLowerCase();
  const isOurs = name === zone.apex || name.endsWith(`.${zone.apex}`);
  if (!isOurs || (qclass ?? 'IN') !== 'IN' || TRANSFERS.includes(type)) return { outcome: 'refused', rcode: REFUSED, authoritative: false };
  const owner = asked.slice(-zone.apex.length);
  const { exists, records } = nodeAt(name, asked, zone, lookup);
  const nothing = { authorities: [soaRecord(owner, zone)] };
  if (!exists) return { outcome: 'nxdomain', rcode: NXDOMAIN, ...nothing };
  if ((type as string) === 'ANY') return { outcome: 'answered', rcode: NOERROR, answers: [anyRecord(asked)] };
  const answers = records.filter((one) => one.type === type);
  if (answers.length === 0) return { outcome: 'nodata', rcode: NOERROR, ...nothing };
  return { outcome: 'answered', rcode: NOERROR, answers, additionals: type === 'NS' ? glue(zone) : [] };
}

function encode(query: packet.Packet, question: packet.Question, found: Found, hasOpt: boolean): Buffer | null {
  const { rcode, authoritative = true, truncated = false, answers = [], authorities = [], additionals = [] } = found;
  const opt = { type: 'OPT', name: '.', udpPayloadSize: MAX_UDP_SIZE, extendedRcode: rcode >> 4, ednsVersion: 0, flags: 0, flag_do: false, options: [] } satisfies packet.OptAnswer;
  return encodeMessage({
    type: 'response',
    id: query.id ?? 0,
    flags:
      (authoritative && rcode !== BADVERS ? packet.AUTHORITATIVE_ANSWER : 0) |
      (truncated ? packet.TRUNCATED_RESPONSE : 0) |
      ((query.flags ?? 0) & packet.RECURSION_DESIRED) |
      (rcode & 0xf),
    questions: [question],
    answers,
    authorities,
    additionals: hasOpt ? [...additionals, opt] : additionals,
  });
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
