import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type NameServers, type SeenQuery, startNameServers } from './name-servers';
import type { Told } from './name-servers-apart';

interface Given {
  options: Parameters<typeof startNameServers>[0];
  wantsQueries: boolean;
  port: MessagePort;
  heard: Int32Array;
}

const { options, wantsQueries, port, heard } = workerData as Given;

/** The other side of `startNameServersApart`. */
async function main(): Promise<void> {
  const servers = await startNameServers({ ...options, ...(wantsQueries && { seen: (query: SeenQuery) => parentPort?.postMessage({ query }) }) });
  port.on('message', ({ method, args }: Told) => {
    let error: string | undefined;
    try {
      (servers[method] as (...given: unknown[]) => void)(...args);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
    }
    port.postMessage({ error });
    Atomics.add(heard, 0, 1);
    Atomics.notify(heard, 0);
  });
  parentPort?.postMessage({ listening: servers.port } satisfies { listening: NameServers['port'] });
}

main().catch((failed: unknown) => parentPort?.postMessage({ failed }));
