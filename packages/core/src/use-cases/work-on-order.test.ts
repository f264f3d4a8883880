import { MAX_CRASHES } from '../order';
import { Problem } from '../problem';
import { suspectIt } from './work-on-order';

/** What becomes of an order whose worker has died `crashes` times in a row, and which was set apart last after `apart` of them. */
function suspected(crashes: number, apart: number | null): Problem | null {
  const told = apart === null ? null : suspected(apart, null);
  try {
    suspectIt({ crashes, reason: told && { code: told.code, detail: told.message } });
    return null;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

const MINUTE_MS = 60_000;

describe('an order whose workers die', () => {
  it('is set apart from the second death on, and taken for the cause at the sixth', () => {
    expect(suspected(1, null)).toBeNull();
    for (let crashes = 3; crashes < MAX_CRASHES; crashes += 1) expect(suspected(crashes, crashes - 1)).toMatchObject({ code: 'worker_crashed', disposition: 'wait' });
    expect(suspected(MAX_CRASHES, MAX_CRASHES - 1)).toMatchObject({ code: 'worker_crashed', disposition: 'terminal' });
  });

  it('is not taken for the cause before it has been alone: where it died with its worker before that, it is set apart again, for the longest time', () => {
    const again = suspected(MAX_CRASHES, 3);
    expect(again).toMatchObject({ code: 'worker_crashed', disposition: 'wait' });
    expect(again?.retryAfterMs).toBeGreaterThan(60 * MINUTE_MS);
    expect(suspected(MAX_CRASHES + 1, MAX_CRASHES)).toMatchObject({ disposition: 'terminal' });
  });
});
