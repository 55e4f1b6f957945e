import { readFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Loads a large library one module at a time. In one go, it would hold up every flow while all of its modules load: a tenth of
 * a second on a fast machine, half a second on a busy one.
 *
 * @param entry name of the package, which must be CommonJS
 * @returns what `require` returns
 * @throws whatever a module throws while it is loaded
 */
export async function gradualRequire(entry: string): Promise<unknown> {
  const here = createRequire(__filename);
  // A module that cannot be loaded alone may still load with the whole library, which otherwise reports why not.
  await loadInPieces(here, entry, new Set()).catch(() => undefined);
  return here(entry);
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
    for (const [, name] of line.matchAll(/\brequire\(["']([^"']{1,200})["']\)/g))
      if (name !== undefined) names.push(name);
  }
  return names;
}
