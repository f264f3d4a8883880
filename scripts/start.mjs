// `npm start`: sets up what is missing, then starts everything on this machine (apps/dev), in this very process, so that
// whoever stops it stops that.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { setUp } from './setup.mjs';
import { ROOT } from './setup/step.mjs';

if (await setUp({ tests: false })) await import(pathToFileURL(path.join(ROOT, 'apps/dev/dist/main.js')).href);
else process.exitCode = 1;
