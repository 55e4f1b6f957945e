import { withPassage } from '../marked-text';
import type { RuntimePackage } from './runtime-packages';

/**
 * Licences that let everybody use, change and pass on the package together with code under Apache-2.0 and any other, at no
 * cost, by naming authors at most. A package with another licence needs a decision: it is not added by updating this list.
 */
export const ALLOWED = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'OLDAP-2.8',
  'Unlicense'
];

/** Sources of others inside packages, which their package.json does not name. */
export const INSIDE: { packages: string; what: string; licence: string; file: string }[] = [
  {
    packages: '`lmdb` and `@lmdb/…`',
    what: 'LMDB',
    licence: 'OLDAP-2.8',
    file: 'lmdb/dependencies/lmdb/libraries/liblmdb/LICENSE'
  },
  {
    packages: '`lmdb` and `@lmdb/…`',
    what: 'LZ4 and xxHash (its folder `lib`)',
    licence: 'BSD-2-Clause',
    file: 'lmdb/dependencies/lz4/lib/LICENSE'
  }
];

/** @returns one line for each package whose licence is not on the list, to be decided by a person */
export function notAllowed(packages: readonly RuntimePackage[]): string[] {
  return packages
    .filter(({ licence }) => !ALLOWED.includes(licence))
    .map(({ name, version, licence }) => `${name}@${version}: ${licence === '' ? 'no licence' : licence}`);
}

/** The tables of docs/licences.md (Markdown). */
export function licenceTables(packages: readonly RuntimePackage[]): string {
  const counts = new Map<string, number>();
  for (const { licence } of packages) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const byCount = [...counts].sort(([one, many], [other, few]) => few - many || (one < other ? -1 : 1));
  return [
    '| Licence | Packages |',
    '| --- | --: |',
    ...byCount.map(([licence, count]) => `| ${licence} | ${count} |`),
    '',
    '| Package | Version | Licence | How it reaches you |',
    '| --- | --- | --- | --- |',
    ...packages.map(
      ({ name, version, licence, way }) => `| \`${name}\` | ${version} | ${licence} | ${way} |`
    ),
    '',
    '| Inside | What | Licence |',
    '| --- | --- | --- |',
    ...INSIDE.map(({ packages: inside, what, licence }) => `| ${inside} | ${what} | ${licence} |`)
  ].join('\n');
}

/**
 * docs/licences.md with the current tables.
 *
 * @throws when the two markers around them are missing
 */
export function withLicences(document: string, packages: readonly RuntimePackage[]): string {
  return withPassage(document, 'licences', licenceTables(packages));
}
