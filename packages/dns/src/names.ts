const MAX_NAME = 253;
const MAX_LABEL = 63;

/** Lower case, without the final dot; the root is empty. */
export const lower = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** One label less; above a top-level domain there is only the root (empty). */
export const parentOf = (name: string): string => (name.includes('.') ? name.slice(name.indexOf('.') + 1) : '');

/** Whether a name is at or below an apex. */
export const isUnder = (name: string, apex: string): boolean =>
  apex === '' || name === apex || name.endsWith(`.${apex}`);

/** Whether a name that a server sent can be asked for: what decoding has mangled (RFC 2181 section 11) cannot. */
export const isName = (name: string): boolean =>
  name.length <= MAX_NAME &&
  /^[\x21-\x7e]+$/.test(name) &&
  name.split('.').every((label) => label.length > 0 && label.length <= MAX_LABEL);

/** What a server sent, fit to be shown and stored: PostgreSQL's JSON takes no NUL and no half of a surrogate pair. */
export const printable = (text: string, maxLength: number): string =>
  text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '').replace(/\p{Cc}/gu, '\uFFFD');
