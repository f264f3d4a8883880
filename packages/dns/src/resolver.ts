import { getServers } from 'node:dns';
import type { DnsReply } from './message';
import { DnsWireError, query, type QueryOptions, type Question, type ServerAddress } from './wire';

/** Recursive resolvers, for a bounded time. */
export interface Resolver {
  /** The first answer that is one (NOERROR or NXDOMAIN); null when no resolver gives any, or the time is up. */
  ask(question: Question): Promise<DnsReply | null>;
  /** With DNSSEC checked, the first answer that is one; where there is none what the last of them said: SERVFAIL where `ask` has an answer may mean a broken chain. */
  askChecked(question: Question): Promise<DnsReply | null>;
  /** What the first that answers has in its cache (RD=0); one with stub zones may look in those. */
  askCache(question: Question): Promise<DnsReply | null>;
}

/** `budgetMs`: how long one query may take now, in milliseconds; 0 when the time is up. */
export type MakeResolver = (budgetMs: () => number) => Resolver;

export function createResolvers(servers: ServerAddress[]): MakeResolver {
  let inOrder = servers;
  const first = async (
    question: Question,
    budgetMs: () => number,
    flags: Pick<QueryOptions, 'recursionDesired' | 'checkingDisabled'>,
    isEnough: (reply: DnsReply) => boolean,
  ): Promise<DnsReply | null> => {
    for (const server of inOrder) {
      const timeoutMs = budgetMs();
      if (timeoutMs <= 0) return null;
      try {
        const reply = await query(question, server, { timeoutMs, ...flags });
        if (isEnough(reply)) return reply;
      } catch (error) {
        if (!(error instanceof DnsWireError)) throw error;
        // It has cost its time once: the next questions go to the others first.
        inOrder = [...inOrder.filter((one) => one !== server), server];
      }
    }
    return null;
  };
  const preferring = async (isBetter: (reply: DnsReply) => boolean, look: (isEnough: (reply: DnsReply) => boolean) => Promise<DnsReply | null>): Promise<DnsReply | null> => {
    let last: DnsReply | null = null;
    const found = await look((reply) => {
      last = reply;
      return isBetter(reply);
    });
    return found ?? last;
  };
  const isAnswer = ({ rcode }: DnsReply): boolean => rcode === 'NOERROR' || rcode === 'NXDOMAIN';
  return (budgetMs) => ({
    // Checking disabled: a zone whose DNSSEC is broken is still found, and its servers asked.
    ask: (question) => first(question, budgetMs, { recursionDesired: true, checkingDisabled: true }, isAnswer),
    askChecked: (question) => preferring(isAnswer, (isEnough) => first(question, budgetMs, { recursionDesired: true }, isEnough)),
    askCache: (question) => first(question, budgetMs, {}, isAnswer),
  });
}

/** `getServers` gives `address`, `address:port` or `[address]:port`. */
export const systemResolvers = (): ServerAddress[] =>
  getServers().map((text) => {
    const [, address, port] = /^\[(.*)\]:(\d+)$/.exec(text) ?? /^([\d.]+):(\d+)$/.exec(text) ?? [];
    return { address: address ?? text, port: Number(port ?? 53) };
  });
