import { createHash } from 'node:crypto';
import { createAcmeGateway } from '@certwright/acme';
import { type AcmeGateway, type AcmeOrder, challengeName, type RenewalWindow } from '@certwright/core';
import { type AcmeStep, problemFromReply, unreachable } from '../../packages/acme/src/acme-problem';
import { createIssuer } from './chain';
import type { SimulatedDns } from './dns';
import { DAY_MS, HOUR_MS, outageAt, type Site, type YearPlan } from './plan';

const DIRECTORY = 'https://ca.test/dir';
/** Of the 503. */
const BUSY_S = 600;
/** How long an order lives before it is finalized, as at Let's Encrypt. */
const ORDER_MS = 7 * DAY_MS;
/** When to ask for a window again: as seldom as still lets 24 hours be kept. */
const ASK_AGAIN_MS = 20 * HOUR_MS;
/** Every so-manieth order takes a while to be issued. */
const SLOW_EACH = 10;
const SLOW_MS = 5_000;

/** What the CA keeps of a certificate. Times in ms since 1970. */
export interface CaCertificate {
  site: Site;
  window: RenewalWindow;
  issuedAt: number;
  notAfter: number;
  /** When the CA moved its window into the past. */
  movedAt: number | null;
  /** When an order that `replaces` it was issued. */
  replacedAt: number | null;
}

interface CaOrder extends AcmeOrder {
  site: Site;
  names: string[];
  replaces: string | null;
  challenge: 'pending' | 'valid' | 'invalid';
  chainPem: string | null;
  validAt: number;
}

export interface SimulatedCa extends AcmeGateway {
  certificates: Map<string, CaCertificate>;
  /** When each newOrder was accepted. */
  placedAt: number[];
  counts: { requests: number; failed: number; alreadyReplaced: number; withReplaces: number };
}

/** A window as Boulder has it: a fiftieth of the life, around the moment when a third is left, or half of a short one. */
function suggestedFor(notBefore: number, notAfter: number): RenewalWindow {
  const life = notAfter - notBefore;
  const ideal = notAfter - (life < 10 * DAY_MS ? life / 2 : life / 3);
  return { start: new Date(Math.floor(ideal - life / 100)), end: new Date(Math.floor(ideal + life / 100)) };
}

const valueOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

const urn = (type: string): string => `urn:ietf:params:acme:error:${type}`;

