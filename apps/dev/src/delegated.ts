import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '@certwright/testing';
import { expectOk, type PlayOptions, sayOnce, showCertificate, showProgress } from './customer';
import type { Printer } from './print';

export const DELEGATED_DOMAIN = 'once.customer.test';

interface Registered {
  id: string;
  dns_records: { purpose: string; type: string; fqdn: string; value: string }[];
}

/**
 * One domain whose customer sets one alias, once: it goes on to its certificate by itself, and a renewal asks nothing of anybody.
 * @throws Error, one sentence, when there is no certificate at the end.
 */
export async function delegateOnce({ api, dns, print, rootPem, timeoutMs }: PlayOptions): Promise<void> {
  const { id, dns_records: records } = await register(api, print);
  for (const { purpose, type, fqdn, value } of records) {
    if (purpose !== 'delegation') continue;
    dns.setCname(fqdn, value);
    print.step('customer', `publishes ${type} ${fqdn} -> ${value}, and never anything else`);
  }
  const before = await anotherCertificate({ api, print, id, than: null, timeoutMs });
  print.step('certwright', `${DELEGATED_DOMAIN} is active`);
  const renewal = expectOk(await api.call<{ order_id: string }>('POST', `/domains/${id}/renew`), 202).body;
  print.step('platform', `POST /domains/${id}/renew: order ${renewal.order_id}`);
  const after = await anotherCertificate({ api, print, id, than: before, timeoutMs });
  print.step('certwright', `renewed: certificate ${after} in the place of ${before}, with no further DNS change`);
  const { scheduled_at: at } = expectOk(await api.call<{ renewal: { scheduled_at: string } }>('GET', `/domains/${id}`), 200).body.renewal;
  print.step('certwright', `the next renewal comes by itself on ${at}`);
  await showCertificate(api, print, id, rootPem);
}

async function register(api: ApiClient, print: Printer): Promise<Registered> {
  const reply = await api.call<Registered>('POST', '/domains', { body: { domain_name: DELEGATED_DOMAIN, auto: true } });
  if (reply.status !== 409) {
    print.step('platform', `POST /domains ${DELEGATED_DOMAIN} {"auto": true}: ${expectOk(reply, 201).body.id}`);
    return reply.body;
  }
  const { data } = expectOk(await api.find(DELEGATED_DOMAIN), 200).body;
  const known = data.find((one) => one.domain_name === DELEGATED_DOMAIN);
  if (!known) throw new Error(`${DELEGATED_DOMAIN} is registered already, and cannot be found`);
  print.step('platform', `${DELEGATED_DOMAIN} is registered from an earlier start, ${known.status}`);
  return expectOk(await api.call<Registered>('GET', `/domains/${known.id}`), 200).body;
}

/** Waits for a certificate other than `than`, telling how its order gets on. Returns its id. */
async function anotherCertificate({ api, print, id, than, timeoutMs }: Pick<PlayOptions, 'api' | 'print' | 'timeoutMs'> & { id: string; than: string | null }): Promise<string> {
  const say = sayOnce(print);
  for (const giveUpAt = performance.now() + timeoutMs; ; await sleep(200)) {
    const { certificate_id: found, order_id: orderId, status, status_reason: reason } = expectOk(
      await api.call<{ certificate_id: string | null; order_id: string | null; status: string; status_reason: string | null }>('GET', `/domains/${id}`),
      200,
    ).body;
    if (orderId !== null) await showProgress(api, orderId, say);
    if (found !== null && found !== than) return found;
    if (performance.now() > giveUpAt) throw new Error(`${DELEGATED_DOMAIN} is ${status}: ${reason ?? 'no reason given'}`);
  }
}
