import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';

export interface OrderAtCa {
  url: string;
  status: string;
  names: string[];
}

interface Reply {
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/**
 * The CA's own list of an account's orders (RFC 8555 section 7.1.2.1), asked of Pebble without our gateway. `baseUrl` is where
 * the orders were placed: Pebble makes its URLs from the Host header.
 */
export async function ordersAtCa(caFile: string, account: { privateKeyPem: string; url: string }, baseUrl: string): Promise<OrderAtCa[]> {
  const agent = new https.Agent({ keepAlive: true, ca: readFileSync(caFile) });
  const key = createPrivateKey(account.privateKeyPem);
  const ask = (method: string, url: string, body?: string): Promise<Reply> => exchange(agent, method, url, body);
  const postAsGet = async (url: string): Promise<Reply> => {
    const { headers } = await ask('HEAD', new URL('/nonce-plz', baseUrl).href);
    const header = { alg: 'ES256', kid: account.url, nonce: headers['replay-nonce'], url };
    const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
    const signature = sign('sha256', Buffer.from(`${encoded}.`), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    const reply = await ask('POST', url, JSON.stringify({ protected: encoded, payload: '', signature }));
    return reply.body.includes('error:badNonce') ? postAsGet(url) : reply; // Pebble refuses some of them on purpose
  };
  const known = JSON.parse((await postAsGet(account.url)).body) as { orders?: string };
  const urls: string[] = [];
  for (let page = known.orders; page !== undefined; ) {
    const { headers, body } = await postAsGet(page);
    urls.push(...((JSON.parse(body) as { orders?: string[] }).orders ?? []));
    page = /<([^>]+)>;\s*rel="next"/.exec([headers.link ?? ''].flat().join())?.[1];
  }
  const orders: OrderAtCa[] = [];
  for (const url of urls) {
    const { status, identifiers } = JSON.parse((await postAsGet(url)).body) as { status: string; identifiers: { value: string }[] };
    orders.push({ url, status, names: identifiers.map(({ value }) => value).sort() });
  }
  agent.destroy(); // connections kept alive would be taken for a leak
  return orders;
}

function exchange(agent: https.Agent, method: string, url: string, body?: string): Promise<Reply> {
  const headers = { 'user-agent': 'certwright-testing', ...(body !== undefined && { 'content-type': 'application/jose+json' }) };
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, headers, agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ headers: answer.headers, body: text }));
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
