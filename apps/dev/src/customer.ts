import { createPrivateKey, X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient, ApiReply, DomainBody, OrderBody } from '@certwright/testing';
import type { Printer } from './print';

export const DOMAIN = 'shop.customer.test';

/** What the customer can do at their DNS provider. */
export interface CustomerDns {
  setTxt(name: string, values: string[]): void;
  setCname(name: string, target: string): void;
}

export interface PlayOptions {
  api: ApiClient;
  dns: CustomerDns;
  print: Printer;
  /** The root to verify the chain against; null when the CA is not ours and nobody knows its root. */
  rootPem: string | null;
  timeoutMs: number;
}

/**
 * Plays both the platform (the HTTP calls) and its customer (the DNS records) for one domain, one line a step.
 * @throws Error, one sentence, when there is no certificate at the end.
 */
export async function playTheCustomer({ api, dns, print, rootPem, timeoutMs }: PlayOptions): Promise<void> {
  const domain = await register(api, print);
  if (domain.status === 'pending') await proveOwnership(api, dns, print, domain);

  const issue = expectOk(await api.issue(domain.id), 202);
  const { order_id } = issue.body;
  print.step('platform', `POST /domains/${domain.id}/issue-certificate: order ${order_id}`);
  const { url } = expectOk(await api.setupLink(domain.id), 201).body;
  print.step('platform', `the customer's own page: ${url}`);
  await followOrder({ api, dns, print, timeoutMs }, order_id);
  print.step('certwright', `${DOMAIN} is active`);
  await showCertificate(api, print, domain.id, rootPem);
}

/** Publishes what the order asks for, also where it is placed anew, until there is a certificate. */
async function followOrder({ api, dns, print, timeoutMs }: Omit<PlayOptions, 'rootPem'>, orderId: string): Promise<void> {
  const said = sayOnce(print);
  const published = new Set<string>();
  for (const giveUpAt = performance.now() + timeoutMs; ; await sleep(200)) {
    const { body: order } = expectOk(await api.order(orderId), 200);
    for (const { txt_name: name, txt_value: value } of order.authorizations) {
      if (published.has(value)) continue;
      print.step('platform', `the CA wants TXT ${name} = "${value}"`);
      dns.setTxt(name, order.authorizations.filter(({ txt_name }) => txt_name === name).map(({ txt_value }) => txt_value));
      print.step('customer', 'publishes it');
      published.add(value);
    }
    tell(order, said);
    if (order.status === 'valid') return;
    const why = order.reason?.detail ?? 'no reason given';
    if (order.status === 'invalid') throw new Error(`the order has failed: ${why}`);
    if (performance.now() > giveUpAt) throw new Error(`the order is still ${order.status}: ${why}`);
  }
}

async function register(api: ApiClient, print: Printer): Promise<DomainBody> {
  const reply = await api.register(DOMAIN);
  if (reply.status !== 409) {
    print.step('platform', `POST /domains ${DOMAIN}: ${reply.status}, ${expectOk(reply, 201).body.status}`);
    return reply.body;
  }
  const { data } = expectOk(await api.find(DOMAIN), 200).body;
  const known = data.find((one) => one.domain_name === DOMAIN);
  if (!known) throw new Error(`the API says that ${DOMAIN} exists, but does not list it`);
  print.step('platform', `${DOMAIN} is registered from an earlier start, ${known.status}`);
  return expectOk(await api.domain(known.id), 200).body;
}

async function proveOwnership(api: ApiClient, dns: CustomerDns, print: Printer, domain: DomainBody): Promise<void> {
  const name = `_certwright-challenge.${DOMAIN}`;
  dns.setTxt(name, [domain.verification_token ?? '']);
  print.step('customer', `publishes TXT ${name} = "${domain.verification_token ?? ''}"`);
  const verified = expectOk(await api.verify(domain.id), 200).body;
  print.step('platform', `POST /domains/${domain.id}/verify: ${verified.status}`);
}

/** Prints what is new in the order: what DNS answered, and each status as it comes. */
export async function showProgress(api: ApiClient, orderId: string, say: (who: string, what: string) => void): Promise<void> {
  tell(expectOk(await api.order(orderId), 200).body, say);
}

function tell(order: OrderBody, say: (who: string, what: string) => void): void {
  for (const { evidence } of order.authorizations) {
    for (const server of evidence?.servers ?? []) say('dns', `${server.server} (${server.address}) answers: ${server.state}`);
  }
  say('certwright', `order is ${order.status}${whyWaiting(order)}`);
}

const whyWaiting = ({ status, reason }: OrderBody): string => (reason && status !== 'valid' ? ` (${reason.detail})` : '');

export function sayOnce(print: Printer): (who: string, what: string) => void {
  const said = new Set<string>();
  return (who, what) => {
    if (!said.has(what)) print.step(who, what);
    said.add(what);
  };
}

export async function showCertificate(api: ApiClient, print: Printer, domainId: string, rootPem: string | null): Promise<void> {
  const chain = splitChain(await api.chain(domainId));
  const [leaf, ...issuers] = chain;
  if (!leaf) throw new Error('the API returned no certificate');
  print.text();
  print.text(`  subject    ${leaf.subjectAltName ?? leaf.subject}`);
  print.text(`  issuer     ${leaf.issuer.replace(/\n/g, ', ')}`);
  print.text(`  notAfter   ${new Date(leaf.validTo).toISOString()}`);
  print.text(`  chain      ${describeChain(leaf, issuers, rootPem)}`);
  if (!leaf.checkPrivateKey(createPrivateKey(await api.privateKey(domainId)))) throw new Error('the key does not match');
  print.text('  key        matches the certificate');
  print.text();
}

const splitChain = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((one) => new X509Certificate(one));

/** @throws Error when the chain does not lead to the root. */
function describeChain(leaf: X509Certificate, issuers: X509Certificate[], rootPem: string | null): string {
  if (rootPem === null) return 'not verified: the root of this CA is not known here';
  const path = [leaf, ...issuers, new X509Certificate(rootPem)];
  path.slice(0, -1).forEach((certificate, index) => {
    const issuer = path[index + 1];
    if (!issuer || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      throw new Error(`the chain does not verify: ${certificate.subject} is not issued by ${issuer?.subject ?? 'anyone'}`);
    }
  });
  return `verified against the CA's root, ${path.length} certificates`;
}

export function expectOk<T>(reply: ApiReply<T>, status: number): ApiReply<T> {
  if (reply.status === status) return reply;
  throw new Error(`the API answered ${reply.status}: ${reply.text}`);
}
