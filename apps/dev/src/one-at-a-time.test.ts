import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { claimFolder } from './one-at-a-time';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'certwright-claim-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it.each(['apps/dev/dist/main.js', 'scripts/start.mjs'])('a folder is had by one start at a time (%s), and by the next once that one is gone', async (script) => {
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 20_000)', script], { stdio: 'ignore' });
  await once(other, 'spawn');
  writeFileSync(path.join(folder, 'pid'), String(other.pid));
  expect(() => claimFolder(folder)).toThrow(`npm start is running here already (process ${other.pid})`);
  other.kill('SIGKILL');
  await once(other, 'exit');
  const letGo = claimFolder(folder);
  letGo();
  expect(readdirSync(folder)).toEqual([]);
});

it('an id that belongs to somebody else by now is nobody’s claim', () => {
  writeFileSync(path.join(folder, 'pid'), '1');
  claimFolder(folder)();
});
