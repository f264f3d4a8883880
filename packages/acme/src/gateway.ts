import { terminal, toProblem, transient, type AcmeAccount, type AcmeGateway } from '@certwright/core';
import { jsonObject, locationOf, parseAuthorization, parseChain, parseOrder } from './acme-objects';
import type { AcmeStep } from './acme-problem';
import { createRequests, withDeadline } from './requests';
import { certIdOf, parseRenewalInfo } from './renewal-info';
import { createSigner, type Signer } from './signed-request';
import { createTransport, type AcmeRequestInfo, type HttpReply } from './transport';

const DEFAULT_TIMEOUT_MS = 15_000;
const MAX_SIGNERS = 100;

export interface AcmeGatewayOptions {
  /** RFC 8555 section 7.1.1. */
  directoryUrl: string;
  /** The root certificates that the ACME server's TLS is trusted by, instead of the well-known ones. */
  caPem?: string | undefined;
  /** For one call, its nonces and repetitions included. Default 15 s. */
  timeoutMs?: number | undefined;
  /** Called after every HTTP exchange, nonces and failures included. */
  onRequest?: ((info: AcmeRequestInfo) => void) | undefined;
}

/** Works until `close`, which closes the connections kept alive (they hold no process up). */
export type ClosableAcmeGateway = AcmeGateway & { close(): void };

/** One per CA and process: it shares nonces and connections among its calls. @throws TypeError for an unusable URL */
export function createAcmeGateway(options: AcmeGatewayOptions): ClosableAcmeGateway {
  const { directoryUrl, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (!/^https?:$/.test(new URL(directoryUrl).protocol)) throw new TypeError('the ACME directory URL must be http(s)');
  const transport = createTransport(options);
  const requests = createRequests({ directoryUrl, transport, timeoutMs });
  const signers = new Map<string, Signer>(); // by private key

  const signerOf = ({ privateKeyPem }: AcmeAccount): Signer => {
    const known = signers.get(privateKeyPem);
    if (known !== undefined) return known;
    const [oldest] = signers.keys();
    if (signers.size >= MAX_SIGNERS && oldest !== undefined) signers.delete(oldest);
    const signer = createSigner(directoryUrl, privateKeyPem);
    signers.set(privateKeyPem, signer);
    return signer;
  };

  /** Bounds a call in time and lets nothing but Problems out. */
  const call = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await withDeadline(directoryUrl, timeoutMs, work);
    } catch (error) {
      throw toProblem(error);
    }
  };

  const post = async (
    account: AcmeAccount,
    request: { step: AcmeStep; url: string; payload: object | null; accept?: string; names?: string[]; signal: AbortSignal },
  ): Promise<HttpReply> => {
    if (account.url === null) throw transient('acme_account_unknown', 'The account is not registered at the CA yet.');
    return requests.post(signerOf(account), { ...request, accountUrl: account.url });
  };

  return {
    directoryUrl,

    caaIdentities: () => call(async () => (await requests.directory()).caaIdentities),

    newAccount: (privateKeyPem, email) =>
      call(async (signal) => {
        const { newAccount: url } = await requests.directory();
        const payload = { termsOfServiceAgreed: true, ...(email !== null && { contact: [`mailto:${email}`] }) };
        const signer = createSigner(directoryUrl, privateKeyPem);
        const reply = await requests.post(signer, { step: 'new-account', url, payload, accountUrl: null, signal });
        const { status } = jsonObject(reply, 'the account');
        if (status === 'deactivated' || status === 'revoked') {
          throw terminal('acme_rejected', `The account of this key is ${status} at the CA.`);
        }
        return locationOf(reply, url, 'the account');
      }),

    newOrder: (account, { names, profile, replaces = null }) =>
      call(async (signal) => {
        const { newOrder: url, renewalInfo } = await requests.directory();
        const identifiers = names.map((value) => ({ type: 'dns', value }));
        const isReplacing = replaces !== null && renewalInfo !== null;
        const payload = { identifiers, ...(profile !== null && { profile }), ...(isReplacing && { replaces }) };
        const reply = await post(account, { step: isReplacing ? 'replacing-order' : 'new-order', url, payload, names, signal });
        return parseOrder(reply, locationOf(reply, url, 'the order'));
      }),

    getOrder: (account, url) =>
      call(async (signal) => parseOrder(await post(account, { step: 'order', url, payload: null, signal }), url)),

    getAuthorization: (account, url) =>
      call(async (signal) => {
        const reply = await post(account, { step: 'authorization', url, payload: null, signal });
        return parseAuthorization(reply, url);
      }),

    respondToChallenge: (account, url) =>
      call(async (signal) => {
        await post(account, { step: 'challenge', url, payload: {}, signal });
      }),

    finalize: (account, order, csrDer) =>
      call(async (signal) => {
        const payload = { csr: csrDer.toString('base64url') };
        const reply = await post(account, { step: 'finalize', url: order.finalizeUrl, payload, signal });
        return parseOrder(reply, order.url);
      }),

    downloadCertificate: (account, url) =>
      call(async (signal) => {
        const accept = 'application/pem-certificate-chain';
        return parseChain(await post(account, { step: 'certificate', url, payload: null, accept, signal }));
      }),

    certId: certIdOf,

    renewalInfo: (certId) =>
      call(async (signal) => {
        const { renewalInfo: url } = await requests.directory();
        if (url === null) return null;
        return parseRenewalInfo(await requests.get({ step: 'renewal-info', url: `${url.replace(/\/$/, '')}/${certId}`, signal }));
      }),

    dns01Value: (account, token) => call(async () => signerOf(account).dns01Value(token)),

    close: () => transport.close(),
  };
}
