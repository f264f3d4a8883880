import { setTimeout as sleep } from 'node:timers/promises';

export interface ApiReply<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: T;
  text: string;
}

export interface DomainBody {
  id: string;
  domain_name: string;
  status: string;
  status_reason?: string | null;
  verification_token?: string;
  order_id?: string | null;
}

export interface OrderBody {
  id: string;
  status: string;
  reason: { code: string; detail: string } | null;
  authorizations: {
    txt_name: string;
    txt_value: string;
    evidence: { verdict: string; detail: string; servers: { server: string; address: string; state: string }[] } | null;
  }[];
}

/** The HTTP API as a customer's platform would call it. */
export function createApiClient(baseUrl: string, token: string) {
  async function call<T = Record<string, unknown>>(
    method: string,
    path: string,
    { body, accept }: { body?: unknown; accept?: string } = {},
  ): Promise<ApiReply<T>> {
    const response = await fetch(baseUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(accept && { accept }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, text, body: (isJson ? JSON.parse(text) : {}) as T };
  }

  return {
    call,
    register: (domain_name: string) => call<DomainBody>('POST', '/domains', { body: { domain_name } }),
    domain: (id: string) => call<DomainBody>('GET', `/domains/${id}`),
    find: (name: string) => call<{ data: DomainBody[] }>('GET', `/domains?q=${encodeURIComponent(name)}`),
    verify: (id: string) => call<DomainBody>('POST', `/domains/${id}/verify`),
    issue: (id: string) =>
      call<{ order_id: string; challenge_domain: string; expected_txt_value: string | null }>(
        'POST',
        `/domains/${id}/issue-certificate`,
      ),
    setupLink: (id: string) => call<{ url: string; expires_at: string }>('POST', `/domains/${id}/setup-link`),
    order: (id: string) => call<OrderBody>('GET', `/orders/${id}`),
    certificate: (id: string) => call<Record<string, string>>('GET', `/domains/${id}/certificate`),
    chain: async (id: string) =>
      (await call('GET', `/domains/${id}/certificate`, { accept: 'application/pem-certificate-chain' })).text,
    privateKey: async (id: string) => (await call('GET', `/domains/${id}/certificate/private-key`)).text,

    /** Polls until the domain has left `certificate_pending`. @throws Error when that takes too long. */
    async settled(id: string, timeoutMs: number, onPoll?: (domain: DomainBody) => void): Promise<DomainBody> {
      const giveUpAt = performance.now() + timeoutMs;
      for (;;) {
        const { body } = await call<DomainBody>('GET', `/domains/${id}`);
        if (body.status !== 'certificate_pending') return body;
        onPoll?.(body);
        if (performance.now() > giveUpAt) throw new Error(`${body.domain_name} is still ${body.status}`);
        await sleep(200);
      }
    },
  };
}

export type ApiClient = ReturnType<typeof createApiClient>;
