import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkDomain, type CheckDomainDeps, type CheckedRecord, type Domain, type DomainStore, isLive, type RenewalStore, watchDomain } from '@certwright/core';
import { type Request, Router } from 'express';
import Joi from 'joi';
import { methods } from '../methods';
import type { SetupLinks } from '../setup-link';
import { reliesOnAlias } from '../seen-alias';
import { setupViewOf } from '../setup-page/from-domain';
import { renderSetupGone, renderSetupPage, setupPolicy } from '../setup-page/render';
import { validate } from '../validate';
import type { FindDomain } from './find-domain';

export interface SetupRouteDeps extends CheckDomainDeps {
  domains: Pick<DomainStore, 'get' | 'watchNow'>;
  renewals: Pick<RenewalStore, 'get'>;
  setupLinks: SetupLinks;
  /** Where clients reach the API; null: as the request was addressed. */
  publicUrl: string | null;
}

const HOUR_MS = 3_600_000;

export const setupLinkBody = Joi.object<{ expires_in_hours: number }, true>({
  expires_in_hours: Joi.number().integer().min(1).max(720).default(168).description('For how long the link works; default: a week.'),
}).label('body');

/** For the platform, behind the key: a link to send to the domain's owner. */
export function setupLinkRoutes({ setupLinks, publicUrl }: SetupRouteDeps, find: FindDomain): Router {
  const router = Router();
  methods(router, '/domains/:id/setup-link', {
    async post(request, response) {
      const { tenantId, id } = await find(request);
      const { expires_in_hours: hours } = validate(setupLinkBody, request.body ?? {});
      const expiresAt = new Date(Math.floor(Date.now() / 1_000) * 1_000 + hours * HOUR_MS);
      const token = setupLinks.sign({ tenantId, domainId: id, expiresAt });
      response.status(201).json({ url: `${publicUrl ?? originOf(request)}/setup/${token}`, expires_at: expiresAt.toISOString() });
    },
  });
  return router;
}

const originOf = (request: Request): string => `${request.protocol}://${request.get('host') ?? 'localhost'}`;

/** For the domain's owner: the link is all that is asked for, and shows nothing but what is public or to be published. */
export function setupPageRoutes(deps: SetupRouteDeps): Router {
  const router = Router();
  const check = remembering((domain: Domain) => checkDomain(deps, domain));
  methods(router, '/setup/:token', {
    async get(request, response) {
      const nonce = randomBytes(16).toString('base64');
      response.set({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-robots-tag': 'noindex',
        'content-security-policy': setupPolicy(nonce),
      });
      const link = deps.setupLinks.open(request.params.token ?? '');
      const domain = link && (await deps.domains.get(link.tenantId, link.domainId));
      if (!link || !domain) {
        response.status(404).type('html').send(renderSetupGone({ nonce }));
        return;
      }
      const order = await deps.orders.latest(link.tenantId, domain.id);
      const renewal = await deps.renewals.get(link.tenantId, domain.id);
      const isLooked = order !== null && isLive(order.status);
      if (domain.status !== 'pending') await watchDomain(deps, domain);
      let checked: CheckedRecord[] = []; // where no order looks at DNS, nobody else does just now
      if (domain.status === 'pending') checked = await check(domain);
      else if (!isLooked && reliesOnAlias(domain, renewal)) checked = await inTime(check(domain));
      const view = setupViewOf(domain, { order, renewal, checked, linkExpiresAt: link.expiresAt, acmeZone: deps.acmeZone });
      response.type('html').send(renderSetupPage(view, { nonce }));
    },
  });
  return router;
}

const IN_TIME_MS = 3_000;

/** What there is by then; without it the page has what the day's look has found. */
const inTime = (check: Promise<CheckedRecord[]>): Promise<CheckedRecord[]> =>
  Promise.race([check.catch(() => []), sleep(IN_TIME_MS, [], { ref: false })]);

const REMEMBERED_MS = 3_000;
const MAX_REMEMBERED = 1_000;

/** However often a page is loaded, its domain's name servers are asked once in a while. */
function remembering(check: (domain: Domain) => Promise<CheckedRecord[]>) {
  const recent = new Map<string, { at: number; result: Promise<CheckedRecord[]> }>();
  return (domain: Domain): Promise<CheckedRecord[]> => {
    const known = recent.get(domain.id);
    if (known && performance.now() - known.at < REMEMBERED_MS) return known.result;
    const fresh = { at: performance.now(), result: check(domain) };
    recent.delete(domain.id);
    recent.set(domain.id, fresh);
    const [oldest] = recent.keys();
    if (recent.size > MAX_REMEMBERED && oldest !== undefined) recent.delete(oldest);
    return fresh.result;
  };
}
