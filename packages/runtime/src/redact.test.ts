import fc from 'fast-check';
import { redact, redactText } from './redact';

const SECRET = 'hunter2hunter2';

describe('a secret', () => {
  it.each([
    'token', 'authToken', 'AUTH_TOKEN', 'secret', 'clientSecret', 'password', 'ADMIN_PASSWORD', 'passwd', 'passphrase',
    'authorization', 'Authorization', 'cookie', 'set-cookie', 'key', 'apiKey', 'api_key', 'masterKey', 'MASTER_KEY',
    'masterKeyBase64', 'sealingKey', 'account_key', 'privateKeyPem', 'pem', 'chainPem', 'pem_chain', 'csr', 'csrDer',
    'sealedKey', 'credentials',
  ])('is not shown under the name %s', (name) => {
    expect(redact({ [name]: SECRET, inner: { [name]: { deeper: SECRET } } })).toEqual({
      [name]: '[redacted]',
      inner: { [name]: '[redacted]' },
    });
  });

  it.each([
    ['a URL', `connect postgres://app:${SECRET}@db/x`, 'connect postgres://app:[redacted]@db/x'],
    ['a URL without a user', `redis://:${SECRET}@db:6379`, 'redis://:[redacted]@db:6379'],
    ['a URL, after an @', `postgres://app:p@${SECRET}@db/x`, 'postgres://app:[redacted]@db/x'],
    ['a URL, of a user with an @', `postgres://app@srv:${SECRET}@db/x`, 'postgres://app@srv:[redacted]@db/x'],
    ['a query', `postgres://db/x?password=${SECRET}&ssl=1`, 'postgres://db/x?password=[redacted]&ssl=1'],
    ['a connection string', `host=db sslpassword=${SECRET} user=a`, 'host=db sslpassword=[redacted] user=a'],
    ['JSON', `{"token": "${SECRET}","a":1}`, '{"token": "[redacted]","a":1}'],
    ['a header', `basic ${SECRET}==, Bearer ${SECRET}`, 'basic [redacted], Bearer [redacted]'],
  ])('is cut out of %s, and only it', (_what, text, shown) => {
    expect(redactText(text)).toBe(shown);
  });

  it('is cut out of a URL object too', () => {
    expect(redact({ url: new URL(`https://app:${SECRET}@a.example/?x=1`) })).toEqual({
      url: 'https://app:[redacted]@a.example/?x=1',
    });
  });

  it.each([
    'http://127.0.0.1:3000/domains',
    'https://[::1]:5432/x',
    'a key type',
    'POST /domains/7/verify at 12:00:00',
  ])('is not seen where there is none: %s', (text) => {
    const fields = { keyType: text, keyId: text, monkeys: text };
    expect(redactText(text)).toBe(text);
    expect(redact(fields)).toEqual(fields);
  });

  it('is never shown, wherever in a value and in whatever text it is', () => {
    const around = fc.string({ unit: 'binary', maxLength: 40 });
    const inText = fc
      .tuple(
        around,
        fc.constantFrom(
          `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----`,
          `-----BEGIN CERTIFICATE REQUEST-----\n${SECRET}`,
          `Bearer ${SECRET}`,
          `postgres://app:${SECRET}@db/x`,
          `redis://:${SECRET}@db`,
        ),
        around,
      )
      .map((parts) => parts.join(''));
    const secret = fc.oneof(
      inText,
      fc.constant(Buffer.from(SECRET)),
      inText.map((text) => new Error(text)),
      inText.map((text) => {
        const error = new Error('outer', { cause: new Error(text) });
        return Object.assign(error, { request: SECRET, code: text });
      }),
      inText.map((text) => new AggregateError([new Error(text)], text)),
      fc.constantFrom('auth_token', 'privateKey', 'Cookie', 'csr').map((name) => ({ [name]: { any: [SECRET] } })),
      inText.map((name) => ({ [name]: 1 })),
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'medium' },
        secret,
        fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
        fc.dictionary(fc.string({ maxLength: 8 }), tie('tree'), { minKeys: 1, maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const shown = JSON.stringify(redact(value));
        expect(shown).not.toContain(SECRET);
        expect(shown).not.toContain(Buffer.from(SECRET).toString('base64'));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('what is logged', () => {
  it('can be anything at all', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });
    fc.assert(
      fc.property(anything, (value) => {
        expect(() => JSON.stringify({ value: redact(value) })).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });

  it('may throw when it is looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const getter = {
      get it(): never {
        throw new Error('no');
      },
    };
    expect(redact({ proxy, getter, rest: 1 })).toEqual({ proxy: '[unreadable]', getter: '[unreadable]', rest: 1 });
  });

  it('keeps what an error says: also a timeout’s, and that of each address a connection was refused at', () => {
    const late = new DOMException('too slow', 'TimeoutError');
    expect(redact(late)).toMatchObject({ name: 'TimeoutError', message: 'too slow' });
    const refused = new AggregateError([Object.assign(new Error('connect ::1'), { code: 'ECONNREFUSED' })], '');
    expect(redact(refused)).toMatchObject({ errors: [{ message: 'connect ::1', code: 'ECONNREFUSED' }] });
    const caused = new TypeError('a', { cause: new Error('b') });
    expect(redact(caused)).toMatchObject({ name: 'TypeError', cause: { message: 'b' } });
  });

  it('is bounded in length, in breadth and in depth', () => {
    const loop: Record<string, unknown> = { text: 'x'.repeat(5_000), list: Array.from({ length: 1_000 }, () => 1) };
    loop.self = loop;
    expect(JSON.stringify(redact(loop)).length).toBeLessThan(6 * 4_300);
  });

  it.each(['a.', 'a://', 'Bearer ', '-----BEGIN ', 'key', '://a:'])('takes not long for a long text of %j', (piece) => {
    const text = piece.repeat(Math.ceil(300_000 / piece.length));
    const startedAt = performance.now();
    redactText(text);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
