import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Two starts on one data folder would stop each other's PostgreSQL. Returns how to let go of the folder.
 * @throws Error, one sentence, while another start that has it is running
 */
export function claimFolder(folder: string): () => void {
  const file = path.join(folder, 'pid');
  const owner = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (owner !== process.pid && isStart(owner)) {
    throw new Error(`npm start is running here already (process ${owner}): stop it first, or give this one another folder: npm start -- --data FOLDER`);
  }
  writeFileSync(file, String(process.pid));
  return () => {
    if (existsSync(file) && Number(readFileSync(file, 'utf8')) === process.pid) rmSync(file);
  };
}

/** `npm start`, or this application by itself. */
const STARTS = [path.join('scripts', 'start.mjs'), path.join('apps', 'dev') + path.sep];

/** Whether it is still that process: its id may be somebody else's by now. */
function isStart(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    const args = execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    return STARTS.some((one) => args.includes(one));
  } catch {
    return false; // there is no such process
  }
}
