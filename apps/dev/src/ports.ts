import { freePort, isFree } from '@certwright/testing';
import type { Printer } from './print';

/** `wanted`, or a free port where that one is taken, which is said. */
export async function choosePort(print: Printer, what: string, wanted: number): Promise<number> {
  if (await isFree(wanted)) return wanted;
  const port = await freePort();
  print.step(what, `port ${wanted} is taken, using ${port} instead`);
  return port;
}
