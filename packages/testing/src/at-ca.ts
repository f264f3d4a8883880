import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createDatabase } from '@certwright/db';

export interface OrderAtCa {
  url: string;
  status: string;
  names: string[];
}

/** Of a stack: whose account it is, and where its CA is. */
interface AccountHolder {
  databaseUrl: string;
  secrets: { masterKey: string };
  caFile: string;
  /** Through the proxy, if any: its host is in the URLs that the CA has handed out, since Pebble makes them from the Host header. */
  directoryUrl: string;
  query<T extends object>(sql: string): Promise<T[]>;
}

type Post = (url: string, payload?: object) => Promise<Reply>;

interface Reply {
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** The CA's own list of an account's orders (RFC 8555 section 7.1.2.1), asked without our gateway; empty where there is no account yet. */
export const ordersAtCa = (holder: AccountHolder): Promise<OrderAtCa[]> =>
  asAccount(holder, async (post, accountUrl) => {
    const known = JSON.parse((await post(accountUrl)).body) as { orders?: string };
    const urls: string[] = [];
    for (let page = known.orders; page !== undefined; ) {
      const { headers, body } = await post(page);
      urls.push(...((JSON.parse(body) as { orders?: string[] }).orders ?? []));
      page = /<([^>]+)>;\s*rel="next"/.exec([headers.link ?? ''].flat().join())?.[1];
    }
    const orders: OrderAtCa[] = [];
    for (const url of urls) {
      const { status, identifiers } = JSON.parse((await post(url)).body) as { status: string; identifiers: { value: string }[] };
      orders.push({ url, status, names: identifiers.map(({ value }) => value).sort() });
    }
    return orders;
  }).then((orders) => orders ?? []);

/** Those that are valid (RFC 8555 section 7.5.2). @throws Error where the CA does not say that it is */
export const deactivateAuthorizations = (holder: AccountHolder, urls: string[]): Promise<unknown> =>
  asAccount(holder, async (post) => {
    for (const url of urls) {
      if (statusIn(await post(url)) !== 'valid') continue;
      const reply = await post(url, { status: 'deactivated' });
      if (statusIn(reply) !== 'deactivated') throw new Error(`${url} is not deactivated: ${reply.body}`);
    }
  });

/** Lets `work` send signed requests; null where there is no account yet. */
async function asAccount<T>(holder: AccountHolder, work: (post: Post, accountUrl: string) => Promise<T>): Promise<T | null> {
  const account = await accountOf(holder);
  if (!account?.url) return null;
  const { url: kid } = account;
  const key = createPrivateKey(account.privateKeyPem);
  const agent = new https.Agent({ keepAlive: true, ca: readFileSync(holder.caFile) });
  const post: Post = async (url, payload) => {
    const { headers } = await exchange(agent, 'HEAD', new URL('/nonce-plz', holder.directoryUrl).href);
    const protectedHeader = base64url(JSON.stringify({ alg: 'ES256', kid, nonce: headers['replay-nonce'], url }));
    const encoded = payload ? base64url(JSON.stringify(payload)) : '';
    const signature = sign('sha256', Buffer.from(`${protectedHeader}.${encoded}`), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    const reply = await exchange(agent, 'POST', url, JSON.stringify({ protected: protectedHeader, payload: encoded, signature }));
    return reply.body.includes('error:badNonce') ? post(url, payload) : reply; // Pebble refuses some of them on purpose
  };
  try {
    return await work(post, kid);
  } finally {
    agent.destroy(); // connections kept alive would be taken for a leak
  }
}

const statusIn = ({ body }: Reply): string => (JSON.parse(body) as { status: string }).status;

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

async function accountOf({ databaseUrl, secrets, query }: AccountHolder) {
  const [row] = await query<{ directory_url: string; email: string }>('SELECT directory_url, email FROM accounts WHERE account_url IS NOT NULL');
  if (!row) return null;
  const database = createDatabase({ url: databaseUrl, sealingKey: Buffer.from(secrets.masterKey, 'base64') });
  try {
    return await database.accounts.findOrCreate(row.directory_url, row.email, () => Promise.reject(new Error('there is one')));
  } finally {
    await database.close();
  }
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