/** The CA, in memory: real chains, real problems, and outages as planned. */
export async function createCa({ plan, dns, sites, now }: { plan: YearPlan; dns: SimulatedDns; sites: Map<string, Site>; now: () => number }): Promise<SimulatedCa> {
  const issue = await createIssuer();
  const { certId } = createAcmeGateway({ directoryUrl: DIRECTORY });
  const orders = new Map<string, CaOrder>();
  const certificates = new Map<string, CaCertificate>();
  const placedAt: number[] = [];
  const counts = { requests: 0, failed: 0, alreadyReplaced: 0, withReplaces: 0 };

  function refuse(status: number, type: string, step: AcmeStep, headers: Record<string, string> = {}): never {
    counts.failed += 1;
    throw problemFromReply({ status, headers, body: JSON.stringify({ type: urn(type), detail: type }) }, step, { now: now() });
  }
  function receive(step: AcmeStep): void {
    counts.requests += 1;
    const outage = outageAt(plan, now());
    if (outage?.kind === 'busy') refuse(503, 'serverInternal', step, { 'retry-after': String(BUSY_S) });
    if (outage === null) return;
    counts.failed += 1;
    throw unreachable('ca.test', Object.assign(new Error('no answer'), { code: 'ECONNREFUSED' }));
  }
  function orderAt(url: string, step: AcmeStep): CaOrder {
    const order = orders.get(url.split('#')[0] ?? '');
    if (!order || (order.expires !== null && order.expires.getTime() <= now() && order.status !== 'valid')) return refuse(404, 'malformed', step);
    if (order.status === 'processing' && order.validAt <= now()) order.status = 'valid';
    return order;
  }
  const shown = ({ url, status, authorizationUrls, finalizeUrl, certificateUrl, expires, error, retryAfterMs }: CaOrder): AcmeOrder => ({
    url,
    status,
    authorizationUrls,
    finalizeUrl,
    certificateUrl: status === 'valid' ? certificateUrl : null,
    expires,
    error,
    retryAfterMs,
  });

  return {
    certificates,
    placedAt,
    counts,
    directoryUrl: DIRECTORY,
    // Of a CA without ARI no certificate is known by anything, and nothing is asked.
    certId(chainPem) {
      const id = certId(chainPem);
      return id !== null && certificates.get(id)?.site.hasAri === true ? id : null;
    },
    // The product remembers the directory for an hour.
    async caaIdentities() {
      if (outageAt(plan, now() - HOUR_MS) !== null) receive('directory');
      return ['ca.test'];
    },
    dns01Value: async (_account, token) => valueOf(token),

    async newAccount() {
      receive('new-account');
      return 'https://ca.test/account/1';
    },

    async newOrder(_account, { names, replaces = null }) {
      receive(replaces === null ? 'new-order' : 'replacing-order');
      const site = sites.get(names[0] ?? '');
      if (!site) return refuse(400, 'rejectedIdentifier', 'new-order');
      if (replaces !== null) {
        const known = certificates.get(replaces);
        if (known?.replacedAt !== null) {
          counts.alreadyReplaced += 1;
          return refuse(known ? 409 : 404, known ? 'alreadyReplaced' : 'malformed', 'replacing-order');
        }
        counts.withReplaces += 1;
      }
      placedAt.push(now());
      const url = `https://ca.test/order/${placedAt.length}`;
      const order: CaOrder = {
        url,
        status: 'pending',
        authorizationUrls: [`${url}#authorization`],
        finalizeUrl: `${url}#finalize`,
        certificateUrl: `${url}#certificate`,
        expires: new Date(now() + ORDER_MS),
        error: null,
        retryAfterMs: null,
        site,
        names,
        replaces,
        challenge: 'pending',
        chainPem: null,
        validAt: 0,
      };
      orders.set(url, order);
      return shown(order);
    },

    async getOrder(_account, url) {
      receive('order');
      return shown(orderAt(url, 'order'));
    },

    async getAuthorization(_account, url) {
      receive('authorization');
      const { challenge, expires, site } = orderAt(url, 'authorization');
      const error = challenge === 'invalid' ? { type: urn('unauthorized'), detail: 'no such TXT record' } : null;
      const dns01 = { url: `${url}-challenge`, status: challenge, token: url, error };
      return { url, identifier: site.name, wildcard: false, status: challenge, expires, dns01, retryAfterMs: null };
    },

    async respondToChallenge(_account, url) {
      receive('challenge');
      const order = orderAt(url, 'challenge');
      const { verdict } = await dns.lookup(challengeName(order.site.name), [valueOf(order.authorizationUrls[0] ?? '')]);
      order.challenge = verdict === 'ready' ? 'valid' : 'invalid';
      order.status = verdict === 'ready' ? 'ready' : 'invalid';
    },

    async finalize(_account, { finalizeUrl }, csrDer) {
      receive('finalize');
      const order = orderAt(finalizeUrl, 'finalize');
      if (order.status !== 'ready') return refuse(403, 'orderNotReady', 'finalize');
      const { names, site, replaces } = order;
      const isSlow = certificates.size % SLOW_EACH === 0;
      const notBefore = now() - HOUR_MS;
      const notAfter = notBefore + site.life * DAY_MS;
      const issued = await issue({ names, csrDer, notBefore, notAfter });
      order.chainPem = issued.chainPem;
      order.status = isSlow ? 'processing' : 'valid';
      order.validAt = now() + (isSlow ? SLOW_MS : 0);
      const window = suggestedFor(notBefore, notAfter);
      certificates.set(issued.certId, { site, window, issuedAt: now(), notAfter, movedAt: null, replacedAt: null });
      const replaced = replaces === null ? undefined : certificates.get(replaces);
      if (replaced) replaced.replacedAt = now();
      return shown({ ...order, retryAfterMs: isSlow ? SLOW_MS : null });
    },

    async downloadCertificate(_account, url) {
      receive('certificate');
      const { chainPem, status } = orderAt(url, 'certificate');
      if (status !== 'valid' || chainPem === null) return refuse(404, 'malformed', 'certificate');
      return chainPem;
    },

    async renewalInfo(id) {
      receive('renewal-info');
      const certificate = certificates.get(id);
      if (!certificate?.site.hasAri) return null;
      const { movedAt, window } = certificate;
      const explanationUrl = movedAt === null ? null : 'https://ca.test/incident';
      return { ...window, explanationUrl, retryAfterMs: ASK_AGAIN_MS };
    },
  };
}
