import { type Authorization, type Diagnosis, type Domain, type IssuedCertificate, momentIn, type Order, type RenewalPlan, windowOf } from '@certwright/core';

/** When a certificate would be renewed whose CA makes no suggestions; somebody has set the value for it. */
export function planFor(issued: Pick<IssuedCertificate, 'notBefore' | 'notAfter'>, more: Partial<RenewalPlan> = {}): RenewalPlan {
  const window = windowOf(issued);
  return { directoryUrl: 'https://ca.test/dir', certId: null, window, renewAt: momentIn(window), askAt: null, manual: true, ...more };
}

/** Not a fixed date: looks grow old. */
const AT = new Date(Date.now() - 3_600_000);
const NAME = 'shop.customer.test';
const DOMAIN_ID = '0b0f3f0e-0000-4000-8000-000000000001';
const TENANT_ID = '0b0f3f0e-0000-4000-8000-000000000002';

/** Registered an hour ago. */
export const aDomain = (changes: Partial<Domain> = {}): Domain => ({
  id: DOMAIN_ID,
  tenantId: TENANT_ID,
  name: NAME,
  names: [NAME],
  status: 'pending',
  statusReason: null,
  verificationToken: 'token-1',
  verifiedAt: null,
  auto: false,
  watchAt: null,
  forecast: null,
  delegationLabel: 'label-1',
  createdAt: AT,
  updatedAt: AT,
  ...changes,
});

/** That domain's, placed at the CA in the same moment. */
export const anOrder = (changes: Partial<Order> = {}): Order => ({
  id: '0b0f3f0e-0000-4000-8000-000000000003',
  tenantId: TENANT_ID,
  domainId: DOMAIN_ID,
  names: [NAME],
  status: 'awaiting_dns',
  statusSince: AT,
  generation: 1,
  renewal: false,
  keyType: 'ec-256',
  profile: null,
  reason: null,
  failures: 0,
  crashes: 0,
  dueAt: AT,
  deadlineAt: AT,
  accountId: null,
  acmeUrl: null,
  finalizeUrl: null,
  caExpiresAt: null,
  certificateId: null,
  watchedUntil: null,
  ignoreCaa: false,
  neededBy: null,
  replaces: null,
  requestId: null,
  createdAt: AT,
  updatedAt: AT,
  authorizations: [anAuthorization()],
  ...changes,
});

/** Of that order; nobody has looked yet. */
export const anAuthorization = (changes: Partial<Authorization> = {}): Authorization => ({
  id: '0b0f3f0e-0000-4000-8000-000000000004',
  identifier: NAME,
  wildcard: false,
  url: 'https://ca.test/authz/1',
  challengeUrl: 'https://ca.test/chall/1',
  txtName: `_acme-challenge.${NAME}`,
  txtValue: 'value-1',
  status: 'pending',
  evidence: null,
  diagnosis: null,
  checkedAt: AT,
  ...changes,
});

/** Who has to act, where that is not the customer. */
const ACTORS: Partial<Record<Diagnosis['code'], Diagnosis['actor']>> = {
  ready: 'nobody',
  secondary_behind: 'nobody',
  delegation_unserved: 'operator',
  resolver_silent: 'operator',
};

export const aDiagnosis = (code: Diagnosis['code']): Diagnosis => ({
  code,
  message: 'What was seen.',
  actor: ACTORS[code] ?? 'customer',
  action: 'What to do.',
  set: null,
  remove: [],
  waiting: { helps: false, until: null },
  at: AT.toISOString(),
  since: AT.toISOString(),
  facts: {},
});
