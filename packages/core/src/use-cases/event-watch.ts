import { setTimeout as sleep } from 'node:timers/promises';
import type { EventStore } from '../ports';

export interface EventWatch {
  /**
   * Resolves once the domain has an event after `since` (an event's id; empty: any), or after `timeoutMs`, or when `signal` aborts.
   * @throws whatever the store throws
   */
  untilNews(domainId: string, since: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<void>;
  /** Nobody waits any longer: the process is stopping. */
  close(): void;
  readonly isClosed: boolean;
}

interface Caller {
  domainId: string;
  since: bigint;
  done: () => void;
  fail: (error: unknown) => void;
}

const LOOK_EVERY_MS = 250;

/** Looks at all domains that callers wait for in one statement, however many they are. */
export function watchEvents(events: Pick<EventStore, 'newest'>): EventWatch {
  const callers = new Set<Caller>();
  let isLooking = false;
  let isClosed = false;

  async function look(): Promise<void> {
    const asking = [...callers];
    try {
      const newest = await events.newest([...new Set(asking.map(({ domainId }) => domainId))]);
      const ids = new Map(newest.map(({ domainId, id }) => [domainId, BigInt(id)]));
      for (const caller of asking) if ((ids.get(caller.domainId) ?? 0n) > caller.since) caller.done();
    } catch (error) {
      for (const caller of asking) caller.fail(error);
    }
  }

  async function lookWhileAnyoneWaits(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    for (; callers.size > 0; await sleep(LOOK_EVERY_MS)) await look();
    isLooking = false;
  }

  return {
    get isClosed() {
      return isClosed;
    },
    close() {
      isClosed = true;
      for (const caller of callers) caller.done();
    },
    async untilNews(domainId, since, { timeoutMs, signal }) {
      if (isClosed || signal?.aborted) return;
      let forget = (): void => undefined;
      const news = new Promise<void>((done, fail) => {
        const caller: Caller = { domainId, since: BigInt(since || 0), done, fail };
        const giveUp = (): void => done();
        const timer = setTimeout(giveUp, timeoutMs);
        callers.add(caller);
        signal?.addEventListener('abort', giveUp, { once: true });
        forget = () => {
          clearTimeout(timer);
          callers.delete(caller);
          signal?.removeEventListener('abort', giveUp);
        };
      });
      void lookWhileAnyoneWaits();
      try {
        await news;
      } finally {
        forget();
      }
    },
  };
}
