import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CATALOGUE, told } from '../../nodes/lib/in-language';
import type { Said } from '../../src/errors/notice';

const SOURCE = path.join(__dirname, '../../nodes/parts/en-US/errors.json');
const TEXTS = JSON.parse(readFileSync(SOURCE, 'utf8')) as Record<string, Record<string, string>>;

/** What an editor in English shows of something that is said. */
export function inEnglish(said: readonly Said[]): string {
  return told({ _: textOf }, said);
}

function textOf(full: string, values: Readonly<Record<string, string | number>> = {}): string {
  const [group = '', name = ''] = full.slice(CATALOGUE.length).split('.');
  const text = TEXTS[group]?.[name] ?? full;
  return text.replace(/__(\w+?)__/g, (hole, value: string) => String(values[value] ?? hole));
}
