import { parseDirectory, type Directory } from './acme-objects';
import { badResponse, isObject, problemFromReply, timedOut, tryJson, type AcmeStep } from './acme-problem';
import { createNoncePool } from './nonce-pool';
import type { Signer } from './signed-request';
import type { HttpReply, Transport } from './transport';

const MAX_NONCE_TRIES = 5;
const DIRECTORY_MAX_AGE_MS = 3_600_000;

export interface SignedPost {
  step: AcmeStep;
  url: string;
  /** Null for POST-as-GET (RFC 8555 section 6.3). */
  payload: object | null;
  /** Null: the account is not registered yet, the public key is sent instead. */
  accountUrl: string | null;
  accept?: string;
  /** Of a newOrder, to tell whom a refusal is for. */
  names?: string[];
  signal: AbortSignal;
}

export interface Requests {
  /** RFC 8555 section 7.1.1. Cached for an hour. */
  directory(): Promise<Directory>;
  /**
   * One signed POST, sent with another nonce where the CA refuses the first, 5 times in all (RFC 8555 section 6.5).
   * Resolves for 2xx alone. @throws Problem with an `acme_*` code
   */
  post(signer: Signer, request: SignedPost): Promise<HttpReply>;
  /** One GET that needs no signature. Resolves for 2xx alone. @throws Problem with an `acme_*` code */
  get(request: { step: AcmeStep; url: string; signal: AbortSignal }): Promise<HttpReply>;
}

export function createRequests(options: {
  directoryUrl: string;
  transport: Transport;
  timeoutMs: number;
}): Requests {
  const { directoryUrl, transport, timeoutMs } = options;
  const nonces = createNoncePool();
  let cached: { directory: Promise<Directory>; since: number } | null = null;

  const nonceOf = (reply: HttpReply): string | null => {
    const nonce = reply.headers['replay-nonce'];
    return typeof nonce === 'string' && /^[A-Za-z0-9_-]+$/.test(nonce) ? nonce : null;
  };

  const keepNonce = (reply: HttpReply): void => {
    const nonce = nonceOf(reply);
    if (nonce !== null) nonces.add(nonce);
  };

  const get: Requests['get'] = async ({ step, url, signal }) => {
    const reply = await transport.send({ step, method: 'GET', url, signal });
    keepNonce(reply);
    if (!isSuccess(reply)) throw problemFromReply(reply, step);
    return reply;
  };

  // With a deadline of its own, not that of the caller who came first: others wait for the same answer.
  const fetchDirectory = (): Promise<Directory> =>
    withDeadline(directoryUrl, timeoutMs, async (signal) => {
      return parseDirectory(await get({ step: 'directory', url: directoryUrl, signal }), directoryUrl);
    });

  const directory = async (): Promise<Directory> => {
    const current =
      cached !== null && performance.now() - cached.since < DIRECTORY_MAX_AGE_MS
        ? cached
        : { directory: fetchDirectory(), since: performance.now() };
    cached = current;
    try {
      return await current.directory;
    } catch (error) {
      if (cached === current) cached = null; // a failure is not kept
      throw error;
    }
  };

  const newNonce = async (signal: AbortSignal): Promise<string> => {
    const { newNonce: url } = await directory();
    const pooled = nonces.take(); // the directory may have brought one
    if (pooled !== null) return pooled;
    const reply = await transport.send({ step: 'nonce', method: 'HEAD', url, signal });
    if (!isSuccess(reply)) throw problemFromReply(reply, 'nonce');
    const nonce = nonceOf(reply);
    if (nonce === null) throw badResponse('newNonce brought no nonce');
    return nonce;
  };

  return {
    directory,
    get,
    async post(signer, { step, url, payload, accountUrl, accept, names, signal }) {
      let nonce = nonces.take() ?? (await newNonce(signal));
      for (let attempt = 1; ; attempt += 1) {
        const reply = await transport.send({
          step,
          method: 'POST',
          url,
          body: signer.sign(url, payload, { nonce, accountUrl }),
          ...(accept !== undefined && { accept }),
          signal,
        });
        if (!isBadNonce(reply)) {
          keepNonce(reply);
          if (!isSuccess(reply)) throw problemFromReply(reply, step, names && { names });
          return reply;
        }
        if (attempt === MAX_NONCE_TRIES) throw problemFromReply(reply, step);
        nonce = nonceOf(reply) ?? nonces.take() ?? (await newNonce(signal));
      }
    },
  };
}

/** Runs `work` with a signal that aborts, with Problem `acme_unreachable` as its reason, after `timeoutMs`. */
export async function withDeadline<T>(
  url: string,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(timedOut(new URL(url).host, timeoutMs)), timeoutMs);
  try {
    return await work(deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}

const isSuccess = ({ status }: HttpReply): boolean => status >= 200 && status < 300;

function isBadNonce(reply: HttpReply): boolean {
  if (reply.status !== 400) return false;
  const document = tryJson(reply.body);
  return isObject(document) && document.type === 'urn:ietf:params:acme:error:badNonce';
}
