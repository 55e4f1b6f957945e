import { readFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';

export type S3Sdk = typeof import('@aws-sdk/client-s3');

const ENTRY = '@aws-sdk/client-s3';

/**
 * Loads the AWS SDK one module at a time. In one go, it would hold up every flow while all of its modules
 * load: a tenth of a second on a fast machine, half a second on a busy one.
 *
 * @throws whatever a module throws while it is loaded
 */
export async function loadS3Sdk(): Promise<S3Sdk> {
  const here = createRequire(__filename);
  // A module that cannot be loaded alone may still load with the whole SDK, which otherwise reports why not.
  await loadInPieces(here, ENTRY, new Set()).catch(() => undefined);
  return here(ENTRY) as S3Sdk;
}

async function loadInPieces(from: NodeJS.Require, name: string, seen: Set<string>): Promise<void> {
  if (isBuiltin(name)) {
    await nextTurn();
    from(name);
    return;
  }
  const file = from.resolve(name);
  if (seen.has(file)) return;
  seen.add(file);
  const inside = createRequire(file);
  for (const needed of requiredAtOnce(await readFile(file, 'utf8')))
    await loadInPieces(inside, needed, seen).catch(() => undefined);
  await nextTurn();
  inside(file);
}

/** What a CommonJS module requires while it is loaded: calls inside functions are indented. */
function requiredAtOnce(source: string): string[] {
  const names: string[] = [];
  for (const line of source.split('\n')) {
    if (/^\s/.test(line)) continue;
    for (const [, name] of line.matchAll(/\brequire\("([^"]{1,200})"\)/g))
      if (name !== undefined) names.push(name);
  }
  return names;
}
