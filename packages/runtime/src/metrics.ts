import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { within } from './within';

export interface OrderCount {
  status: string;
  code: string | null;
  acmeType: string | null;
  count: number;
  /** For how long the oldest of them has been due; null or negative when none is. */
  oldestDueMs: number | null;
}

export interface RenewalCensus {
  /** Renewals that have failed at least once in a row. */
  failing: number;
  /** Certificates that nothing has replaced in time. */
  expired: number;
  /** Those that should have been looked at ten minutes ago. */
  overdue: number;
  soonestExpiry: Date | null;
}

export interface QueueCount {
  queue: string;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
}

/** What operators can see from outside. No host names, no ids, no free text: those would also be a series each. */
export interface Metrics {
  /** Prometheus text format. Never fails: a collector that does, or takes 2 s, only leaves its own gauges out. */
  text(): Promise<string>;
  contentType: string;
  phaseEnded(phase: string, ms: number): void;
  orderEnded(status: 'valid' | 'invalid', code: string | null, acmeType: string | null): void;
  problem(code: string, acmeType: string | null): void;
  dnsChecked(verdict: string): void;
  leaseLost(): void;
  reconciled(found: number): void;
  /** `status` is null when there was no answer. */
  acmeRequest(step: string, status: number | null, ms: number): void;
  jobEnded(job: string, outcome: 'done' | 'wait' | 'transient' | 'terminal', ms: number): void;
  /** `route` is a pattern such as `/domains/:id`, never a path. */
  httpRequest(method: string, route: string, status: number, ms: number): void;
  /** A DNS message that a name server was sent, and what became of it. */
  dnsAnswered(transport: 'udp' | 'tcp', outcome: string): void;
  /** The zone was read: it has so many labels. */
  zoneSynced(labels: number): void;
  collectOrders(read: () => Promise<OrderCount[]>): void;
  collectRenewals(read: () => Promise<RenewalCensus>): void;
  collectQueues(read: () => Promise<QueueCount[]>): void;
}

const COLLECT_TIMEOUT_MS = 2_000;
const OTHER = 'other';
const MAX_VALUES = 100;
const WORD = /^[a-z0-9_-]{1,40}$/;
/** A segment is a parameter, a wildcard or a name; digits anywhere but at a name's end would be an id. */
const ROUTE = /^(?=.{1,100}$)(\/(:[a-z]\w*|\{?\*\w*\}?|[a-z_-]+\d?)?)+$/i;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const URN = 'urn:ietf:params:acme:error:';
/** RFC 8555 section 6.7, and RFC 9773's alreadyReplaced. */
const ACME_TYPES = new Set(
  `accountDoesNotExist alreadyReplaced alreadyRevoked badCSR badNonce badPublicKey badRevocationReason
  badSignatureAlgorithm caa compound connection dns externalAccountRequired incorrectResponse invalidContact malformed
  orderNotReady rateLimited rejectedIdentifier serverInternal tls unauthorized unsupportedContact unsupportedIdentifier
  userActionRequired`.split(/\s+/),
);

const PHASE_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 43_200, 86_400];
const ACME_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60];
const JOB_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

function acmeLabel(type: string | null): string {
  if (type === null) return '';
  const kind = type.startsWith(URN) ? type.slice(URN.length) : '';
  return ACME_TYPES.has(kind) ? kind : OTHER;
}

function statusClass(status: number | null): string {
  if (status === null || !(status >= 100 && status < 600)) return 'none';
  return status === 429 ? '429' : `${Math.floor(status / 100)}xx`;
}

/** Ids can look like words: the pattern alone bounds nothing, so only the first hundred values are told apart. */
function vocabulary(pattern: RegExp): (value: string | null) => string {
  const known = new Set<string>();
  return (value) => {
    if (value === null) return '';
    if (!known.has(value) && (known.size >= MAX_VALUES || !pattern.test(value))) return OTHER;
    known.add(value);
    return value;
  };
}

function vocabularies() {
  return {
    phase: vocabulary(WORD),
    status: vocabulary(WORD),
    code: vocabulary(WORD),
    verdict: vocabulary(WORD),
    step: vocabulary(WORD),
    job: vocabulary(WORD),
    queue: vocabulary(WORD),
    route: vocabulary(ROUTE),
  };
}

