import type { OrderStatus } from '../order';
import type { Order } from '../model';
import type { JobQueue } from '../ports';
import { createOrder } from './create-order';
import { watchOrders } from './order-watch';

const INPUT = { tenantId: 'tenant-1', domainId: 'domain-1', requestId: 'request-1' };

const orderIn = (status: OrderStatus): Order => ({
  id: 'order-1',
  tenantId: 'tenant-1',
  domainId: 'domain-1',
  names: ['shop.example.com'],
  status,
  statusSince: new Date(0),
  generation: 1,
  renewal: false,
  keyType: 'ec-256',
  profile: null,
  reason: null,
  failures: 0,
  crashes: 0,
  dueAt: null,
  deadlineAt: null,
  accountId: null,
  acmeUrl: null,
  finalizeUrl: null,
  caExpiresAt: null,
  certificateId: null,
  watchedUntil: null,
  ignoreCaa: false,
  neededBy: null,
  replaces: null,
  requestId: 'request-1',
  createdAt: new Date(0),
  updatedAt: new Date(0),
  authorizations: [],
});

/** An order that starts in `first` and has the statuses of `later` at each further look; null: it is gone. */
function world(first: OrderStatus, later: (OrderStatus | null)[] = [], { issueWaitMs = 5_000, isQueued = true } = {}) {
  const happened: string[] = [];
  const looks: (OrderStatus | null)[] = [first, ...later];
  const jobs: JobQueue = {
    enqueue: async (name, payload) => {
      happened.push(`enqueue ${name} ${JSON.stringify(payload)}`);
      return isQueued;
    },
  };
  const orders = {
    create: async (_tenantId: string, input: { phaseMs: number; requestId: string | null }) => {
      happened.push(`create ${input.phaseMs} ${input.requestId}`);
      return { order: orderIn(first), created: true };
    },
    get: async () => {
      const status = looks[0];
      return status ? orderIn(status) : null;
    },
    standings: async ([id = '']: string[]) => {
      happened.push('look');
      if (looks.length > 1) looks.shift();
      const status = looks[0];
      return status ? [{ id, status, code: null }] : [];
    },
  };
  const settings = { issueWaitMs, phaseTimeoutMs: 7_000, keyType: 'ec-256', profile: null } as const;
  return { happened, create: () => createOrder({ orders, watch: watchOrders(orders), jobs, ...settings }, INPUT) };
}

it('commits the row before the job is added, and the job carries ids alone', async () => {
  const { create, happened } = world('new', ['awaiting_dns']);
  await create();
  expect(happened.slice(0, 2)).toEqual([
    'create 7000 request-1',
    'enqueue place-order {"tenantId":"tenant-1","orderId":"order-1","requestId":"request-1"}',
  ]);
});

it.each<OrderStatus>(['awaiting_dns', 'ready', 'invalid'])('answers as soon as the order is %s', async (status) => {
  const { create, happened } = world('new', ['new', 'new', status]);
  expect((await create()).status).toBe(status);
  expect(happened.filter((one) => one === 'look')).toHaveLength(3);
});

it('gives up waiting in time, and the order lives on', async () => {
  const { create, happened } = world('new', ['new'], { issueWaitMs: 300 });
  const startedAt = performance.now();
  expect((await create()).status).toBe('new');
  const took = performance.now() - startedAt;
  expect(took).toBeGreaterThanOrEqual(290);
  expect(took).toBeLessThan(1_500);
  // every 50 ms: it asks a few times, not in a tight loop
  expect(happened.filter((one) => one === 'look').length).toBeLessThanOrEqual(6);
});

it('waits not at all where the wait is 0', async () => {
  const { create, happened } = world('new', ['awaiting_dns'], { issueWaitMs: 0 });
  expect((await create()).status).toBe('new');
  expect(happened).not.toContain('look');
});

it('hands the order out at once when the job could not be added: nobody would place it soon', async () => {
  const { create, happened } = world('new', ['awaiting_dns'], { isQueued: false });
  expect((await create()).status).toBe('new');
  expect(happened).not.toContain('look');
});

it.each<OrderStatus>(['awaiting_dns', 'validating', 'ready', 'processing'])(
  'hands out a live order that is %s at once, and adds no job for it',
  async (status) => {
    const { create, happened } = world(status);
    expect((await create()).status).toBe(status);
    expect(happened).toEqual(['create 7000 request-1']);
  },
);

it('says so when the domain is deleted during the wait', async () => {
  const { create } = world('new', [null]);
  await expect(create()).rejects.toMatchObject({ code: 'not_found' });
});
