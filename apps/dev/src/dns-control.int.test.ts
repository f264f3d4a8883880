import { startDnsControl } from './dns-control';

const NAME = '_acme-challenge.shop.customer.test';

describe('the DNS provider of the demo', () => {
  const set: string[] = [];
  let control: Awaited<ReturnType<typeof startDnsControl>>;
  beforeAll(async () => {
    const note =
      (what: string) =>
      (...args: unknown[]): void =>
        void set.push(`${what} ${args.join(' ')}`);
    control = await startDnsControl({ setTxt: note('txt'), removeTxt: note('no txt'), setCname: note('cname'), removeCname: note('no cname') }, { port: 0, host: '127.0.0.1' });
  });
  afterAll(() => control.close());

  const send = async (method: string, path: string, body?: string): Promise<[number, string]> => {
    const reply = await fetch(`http://127.0.0.1:${control.port}${path}`, { method, ...(body !== undefined && { body }) });
    return [reply.status, await reply.text()];
  };

  it('sets values, one a line, and says which', async () => {
    expect(await send('PUT', `/txt/${NAME}`, 'one\ntwo\n')).toEqual([200, `${NAME} TXT one and two\n`]);
    expect(set.at(-1)).toBe(`txt ${NAME} one,two`);
  });

  it('lets nothing be beside an alias, whichever was first', async () => {
    expect((await send('PUT', `/cname/${NAME}`, 'label.acme.platform.test'))[0]).toBe(409);
    await send('DELETE', `/txt/${NAME}`);
    expect((await send('PUT', `/cname/${NAME}`, 'label.acme.platform.test'))[0]).toBe(200);
    expect(await send('PUT', `/txt/${NAME.toUpperCase()}`, 'one')).toEqual([409, expect.stringContaining(`DELETE /cname/${NAME} first`)]);
    expect(await send('DELETE', `/cname/${NAME}`)).toEqual([200, `${NAME} has no CNAME record now\n`]);
    expect(set.slice(-3)).toEqual([`no txt ${NAME}`, `cname ${NAME} label.acme.platform.test`, `no cname ${NAME}`]);
  });

  it.each([
    ['a placeholder of the README', `/txt/${NAME}`, 'VERIFICATION_TOKEN'],
    ['nothing', `/cname/${NAME}`, ''],
    ['two targets', `/cname/${NAME}`, 'a.test\nb.test'],
  ])('refuses %s', async (_what, path, body) => {
    const before = set.length;
    expect((await send('PUT', path, body))[0]).toBe(422);
    expect(set).toHaveLength(before);
  });
});