/** Every call has a registry of its own. */
export function createMetrics(options: { service?: string; processMetrics?: boolean } = {}): Metrics {
  const newRegistry = (): Registry => {
    const made = new Registry();
    if (options.service !== undefined) made.setDefaultLabels({ service: options.service });
    return made;
  };
  const registry = newRegistry();
  const registers = [registry];
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry, prefix: 'certwright_' });

  const label = vocabularies();
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `certwright_${name}_total`, help, labelNames, registers });
  /** A use-case must not fail over its stopwatch: a clock that was set back counts as 0, what is no number not at all. */
  const timer = (name: string, help: string, labelNames: string[], buckets: number[]) => {
    const histogram = new Histogram({ name: `certwright_${name}_seconds`, help, labelNames, buckets, registers });
    return (labels: Record<string, string>, ms: number): void => {
      if (Number.isFinite(ms)) histogram.observe(labels, Math.max(0, ms) / 1_000);
    };
  };

  const phases = timer('order_phase', 'How long orders were in a status they have left.', ['phase'], PHASE_SECONDS);
  const acme = timer('acme_request', 'Requests to the CA.', ['step', 'status_class'], ACME_SECONDS);
  const jobs = timer('job', 'Runs of jobs.', ['job', 'outcome'], JOB_SECONDS);
  const http = timer('http_request', 'Requests to the API.', ['method', 'route', 'status_class'], HTTP_SECONDS);
  const ended = counter('orders_ended', 'Orders that came to an end.', ['status', 'code', 'acme_type']);
  const problems = counter('order_problems', 'Steps of orders that ended in a problem.', ['code', 'acme_type']);
  const dnsChecks = counter('dns_checks', 'Looks for a TXT record, by what was found.', ['verdict']);
  const leaseLosses = counter('lease_losses', 'Orders that another worker took over.');
  const found = counter('reconcile_found', 'Live orders without a job.');
  const answers = counter('dns_answers', 'DNS messages to our name servers, by what became of them.', ['transport', 'outcome']);
  const zone = {
    labels: () => new Gauge({ name: 'certwright_zone_labels', help: 'Labels of ACME_ZONE.', registers }),
    syncedAt: () => new Gauge({ name: 'certwright_zone_synced_timestamp_seconds', help: 'When ACME_ZONE was last read.', registers }),
  };
  let zoneGauges: { labels: Gauge; syncedAt: Gauge } | undefined;
  const failures = counter('collect_failures', 'Collectors that failed or took too long.', ['collector']);

  const collectors = new Map<string, () => Promise<string>>();
  function collect<Row>(name: string, read: () => Promise<Row[]>, fill: (rows: Row[], into: Registry[]) => void): void {
    failures.inc({ collector: name }, 0);
    let running: Promise<Row[]> | undefined;
    collectors.set(name, async () => {
      try {
        // Scrapes must not pile up reads behind one that hangs.
        running ??= read().finally(() => (running = undefined));
        const rows = await within(COLLECT_TIMEOUT_MS, running);
        const gauges = newRegistry();
        fill(rows, [gauges]);
        return await gauges.metrics();
      } catch {
        failures.inc({ collector: name });
        return '';
      }
    });
  }

  return {
    contentType: registry.contentType,
    async text() {
      const gauges = await Promise.all([...collectors.values()].map((run) => run()));
      return [await registry.metrics(), ...gauges].join('');
    },
    phaseEnded: (phase, ms) => phases({ phase: label.phase(phase) }, ms),
    orderEnded: (status, code, type) => ended.inc({ status, code: label.code(code), acme_type: acmeLabel(type) }),
    problem: (code, type) => problems.inc({ code: label.code(code), acme_type: acmeLabel(type) }),
    dnsChecked: (verdict) => dnsChecks.inc({ verdict: label.verdict(verdict) }),
    leaseLost: () => leaseLosses.inc(),
    reconciled: (count) => found.inc(Number.isFinite(count) ? Math.max(0, count) : 0),
    acmeRequest: (step, status, ms) => acme({ step: label.step(step), status_class: statusClass(status) }, ms),
    jobEnded: (job, outcome, ms) => jobs({ job: label.job(job), outcome }, ms),
    httpRequest: (verb, route, status, ms) => {
      const method = METHODS.has(verb) ? verb : OTHER;
      http({ method, route: label.route(route), status_class: statusClass(status) }, ms);
    },
    dnsAnswered: (transport, outcome) => answers.inc({ transport, outcome: label.verdict(outcome) }),
    zoneSynced: (labels) => {
      zoneGauges ??= { labels: zone.labels(), syncedAt: zone.syncedAt() };
      zoneGauges.labels.set(labels);
      zoneGauges.syncedAt.setToCurrentTime();
    },
    collectOrders: (read) =>
      collect('orders', read, (rows, into) => {
        const labelNames = ['status', 'code', 'acme_type'];
        const orders = new Gauge({ name: 'certwright_orders', help: 'Live orders.', labelNames, registers: into });
        const help = 'For how long the most overdue order has been due.';
        const oldest = new Gauge({ name: 'certwright_oldest_due_seconds', help, registers: into });
        for (const { status, code, acmeType, count } of rows) {
          orders.inc({ status: label.status(status), code: label.code(code), acme_type: acmeLabel(acmeType) }, count);
        }
        oldest.set(Math.max(0, ...rows.map(({ oldestDueMs }) => oldestDueMs ?? 0)) / 1_000);
      }),
    collectRenewals: (read) =>
      collect(
        'renewals',
        async () => [await read()],
        ([census], registers) => {
          const help = 'Domains whose newest certificate is not renewed as it should be.';
          const trouble = new Gauge({ name: 'certwright_renewals_in_trouble', help, labelNames: ['state'], registers });
          trouble.set({ state: 'failing' }, census?.failing ?? 0);
          trouble.set({ state: 'expired' }, census?.expired ?? 0);
          trouble.set({ state: 'overdue' }, census?.overdue ?? 0);
          const soonest = new Gauge({ name: 'certwright_soonest_expiry_timestamp_seconds', help: 'Of the certificates in use.', registers });
          if (census?.soonestExpiry) soonest.set(census.soonestExpiry.getTime() / 1_000);
        },
      ),
    collectQueues: (read) =>
      collect('queues', read, (rows, into) => {
        const labelNames = ['queue', 'state'];
        const queued = new Gauge({ name: 'certwright_queue_jobs', help: 'Jobs in a queue.', labelNames, registers: into });
        for (const { queue, ...counts } of rows) {
          for (const state of ['waiting', 'active', 'delayed', 'failed'] as const) {
            queued.inc({ queue: label.queue(queue), state }, counts[state]);
          }
        }
      }),
  };
}
