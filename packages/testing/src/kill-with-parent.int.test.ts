import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { transformSync } from '@swc/core';

const { code } = transformSync(readFileSync(join(__dirname, 'kill-with-parent.ts'), 'utf8'), {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
  module: { type: 'commonjs' },
});

/** A process that starts a `sleep` under guard, prints the pid of it, and then does as `ending` says. */
function startParent(ending: string) {
  const script = `${code}
    const { spawn } = require('node:child_process');
    const victim = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
    const guard = exports.killWithParent(victim.pid);
    victim.unref();
    console.log(victim.pid);
    ${ending}`;
  return spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

const isAlive = (pid: number): boolean => {
  try {
    // a zombie still takes signals: its state is what tells
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

async function isGoneWithin(pid: number, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(20)) {
    if (!isAlive(pid)) return true;
  }
  return false;
}

describe('killWithParent', () => {
  it('leaves no process behind when the parent is killed with SIGKILL', async () => {
    const parent = startParent('setInterval(() => undefined, 1000);');
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const victim = Number(printed.toString());
    expect(isAlive(victim)).toBe(true);
    parent.kill('SIGKILL');
    expect(await isGoneWithin(victim, 3_000)).toBe(true);
  });

  it('holds no process up, and kills nothing once released', async () => {
    const parent = startParent('guard.release();');
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const victim = Number(printed.toString());
    await once(parent, 'exit');
    expect(await isGoneWithin(victim, 300)).toBe(false);
    process.kill(victim, 'SIGKILL');
  });

  it('does not keep an idle parent alive', async () => {
    const parent = startParent('');
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    await once(parent, 'exit');
    expect(await isGoneWithin(Number(printed.toString()), 3_000)).toBe(true);
  });
});
