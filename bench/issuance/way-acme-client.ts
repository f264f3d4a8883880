import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import * as acme from 'acme-client';
import { CA_POLL, CA_TIMEOUT_MS, type Way, type WaySettings } from './way';

/** The stock library, called as its documentation does, and set to be as fast as it can be. */
export async function acmeClientWay({ directoryUrl, caFile, publish }: WaySettings): Promise<Way> {
  const agent = new https.Agent({ ca: readFileSync(caFile), keepAlive: true, maxSockets: 16 });
  acme.axios.defaults.httpsAgent = agent;
  acme.axios.defaults.timeout = CA_TIMEOUT_MS;
  let requests = 0;
  acme.axios.interceptors.request.use((config) => {
    requests += 1;
    return config;
  });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const client = new acme.Client({
    directoryUrl,
    accountKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    backoffAttempts: CA_POLL.attempts,
    backoffMin: CA_POLL.firstMs,
    backoffMax: CA_POLL.maxMs,
  });
  await client.createAccount({ termsOfServiceAgreed: true });

  return {
    roundTrips: () => requests,
    async issue(name) {
      const order = await client.createOrder({ identifiers: [{ type: 'dns', value: name }] });
      for (const authorization of await client.getAuthorizations(order)) {
        const challenge = authorization.challenges.find(({ type }) => type === 'dns-01');
        if (challenge === undefined) throw new Error(`no dns-01 challenge for ${name}`);
        await publish(`_acme-challenge.${name}`, await client.getChallengeKeyAuthorization(challenge));
        await client.completeChallenge(challenge);
        await client.waitForValidStatus(challenge);
      }
      const [, csr] = await acme.crypto.createCsr({ altNames: [name] }, await acme.crypto.createPrivateEcdsaKey('P-256'));
      const chain = await client.getCertificate(await client.finalizeOrder(order, csr));
      if (!chain.includes('BEGIN CERTIFICATE')) throw new Error(`no certificate for ${name}`);
    },
  };
}
