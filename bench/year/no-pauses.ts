import timers from 'node:timers/promises';

/** While it works, nobody sleeps: the quarter of a second before a verdict is read (`firstPause`) would be many hours of a year. */
export async function withoutPauses<T>(work: () => Promise<T>): Promise<T> {
  const { setTimeout: sleep } = timers;
  Object.assign(timers, { setTimeout: async (_ms: number, value?: unknown) => value });
  try {
    return await work();
  } finally {
    Object.assign(timers, { setTimeout: sleep });
  }
}
