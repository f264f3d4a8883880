import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give to outgoing connections, so that none of those has it before it is used. */
const [FROM, TO] = [15_000, 32_000];

/** Each of Jest's workers draws from a part of its own: what one has been given it may not listen on yet. */
const PARTS = 8;
const part = Number(process.env.JEST_WORKER_ID ?? 0) % PARTS;
const SIZE = Math.floor((TO - FROM) / PARTS);

/** Given to nobody twice: whoever was given one may not listen yet, or not any more. */
const given = new Set<number>();

/** A TCP port that nobody listens on, at any address. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FROM + part * SIZE + randomInt(SIZE);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

/** Whether nobody listens on it, at any address: some listen on all. */
export const isFree = async (port: number): Promise<boolean> => (await canListen(port, '127.0.0.1')) && (await canListen(port));

async function canListen(port: number, address?: string): Promise<boolean> {
  const server = createServer().listen(port, address);
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}
