import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const DIST = path.resolve(__dirname, '../dist/index.js');

/** Runs a process with the given steps, sends SIGTERM when it is up, and returns its exit code and output. */
async function terminate(steps: string, signals = 1): Promise<{ code: number | null; output: string; ms: number }> {
  const script = `
    const { createLogger, onShutdown } = require(${JSON.stringify(DIST)});
    const logger = createLogger({ service: 'x', level: 'info' });
    onShutdown(logger, ${steps});
    setInterval(() => {}, 1000);
    logger.info('up');`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  while (!output.includes('"up"')) await once(child.stdout, 'data');
  const startedAt = performance.now();
  for (let sent = 0; sent < signals; sent += 1) {
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const code = child.exitCode ?? ((await once(child, 'close')) as [number | null])[0];
  return { code, output, ms: performance.now() - startedAt };
}

describe('a process told to stop', () => {
  it('runs the steps in order and exits with 0', async () => {
    const step = (name: string): string => `{ name: '${name}', timeoutMs: 500, run: async () => logger.info('${name}') }`;
    const { code, output } = await terminate(`[${step('first')}, ${step('second')}]`);
    expect(code).toBe(0);
    expect(output.indexOf('"first"')).toBeLessThan(output.indexOf('"second"'));
  });

  it('does not wait longer for a step than its bound, runs the next, and exits with 1', async () => {
    const { code, output, ms } = await terminate(
      `[{ name: 'stuck', timeoutMs: 300, run: () => new Promise(() => {}) },
        { name: 'next', timeoutMs: 300, run: async () => logger.info('next ran') }]`,
    );
    expect(code).toBe(1);
    expect(output).toContain('next ran');
    expect(ms).toBeLessThan(5_000);
  });

  it('exits at once at the second signal', async () => {
    const { code, ms } = await terminate(`[{ name: 'stuck', timeoutMs: 60_000, run: () => new Promise(() => {}) }]`, 2);
    expect(code).toBe(1);
    expect(ms).toBeLessThan(10_000);
  });
});
