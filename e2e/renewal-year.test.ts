import { describeYear, judge } from '../bench/year';
import { THIRD_OF_A_YEAR } from '../bench/year/plan';
import { simulate } from '../bench/year/simulate';

/** The year of `npm run bench -- --only year` in small: 100 certificates, 120 days, one outage of the CA of three days. */
describe('a third of a year', () => {
  it('lets no certificate expire that could have been saved', async () => {
    const year = await simulate(THIRD_OF_A_YEAR, judge);
    if (year.failures.length > 0) console.log(describeYear(year));
    expect(year.failures).toEqual([]);
    expect(year.expired['could have been saved']).toBe(0);
    expect(year.renewals).toBeGreaterThan(THIRD_OF_A_YEAR.certificates * 1.5);
    expect(year.moved).toMatchObject({ windows: 5, within24Hours: 5, told: 5 });
  }, 300_000);
});
