import { catalog, type Producer } from '@certwright/jobs';
import type { Logger } from '@certwright/runtime';

const RECONCILE_EVERY_MS = 5_000;

/** A flushed queue store has forgotten its schedulers too: put them back this often. */
const UPSERT_EVERY_MS = 10_000;

/** Keeps the repeating jobs in place, whatever becomes of the queue store. Returns how to stop. */
export function keepSchedulers(producer: Producer, logger: Logger): () => void {
  const upsert = async (): Promise<void> => {
    try {
      await producer
        .queue('reconcile')
        .upsertJobScheduler('reconcile', { every: RECONCILE_EVERY_MS }, { name: 'reconcile', data: {}, opts: catalog.reconcile.options });
    } catch (error) {
      logger.warn('the reconcile schedule could not be renewed', { error });
    }
  };
  void upsert();
  const timer = setInterval(() => void upsert(), UPSERT_EVERY_MS);
  return () => clearInterval(timer);
}
