#!/usr/bin/env node
// Takes the place of Prisma's native schema-engine where that has not been downloaded (see prisma.config.ts): the same
// command line and the same JSON-RPC over stdin and stdout, done by the engine's WebAssembly build over node-postgres.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { SchemaAdapterFactory } from './schema-engine/adapter.mjs';
import { runDatabaseCommand } from './schema-engine/database-command.mjs';
import { loadSchemaEngine } from './schema-engine/load-wasm.mjs';

/** JSON-RPC error code that the CLI knows as "the engine said no; `data` has why". */
const ENGINE_ERROR = 4466;

const options = parseArguments(process.argv.slice(2));

if (options.isVersionRequest) {
  console.log('schema-engine-cli (WebAssembly)');
} else if (options.command !== undefined) {
  process.exitCode = await runDatabaseCommand(options.command, options.url);
} else {
  await serve();
}

/** @param {string[]} args */
function parseArguments(args) {
  /** @type {{ datamodels: string[], url?: string, command?: string, isVersionRequest: boolean }} */
  const parsed = { datamodels: [], isVersionRequest: args.includes('--version') };
  for (let i = 0; i < args.length; i += 1) {
    const name = args[i];
    if (name === '--version') continue;
    const value = args[(i += 1)];
    if (name === '--datamodels') parsed.datamodels.push(value);
    else if (name === '--datasource') parsed.url = JSON.parse(value).url;
    else if (name === 'cli') parsed.command = value;
  }
  return parsed;
}

/** Answers the requests one after the other until stdin ends. */
async function serve() {
  /** Made at the first request: the CLI also starts an engine only to end it. */
  let engine;
  let current;
  // A panic in the WebAssembly reaches nobody's `await`, and a CLI without an answer ends with exit code 0.
  process.on('uncaughtException', (error) => {
    fail(current, error);
    process.exit(1);
  });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    const request = JSON.parse(line);
    if (request.method === undefined) continue; // the CLI's answer to one of our notifications
    current = request;
    try {
      engine ??= await createEngine();
      answer(request, await call(engine, request));
    } catch (error) {
      fail(request, error);
    }
  }
  process.exit(0); // idle connections of the pool would hold the process
}

async function createEngine() {
  if (!options.url) throw new Error('DATABASE_URL is not set: this command needs a PostgreSQL server.');
  const SchemaEngine = await loadSchemaEngine();
  const datamodels = options.datamodels.map((file) => [file, readFileSync(file, 'utf8')]);
  const adapters = bindMigrationAwareSqlAdapterFactory(new SchemaAdapterFactory(options.url));
  const logNothing = () => undefined;
  return SchemaEngine.new({ datamodels: datamodels.length > 0 ? datamodels : undefined }, logNothing, adapters);
}

/** @param {Record<string, (params: object) => Promise<unknown>>} engine */
function call(engine, { method, params = {} }) {
  // The adapter makes its own shadow database, and the WebAssembly build refuses a parameter that it doesn't know.
  const { shadowDatabaseUrl: _, ...rest } = params;
  return engine[method === 'getDatabaseVersion' ? 'version' : method](method === 'diff' ? rest : params);
}

function answer({ id, method }, result) {
  // The native engine has the CLI print a difference; this build returns it as text.
  if (method === 'diff' && result?.stdout) {
    const content = result.stdout.replace(/\n$/, '');
    send({ jsonrpc: '2.0', id: 1e9 + id, method: 'print', params: { content } });
  }
  send({ jsonrpc: '2.0', id, result: result ?? null });
}

function fail(request, error) {
  const failure = { code: ENGINE_ERROR, message: 'An error happened. Check the data field for details.' };
  send({ jsonrpc: '2.0', id: request?.id ?? null, error: { ...failure, data: describe(error) } });
}

/** The engine throws its user-facing errors as JSON in the message. */
function describe(error) {
  const message = error instanceof Error ? error.message : String(error);
  const plain = { is_panic: false, message, error_code: error?.code, meta: error?.meta };
  if (!message.startsWith('{')) return plain;
  const { is_panic = false, message: inner = message, meta, error_code } = JSON.parse(message);
  return { is_panic, message: inner, meta, error_code };
}

function send(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
