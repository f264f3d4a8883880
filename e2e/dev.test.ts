import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase, startRedis } from '@certwright/testing';

const MAIN = path.resolve(__dirname, '../apps/dev/dist/main.js');

interface Run {
  child: ChildProcess;
  output(): string;
  /** Waits until the output has `text`. @throws Error when the process ends before. */
  prints(text: string): Promise<void>;
  ended: Promise<number | null>;
}

function start(folder: string, args: string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [MAIN, '--data', folder, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let over = false;
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = once(child, 'close').then(([code]: (number | null)[]) => {
    over = true;
    return code ?? null;
  });
  return {
    child,
    output: () => text,
    ended,
    async prints(wanted) {
      while (!text.includes(wanted)) {
        if (over) throw new Error(`ended without printing "${wanted}":\n${text}`);
        await Promise.race([once(child.stdout, 'data'), ended]);
      }
    },
  };
}

/** The process ids it has told of its own parts, and those of the parts that it starts. */
const partsOf = (output: string): number[] => [...output.matchAll(/\(process (\d+)/g)].map(([, pid]) => Number(pid));

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function allGone(pids: number[]): Promise<boolean> {
  for (let tries = 0; tries < 100 && pids.some(isAlive); tries += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  return !pids.some(isAlive);
}

describe('npm start, once set up', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'certwright-dev-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('--once gets a certificate and ends with 0, the first time and with the data of the first time', async () => {
    const first = start(folder, ['--once']);
    expect([await first.ended, first.output()]).toEqual([0, expect.stringContaining("verified against the CA's root")]);
    expect(await allGone(partsOf(first.output()))).toBe(true);
    const second = start(folder, ['--once']);
    expect([await second.ended, second.output()]).toEqual([0, expect.stringContaining('registered from an earlier start')]);
  }, 120_000);

  it('--delegated sets one CNAME, and has a certificate and its renewal with nothing else; with the data of the first time, and another CA, again', async () => {
    const first = start(folder, ['--once', '--delegated']);
    expect([await first.ended, first.output()]).toEqual([0, expect.stringContaining('with no further DNS change')]);
    expect(first.output().match(/customer {3}publishes/g)).toHaveLength(1);
    const second = start(folder, ['--once', '--delegated']);
    expect([await second.ended, second.output()]).toEqual([0, expect.stringContaining('with no further DNS change')]);
  }, 120_000);

  it('uses what is given instead of an embedded part, and another port where one is taken', async () => {
    const [database, redis] = await Promise.all([createTestDatabase(), startRedis()]);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const run = start(folder, ['--once'], { DATABASE_URL: database.url, REDIS_URL: redis.url, PORT: String(port) });
    expect([await run.ended, run.output()]).toEqual([0, expect.stringContaining(`port ${port} is taken, using`)]);
    expect(run.output()).not.toContain('postgres   ');
    expect(run.output()).toContain('given by REDIS_URL');
    taken.close();
    await redis.stop();
    await database.drop();
  }, 90_000);

  it('stops everything, and says which, when one part crashes', async () => {
    const run = start(folder, []);
    await run.prints('Ctrl-C stops everything');
    const parts = partsOf(run.output());
    expect(parts.length).toBeGreaterThanOrEqual(2);
    process.kill(parts[0] ?? 0, 'SIGKILL');
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('ended unexpectedly');
    expect(await allGone(parts)).toBe(true);
  }, 90_000);

  it('leaves nothing behind when it is killed itself, and starts again on the same data', async () => {
    const run = start(folder, []);
    await run.prints('Ctrl-C stops everything');
    run.child.kill('SIGKILL');
    await run.ended;
    expect(await allGone(partsOf(run.output()))).toBe(true);
    const again = start(folder, ['--once']);
    expect([await again.ended, again.output()]).toEqual([0, expect.stringContaining('is active')]);
  }, 120_000);

  it('ends with 0 on Ctrl-C', async () => {
    const run = start(folder, []);
    await run.prints('Ctrl-C stops everything');
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(0);
    expect(await allGone(partsOf(run.output()))).toBe(true);
  }, 90_000);
});
