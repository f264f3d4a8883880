import type { AcmeAccount } from './acme';
import type { Diagnosis } from './diagnosis';
import type { DomainStatus } from './domain';
import type { KeyType } from './key-type';
import type {
  Authorization,
  Certificate,
  Domain,
  DomainEvent,
  Forecast,
  IssuedCertificate,
  Order,
  OrderReason,
  Page,
} from './model';
import type { LiveOrderStatus, OrderStatus } from './order';
import type { ProblemCode } from './problem';
import type { RenewalPlan } from './renewal-store';
import type { TxtEvidence } from './txt-evidence';

export interface DomainStore {
  /** @throws Problem `domain_exists` when the tenant has the name already. */
  create(tenantId: string, domain: { names: [string, ...string[]]; verificationToken: string; auto: boolean }): Promise<Domain>;
  get(tenantId: string, id: string): Promise<Domain | null>;
  /** Newest first. `q` matches a part of the name. @throws Problem `malformed_request` for a cursor that is not ours. */
  list(
    tenantId: string,
    query: { status?: DomainStatus; q?: string; limit: number; cursor?: string },
  ): Promise<Page<Domain>>;
  /**
   * Other names, or another setting. A live order that the CA has not been told to validate gives way to the next one.
   * @throws Problem `order_under_way`; `version_conflict` where the domain has had news since `version`
   */
  update(tenantId: string, id: string, change: { names?: [string, ...string[]]; auto?: boolean; version?: string }): Promise<Domain | null>;
  /**
   * `pending` to `verified`; null when the domain is not (or no longer) `pending`, or has other names than `names`, which were proved. `seen`: what
   * was found of its delegation; not kept with `auto`, where `watch-delegation` looks at it.
   */
  markVerified(tenantId: string, id: string, names?: string[], seen?: Forecast | null): Promise<Domain | null>;
  /** The domain, if its delegation is due to be looked at: nobody else looks for `claimMs`. */
  claimWatch(tenantId: string, id: string, claimMs: number): Promise<Domain | null>;
  /** Brings the next look forward to now, unless the last one is younger than `leastAgeMs`, or none is to come. Whether it has. */
  watchNow(tenantId: string, id: string, leastAgeMs: number): Promise<boolean>;
  /** What was found, and in how many milliseconds to look again (null: not at all). An event, where the outcome is another than before. */
  noteForecast(tenantId: string, id: string, found: { forecast: Forecast; delayMs: number | null }): Promise<void>;
  /** Domains of all tenants whose delegation is due to be looked at, the most overdue first. */
  toWatch(graceMs: number, limit: number): Promise<Pick<Domain, 'id' | 'tenantId'>[]>;
  /** With everything that hangs on it. False when there is none. */
  delete(tenantId: string, id: string): Promise<boolean>;
}

/**
 * The right to work on one order, held until `until` by the database's clock. Every write names the lease's token
 * and the status it was read at; a stale holder therefore writes nothing and gets Problem `lease_lost`.
 */
export interface Lease {
  /** As of the last write through this lease. */
  readonly order: Order;
  /** The account that placed the order, as of the claim; null before. */
  readonly account: AcmeAccount | null;
  readonly token: number;
  /** False once a write has let go of it: whoever comes next may be at the order already. */
  readonly isHeld: boolean;
  /** The one before was never let go of: its worker died, or took too long. */
  readonly tookOver: boolean;
  /** The database's time now (read at the claim, carried on by the monotonic clock): workers' clocks disagree. */
  now(): Date;
  /** Remembers what was learned, for the next write through this lease to store. */
  note(notes: AuthorizationNote[]): void;
  /** Remembers where the CA has the order, for the next write to store, though the order stays `new`. */
  notePlaced(placed: Placed): void;
}

export interface Placed {
  accountId: string;
  /** Null: the CA has lost it. */
  acmeUrl: string | null;
  finalizeUrl: string | null;
  caExpiresAt: Date | null;
}

export type Claim =
  | { kind: 'claimed'; lease: Lease }
  /** Somebody else holds the lease for `retryAfterMs` more. */
  | { kind: 'busy'; retryAfterMs: number }
  /** No such order, or it is `valid` or `invalid`. */
  | { kind: 'over' };

