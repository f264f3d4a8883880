import type { RenewalStore } from '../ports';
import type { RenewalPass } from './ask-renewal-info';
import { renewOne, type RenewOneDeps } from './renew-one';

export interface RenewDueDeps extends RenewOneDeps {
  renewals: Pick<RenewalStore, 'claimDue' | 'note'>;
  /** This process's: until when nobody asks the CA for suggestions. */
  asking: { pausedUntil: Date };
}

const BATCH = 200;
const AT_ONCE = 8;

/** What a pass that was cut short has taken is taken again after this, in milliseconds. */
const CLAIM_MS = 300_000;

/** No longer, in milliseconds: the next pass goes on, maybe in another process. */
const PASS_MS = 60_000;

/** So many orders that are not placed yet are hours of any CA's budget; each of them costs statements while it waits. */
const MAX_IN_LINE = 1_000;

/**
 * One pass over all renewals that there is anything to be done about. Passes may overlap: each row is one's. Returns how many it looked at.
 * @throws the first error there was, when all the others have been looked at
 */
export async function renewDue(deps: RenewDueDeps): Promise<number> {
  const startedAt = performance.now();
  const errors: unknown[] = [];
  let looked = 0;
  for (;;) {
    const { now, due, inLine } = await deps.renewals.claimDue(BATCH, CLAIM_MS);
    const pass: RenewalPass = { now, isLineFull: inLine >= MAX_IN_LINE, caSilentUntil: deps.asking.pausedUntil };
    const left = due.values();
    const lane = async (): Promise<void> => {
      for (const renewal of left) await renewOne(deps, renewal, pass).catch((error: unknown) => void errors.push(error));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    looked += due.length;
    deps.asking.pausedUntil = pass.caSilentUntil;
    if (due.length < BATCH || performance.now() - startedAt > PASS_MS) break;
  }
  if (errors.length > 0) throw errors[0];
  return looked;
}
