const FLUSH_TIMEOUT_MS = 1_000;

/** Exits once `output` is written: a line still in a pipe would be lost. A reader that has stopped reading delays it by 1 s. */
export function exitAfterFlush(output: NodeJS.WriteStream, code: number): void {
  setTimeout(() => process.exit(code), FLUSH_TIMEOUT_MS);
  output.write('', () => process.exit(code));
}
