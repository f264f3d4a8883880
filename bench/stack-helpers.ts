import { once } from 'node:events';
import http from 'node:http';
import { json } from 'node:stream/consumers';
import type { Stack } from '@certwright/testing';
import { Client } from 'pg';

/** Budgets that a benchmark must not run into. */
export const BENCH_ENV = {
  LOG_LEVEL: 'info',
  ACME_ORDERS_PER_3H: '100000',
  ACME_ORDERS_PER_DOMAIN_PER_WEEK: '100000',
};

/** One connection for the whole run: a new one for each look would be work for the database that is measured. */
export async function withDatabase<T>(stack: Stack, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: stack.databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const agent = new http.Agent({ keepAlive: true });

/** What a client costs is the measured machine's, too: so not by `fetch`. */
async function post<Body>(stack: Stack, path: string): Promise<{ status: number; body: Body }> {
  const headers = { authorization: `Bearer ${stack.secrets.authToken}` };
  const request = http.request(stack.apiProcess.url + path, { method: 'POST', headers, agent }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode ?? 0, body: (await json(response)) as Body };
}

interface Asked {
  order_id: string;
  challenge_domain: string;
  expected_txt_value: string | null;
}

/** Asks for a certificate until the answer has the TXT value, which the first may be too early for. */
export async function askForCertificate(stack: Stack, domainId: string): Promise<{ name: string; value: string; orderId: string }> {
  for (let tries = 0; tries < 5; tries += 1) {
    const { body, status } = await post<Asked>(stack, `/domains/${domainId}/issue-certificate`);
    if (status >= 300) throw new Error(`issue-certificate: ${status} ${JSON.stringify(body)}`);
    if (body.expected_txt_value) {
      return { name: body.challenge_domain, value: body.expected_txt_value, orderId: body.order_id };
    }
  }
  throw new Error('issue-certificate never told the TXT value');
}
