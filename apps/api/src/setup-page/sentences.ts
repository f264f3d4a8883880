import { challengeNames, type Domain, type Order, type Renewal } from '@certwright/core';
import type { DnsRecord } from '../present-dns';
import type { SetupState } from './view';

/** What the page says of a domain, in a headline and a few sentences. */
export interface Sentences {
  headline: string;
  sentence: string;
}

interface Known {
  domain: Domain;
  order: Order | null;
  live: Order | null;
  records: DnsRecord[];
  renewal: Pick<Renewal, 'manual'> | null;
  isByAlias: boolean;
  /** Of so many of the last order's names the values came from our own name servers. */
  delegated: number;
  isExpired: boolean;
}

export const isAlias = ({ purpose }: Pick<DnsRecord, 'purpose'>): boolean => purpose === 'delegation';

/** An alias that its owner has to mend. */
export const isMissing = (record: DnsRecord): boolean => isAlias(record) && record.actor === 'customer';

export function sentencesOf(state: SetupState, known: Known): Sentences {
  switch (state) {
    case 'missing':
      return { headline: `One step left: ${whatToSet(known.records)}`, sentence: 'Sign in where your domain’s DNS is managed and add what is shown here. This page notices by itself.' };
    case 'partly':
      return known.records.some((record) => record.state === 'dnssec_bogus')
        ? { headline: 'Something else is in the way', sentence: 'What was to be set is there. Below is what is wrong, and what to do.' }
        : { headline: 'Almost there', sentence: 'Not all of it is seen everywhere yet. Below is what each name server says.' };
    case 'preparing':
      return ofPreparing(known);
    case 'checking':
      return ofChecking(known);
    case 'done':
      return { headline: 'Done: the certificate is here', sentence: ofDone(known) };
    case 'failed':
      return { headline: 'It did not work this time', sentence: ofFailed(known) };
  }
}

function whatToSet(records: DnsRecord[]): string {
  if (records.length === 1) return 'set a DNS record';
  const left = records.filter(({ state }) => state !== 'ready').length;
  return left === records.length ? `set ${left} DNS records` : `${left} of ${records.length} DNS records ${left === 1 ? 'is' : 'are'} still to be set`;
}

const SHOWN_HERE = 'If a record has to be set, it will be shown here. This page notices by itself.';
const inTheWay = (sentence: string): Sentences => ({ headline: 'Something else is in the way', sentence });

function ofPreparing({ domain: { auto, forecast }, live, records, isExpired }: Known): Sentences {
  const headline = isExpired ? 'The certificate has expired' : 'Nothing to do yet';
  if (live?.reason) return { headline, sentence: live.reason.detail };
  if (forecast?.refusal && (auto || isExpired)) return inTheWay(forecast.refusal);
  if (isExpired) return { headline, sentence: `A new one is tried for by itself. ${SHOWN_HERE}` };
  if (live !== null || auto) return { headline, sentence: `The certificate is being prepared. ${SHOWN_HERE}` };
  const leave = records.length > 0 ? ' Please leave the record in place for good.' : '';
  return { headline: 'Nothing to do right now', sentence: `It is settled that the domain is yours; what comes next is up to whoever sent you this link.${leave} ${SHOWN_HERE}` };
}

/** All that is asked of the owner is there. */
function ofChecking({ domain: { auto, status, forecast }, records }: Known): Sentences {
  if (records.some(({ actor }) => actor === 'operator')) return inTheWay('There is nothing for you to do: the trouble is on our side, and it goes on by itself once that is over. Please leave the record in place.');
  const isForGood = records.length > 0 && records.every(isAlias);
  // By itself a domain goes on by its alias alone.
  if (status === 'pending' && !(auto && isForGood)) {
    const next = isForGood ? 'Please leave the record in place for good, it is how the certificate comes and is renewed.' : 'Another record will follow, and is shown here then.';
    return { headline: 'We have found it', sentence: `Nothing to do right now: it is up to whoever sent you this link. ${next}` };
  }
  if (status === 'pending' && forecast?.refusal) return inTheWay(forecast.refusal);
  const leave = isForGood ? 'Please leave the record in place for good, it is how the certificate is renewed, too.' : 'Leave the record where it is until then.';
  return { headline: 'Everything is in place', sentence: `Nothing more to do: the certificate is being issued. ${leave}` };
}

/** What was seen last goes before what the certificate was made with; where neither is known nothing is said to be needless. */
function ofDone({ domain: { forecast }, order, renewal, isByAlias, delegated }: Known): string {
  const secured = 'Your domain is secured.';
  if (forecast?.refusal) return `${secured} But as things are the next certificate will not come: ${forecast.refusal}`;
  if (isByAlias) return `${secured} Please leave the record in place: the certificate is renewed through it.`;
  const wasByHand = renewal?.manual === true && order?.status === 'valid' && order.authorizations.some(({ evidence }) => evidence !== null);
  if (!wasByHand) return secured;
  const again = 'may be removed; the next certificate will need a new one, and you will be asked for it then.';
  return delegated === 0 ? `${secured} The record that was asked for ${again}` : `${secured} Please leave the CNAME record in place. The TXT record ${again}`;
}

function ofFailed({ domain: { auto, statusReason }, order, records, delegated }: Known): string {
  const again = 'Ask whoever sent you this link to start again';
  const next = auto
    ? `It is tried again by itself within a day; ${records.some(isMissing) ? 'what is shown below has to be in place by then.' : 'nothing new has to be set where the record is in place.'}`
    : order !== null && delegated > 0 && delegated === challengeNames(order.names).length
      ? `${again}${order.authorizations.some(({ diagnosis }) => diagnosis?.actor === 'customer') ? ' once that is mended' : ''}; the record can stay as it is.`
      : `${again}; you will be given a new value to set.`;
  return [statusReason, next].filter(Boolean).join(' ');
}
