import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from '@certwright/testing';
import type { Printer } from './print';

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
};

/** `wanted`, or a free port where that one is taken, which is said. */
export async function choosePort(print: Printer, what: string, wanted: number): Promise<number> {
  if (await isFree(wanted)) return wanted;
  const port = await freePort();
  print.step(what, `port ${wanted} is taken, using ${port} instead`);
  return port;
}
