import { getServers } from 'node:dns';
import { type DnsReply, DnsWireError, query, type Question, type ServerAddress } from './wire';

/** Recursive resolvers, for a bounded time. */
export interface Resolver {
  /** The first answer that is one (NOERROR or NXDOMAIN); null when no resolver gives any, or the time is up. */
  ask(question: Question): Promise<DnsReply | null>;
}

/** `budgetMs`: how long one query may take now, in milliseconds; 0 when the time is up. */
export type MakeResolver = (budgetMs: () => number) => Resolver;

export function createResolvers(servers: ServerAddress[]): MakeResolver {
  let inOrder = servers;
  return (budgetMs) => ({
    async ask(question) {
      for (const server of inOrder) {
        const timeoutMs = budgetMs();
        if (timeoutMs <= 0) return null;
        try {
          // Checking disabled: a zone whose DNSSEC is broken is still found, and its servers asked.
          const reply = await query(question, server, { timeoutMs, recursionDesired: true, checkingDisabled: true });
          if (reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN') return reply;
        } catch (error) {
          if (!(error instanceof DnsWireError)) throw error;
          // It has cost its time once: the next questions go to the others first.
          inOrder = [...inOrder.filter((one) => one !== server), server];
        }
      }
      return null;
    },
  });
}

/** `getServers` gives `address`, `address:port` or `[address]:port`. */
export const systemResolvers = (): ServerAddress[] =>
  getServers().map((text) => {
    const [, address, port] = /^\[(.*)\]:(\d+)$/.exec(text) ?? /^([\d.]+):(\d+)$/.exec(text) ?? [];
    return { address: address ?? text, port: Number(port ?? 53) };
  });
