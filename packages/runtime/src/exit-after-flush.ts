const FLUSH_TIMEOUT_MS = 1_000;

/** Exits once `output` is written, as a line still in a pipe would be lost; after 1 s also when nobody reads it. */
export function exitAfterFlush(output: NodeJS.WriteStream, code: number): void {
  setTimeout(() => process.exit(code), FLUSH_TIMEOUT_MS);
  output.write('', () => process.exit(code));
}
