import { challengeName } from '../domain';
import type { CaaIssuer, CaaLookup, DnsDoctor, TxtLookup } from '../ports';
import type { Advice } from '../problem';

export interface DnsRefusalDeps {
  txtLookup: TxtLookup;
  dnsDoctor: Pick<DnsDoctor, 'diagnose'>;
  caaLookup: CaaLookup;
}

/** Why the CA would have to refuse an order. */
export interface DnsRefusal {
  code: 'dns_zone_missing' | 'caa_forbids_issuer';
  detail: string;
  /** It may be over soon, without anybody doing anything. */
  waitingHelps: boolean;
  /** What the diagnosis says, in place of what is said of the code. */
  advice?: Advice;
}

/** Whether DNS leaves the CA a chance: each name has name servers that answer, and CAA records allow the issuer (not looked at: null). */
export async function dnsRefusal(deps: DnsRefusalDeps, names: string[], issuer: (() => Promise<CaaIssuer>) | null): Promise<DnsRefusal | null> {
  for (const fqdn of new Set(names.map(challengeName))) {
    const evidence = await deps.txtLookup.lookup(fqdn, []);
    if (evidence.verdict !== 'no_zone' && evidence.verdict !== 'no_answer') continue;
    const identifier = fqdn.slice(fqdn.indexOf('.') + 1);
    const { actor, message, action, waiting } = await deps.dnsDoctor.diagnose({ identifier, fqdn, expected: [], evidence });
    const isGone = evidence.verdict === 'no_zone' && actor === 'customer' && !waiting.helps;
    return { code: 'dns_zone_missing', detail: `${message} ${action}`, waitingHelps: !isGone, advice: { actor, action } };
  }
  const refused = issuer && (await deps.caaLookup.forbids(names, await issuer()));
  if (!refused) return null;
  const { set, message, actor, action, waiting } = refused;
  if (waiting.helps) return { code: 'caa_forbids_issuer', detail: `${message} ${action}`, waitingHelps: true, advice: { actor, action } };
  const detail = set ? `${message} The record to add: ${set.fqdn} CAA ${set.value}.` : message;
  return { code: 'caa_forbids_issuer', detail, waitingHelps: false, ...(!set && { advice: { actor, action } }) };
}
