import { checkDomain, type CheckDomainDeps } from '@certwright/core';
import { Router } from 'express';
import { methods } from '../methods';
import { presentCheck, presentOutcome } from '../present-dns';
import { type FindDomain } from './find-domain';

/** What DNS says now. */
export function dnsRoutes(deps: CheckDomainDeps, find: FindDomain): Router {
  const router = Router();
  methods(router, '/domains/:id/check', {
    async post(request, response) {
      const domain = await find(request);
      const records = await checkDomain(deps, domain);
      response.json({ domain_id: domain.id, status: domain.status, checked_at: new Date().toISOString(), ...presentOutcome(domain, records), dns_records: presentCheck(domain, records) });
    },
  });
  return router;
}
