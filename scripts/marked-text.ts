/**
 * A document with an updated generated passage: replaces the text between the lines `<!-- NAME:begin -->` and
 * `<!-- NAME:end -->`.
 *
 * @param name of the passage, as in its two markers
 * @throws when the two markers are missing
 */
export function withPassage(document: string, name: string, passage: string): string {
  const [beginMark, endMark] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const begin = document.indexOf(beginMark);
  const end = document.indexOf(endMark, begin);
  if (begin < 0 || end < 0) {
    throw new Error(
      `There is no place for the generated passage. Add the lines ${beginMark} and ${endMark}.`
    );
  }
  return `${document.slice(0, begin + beginMark.length)}\n\n${passage}\n\n${document.slice(end)}`;
}
