import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAcmeGateway, createKeyMaker } from '@certwright/acme';
import { CA_POLL, CA_TIMEOUT_MS, type Way, type WaySettings } from './way';

/** The product's own CA port, with the waiting that its queue would do. */
export async function gatewayWay({ directoryUrl, caFile, publish }: WaySettings): Promise<Way> {
  let exchanges = 0;
  const gateway = createAcmeGateway({
    directoryUrl,
    caPem: readFileSync(caFile, 'utf8'),
    timeoutMs: CA_TIMEOUT_MS,
    onRequest: () => (exchanges += 1),
  });
  const keyMaker = createKeyMaker();
  const privateKeyPem = await keyMaker.accountKey();
  const account = {
    id: 'bench',
    privateKeyPem,
    url: await gateway.newAccount(privateKeyPem, null),
    pausedUntil: null,
    ordersPausedUntil: null,
    pauseReason: null,
  };

  return {
    roundTrips: () => exchanges,
    async issue(name) {
      const order = await gateway.newOrder(account, { names: [name], profile: null });
      for (const url of order.authorizationUrls) {
        const { dns01 } = await gateway.getAuthorization(account, url);
        if (dns01 === null) throw new Error(`no dns-01 challenge for ${name}`);
        await publish(`_acme-challenge.${name}`, await gateway.dns01Value(account, dns01.token));
        await gateway.respondToChallenge(account, dns01.url);
        await untilValid(() => gateway.getAuthorization(account, url));
      }
      const { csrDer } = await keyMaker.keyAndCsr([name], 'ec-256');
      const finalized = await gateway.finalize(account, order, csrDer);
      const done = finalized.status === 'valid' ? finalized : await untilValid(() => gateway.getOrder(account, order.url));
      const chain = await gateway.downloadCertificate(account, done.certificateUrl ?? '');
      if (!chain.includes('BEGIN CERTIFICATE')) throw new Error(`no certificate for ${name}`);
    },
  };
}

async function untilValid<T extends { status: string }>(look: () => Promise<T>): Promise<T> {
  let waitMs = CA_POLL.firstMs;
  for (let attempt = 1; ; attempt += 1) {
    const seen = await look();
    if (seen.status === 'valid') return seen;
    if (seen.status === 'invalid' || attempt === CA_POLL.attempts) throw new Error(`the CA says ${seen.status}`);
    await sleep(waitMs);
    waitMs = Math.min(waitMs * 2, CA_POLL.maxMs);
  }
}
