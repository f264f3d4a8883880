import { type Domain, type DomainStore, terminal } from '@certwright/core';
import type { Request } from 'express';
import { contextOf } from '../request-context';

/** The domain that a request's path names. @throws Problem `not_found`, for another tenant's too */
export type FindDomain = (request: Request) => Promise<Domain>;

export function domainFinder({ domains }: { domains: Pick<DomainStore, 'get'> }): FindDomain {
  return async (request) => {
    const id = String(request.params.id ?? '');
    const domain = isUuid(id) ? await domains.get(contextOf(request).tenantId, id) : null;
    if (!domain) throw terminal('not_found', 'There is no such domain.');
    return domain;
  };
}

/** An id of any other form is nobody's: absent, not wrong. */
export const isUuid = (id: string): boolean => /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(id);
