import { ConfigError, EXIT_CONFIG } from './config';
import { redactText } from './redact';

/** Runs a process's main function: a wrong configuration is told on standard error and exits with 78, else 1. */
export function runMain(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    process.stderr.write(`${redactText(error instanceof Error ? error.message : String(error))}\n`);
    process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : 1;
    // Pools and sockets opened before the failure must not keep the process.
    process.stderr.write('', () => process.exit());
  });
}
