import type { AcmeAccount } from '../acme';
import type { CaaIssuer } from '../ports';
import type { AccountDeps } from './account';

export interface CaaIssuerDeps extends AccountDeps {
  /** The CA's names in CAA records (`ACME_CAA_IDENTITIES`), where its directory doesn't tell them or tells others. */
  caaIdentities: string[];
}

/** The issuer that CAA records have to allow; default: through the account that orders are placed by. @throws Problem from the CA */
export async function caaIssuer({ caaIdentities, accounts, acme, keys, email }: CaaIssuerDeps, account?: AcmeAccount): Promise<CaaIssuer> {
  const identities = caaIdentities.length > 0 ? caaIdentities : await acme.caaIdentities();
  const { url } = account ?? (await accounts.findOrCreate(acme.directoryUrl, email, () => keys.accountKey()));
  return { identities, accountUri: url };
}
