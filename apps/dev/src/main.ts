import path from 'node:path';
import { parseArgs } from 'node:util';
import { createApiClient } from '@certwright/testing';
import { DOMAIN, type PlayOptions, playTheCustomer } from './customer';
import { delegateOnce } from './delegated';
import { claimFolder } from './one-at-a-time';
import { createPrinter, type Printer } from './print';
import { loadSettings, type Settings, shown } from './settings';
import { type DevStack, type Given, startDevStack } from './stack';

const HELP = `npm start [-- --once] [-- --delegated] [-- --data FOLDER]

Starts everything on this machine and gets a certificate for ${DOMAIN}.
  --once         end after the certificate: 0 when there is one, 1 when not
  --delegated    the customer sets one CNAME and nothing else; then the certificate is renewed, too
  --data FOLDER  where the database, keys and logs are kept (default .certwright/dev)
DATABASE_URL, REDIS_URL or ACME_DIRECTORY (with ACME_CA_FILE) in the environment replace the embedded part.`;

const ISSUE_TIMEOUT_MS = 120_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { once: { type: 'boolean' }, delegated: { type: 'boolean' }, data: { type: 'string' }, help: { type: 'boolean' } },
  });
  const print = createPrinter();
  if (values.help) {
    print.text(HELP);
    return 0;
  }
  const settings = loadSettings(path.resolve(values.data ?? path.join(__dirname, '../../../.certwright/dev')));
  // Listened to from here on, so that Ctrl-C during the start stops what has been started; and to the end, because npm
  // passes on the Ctrl-C that this process has had from the terminal already.
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('interrupted'));
  });
  const letGo = claimFolder(settings.folder);
  const stack = await startDevStack(settings, givenParts(), print).catch((error: unknown) => {
    letGo();
    throw error;
  });
  try {
    const played = play(stack, settings, print, values.delegated ? delegateOnce : playTheCustomer);
    const first = await Promise.race([played, stack.crashed, interrupted]);
    if (first === 'interrupted') return 130;
    if (typeof first === 'string') return failed(print, first);
    if (values.once) return first.error ? failed(print, first.error) : 0;
    if (first.error) print.text(`\n  No certificate: ${first.error}\n`);
    showAround(stack, settings, print);
    const end = await Promise.race([stack.crashed, interrupted]);
    return end === 'interrupted' ? 0 : failed(print, end);
  } finally {
    await stack.stop();
    letGo();
    print.step('stopped', 'no process is left behind');
  }
}

function givenParts(): Given {
  const { DATABASE_URL, REDIS_URL, ACME_DIRECTORY, ACME_CA_FILE, PORT } = process.env;
  return {
    ...(DATABASE_URL && { databaseUrl: DATABASE_URL }),
    ...(REDIS_URL && { redisUrl: REDIS_URL }),
    ...(ACME_DIRECTORY && { acmeDirectory: ACME_DIRECTORY }),
    ...(ACME_CA_FILE && { acmeCaFile: ACME_CA_FILE }),
    ...(PORT && { port: Number(PORT) }),
  };
}

async function play(stack: DevStack, settings: Settings, print: Printer, story: (options: PlayOptions) => Promise<void>): Promise<{ error: string | null }> {
  try {
    await story({
      api: createApiClient(stack.apiUrl, settings.authToken),
      dns: stack.dns,
      print,
      rootPem: stack.rootPem,
      timeoutMs: ISSUE_TIMEOUT_MS,
    });
    return { error: null };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function failed(print: Printer, sentence: string): number {
  print.text(`\n  ${sentence}\n`);
  return 1;
}

function showAround(stack: DevStack, settings: Settings, print: Printer): void {
  print.text(`  API        ${stack.apiUrl}`);
  print.text(`  docs       ${stack.apiUrl}/docs`);
  print.text(`  queues     ${stack.apiUrl}/admin/queues (user operator, password in ${shown(settings.adminPasswordFile)})`);
  print.text(`  try        curl -H "Authorization: Bearer $(cat ${shown(settings.authTokenFile)})" ${stack.apiUrl}/domains`);
  print.text(`  your turn  curl -X PUT --data VALUE ${stack.dnsControlUrl}/txt/NAME sets a TXT record under customer.test`);
  print.text('\n  Ctrl-C stops everything.\n');
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () => process.exit(1));
  },
);
