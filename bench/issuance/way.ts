/** How one-name orders are issued, with nothing around it. */
export interface Way {
  issue(name: string): Promise<void>;
  /** HTTP exchanges with the CA so far: nonces, failures and repetitions included. */
  roundTrips(): number;
}

export interface WaySettings {
  directoryUrl: string;
  caFile: string;
  /** Resolves when the name server has the value. */
  publish(name: string, value: string): Promise<void>;
}

/**
 * How both ways wait for the CA: at once, then after 25 ms, 50 ms … The test CA needs a few milliseconds, so that any
 * longer start would measure sleep.
 */
export const CA_POLL = { firstMs: 25, maxMs: 400, attempts: 60 };

/** A test CA that has locked up answers no more. */
export const CA_TIMEOUT_MS = 5_000;
