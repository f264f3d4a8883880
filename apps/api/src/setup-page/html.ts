/** Markup that is safe to send. A class, so that no data can pass for it. */
export class Html {
  constructor(readonly markup: string) {}
}

type Part = Html | string | number | false | null | readonly Part[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** What can't be seen or turns the text around it: control and format characters, half surrogates, strange spaces. */
const UNSEEN = /(?! )[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Z}]/gu;

const shown = (text: string) => text.replace(UNSEEN, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);

/** Good between tags and in quoted attributes. */
export const escape = (text: string) => shown(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');

function markupOf(part: Part): string {
  if (part instanceof Html) return part.markup;
  if (typeof part === 'string') return escape(part);
  if (typeof part === 'number') return String(part);
  if (part === null || part === false) return '';
  return part.map(markupOf).join('');
}

/** Template tag: every value is escaped unless it was made by this tag. */
export function html(literals: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(literals.reduce((all, literal, at) => all + markupOf(parts[at - 1] ?? null) + literal));
}
