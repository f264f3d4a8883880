import type { AcmeProblemDocument, Advice, ProblemCode } from './problem';

const waits = (action: string): Advice => ({ actor: 'nobody', action });

/** For every code that can be an order's reason; the rest are answers to HTTP requests. */
const ADVICE: Partial<Record<ProblemCode, Advice>> = {
  dns_not_ready: {
    actor: 'customer',
    action: 'Set the TXT record that dns_records shows on every name server of the zone; the order goes on by itself.',
  },
  dns_deadline_passed: {
    actor: 'customer',
    action: 'Ask for the certificate again, and set the new TXT value in time.',
  },
  dns_zone_missing: {
    actor: 'customer',
    action: 'Have the domain registered and delegated to working name servers, then ask for the certificate again.',
  },
  caa_forbids_issuer: {
    actor: 'customer',
    action: 'Add the CAA record that the detail names, or remove all CAA records; then ask for the certificate again.',
  },
  order_deadline_passed: {
    actor: 'platform',
    action: 'Ask for the certificate again once the trouble that the reason names is over.',
  },
  acme_unreachable: waits('The CA cannot be reached; the order is tried again by itself.'),
  acme_server_error: waits('The CA is in trouble; the order is tried again by itself.'),
  acme_bad_response: waits('The CA, or something before it, sends nonsense; the order is tried again by itself.'),
  acme_rate_limited: waits('The CA has said when to come back; the order goes on by itself then.'),
  acme_budget_spent: waits('The order waits in line, so that the CA does not refuse it; it goes on by itself.'),
  acme_account_refused: {
    actor: 'operator',
    action: "Mend what the CA says about the account (its terms, its contact address, its status); orders go on by themselves.",
  },
  acme_account_unknown: waits('The account is registered again and the order placed anew; both happen by themselves.'),
  acme_order_gone: waits('The order is placed anew by itself; it may ask for another TXT value, see dns_records.'),
  acme_rejected: { actor: 'customer', action: "Mend what the CA's words name, then ask for the certificate again." },
  acme_challenge_failed: {
    actor: 'customer',
    action: "Mend what the CA saw in DNS, then ask for the certificate again; it brings a new TXT value.",
  },
  acme_order_invalid: { actor: 'customer', action: "Mend what the CA's words name, then ask for the certificate again." },
  order_superseded: { actor: 'nobody', action: 'Nothing: an order for the new names took its place.' },
  acme_validating: waits('The CA is looking at the record; leave it where it is. The order goes on by itself.'),
  acme_pending: waits('The CA is at work; the order goes on by itself.'),
  certificate_mismatch: {
    actor: 'operator',
    action: "The CA's certificate does not fit the order: tell the CA; asking for the certificate again is safe.",
  },
  worker_crashed: {
    actor: 'operator',
    action: "Find in the workers' logs why they end at this order; asking for the certificate again is safe.",
  },
  lease_busy: waits('A worker is at it.'),
  sealing_key_missing: { actor: 'operator', action: 'Give the workers the MASTER_KEY that the database was sealed with.' },
  database_unavailable: waits('The order goes on by itself when the database is back.'),
  internal_error: { actor: 'operator', action: "Look for the order's id in the workers' logs; it is tried again by itself." },
};

const REFUSED_KEY: Advice = {
  actor: 'platform',
  action: "Ask for the certificate again: it is made with a new key. Where the CA refuses that too, its words and KEY_TYPE are the operator's to look at.",
};
const REFUSED_REQUEST: Advice = {
  actor: 'operator',
  action: "Mend what the CA's words name, most often a setting such as ACME_PROFILE; then ask for the certificate again.",
};
const REFUSED_ACCOUNT: Advice = {
  actor: 'operator',
  action: "See what the CA's words say of the account; then ask for the certificate again.",
};
const WITHOUT_WORDS: Advice = {
  actor: 'platform',
  action: 'Ask for the certificate again. Where it ends the same way, the operator has to ask the CA why.',
};
const BROKE: Advice = { actor: 'platform', action: 'The CA was in trouble: ask for the certificate again, later.' };
const PLACED_ANEW = waits('The CA could not find out; the order is placed anew by itself, and may ask for another TXT value, see dns_records.');

/** What the CA refuses that no customer can mend, by its type (RFC 8555 section 6.7, invalidProfile of draft-ietf-acme-profiles). */
const NOT_THE_CUSTOMERS = new Map([
  ['badCSR', REFUSED_KEY],
  ['badPublicKey', REFUSED_KEY],
  ['badSignatureAlgorithm', REFUSED_REQUEST],
  ['invalidProfile', REFUSED_REQUEST],
  ['malformed', REFUSED_REQUEST],
  ['serverInternal', BROKE],
]);
const URN = 'urn:ietf:params:acme:error:';

/** What the CA said no to, or ended; null: the code alone tells. */
function adviceOnNo({ code, acme }: Told, isOver: boolean): Advice | null {
  if (code !== 'acme_rejected' && code !== 'acme_order_invalid' && code !== 'acme_challenge_failed') return null;
  if (!isOver) return PLACED_ANEW;
  if (!acme) return code === 'acme_challenge_failed' ? null : WITHOUT_WORDS;
  const kind = acme.type.startsWith(URN) ? acme.type.slice(URN.length) : '';
  if (code === 'acme_rejected' && kind === 'unauthorized') return REFUSED_ACCOUNT;
  if (code === 'acme_challenge_failed' && kind !== 'serverInternal') return null;
  return NOT_THE_CUSTOMERS.get(kind) ?? null;
}

interface Told {
  code: ProblemCode;
  acme?: AcmeProblemDocument | undefined;
  /** What was known when it happened; otherwise the code tells. */
  advice?: Advice | undefined;
}

/** A failed order's reason may be one that otherwise mends itself: then nothing more happens until somebody asks again. */
export function adviceOn(told: Told, isOver: boolean): Advice {
  const advice = told.advice ?? adviceOnNo(told, isOver) ?? ADVICE[told.code] ?? waits('The order goes on by itself.');
  if (!isOver || advice.actor !== 'nobody') return advice;
  return { actor: 'platform', action: 'Ask for the certificate again.' };
}
