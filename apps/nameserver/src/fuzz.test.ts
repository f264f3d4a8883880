import { check } from './fuzz/check';
import { QUERIES } from './fuzz/corpus';
import { runFuzz } from './fuzz/run';

describe('hostile bytes', () => {
  it('honest questions are answered', () => {
    expect(QUERIES.map((bytes) => check(bytes).outcome)).toEqual([
      ...['answered', 'answered', 'answered', 'answered', 'nxdomain', 'unsupported', 'nodata'],
      ...['answered', 'answered', 'answered', 'answered', 'nodata', 'refused', 'refused', 'refused', 'refused'],
    ]);
  });

  it('twenty thousand mutants (`npm run fuzz` for more): nothing throws, says too much, or stops the server', async () => {
    const { inputs, overSockets, outcomes, ...report } = await runFuzz({ seed: 20_261_126, seconds: 60, inputs: 20_000, socketsEvery: 500 });
    expect(report).toMatchObject({ untyped: [], hangs: [] });
    expect({ inputs, overSockets }).toEqual({ inputs: 20_000, overSockets: 1_600 });
    expect(Object.keys(outcomes).sort()).toEqual([
      ...['answered', 'malformed', 'malformed, no answer', 'nodata', 'nxdomain', 'refused', 'unsupported'],
    ]);
  }, 90_000);
});
