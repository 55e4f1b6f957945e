import { extname } from 'node:path';

/**
 * The wanted name first, then the names to use when other bytes have it: `name_2.ext` …
 * `name_9.ext`, then one that ends with `tail`.
 */
export function* nameVariants(name: string, tail: string): Generator<string> {
  yield name;
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let number = 2; number <= 9; number++) yield `${stem}_${number}${extension}`;
  yield `${stem}_${tail}${extension}`;
}
