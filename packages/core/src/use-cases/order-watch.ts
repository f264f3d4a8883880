import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderStanding, OrderStore } from '../ports';
import type { ProblemCode } from '../problem';

export interface OrderWatch {
  /**
   * Resolves once the order is placed, over, gone, or known to wait for longer than a caller does, or after `timeoutMs`.
   * @throws whatever the store throws
   */
  untilPlaced(orderId: string, timeoutMs: number): Promise<void>;
}

interface Caller {
  orderId: string;
  done: () => void;
  fail: (error: unknown) => void;
}

const LOOK_EVERY_MS = 50;

/** Nothing that ends within a caller's wait. */
const LONG_WAITS: readonly ProblemCode[] = ['acme_rate_limited', 'acme_budget_spent', 'acme_account_refused'];

/** Looks at all orders that callers wait for in one statement, however many they are. */
export function watchOrders(orders: Pick<OrderStore, 'standings'>): OrderWatch {
  const callers = new Set<Caller>();
  let isLooking = false;

  async function look(): Promise<void> {
    const asking = [...callers];
    try {
      const standings = await orders.standings([...new Set(asking.map(({ orderId }) => orderId))]);
      const open = new Set(standings.filter(isOpen).map(({ id }) => id));
      for (const caller of asking) if (!open.has(caller.orderId)) caller.done();
    } catch (error) {
      for (const caller of asking) caller.fail(error);
    }
  }

  async function lookWhileAnyoneWaits(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    for (await sleep(LOOK_EVERY_MS); callers.size > 0; await sleep(LOOK_EVERY_MS)) await look();
    isLooking = false;
  }

  return {
    async untilPlaced(orderId, timeoutMs) {
      if (timeoutMs <= 0) return;
      let forget = (): void => undefined;
      const placed = new Promise<void>((done, fail) => {
        const caller: Caller = { orderId, done, fail };
        const timer = setTimeout(done, timeoutMs);
        callers.add(caller);
        forget = () => {
          clearTimeout(timer);
          callers.delete(caller);
        };
      });
      void lookWhileAnyoneWaits();
      try {
        await placed;
      } finally {
        forget();
      }
    },
  };
}

const isOpen = ({ status, code }: OrderStanding): boolean => status === 'new' && (code === null || !LONG_WAITS.includes(code));
