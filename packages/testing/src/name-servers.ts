import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import * as packet from 'dns-packet';
import { exists, glueOf, isUnder, lower, makeZone, nsOf, recordsOf, soaOf, type Zone } from './zone-data';

export type Misbehaviour = 'silent' | 'servfail' | 'refused' | 'lame' | 'truncate' | 'wrong-id' | 'garbage';

export interface SeenQuery {
  address: string;
  name: string;
  type: string;
  /** Recursion desired: somebody took us for a resolver. */
  recursive: boolean;
}

export interface NameServers {
  port: number;
  /** Authoritative servers at `servers` (default: all addresses), named ns1.<apex>, ns2.<apex> … */
  addZone(apex: string, options?: { servers?: string[] }): void;
  /** Replaces the TXT values of a name; with `on` only for what the server at that address answers. */
  setTxt(name: string, values: string[], options?: { on?: string }): void;
  removeTxt(name: string): void;
  setCname(name: string, target: string): void;
  /** Makes the server at an address misbehave for what it is authoritative for; null: behave again. */
  misbehave(address: string, how: Misbehaviour | null): void;
  /** The last 10,000 queries. */
  queries: SeenQuery[];
  close(): Promise<void>;
}

const MAX_QUERIES = 10_000;
const MAX_ALIASES = 8;
const AUTHORITATIVE = packet.AUTHORITATIVE_ANSWER;

/**
 * Name servers in this process, over UDP and TCP, on one port of one or several loopback addresses: each is authoritative
 * for its zones, and all of them resolve every zone for queries that ask for recursion. For tests, and for the demo.
 */
export async function startNameServers({
  port: wanted = 0,
  addresses = ['127.0.0.1'],
}: { port?: number; addresses?: string[] } = {}): Promise<NameServers> {
  const zones = new Map<string, Zone>();
  const wrong = new Map<string, Misbehaviour>();
  const queries: SeenQuery[] = [];
  const zoneOf = (name: string): Zone => {
    const zone = closest(zones, lower(name));
    if (!zone) throw new Error(`no zone for ${name}: call addZone first`);
    return zone;
  };

  const handle = (address: string, bytes: Buffer, overTcp: boolean): Buffer | null => {
    const query = decode(bytes);
    const question = query?.questions?.[0];
    if (!query || !question || query.type !== 'query') return null;
    const recursive = ((query.flags ?? 0) & packet.RECURSION_DESIRED) !== 0;
    queries.push({ address, name: lower(question.name), type: question.type, recursive });
    if (queries.length > MAX_QUERIES) queries.shift();
    const how = recursive ? undefined : wrong.get(address);
    if (how === 'silent') return null;
    if (how === 'garbage') return Buffer.from([...bytes.subarray(0, 2), 0x80, 0, 0, 1, 0xc0, 0x0c]);
    const reply = recursive ? resolve(zones, question) : authoritative(zones, address, question);
    const { rcode, ...sections } = misbehaved(reply, how, overTcp);
    return packet.encode({
      ...sections,
      type: 'response',
      id: how === 'wrong-id' ? (query.id ?? 0) ^ 1 : (query.id ?? 0),
      flags: (sections.flags ?? 0) | ((query.flags ?? 0) & packet.RECURSION_DESIRED) | rcode,
      questions: [question],
    });
  };

  const sockets: { udp: Socket; tcp: Server }[] = [];
  let port = wanted;
  for (const address of addresses) {
    const tcp = await listenTcp(address, port, (bytes) => handle(address, bytes, true));
    port = (tcp.address() as AddressInfo).port;
    sockets.push({ tcp, udp: await listenUdp(address, port, (bytes) => handle(address, bytes, false)) });
  }

  return {
    port,
    queries,
    addZone(apex, { servers = addresses } = {}) {
      zones.set(lower(apex), makeZone(lower(apex), servers));
    },
    setTxt(name, values, { on } = {}) {
      const zone = zoneOf(name);
      if (on === undefined) zone.txt.set(lower(name), values);
      else zone.txtOn.set(on, (zone.txtOn.get(on) ?? new Map<string, string[]>()).set(lower(name), values));
    },
    removeTxt(name) {
      const zone = zoneOf(name);
      for (const values of [zone.txt, ...zone.txtOn.values()]) values.delete(lower(name));
    },
    setCname(name, target) {
      zoneOf(name).cnames.set(lower(name), lower(target));
    },
    misbehave(address, how) {
      if (how) wrong.set(address, how);
      else wrong.delete(address);
    },
    async close() {
      await Promise.all(
        sockets.flatMap(({ udp, tcp }) => {
          const closed = [once(udp, 'close'), once(tcp, 'close')];
          udp.close();
          tcp.close();
          return closed;
        }),
      );
    },
  };
}

