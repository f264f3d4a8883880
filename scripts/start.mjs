// `npm start`: sets up what is missing, then starts everything on this machine (apps/dev).
import { spawn } from 'node:child_process';
import path from 'node:path';
import { setUp } from './setup.mjs';
import { ROOT } from './setup/step.mjs';

if (await setUp({ tests: false })) {
  const child = spawn(process.execPath, [path.join(ROOT, 'apps/dev/dist/main.js'), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself; this process only has to outlive it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('close', (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0);
  });
} else {
  process.exitCode = 1;
}
