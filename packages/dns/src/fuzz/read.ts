import { outcomeOf } from '../ask-server';
import { refusalOf, relevantCaa } from '../caa';
import { decode } from '../message';
import { addressesOf, cutAbove, hostsOf } from '../zone-cut';
import { APEX, NAME, VALUE } from './corpus';

const WANTED = { name: NAME, apex: APEX, expected: [VALUE] };
const SERVER = { server: `ns1.${APEX}`, address: '192.0.2.53' };

/** What a reply goes through once its bytes are there, whoever sent it: a name server, or a resolver. */
export async function read(bytes: Buffer): Promise<string> {
  const reply = decode(bytes);
  if (reply === null) return 'unreadable';
  const resolver = { ask: async () => reply, askChecked: async () => reply };
  await cutAbove(WANTED.name, resolver);
  await hostsOf(WANTED.apex, resolver);
  await addressesOf(SERVER.server, resolver);
  const caa = await relevantCaa(WANTED.name, resolver);
  if (caa !== null && 'records' in caa) refusalOf(caa.records, false, { identities: ['ca.test'], accountUri: null });
  return outcomeOf(reply, WANTED, SERVER).answer.state;
}
