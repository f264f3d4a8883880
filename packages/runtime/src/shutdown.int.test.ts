import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const DIST = path.resolve(__dirname, '../dist/index.js');

const PROLOGUE = `
  const { createLogger, onShutdown, runMain, ConfigError } = require(${JSON.stringify(DIST)});
  const logger = createLogger({ service: 'x', level: 'info' });`;

/** Runs a script to its own end. */
async function run(script: string): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, ['-e', PROLOGUE + script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, errors };
}

/** Runs a process with the given steps, sends SIGTERM when it is up, and returns its exit code and output. */
async function terminate(steps: string, signals = 1): Promise<{ code: number | null; output: string; ms: number }> {
  const script = `${PROLOGUE}
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

  it('exits although nobody reads its output any more', async () => {
    const script = `${PROLOGUE}
      onShutdown(logger, []);
      setInterval(() => {}, 1000);
      process.stdout.write('x'.repeat(2e6));
      process.stderr.write('up');`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    await once(child.stderr, 'data');
    const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.kill('SIGTERM');
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    clearTimeout(patience);
    child.stdout.destroy();
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  });
});

describe('an error that nobody handled', () => {
  it.each([
    ['thrown', "setTimeout(() => { throw new Error('Bearer hunter2'); });"],
    ['rejected', "void Promise.reject(new Error('Bearer hunter2'));"],
  ])('%s: is logged, without its secrets, and ends the process with 1', async (_how, act) => {
    const { code, output, errors } = await run(`onShutdown(logger, []); setInterval(() => {}, 1000); ${act}`);
    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ level: 'error', error: { message: 'Bearer [redacted]' } });
    expect(output + errors).not.toContain('hunter2');
  });
});

describe('a main function that fails', () => {
  it('exits with 78 where the configuration is wrong, else with 1, and says why without secrets', async () => {
    const failing = (error: string): string =>
      `setInterval(() => {}, 1000); runMain(async () => { throw ${error}; });`;
    const wrong = await run(failing("new ConfigError(['PORT must be a port'])"));
    expect(wrong).toEqual({ code: 78, output: '', errors: 'The configuration is wrong:\n  - PORT must be a port\n' });
    const refused = await run(failing("new Error('connect postgres://app:hunter2@db/x')"));
    expect(refused).toEqual({ code: 1, output: '', errors: 'connect postgres://app:[redacted]@db/x\n' });
  });
});
