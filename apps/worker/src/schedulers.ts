import { catalog, type Producer } from '@certwright/jobs';
import type { Logger } from '@certwright/runtime';

/** The jobs that come by themselves, and how far apart, in milliseconds. A pass that takes longer overlaps the next one, which finds other rows. */
const EVERY_MS = { reconcile: 5_000, 'renew-due': 10_000 } as const;

/** A flushed queue store has forgotten its schedulers too: put them back this often. */
const UPSERT_EVERY_MS = 10_000;

/** Keeps the repeating jobs in place, whatever becomes of the queue store. Returns how to stop. */
export function keepSchedulers(producer: Producer, logger: Logger): () => void {
  const upsert = async (): Promise<void> => {
    try {
      for (const name of ['reconcile', 'renew-due'] as const) {
        await producer.queue(name).upsertJobScheduler(name, { every: EVERY_MS[name] }, { name, data: {}, opts: catalog[name].options });
      }
    } catch (error) {
      logger.warn('the schedules could not be renewed', { error });
    }
  };
  void upsert();
  const timer = setInterval(() => void upsert(), UPSERT_EVERY_MS);
  return () => clearInterval(timer);
}