export interface AuthorizationInput {
  identifier: string;
  wildcard: boolean;
  url: string;
  challengeUrl: string;
  txtName: string;
  txtValue: string;
  status: Authorization['status'];
}

/** What was learned of an authorization: what each name server said, its status at the CA. */
export interface AuthorizationNote {
  id: string;
  evidence?: TxtEvidence;
  diagnosis?: Diagnosis;
  status?: Authorization['status'];
}

export interface OrderChange {
  dueAt: Date;
  deadlineAt: Date;
  /** Why the order is not due at once. Default: nothing holds it up. */
  reason?: OrderReason;
  accountId?: string;
  acmeUrl?: string;
  finalizeUrl?: string;
  caExpiresAt?: Date | null;
  /** Given once, when the CA has told them. */
  authorizations?: AuthorizationInput[];
  /** Stored sealed, together, before finalize is sent. */
  keyAndCsr?: KeyAndCsr;
  /** Lets go of the lease: another job goes on. */
  letGo?: boolean;
}

export interface KeyAndCsr {
  privateKeyPem: string;
  csrDer: Buffer;
}

export interface NextLook {
  dueAt: Date;
  reason: OrderReason | null;
  /** Whether it counts as one more transient failure. */
  failed: boolean;
  /** Where the deadline moves: a wait that the CA imposes does not eat the customer's time. */
  deadlineAt?: Date;
}

export interface NewOrder {
  domainId: string;
  keyType: KeyType;
  profile: string | null;
  phaseMs: number;
  /** Default: as of the certificate that it replaces, else false. */
  ignoreCaa?: boolean;
  /** Of a renewal: which certificate it replaces, by our id and in the CA's words, and until when. */
  renewal?: Pick<Order, 'replaces'> & { certificateId: string; neededBy: Date };
  requestId: string | null;
}

/**
 * Orders, and the history of each: a write that changes an order's status or reason adds an event, in the same statement.
 * All writes but `create` go through a lease. @throws Problem `lease_lost`, where a lease is given
 */
export interface OrderStore {
  /**
   * Inserts an order with status `new`, due now, and moves the domain to `certificate_pending` (it stays `active` where the order is a
   * renewal), in one transaction. A domain has at most one live order: the loser of a race, and a repeated call, get the live one
   * (`created: false`).
   * @throws Problem `domain_not_verified`, `not_found`; `order_superseded` where the certificate to be replaced is not the newest any more
   */
  create(tenantId: string, order: NewOrder): Promise<{ order: Order; created: boolean }>;
  get(tenantId: string, id: string): Promise<Order | null>;
  /** Where each of them stands; those that are gone are missing. */
  standings(ids: string[]): Promise<OrderStanding[]>;
  /** The order's history, oldest first, the last `limit` of it. */
  events(tenantId: string, id: string, limit: number): Promise<DomainEvent[]>;
  /** Somebody waits for the domain's live order for `ms` more. Returns it, null where there is none. Needs no lease. */
  watch(tenantId: string, domainId: string, ms: number): Promise<{ id: string; status: LiveOrderStatus; wasWatched: boolean } | null>;
  /** The newest order of a domain, live or over. */
  latest(tenantId: string, domainId: string): Promise<Order | null>;
  /** A domain's orders, newest first, at most `limit`. */
  list(tenantId: string, domainId: string, limit: number): Promise<Order[]>;
  /** Takes the lease for `leaseMs` if nobody holds it; counts a crash where the one before was never let go of. */
  claim(tenantId: string, orderId: string, leaseMs: number): Promise<Claim>;
  /** Guarded transition; renews the lease (or lets go of it) and clears failures and crashes. */
  advance(lease: Lease, to: LiveOrderStatus, change: OrderChange): Promise<void>;
  /** Guarded: back to `new`, one generation on; what the CA said of the present one is dropped. Lets go of the lease. */
  restart(lease: Lease, next: { dueAt: Date; deadlineAt: Date; reason: OrderReason }): Promise<void>;
  /** Guarded: sets the next `dueAt` and why, and lets go of the lease. */
  release(lease: Lease, next: NextLook): Promise<void>;
  /** Guarded: lets go of the lease of an order that was not worked on; all else stays as it is. */
  handBack(lease: Lease): Promise<void>;
  /** Guarded, terminal: order `invalid`; domain `failed` (or `active` again where it still has a certificate); a renewal has failed once more. */
  fail(lease: Lease, reason: OrderReason): Promise<void>;
  /** Guarded, terminal: the certificate with its key, order `valid`, domain `active`, and when it is to be renewed. */
  complete(lease: Lease, certificate: IssuedCertificate, privateKeyPem: string, renewal: RenewalPlan): Promise<void>;
  /** The key and CSR stored by `advance`, unsealed; null when there are none yet. @throws Problem `sealing_key_missing` */
  keyAndCsr(lease: Lease): Promise<KeyAndCsr | null>;
  /** Live orders of all tenants, overdue by more than `graceMs` and leased to nobody, the most overdue first. */
  overdue(graceMs: number, limit: number): Promise<Pick<Order, 'id' | 'tenantId' | 'status' | 'requestId'>[]>;
  /** Live orders of all tenants by status and reason, for the metrics; `oldestDueMs`: how overdue the most overdue is. */
  census(): Promise<OrderCensus[]>;
}

