import { ConfigError, EXIT_CONFIG } from './config';
import { exitAfterFlush } from './exit-after-flush';
import { redactText } from './redact';

/** Runs a process's main function: a wrong configuration is told on standard error and exits with 78, else 1. */
export function runMain(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    process.stderr.write(`${redactText(error instanceof Error ? error.message : String(error))}\n`);
    // Pools and sockets opened before the failure must not keep the process.
    exitAfterFlush(process.stderr, error instanceof ConfigError ? EXIT_CONFIG : 1);
  });
}
