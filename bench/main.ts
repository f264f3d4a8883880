// `npm run bench`: what the product costs on this machine, in figures for a human and in JSON.
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import setUpPostgres from '../packages/testing/src/jest-global-setup';
import tearDownPostgres from '../packages/testing/src/jest-global-teardown';
import { benchIssuance, describeIssuance } from './issuance/issuance';
import { benchNameServer, describeNameServer } from './nameserver';
import { type Options, type Part, readOptions, USAGE } from './options';
import { benchRenewalQuery, describeRenewalQuery } from './renewal-query';
import { benchVisibleToActive, describeVisibleToActive } from './visible-to-active';
import { benchWaiting, describeWaiting } from './waiting';
import { benchYear, describeYear } from './year';

interface Outcome {
  figures: object;
  text: string;
  failures: string[];
}

const outcome = <T extends { failures: string[] }>(figures: T, describe: (figures: T) => string): Outcome => ({
  figures,
  text: describe(figures),
  failures: figures.failures,
});

const PARTS: Record<Part, (options: Options) => Promise<Outcome>> = {
  issuance: async (options) => outcome(await benchIssuance(options), describeIssuance),
  visible: async (options) => outcome(await benchVisibleToActive(options), describeVisibleToActive),
  waiting: async (options) => outcome(await benchWaiting(options), describeWaiting),
  nameserver: async (options) => outcome(await benchNameServer(options), describeNameServer),
  year: async (options) => outcome(await benchYear(options), describeYear),
  'renewal-query': async (options) => outcome(await benchRenewalQuery(options), describeRenewalQuery),
};

function machine(): Record<string, number | string> {
  const [cpu] = os.cpus();
  return {
    cores: os.availableParallelism(),
    cpu: cpu?.model.trim() ?? 'unknown',
    memoryGb: Math.round(os.totalmem() / 1024 ** 3),
    platform: `${os.platform()} ${os.arch()}`,
    node: process.version,
  };
}

/** Returns what failed; a slow figure is no failure. */
async function run(options: Options): Promise<string[]> {
  const report: Record<string, unknown> = { at: new Date().toISOString(), short: options.short, machine: machine() };
  console.log(`${Object.entries(machine()).map(([what, value]) => `${what} ${value}`).join(', ')}\n`);
  const failures: string[] = [];
  await setUpPostgres();
  try {
    for (const part of options.parts) {
      try {
        const { figures, text, failures: ofPart } = await PARTS[part](options);
        report[part] = figures;
        failures.push(...ofPart.map((failure) => `${part}: ${failure}`));
        console.log(`${text}\n`);
      } catch (error) {
        failures.push(`${part}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      }
    }
  } finally {
    await tearDownPostgres();
  }
  report.failures = failures;
  mkdirSync(path.dirname(path.resolve(options.jsonFile)), { recursive: true });
  writeFileSync(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`Also in ${options.jsonFile}`);
  return failures;
}

async function main(): Promise<void> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const failures = await run(options);
  for (const failure of failures) console.error(`FAILED ${failure}`);
  // A part that failed half-way may have left a connection that goes on trying.
  process.exit(failures.length > 0 ? 1 : 0);
}

void main();
