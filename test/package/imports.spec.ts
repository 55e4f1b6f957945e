import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import ts from 'typescript';
import { REPOSITORY } from '../support/packed-package';

/** The files of a folder and their imports, including types. */
function importsIn(folder: string): Map<string, string[]> {
  const files = readdirSync(path.join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => path.join(REPOSITORY, folder, name));
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'));
      const imported = importedFiles.map(({ fileName }) =>
        path.resolve(path.dirname(file), `${fileName}.ts`)
      );
      return [file, imported.filter((name) => existsSync(name))];
    })
  );
}

/** @returns the first cycle found, as relative paths; null when there is none */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const visit = (file: string, above: readonly string[]): string[] | null => {
    const at = above.indexOf(file);
    if (at !== -1) return [...above.slice(at), file];
    if (done.has(file)) return null;
    for (const next of imports.get(file) ?? []) {
      const found = visit(next, [...above, file]);
      if (found !== null) return found;
    }
    done.add(file);
    return null;
  };
  for (const file of imports.keys()) {
    const found = visit(file, []);
    if (found !== null) return found.map((name) => path.relative(REPOSITORY, name));
  }
  return null;
}

describe('imports', () => {
  // The lint rule skips type imports.
  it('form no cycle, not even through types', () => {
    const imports = new Map([...importsIn('src'), ...importsIn('nodes')]);
    should(imports.size).be.above(250);
    should([...imports.values()].flat().length).be.above(1000);
    should(circleIn(imports)).equal(null);
  });

  it('would be reported if they did', () => {
    const circle = circleIn(
      new Map([
        ['/a', ['/b']],
        ['/b', ['/c', '/d']],
        ['/d', ['/b']]
      ])
    );
    should(circle?.map((name) => path.basename(name))).eql(['b', 'd', 'b']);
  });
});
