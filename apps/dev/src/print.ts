/** One line as each thing happens: seconds since the start, who, what. */
export interface Printer {
  step(who: string, what: string): void;
  text(line?: string): void;
}

export function createPrinter(out: NodeJS.WritableStream = process.stdout): Printer {
  const startedAt = performance.now();
  return {
    step(who, what) {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
      out.write(`${seconds}s  ${who.padEnd(10)} ${what}\n`);
    },
    text: (line = '') => out.write(`${line}\n`),
  };
}
