import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@certwright/runtime';
import type { ZoneMemory } from './zone-memory';

/** A value is answered this long after its order was placed, at the latest, and the time that the reading takes, in milliseconds. */
const EVERY_MS = 300;

const SAID_AGAIN_MS = 60_000;

export interface ZoneFollower {
  /** Resolves when the zone has been read once, however long PostgreSQL is away. */
  loaded: Promise<void>;
  stop(): Promise<void>;
}

/** Keeps the zone in memory up to date; while PostgreSQL is away it stays as it was. */
export function followZone(memory: ZoneMemory, { logger, synced }: { logger: Pick<Logger, 'warn' | 'info'>; synced(labels: number): void }): ZoneFollower {
  const stopped = new AbortController();
  let quietUntil = 0;
  let onLoaded = (): void => undefined;
  const loaded = new Promise<void>((resolve) => (onLoaded = resolve));
  const following = (async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await memory.refresh(performance.now());
        synced(memory.size());
        onLoaded();
      } catch (error) {
        if (performance.now() > quietUntil) logger.warn('the zone cannot be read: answers go on from memory', { error });
        if (performance.now() > quietUntil) quietUntil = performance.now() + SAID_AGAIN_MS;
      }
      await sleep(EVERY_MS, null, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    loaded,
    async stop() {
      stopped.abort();
      await following;
    },
  };
}
