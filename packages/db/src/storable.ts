/** As JSON that PostgreSQL takes: much of what is stored are strangers' words, and jsonb has no NUL and no half of a surrogate pair. */
export const storable = (value: unknown): string => JSON.stringify(value, (_key, one: unknown) => (typeof one === 'string' ? clean(one) : one));

const clean = (text: string): string => text.replace(/\0|\p{Cs}/gu, '\uFFFD');
