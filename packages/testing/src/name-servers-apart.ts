import path from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { NameServers, SeenQuery } from './name-servers';

/** What is told to the thread: a method of `NameServers` that changes something. */
export interface Told {
  method: 'addZone' | 'setTxt' | 'removeTxt' | 'setCname' | 'removeCname' | 'setCaa' | 'relay' | 'misbehave';
  args: unknown[];
}

/** For how long a change may take to be heard, in milliseconds. */
const HEARD_WITHIN_MS = 10_000;

/** The last of them are kept. */
const MAX_QUERIES = 10_000;

/**
 * As `startNameServers`, in a thread of its own: a test that is busy, or a machine that is, must not look like name servers that don't
 * answer. A change has been heard when its call returns; `queries` may be some moments behind, and stays empty where they are not wanted:
 * a message for each of them costs more than its answer.
 */
export async function startNameServersApart({
  wantsQueries = true,
  ...options
}: {
  port?: number;
  addresses?: string[];
  wantsQueries?: boolean;
}): Promise<NameServers> {
  const { port1: ours, port2: theirs } = new MessageChannel();
  const heard = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  // The built file: a thread knows nothing of how tests load TypeScript.
  const file = path.resolve(__dirname, '../dist/name-servers-thread.js');
  const thread = new Worker(file, { workerData: { options, wantsQueries, port: theirs, heard }, transferList: [theirs] });
  const queries: SeenQuery[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    thread.once('error', reject);
    thread.on('message', (message: { listening: number } | { failed: Error } | { query: SeenQuery }) => {
      if ('listening' in message) resolve(message.listening);
      else if ('failed' in message) reject(message.failed);
      else if (queries.push(message.query) > MAX_QUERIES) queries.shift();
    });
  });
  const tell = (method: Told['method'], args: unknown[]): void => {
    const count = Atomics.load(heard, 0);
    ours.postMessage({ method, args } satisfies Told);
    if (Atomics.wait(heard, 0, count, HEARD_WITHIN_MS) === 'timed-out') throw new Error(`the name servers have not heard of ${method} within ${HEARD_WITHIN_MS} ms`);
    const reply = receiveMessageOnPort(ours) as { message: { error?: string } } | undefined;
    if (reply?.message.error !== undefined) throw new Error(reply.message.error);
  };
  return {
    port,
    queries,
    addZone: (...args) => tell('addZone', args),
    setTxt: (...args) => tell('setTxt', args),
    removeTxt: (...args) => tell('removeTxt', args),
    setCname: (...args) => tell('setCname', args),
    removeCname: (...args) => tell('removeCname', args),
    setCaa: (...args) => tell('setCaa', args),
    relay: (...args) => tell('relay', args),
    misbehave: (...args) => tell('misbehave', args),
    async close() {
      ours.close();
      await thread.terminate();
    },
  };
}
