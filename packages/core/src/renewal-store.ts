import type { Certificate, Renewal, RenewalNews } from './model';

/** What is settled about the renewal of a certificate when it is stored. */
export type RenewalPlan = Pick<Renewal, 'directoryUrl' | 'certId' | 'window' | 'askAt'> & {
  renewAt: Date;
  /** Null: nothing new is known of it. */
  manual: boolean | null;
};

export type RenewalChange = Partial<
  Pick<Renewal, 'window' | 'renewAt' | 'askAt' | 'certId' | 'explanationUrl' | 'failures' | 'lastError' | 'reminders' | 'told'>
> & {
  lookAt: Date;
  news: RenewalNews[];
};

export interface RenewalStore {
  get(tenantId: string, domainId: string): Promise<Renewal | null>;
  /**
   * Takes what there is anything to be done about, those that have been so for longest first: nobody else gets them for `claimMs`.
   * `now` by the database's clock; `inLine`: how many orders are not placed yet.
   */
  claimDue(limit: number, claimMs: number): Promise<{ now: Date; due: Renewal[]; inLine: number }>;
  /** A certificate that was stored by a release that knew of no renewals. */
  adopt(certificate: Certificate, plan: RenewalPlan): Promise<void>;
  /** Without effect where the certificate is not the domain's newest any more, or an order of it has failed meanwhile. */
  note(renewal: Renewal, change: RenewalChange): Promise<void>;
  /** Of all tenants, for the metrics. */
  census(): Promise<{ failing: number; expired: number; overdue: number; soonestExpiry: Date | null }>;
}
