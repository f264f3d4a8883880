import { type DiagnosisCode, type DnsRecordSpec, type ServerAnswer } from '@certwright/core';

/**
 * What the page for the domain's owner shows. Texts are whole sentences for somebody who has never seen DNS; times are
 * RFC 3339. Everything is taken for hostile: much of it comes from strangers' DNS servers.
 */
export interface SetupView {
  domain: {
    /** As certificates and DNS have it. */
    ascii: string;
    /** As people write it; the same for most. */
    unicode: string;
  };
  state: SetupState;
  headline: string;
  sentence: string;
  records: SetupRecord[];
  /** Until when the records have to be there; null where nothing is due. */
  deadline: string | null;
  nextCheckAt: string | null;
  linkExpiresAt: string;
}

/**
 * `preparing` nothing to be set yet · `missing` nothing that is asked for is there · `partly` some of it is, or some servers have it · `checking` all of it is
 * there, the rest is up to us and the CA · `done` there is a certificate · `failed` it has to be asked for again.
 */
export type SetupState = 'preparing' | 'missing' | 'partly' | 'checking' | 'done' | 'failed';

export interface SetupRecord extends DnsRecordSpec {
  purpose: 'delegation' | 'ownership' | 'acme-challenge';
  /** In seconds. */
  ttl: number;
  /** Null: nobody has looked yet. */
  state: DiagnosisCode | null;
  /** What is wrong, and what to do; null where there is nothing to say. */
  message: string | null;
  action: string | null;
  /** To be removed first. */
  remove: DnsRecordSpec[];
  waiting: { helps: boolean; until: string | null };
  servers: ServerAnswer[];
  checkedAt: string | null;
}
