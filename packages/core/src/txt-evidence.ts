/**
 * What one authoritative server said about a TXT name.
 * `match` all expected values are there · `mismatch` TXT records, but not all expected values · `nodata` the name exists
 * without TXT · `nxdomain` no such name · `lame` answers without authority (no AA bit) · `refused` REFUSED or NOTAUTH ·
 * `servfail` any other error code · `timeout` silence · `unreachable` the socket failed · `malformed` unreadable answer ·
 * `not_public` an address we don't send queries to (loopback, private …).
 */
export type ServerState =
  | 'match'
  | 'mismatch'
  | 'nodata'
  | 'nxdomain'
  | 'lame'
  | 'refused'
  | 'servfail'
  | 'timeout'
  | 'unreachable'
  | 'malformed'
  | 'not_public';

export interface ServerAnswer {
  /** The NS host name. */
  server: string;
  address: string;
  state: ServerState;
  /** The TXT values it returned, at most 10, each cut at 255 characters. */
  values: string[];
}

/**
 * `ready` every server that answers has every expected value (and one does) · `partial` some of them do ·
 * `absent` none does · `no_answer` no authoritative server answers · `no_zone` the zone or its name servers can't be
 * found · `cname_loop` the aliases never end.
 */
export type TxtVerdict = 'ready' | 'partial' | 'absent' | 'no_answer' | 'no_zone' | 'cname_loop';

export interface TxtEvidence {
  /** The name asked for. */
  fqdn: string;
  verdict: TxtVerdict;
  /** The aliases followed, in order; empty when there are none. */
  via: string[];
  /** A server has TXT records beside an alias, at one name: forbidden (RFC 1034 section 3.6.2), and read differently by everybody. */
  besideAlias?: true;
  /** With `no_zone`: not that there is none, but that no resolver could tell. */
  untold?: true;
  /** Apex of the zone that was asked. */
  zone: string | null;
  servers: ServerAnswer[];
  /** One sentence in plain words. */
  detail: string;
}
