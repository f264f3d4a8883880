import type { LiveOrderStatus } from './order';

/** What is counted and timed, for operators. Never names, never ids. */
export interface Telemetry {
  /** How long an order was in a status that it has just left. */
  phaseEnded(phase: LiveOrderStatus, ms: number): void;
  orderEnded(status: 'valid' | 'invalid', code: string | null, acmeType: string | null): void;
  /** A step ended in a Problem. */
  problem(code: string, acmeType: string | null): void;
  dnsChecked(verdict: string): void;
  leaseLost(): void;
  reconciled(found: number): void;
}
