import { exitAfterFlush } from './exit-after-flush';
import type { Logger } from './logger';
import { within } from './within';

export interface ShutdownStep {
  name: string;
  /** Bound of this step, in milliseconds. */
  timeoutMs: number;
  run: () => Promise<unknown>;
}

/**
 * On SIGTERM or SIGINT runs the steps in order, each bounded, then exits: 0 when all were done, 1 when one was not, so
 * that a queue store that is gone can't keep the process. A second signal exits at once. An error that nobody handled is
 * logged, redacted, and ends the process with 1: what it was doing is taken up by another.
 */
export function onShutdown(logger: Logger, steps: ShutdownStep[]): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info('stopping', { signal });
    let clean = true;
    for (const { name, timeoutMs, run } of steps) {
      try {
        await within(timeoutMs, run());
      } catch (error) {
        clean = false;
        logger.warn('a part did not stop in order', { part: name, error });
      }
    }
    logger.info('stopped', { clean });
    exitAfterFlush(process.stdout, clean ? 0 : 1);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
  const crash = (error: unknown): void => {
    logger.error('an error that nobody handled', { error });
    exitAfterFlush(process.stdout, 1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
