import type { OrderStanding } from '../ports';
import { watchOrders } from './order-watch';

/** Orders that are `new` until told otherwise; counts the looks. */
function world(ids: string[]) {
  const standing = new Map(ids.map((id): [string, OrderStanding] => [id, { id, status: 'new', code: null }]));
  const asked: string[][] = [];
  const failures: Error[] = [];
  const watch = watchOrders({
    standings: async (wanted) => {
      asked.push(wanted);
      const failure = failures.shift();
      if (failure) throw failure;
      return wanted.flatMap((id) => standing.get(id) ?? []);
    },
  });
  return { watch, standing, asked, failures };
}

const IDS = Array.from({ length: 200 }, (_, index) => `order-${index}`);

it('asks for all callers at once, and each goes on as its own order is placed', async () => {
  const { watch, standing, asked } = world(IDS);
  const placed: string[] = [];
  const waits = IDS.map((id) => watch.untilPlaced(id, 2_000).then(() => placed.push(id)));
  standing.set('order-7', { id: 'order-7', status: 'awaiting_dns', code: null });
  await waits[7];
  expect(placed).toEqual(['order-7']);
  for (const id of IDS) standing.set(id, { id, status: 'ready', code: null });
  await Promise.all(waits);
  expect(placed).toHaveLength(200);
  expect(asked[0]).toHaveLength(200);
  expect(asked.length).toBeLessThanOrEqual(3);
});

it('asks once for an order that many wait for', async () => {
  const { watch, standing, asked } = world(['order-1']);
  const waits = Array.from({ length: 50 }, () => watch.untilPlaced('order-1', 2_000));
  standing.delete('order-1');
  await Promise.all(waits);
  expect(asked).toEqual([['order-1']]);
});

it('tells a caller of a wait that is longer than theirs', async () => {
  const { watch, standing } = world(['order-1']);
  standing.set('order-1', { id: 'order-1', status: 'new', code: 'acme_budget_spent' });
  const startedAt = performance.now();
  await watch.untilPlaced('order-1', 10_000);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

it('goes on waiting where a worker only met trouble that passes', async () => {
  const { watch, standing, asked } = world(['order-1']);
  standing.set('order-1', { id: 'order-1', status: 'new', code: 'acme_unreachable' });
  await watch.untilPlaced('order-1', 180);
  expect(asked.length).toBeGreaterThanOrEqual(2);
});

it('gives the failure of a look to those who wait, and works for those who come after', async () => {
  const { watch, standing, failures } = world(['order-1']);
  failures.push(new Error('the database is away'));
  await expect(watch.untilPlaced('order-1', 2_000)).rejects.toThrow('the database is away');
  standing.set('order-1', { id: 'order-1', status: 'invalid', code: null });
  await watch.untilPlaced('order-1', 2_000);
});

it('asks no more once nobody waits', async () => {
  const { watch, asked } = world(['order-1']);
  await watch.untilPlaced('order-1', 70);
  const looks = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(asked).toHaveLength(looks);
});
