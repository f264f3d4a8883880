import { randomUUID } from 'node:crypto';
import { createMetrics, type Metrics } from './metrics';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_]\\w*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const HELP = new RegExp(`^# HELP ${NAME} .+$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE = new RegExp(`^(${NAME})(\\{${LABEL}(?:,${LABEL})*\\})? ([+-]?Inf|[Nn]an|-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`);

/** Text format 0.0.4, strictly: a family's lines stand together under its HELP and TYPE, and no series comes twice. */
function parse(text: string): Map<string, number> {
  const series = new Map<string, number>();
  const families = new Set<string>();
  let family: RegExp | undefined;
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n').filter((one) => one !== '' && !HELP.test(one))) {
    const [, name = '', type] = TYPE.exec(line) ?? [];
    if (type !== undefined) {
      expect([name, families.has(name), text.includes(`# HELP ${name} `)]).toEqual([name, false, true]);
      families.add(name);
      family = new RegExp(`^${name}${type === 'histogram' ? '_(bucket|sum|count)' : ''}$`);
      continue;
    }
    const [, sample = '', labels = '', value] = SAMPLE.exec(line) ?? [];
    expect([line, family?.test(sample), series.has(sample + labels)]).toEqual([line, true, false]);
    series.set(sample + labels, Number(value));
  }
  return series;
}

const quiet = (): Metrics => createMetrics({ processMetrics: false });

