export interface Spread {
  count: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  max: number | null;
}

/** Nearest rank: every figure is one that was measured. */
export function spreadOf(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number): number | null => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    return value === undefined ? null : Math.round(value);
  };
  return { count: sorted.length, p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max: rank(1) };
}

export const round = (value: number, digits: number): number => Number(value.toFixed(digits));

export const shown = (value: number | string | null): string => (value === null ? 'n/a' : String(value));

/** The first column to the left, all others to the right. */
export function table(head: string[], rows: (number | string | null)[][]): string {
  const lines = [head, ...rows.map((row) => row.map(shown))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const pad = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  const [first = '', ...rest] = lines.map((line) => `  ${line.map(pad).join('  ')}`.trimEnd());
  return [first, `  ${widths.map((width) => '-'.repeat(width)).join('  ')}`, ...rest].join('\n');
}