/** Null for bytes that are no DNS message: a server says nothing to those. */
function decode(bytes: Buffer): packet.DecodedPacket | null {
  try {
    return packet.decode(bytes);
  } catch {
    return null; // dns-packet throws whatever it stumbles over
  }
}

interface Reply {
  rcode: number;
  flags?: number;
  answers?: packet.Answer[];
  authorities?: packet.Answer[];
  additionals?: packet.Answer[];
}

const NOERROR = 0;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const REFUSED = 5;

/** The zone with the longest apex that the name lies under. */
const closest = (zones: Map<string, Zone>, name: string): Zone | undefined =>
  [...zones.values()]
    .filter(({ apex }) => isUnder(name, apex))
    .sort((a, b) => b.apex.length - a.apex.length)[0];

function authoritative(zones: Map<string, Zone>, address: string, { name: asked, type }: packet.Question): Reply {
  const name = lower(asked);
  const mine = new Map([...zones].filter(([, zone]) => [...zone.servers.values()].includes(address)));
  const zone = closest(mine, name);
  if (!zone) return { rcode: REFUSED };
  const child = closest(zones, name);
  if (child && child.apex.length > zone.apex.length) {
    return { rcode: NOERROR, authorities: nsOf(child), additionals: glueOf(child) };
  }
  const answers = recordsOf(zone, name, type, address);
  if (answers.length > 0) return { rcode: NOERROR, flags: AUTHORITATIVE, answers };
  const rcode = exists(zone, name, address) ? NOERROR : NXDOMAIN;
  return { rcode, flags: AUTHORITATIVE, authorities: [soaOf(zone)] };
}

/** As a resolver would: from each zone's first server, through aliases. */
function resolve(zones: Map<string, Zone>, { name: asked, type }: packet.Question): Reply {
  const answers: packet.Answer[] = [];
  let name = lower(asked);
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases += 1) {
    const zone = closest(zones, name);
    const address = zone && [...zone.servers.values()][0];
    if (!zone || address === undefined) return { rcode: NXDOMAIN, flags: packet.RECURSION_AVAILABLE, answers };
    const found = recordsOf(zone, name, type, address);
    answers.push(...found);
    const alias = found.find((record): record is packet.StringAnswer => record.type === 'CNAME');
    if (!alias || type === 'CNAME') {
      const rcode = found.length > 0 || exists(zone, name, address) ? NOERROR : NXDOMAIN;
      return { rcode, flags: packet.RECURSION_AVAILABLE, answers, ...(found.length === 0 && { authorities: [soaOf(zone)] }) };
    }
    name = lower(alias.data);
  }
  return { rcode: SERVFAIL, flags: packet.RECURSION_AVAILABLE };
}

function misbehaved(reply: Reply, how: Misbehaviour | undefined, overTcp: boolean): Reply {
  if (how === 'servfail') return { rcode: SERVFAIL };
  if (how === 'refused') return { rcode: REFUSED };
  if (how === 'lame') return { ...reply, flags: 0 };
  if (how === 'truncate' && !overTcp) return { rcode: reply.rcode, flags: packet.TRUNCATED_RESPONSE };
  return reply;
}

async function listenUdp(address: string, port: number, handle: (bytes: Buffer) => Buffer | null): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, from) => {
    const reply = handle(bytes);
    if (reply) socket.send(reply, from.port, from.address);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}

async function listenTcp(address: string, port: number, handle: (bytes: Buffer) => Buffer | null): Promise<Server> {
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const reply = handle(received.subarray(2, 2 + received.readUInt16BE(0)));
      if (!reply) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.end(Buffer.concat([length, reply]));
    });
  });
  server.listen(port, address);
  await once(server, 'listening');
  return server;
}