export interface OrderStanding {
  id: string;
  status: OrderStatus;
  /** Of the reason that it is not due at once. */
  code: ProblemCode | null;
}

export interface OrderCensus {
  status: string;
  code: string | null;
  acmeType: string | null;
  count: number;
  oldestDueMs: number | null;
}

export interface EventStore {
  /** What became of a domain, oldest first: at most `limit` events after `after`, or without it the last `limit`. */
  ofDomain(tenantId: string, domainId: string, query: { after?: string; limit: number }): Promise<DomainEvent[]>;
  /** The newest event's id of each of these domains that has one. Of all tenants: ids are given by those who may see them. */
  newest(domainIds: string[]): Promise<{ domainId: string; id: string }[]>;
}

export interface CertificateStore {
  get(tenantId: string, id: string): Promise<Certificate | null>;
  /** The domain's newest certificate. */
  latest(tenantId: string, domainId: string): Promise<Certificate | null>;
  /** PEM (PKCS #8), unsealed. @throws Problem `sealing_key_missing` */
  privateKey(tenantId: string, id: string): Promise<string | null>;
}

export interface AccountStore {
  /**
   * The one account for this directory and e-mail. The first caller's new key wins under a unique index and all others
   * get that key; as newAccount is idempotent for a key (RFC 8555 section 7.3.1), the CA too ends up with one account.
   */
  findOrCreate(directoryUrl: string, email: string | null, newKeyPem: () => Promise<string>): Promise<AcmeAccount>;
  /** Replaces the URL `from`; without effect where another worker has replaced it already. */
  setUrl(id: string, from: string | null, to: string | null): Promise<void>;
  /** No request (`account`), or no newOrder (`orders`), for `ms` from now; a longer pause that is there stays. */
  pause(id: string, scope: 'account' | 'orders', ms: number, reason: OrderReason): Promise<void>;
}

/** How many orders may be sent to the CA. */
export interface OrderBudget {
  /** In any 3 hours, for the account (`ACME_ORDERS_PER_3H`). */
  per3Hours: number;
  /** In any 7 days, for one registered domain, renewals not counted (`ACME_ORDERS_PER_DOMAIN_PER_WEEK`). */
  perRegisteredDomainPerWeek: number;
}

export type Slot =
  | { kind: 'taken' }
  /** Which budget is spent, and when this order's turn is expected. */
  | { kind: 'spent'; by: 'account' | 'registered-domain'; waitMs: number };

export interface BudgetStore {
  /**
   * Counts one newOrder against the budgets, if they allow it and it is this order's turn: renewals before first
   * certificates, then tenants by turns, then the oldest. Of any number of racers no more get a slot than there are.
   */
  takeSlot(accountId: string, order: Order, registeredDomain: string, budget: OrderBudget): Promise<Slot>;
}
