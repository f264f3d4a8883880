import {
  awaitDns,
  type AwaitDnsDeps,
  finalizeOrder,
  type FinalizeOrderDeps,
  type JobName,
  type JobPayloads,
  placeOrder,
  type PlaceOrderDeps,
  reconcile,
  type ReconcileDeps,
  renewDue,
  type RenewDueDeps,
  watchDelegation,
  type WatchDelegationDeps,
} from '@certwright/core';

export type ProcessorDeps = PlaceOrderDeps & AwaitDnsDeps & FinalizeOrderDeps & ReconcileDeps & WatchDelegationDeps & RenewDueDeps;

/** One handler for every job in the catalog: the type leaves none out. */
export type Processors = { [N in JobName]: (payload: JobPayloads[N]) => Promise<unknown> };

export const createProcessors = (deps: ProcessorDeps): Processors => ({
  'place-order': (payload) => placeOrder(deps, payload),
  'await-dns': (payload) => awaitDns(deps, payload),
  'finalize-order': (payload) => finalizeOrder(deps, payload),
  'watch-delegation': (payload) => watchDelegation(deps, payload),
  'renew-due': async () => ({ looked: await renewDue(deps) }),
  reconcile: async () => ({ enqueued: await reconcile(deps) }),
});
