import { Writable } from 'node:stream';
import { createLogger } from './logger';

const SECRET = 'hunter2hunter2';
const pem = `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----`;

function capture(level = 'debug') {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return { logger: createLogger({ service: 'test', level, stream }), lines };
}

describe('a log line', () => {
  it('is JSON with its fields', () => {
    const { logger, lines } = capture();
    logger.info('hello', { requestId: 'r1', ms: 5 });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', service: 'test', message: 'hello', requestId: 'r1', ms: 5 });
  });

  it.each([
    ['a PEM block in the message', (log: Log) => log(`got ${pem}`, {})],
    ['a PEM block in a field', (log: Log) => log('x', { text: pem })],
    ['a PEM block cut short', (log: Log) => log('x', { text: pem.slice(0, 45) })],
    ['a member named like a secret', (log: Log) => log('x', { nested: { authToken: SECRET, private_key: SECRET, key: SECRET } })],
    ['a bearer token', (log: Log) => log('x', { header: `Bearer ${SECRET}` })],
    ['a password in a URL', (log: Log) => log('x', { error: new Error(`connect postgres://app:${SECRET}@db/x`) })],
    ['the cause of an error', (log: Log) => log('x', { error: new Error('a', { cause: new Error(pem) }) })],
    ['bytes', (log: Log) => log('x', { data: Buffer.from(SECRET) })],
    ['a member of an error', (log: Log) => log('x', { error: Object.assign(new Error('a'), { config: { data: SECRET } }) })],
  ])('does not show a secret: %s', (_what, act) => {
    const { logger, lines } = capture();
    act((message, fields) => logger.error(message, fields));
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(SECRET.slice(0, 7));
  });

  it('has its own time, level, service and message, whatever the fields are called', () => {
    const { logger, lines } = capture();
    logger.warn('real', { message: 'no', level: 'no', service: 'no', time: 'no', other: 'yes' });
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(line).toMatchObject({ level: 'warn', service: 'test', message: 'real', other: 'yes' });
    expect(line.time).toMatch(/^\d{4}-/);
  });

  it('is not written below the level', () => {
    const { logger, lines } = capture('info');
    logger.debug('x');
    expect(lines).toEqual([]);
  });

  it('survives what JSON cannot say', () => {
    const { logger, lines } = capture();
    const loop: Record<string, unknown> = { big: 1n };
    loop.self = loop;
    logger.info('x', { loop, when: new Date(NaN) });
    expect(lines).toHaveLength(1);
  });
});

type Log = (message: string, fields: Record<string, unknown>) => void;