/** What is there of a metric, labels in front of values. */
async function samples(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const found = [...parse(await metrics.text())].filter(([key]) => key.replace(/\{.*/, '') === `certwright_${name}`);
  return Object.fromEntries(found.map(([key, value]) => [key.slice(`certwright_${name}`.length), value]));
}

const urn = (kind: string): string => `urn:ietf:params:acme:error:${kind}`;
const order = { status: 'new', code: null, acmeType: null, count: 1, oldestDueMs: null };
const queue = { queue: 'await-dns', waiting: 1, active: 2, delayed: 3, failed: 4 };

describe('the exposition', () => {
  it('parses, with everything in it, and says which process it is of', async () => {
    const metrics = createMetrics({ service: 'worker' });
    metrics.phaseEnded('awaiting_dns', 90_000);
    metrics.orderEnded('invalid', 'acme_rejected', urn('caa'));
    metrics.problem('dns_not_ready', null);
    metrics.dnsChecked('partial');
    metrics.leaseLost();
    metrics.reconciled(3);
    metrics.acmeRequest('new-order', 201, 120);
    metrics.jobEnded('await-dns', 'wait', 30);
    metrics.httpRequest('GET', '/domains/:id', 200, 4);
    metrics.collectOrders(async () => [order]);
    metrics.collectQueues(async () => [queue]);
    const series = parse(await metrics.text());
    for (const [name, value] of Object.entries({
      'order_phase_seconds_bucket{le="60",service="worker",phase="awaiting_dns"}': 0,
      'order_phase_seconds_bucket{le="300",service="worker",phase="awaiting_dns"}': 1,
      'orders_ended_total{status="invalid",code="acme_rejected",acme_type="caa",service="worker"}': 1,
      'order_problems_total{code="dns_not_ready",acme_type="",service="worker"}': 1,
      'dns_checks_total{verdict="partial",service="worker"}': 1,
      'lease_losses_total{service="worker"}': 1,
      'reconcile_found_total{service="worker"}': 3,
      'acme_request_seconds_sum{service="worker",step="new-order",status_class="2xx"}': 0.12,
      'job_seconds_count{service="worker",job="await-dns",outcome="wait"}': 1,
      'http_request_seconds_count{service="worker",method="GET",route="/domains/:id",status_class="2xx"}': 1,
      'orders{status="new",code="",acme_type="",service="worker"}': 1,
      'oldest_due_seconds{service="worker"}': 0,
      'queue_jobs{queue="await-dns",state="delayed",service="worker"}': 3,
      'collect_failures_total{collector="orders",service="worker"}': 0,
    })) {
      expect([name, series.get(`certwright_${name}`)]).toEqual([name, value]);
    }
    expect([...series.keys()].some((name) => name.startsWith('certwright_process_cpu'))).toBe(true);
    expect([...series.keys()].filter((name) => !name.startsWith('certwright_'))).toEqual([]);
  });

  it('is of one set of metrics, not of the process', async () => {
    const [one, two] = [quiet(), quiet()];
    one.leaseLost();
    expect(await samples(two, 'lease_losses_total')).toEqual({ '': 0 });
  });

  it('survives times and counts that make no sense', async () => {
    const metrics = quiet();
    for (const ms of [NaN, Infinity, -5]) metrics.phaseEnded('new', ms);
    for (const count of [NaN, Infinity, -5, 0]) metrics.reconciled(count);
    expect(await samples(metrics, 'order_phase_seconds_count')).toEqual({ '{phase="new"}': 1 });
    expect(await samples(metrics, 'order_phase_seconds_sum')).toEqual({ '{phase="new"}': 0 });
    expect(await samples(metrics, 'reconcile_found_total')).toEqual({ '': 0 });
  });
});

describe('labels', () => {
  it.each([
    [null, ''],
    [urn('rateLimited'), 'rateLimited'],
    [urn('alreadyReplaced'), 'alreadyReplaced'],
    [urn('madeUp'), 'other'],
    [urn(''), 'other'],
    ['rateLimited', 'other'],
    ['about:blank', 'other'],
  ])("take the CA's error type %p for %p", async (type, label) => {
    const metrics = quiet();
    metrics.problem('acme_rejected', type);
    expect(await samples(metrics, 'order_problems_total')).toEqual({ [`{code="acme_rejected",acme_type="${label}"}`]: 1 });
  });

  it.each(['www.example.com', 'Free text', 'a"b\n', '', 'x'.repeat(41)])('take %p for "other"', async (text) => {
    const metrics = quiet();
    metrics.dnsChecked(text);
    metrics.orderEnded('invalid', text, null);
    metrics.acmeRequest(text, null, 1);
    metrics.httpRequest(text, `/domains/${text}1x`, 200, 1);
    expect(await samples(metrics, 'dns_checks_total')).toEqual({ '{verdict="other"}': 1 });
    expect(await samples(metrics, 'orders_ended_total')).toEqual({ '{status="invalid",code="other",acme_type=""}': 1 });
    expect(await samples(metrics, 'acme_request_seconds_count')).toEqual({ '{step="other",status_class="none"}': 1 });
    const http = '{method="other",route="other",status_class="2xx"}';
    expect(await samples(metrics, 'http_request_seconds_count')).toEqual({ [http]: 1 });
  });

  it.each([
    ...['/', '/domains/:id', '/v1/orders/:orderId/events', '/docs-json', '/admin/queues/{*path}'].map((is) => [is, is]),
    ...['/domains/4711', `/orders/${randomUUID()}`, '/of/www.example.com', 'domains', '/a?b=c'].map((is) => [is, 'other']),
  ])('take the route %p for %p', async (route = '', label) => {
    const metrics = quiet();
    metrics.httpRequest('POST', route, 429, 1);
    const labels = `{method="POST",route="${label}",status_class="429"}`;
    expect(await samples(metrics, 'http_request_seconds_count')).toEqual({ [labels]: 1 });
  });

  it('stay few, whatever comes', async () => {
    const metrics = quiet();
    for (let i = 0; i < 500; i++) {
      metrics.problem(randomUUID(), urn(randomUUID()));
      metrics.httpRequest(randomUUID(), `/${randomUUID().replace(/[\d-]/g, 'x')}`, 200, 1);
    }
    for (const name of ['order_problems_total', 'http_request_seconds_count']) {
      const counts = Object.values(await samples(metrics, name));
      expect([name, counts.length, counts.reduce((sum, count) => sum + count, 0)]).toEqual([name, 101, 500]);
    }
  });
});

describe('gauges', () => {
  it('add up what has the same labels, and know the most overdue order', async () => {
    const metrics = quiet();
    metrics.collectOrders(async () => [
      { ...order, acmeType: urn('a'), count: 2, oldestDueMs: 1_500 },
      { ...order, acmeType: urn('b'), count: 3, oldestDueMs: 90_000 },
      { ...order, status: 'ready', oldestDueMs: -4_000 },
    ]);
    expect(await samples(metrics, 'orders')).toEqual({
      '{status="new",code="",acme_type="other"}': 5,
      '{status="ready",code="",acme_type=""}': 1,
    });
    expect(await samples(metrics, 'oldest_due_seconds')).toEqual({ '': 90 });
  });

  it.each<[string, () => Promise<never>]>([
    ['rejects', async () => Promise.reject(new Error('hunter2'))],
    ['throws', () => { throw new Error('hunter2'); }],
    ['hangs', () => new Promise(() => undefined)],
  ])('are left out, and the rest is not, when their collector %s', async (_how, read) => {
    const metrics = quiet();
    metrics.leaseLost();
    metrics.collectOrders(read);
    metrics.collectQueues(async () => [queue]);
    const startedAt = performance.now();
    const text = await metrics.text();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    const series = parse(text);
    expect(text).not.toMatch(/certwright_orders\b|certwright_oldest_due_seconds|hunter2/);
    expect(series.get('certwright_lease_losses_total')).toBe(1);
    expect(series.get('certwright_queue_jobs{queue="await-dns",state="failed"}')).toBe(4);
    expect(series.get('certwright_collect_failures_total{collector="orders"}')).toBe(1);
    expect(series.get('certwright_collect_failures_total{collector="queues"}')).toBe(0);
  });

  it('come back and go with what their collector says, which is not asked again while it hangs', async () => {
    const metrics = quiet();
    let answer: (rows: (typeof order)[]) => void = () => undefined;
    const read = jest.fn(() => new Promise<(typeof order)[]>((resolve) => (answer = resolve)));
    metrics.collectOrders(read);
    await Promise.all([metrics.text(), metrics.text()]);
    expect(read).toHaveBeenCalledTimes(1);
    answer([order]);
    expect(await samples(metrics, 'orders')).not.toEqual({});
    read.mockResolvedValue([]);
    expect(await samples(metrics, 'orders')).toEqual({});
    expect(await samples(metrics, 'oldest_due_seconds')).toEqual({ '': 0 });
    expect(read).toHaveBeenCalledTimes(3);
  });
});
