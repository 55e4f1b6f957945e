/**
 * The length of the run of certain characters at the beginning of a text. Patterns such as `[. ]+$` follow each
 * run to its end before they find that it is not the last one; these functions look only at the edges.
 *
 * @param characters ASCII; each of them counts
 */
export function leadingRun(text: string, characters: string): number {
  const isOne = tableOf(characters);
  let length = 0;
  while (length < text.length && isOne[text.charCodeAt(length)] === 1) length += 1;
  return length;
}

/** As `leadingRun`, at the end of a text. */
export function trailingRun(text: string, characters: string): number {
  const isOne = tableOf(characters);
  let end = text.length;
  while (end > 0 && isOne[text.charCodeAt(end - 1)] === 1) end -= 1;
  return text.length - end;
}

/** An address to which `/` and more can be added. */
export function withoutTrailingSlashes(text: string): string {
  return text.slice(0, text.length - trailingRun(text, '/'));
}

/** Callers name a handful of sets, all of them constants. */
const tables = new Map<string, Uint8Array>();

/** 1 at the code of each character. */
function tableOf(characters: string): Uint8Array {
  let table = tables.get(characters);
  if (table !== undefined) return table;
  table = new Uint8Array(128);
  for (let at = 0; at < characters.length; at += 1) table[characters.charCodeAt(at)] = 1;
  tables.set(characters, table);
  return table;
}
