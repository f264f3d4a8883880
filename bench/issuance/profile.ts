import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';

/** What a process's main thread was busy with, in milliseconds. Making keys is another thread's. */
export type Profile = Record<string, number>;

const SAMPLE_US = 250;

/** Whose code it is: of a stack, the innermost frame that a rule knows decides. */
const RULES: [what: string, of: RegExp][] = [
  ['signing requests (JWS)', /packages\/acme\/(src|dist)\/signed-request/],
  ['key and CSR, without making the key', /packages\/acme\/(src|dist)\/(keys|csr)|node_modules\/@?(peculiar|asn1)/],
  ['reading what the CA sends, chains too', /packages\/acme\/(src|dist)\/(acme-objects|renewal-info)|#JSON\.parse|internal\/crypto\/x509/],
  ['the gateway besides', /packages\/acme\//],
  ['HTTPS: request, TLS, answer', /node:(_http|https?|_tls|internal\/http|internal\/tls|internal\/streams|net|internal\/stream_base)/],
  ['this loop and its messages', /bench\//],
];
const OF_ROOT = new Map([
  ['(garbage collector)', 'collecting garbage'],
  ['(program)', 'native code outside JavaScript (sockets, event loop)'],
]);
const OTHER = 'Node.js besides (promises, timers)';
const IDLE = '(idle)';

/** Runs `work` with V8's sampling profiler on. */
export async function profiled<T>(work: () => Promise<T>): Promise<{ value: T; profile: Profile }> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
    await session.post('Profiler.start');
    const value = await work();
    const { profile } = await session.post('Profiler.stop');
    return { value, profile: sharesOf(profile) };
  } finally {
    session.disconnect();
  }
}

/** The time of each sample goes to one share. */
function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Profile {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child): [number, number] => [child, id])));
  const known = new Map<number, string>();
  const shareOf = (id: number): string => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const { functionName, url } = byId.get(id)?.callFrame ?? { functionName: '', url: '' };
    const rule = OF_ROOT.get(functionName) ?? RULES.find(([, of]) => of.test(`${url}#${functionName}`))?.[0];
    const parent = parents.get(id);
    const share = functionName === IDLE ? IDLE : (rule ?? (parent === undefined ? OTHER : shareOf(parent)));
    known.set(id, share);
    return share;
  };
  const shares = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const share = shareOf(id);
    // A delta is the time since the sample before: the time of a sample is the one after it.
    shares.set(share, (shares.get(share) ?? 0) + (timeDeltas[index + 1] ?? 0) / 1000);
  }
  shares.delete(IDLE);
  return Object.fromEntries([...shares].sort(([, a], [, b]) => b - a));
}
