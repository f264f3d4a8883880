/** What every job about an order carries: ids only, never names, tokens or keys. */
export interface OrderJob {
  tenantId: string;
  orderId: string;
  /** The HTTP request that asked for it, for the logs; absent when nobody asked (renewal, reconcile). */
  requestId?: string;
}

export interface DomainJob {
  tenantId: string;
  domainId: string;
}

export interface JobPayloads {
  'place-order': OrderJob;
  'await-dns': OrderJob;
  'finalize-order': OrderJob;
  'watch-delegation': DomainJob;
  'renew-due': Record<string, never>;
  reconcile: Record<string, never>;
}

export type JobName = keyof JobPayloads;

/** The jobs that each move one order through one phase. */
export type OrderJobName = 'place-order' | 'await-dns' | 'finalize-order';
