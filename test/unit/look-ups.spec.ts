import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import ts from 'typescript';

const ROOT = path.join(__dirname, '../..');

/**
 * Tables whose keys this package creates: a type that TypeScript checks, or a value that matches a pattern.
 * Every other table is a Map, or is checked with Object.hasOwn first.
 */
const OWN_KEYS: ReadonlySet<string> = new Set([
  'nodes/archive/archive-status.ts: DONE[request.action]',
  'nodes/archive/archive-status.ts: WORDS[request.action]',
  'nodes/config/provider-accounts.ts: FINDERS[property]',
  'nodes/editor/filename/filename-preview.ts: EXAMPLES[part.token]',
  'nodes/editor/lib/marks.ts: COLOURS[mark]',
  'nodes/editor/lib/marks.ts: ICONS[mark]',
  'nodes/editor/register/daily-register.ts: MARKS[state]',
  'src/evidence/certificate/certificate-page.ts: ENTITIES[character]',
  'src/sharing/jobs/bull/bull-worker.ts: UNREADABLE[kind]',
  'src/webhook/express/route-path.ts: ADVICE[fault]',
  'src/errors/trouble.ts: BY_CODE[code]',
  'src/recording/sample-reference.ts: FORMATS[sample]',
  'src/samples/sample-body.ts: RECIPES[provider]',
  'src/samples/sample-choices.ts: USUAL[provider]',
  'src/reconcile/read-moment.ts: UNITS[unit.toLowerCase()]',
  'src/simulator/cli/cli.ts: EXIT_OF[await send(command.options, print, signal)]',
  'src/simulator/media/media-mp4.ts: SILENT_FRAME[sound.channels]',
  'src/state/owned-state.ts: MOVED[what]',
  'src/store/bucket/bucket-kind.ts: VERSIONING[versioning]',
  'src/archive/download/stored-by-another.ts: FORMATS[kind]',
  'src/providers/telnyx/api-media.ts: READERS[resource]',
  'src/providers/telnyx/find-media.ts: COLLECTIONS[resource]',
  'src/transfer/media-check.ts: FORMATS[kind]',
  'src/transfer/media-check.ts: WANTED[kind]'
]);

function sources(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')));
}

/** Top-level object literals of a file that are read with a variable key: `file: TABLE[key]`. */
function lookUpsIn(file: string): string[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const tables = new Set<string>();
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      let value = initializer;
      while (value && (ts.isAsExpression(value) || ts.isSatisfiesExpression(value))) value = value.expression;
      if (value && ts.isObjectLiteralExpression(value)) tables.add(name.getText());
    }
  }
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isElementAccessExpression(node) && !ts.isLiteralExpression(node.argumentExpression)) {
      const table = node.expression.getText();
      const key = node.argumentExpression.getText();
      const isGuarded = text.includes(`Object.hasOwn(${table}, ${key})`);
      if (tables.has(table) && !isGuarded) found.push(`${file}: ${table}[${key}]`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('look-ups in tables', () => {
  it('never use a property of every object, such as "constructor"', () => {
    const found = [...sources('src'), ...sources('nodes')].flatMap(lookUpsIn);
    should(found.filter((one) => !OWN_KEYS.has(one))).eql([]);
    should([...OWN_KEYS].filter((one) => !found.includes(one))).eql([], 'They no longer exist');
  });
});
