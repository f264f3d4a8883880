import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findDnsperf } from '@certwright/testing';

/** Questions on their way at a time, from as many sockets as CLIENTS: what a receive buffer of the usual size holds. */
const OUTSTANDING = 100;
const CLIENTS = 10;
/** Then a question counts as lost, in seconds. */
const TIMEOUT = 2;

export interface DnsperfRun {
  perSecond: number;
  lost: number;
  /** By response code. */
  rcodes: Record<string, number>;
  /** Of each answer, in microseconds; only of a run at a given rate. */
  latencyUs: number[];
}

export interface DnsperfOptions {
  address: string;
  port: number;
  /** A question a line: name and type. */
  file: string;
  seconds: number;
  /** Questions a second; default: as many as are answered. */
  rate?: number;
}

/** One run of dnsperf, over UDP with EDNS, as resolvers ask. @throws Error when it doesn't end well */
export async function runDnsperf({ address, port, file, seconds, rate }: DnsperfOptions): Promise<DnsperfRun> {
  const { executable, env } = findDnsperf();
  const args = ['-s', address, '-p', port, '-d', file, '-l', seconds, '-c', CLIENTS, '-q', OUTSTANDING, '-t', TIMEOUT, '-e'];
  // A line for every answer costs more than the question: only where dnsperf has time to spare.
  const { stdout } = await promisify(execFile)(executable, [...args, ...(rate === undefined ? [] : ['-Q', rate, '-v'])].map(String), {
    env: { ...process.env, ...env },
    timeout: (seconds + 10) * 1_000,
    maxBuffer: 256 << 20,
  });
  const figure = (name: string): number => Number(new RegExp(`${name}: +([\\d.]+)`).exec(stdout)?.[1]);
  const codes = /Response codes: +(.+)/.exec(stdout)?.[1] ?? '';
  return {
    perSecond: figure('Queries per second'),
    lost: figure('Queries lost'),
    rcodes: Object.fromEntries([...codes.matchAll(/(\w+) (\d+)/g)].map(([, code = '', count]) => [code, Number(count)])),
    latencyUs: [...stdout.matchAll(/^> \w+ \S+ \S+ ([\d.]+)$/gm)].map(([, latency]) => Number(latency) * 1e6),
  };
}
