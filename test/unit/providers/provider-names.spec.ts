import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import ts from 'typescript';
import { PROVIDERS } from '../../../src/events/provider';
import { providers } from '../../../src/providers/registry';

const ROOT = path.join(__dirname, '../../..');

/** Folders and files that may name a provider: each is about one provider, or is its data. */
const MAY_NAME = [
  'src/providers/',
  'src/events/catalogue/',
  'src/events/catalogue.ts',
  // The senders of events, as types, and the sender that a reader of bodies assigns.
  'src/events/provider.ts',
  ...PROVIDERS.map((name) => `src/events/reading/parse-${name}.ts`),
  'src/recording/extract/',
  'src/verification/',
  // Describes the stand-ins, one for each provider.
  'src/simulator/cli/stand-ins.ts',
  'nodes/config/',
  // Its dialog names the provider whose properties it has.
  ...PROVIDERS.map((name) => `nodes/editor/${name}-webhook-in.ts`),
  // The delivery log of Telnyx is a source of this node; the value is saved in flows.
  'nodes/delivery-list/',
  'nodes/editor/telnyx-delivery-list.ts',
  // A made-up recording whose file name the dialog shows.
  'nodes/editor/filename/filename-preview.ts',
  // The state folder has this name.
  'nodes/lib/state.ts'
];

function sources(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')));
}

/** The strings of a file that are exactly the name of a provider, without comments and imports. */
function namesIn(file: string, text: string): string[] {
  const found: string[] = [];
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    // The palette category of all nodes is not a provider.
    const isCategory = ts.isPropertyAssignment(node) && node.name.getText() === 'category';
    if (ts.isImportDeclaration(node) || isCategory) return;
    if (ts.isStringLiteralLike(node) && providers.find(node.text) !== undefined)
      found.push(`${file}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${node.text}`);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

describe('names of providers', () => {
  const all = ['src', 'nodes'].flatMap(sources);

  it('appear only in code about one provider', () => {
    all.length.should.be.above(200);
    const found = all
      .filter((file) => !MAY_NAME.some((place) => file === place || file.startsWith(place)))
      .flatMap((file) => namesIn(file, readFileSync(path.join(ROOT, file), 'utf8')));
    should(found).deepEqual([]);
  });

  it('would be found', () => {
    should(namesIn('a.ts', "import x from 'daily';\nif (provider === 'daily') go(`telnyx`);")).deepEqual([
      'a.ts:2: daily',
      'a.ts:2: telnyx'
    ]);
  });

  it('are allowed only in places that exist', () => {
    for (const place of MAY_NAME) all.some((file) => file.startsWith(place)).should.be.true(place);
  });
});
