import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type CatalogueTexts,
  IN_ENGLISH,
  type ListedEvents,
  listedWith
} from '../../src/events/catalogue-texts';

const LOCALES = path.join(__dirname, '..', 'locales');

/**
 * The catalogue of event types in a language: read when somebody asks, because only lists of events show it.
 *
 * @param language as the editor names it, such as `de` or `es-ES`; untrusted. English when there are no texts for it
 */
export async function listedEvents(language: string): Promise<ListedEvents> {
  const known = await readdir(LOCALES);
  const [base = language] = language.split('-');
  const found = [language, base].find((name) => known.includes(name));
  if (found === undefined || found === 'en-US') return IN_ENGLISH;
  const texts = await readFile(path.join(LOCALES, found, 'events.json'), 'utf8');
  return listedWith(JSON.parse(texts) as CatalogueTexts);
}
