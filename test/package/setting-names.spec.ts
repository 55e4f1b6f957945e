import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import ts from 'typescript';
import { allExamples } from '../support/example-flow';
import { REPOSITORY } from '../support/packed-package';
import { NODES } from './node-files';

/** Other quoted words in texts for users: not settings, so no dialog shows them. */
const NO_SETTINGS: ReadonlySet<string> = new Set([
  // Fields and files that are found elsewhere.
  'hmac',
  's3Key',
  'telnyx',
  'transfer-encoding',
  // Fields of `msg.case` and of the rules of retention.
  'id',
  'reason',
  'by',
  'when',
  // A command.
  'telnyx-evidence verify',
  // A field of Node-RED's own http proxy node.
  'Ignore hosts',
  // Characters.
  '?',
  '#',
  '-',
  '_',
  '.',
  '..',
  '/',
  ':',
  '*',
  '+'
]);

/** Functions that quote an argument in an error: number of the argument. */
const QUOTING: Readonly<Record<string, number>> = { readNumber: 1, readChoice: 1, readMoment: 1, bad: 0 };

const labels = new Set(NODES.flatMap(({ texts }) => [...texts.values()]));

interface Found {
  where: string;
  name: string;
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  // An inserted name is not fixed: `"${name}"` is checked at its origin.
  return node.head.text + node.templateSpans.map(({ literal }) => `\0${literal.text}`).join('');
}

/** Joins strings that are split in the source. */
function whole(node: ts.Node): string | undefined {
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [whole(node.left), whole(node.right)];
    return left === undefined && right === undefined ? undefined : `${left ?? '\0'}${right ?? '\0'}`;
  }
  return textOf(node);
}

/** The quoted names in strings that are sentences. JSON is not a sentence. */
function quoted(text: string): string[] {
  if (!/[a-z] [a-z]/i.test(text) || text.startsWith('{') || text.startsWith('<')) return [];
  const outside = text.split('{"')[0] ?? '';
  return outside
    .split('"')
    .filter((piece, index) => index % 2 === 1 && piece !== '' && !piece.includes('\0'));
}

function namesIn(file: string): Found[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  const found: Found[] = [];
  const add = (node: ts.Node, name: string): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push({ where: `${path.relative(REPOSITORY, file)}:${line}`, name });
  };
  const visit = (node: ts.Node): void => {
    const text = whole(node);
    if (text !== undefined) {
      for (const name of quoted(text)) add(node, name);
      return;
    }
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const argument = node.arguments[QUOTING[node.expression.text] ?? -1];
      if (argument !== undefined && ts.isStringLiteralLike(argument)) {
        const isName = node.expression.text !== 'bad' || file.endsWith('bucket/client/settings.ts');
        if (isName) add(argument, argument.text);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const files = ['src', 'nodes']
  .flatMap((folder) =>
    readdirSync(path.join(REPOSITORY, folder), { recursive: true }).map((name) => `${folder}/${String(name)}`)
  )
  // The simulator and the check of evidence write to a command line, the catalogue describes events.
  .filter((name) => name.endsWith('.ts') && !/^src\/(simulator|events|evidence\/cli)\//.test(name))
  .map((name) => path.join(REPOSITORY, name));

describe('setting names in texts for users', () => {
  const found = files.flatMap(namesIn);

  it('are found where they are known to occur', () => {
    const names = found.map(({ name }) => name);
    for (const name of ['Addresses', 'Body limit', 'Stall limit', 'From', 'Prefix', 'API key'])
      should(names).containEql(name);
  });

  it('match the labels of the dialogs', () => {
    should(found.filter(({ name }) => !labels.has(name) && !NO_SETTINGS.has(name))).deepEqual([]);
  });
});

describe('setting names in texts of the simulator', () => {
  it('match the labels of the dialogs', () => {
    const said = ['cli/cli-send.ts', 'cli/cli-usage.ts', 'cli/stand-ins.ts'].flatMap((name) =>
      namesIn(path.join(REPOSITORY, 'src/simulator', name))
    );
    const examples = allExamples().map(({ name }) => name);
    const known = (name: string): boolean =>
      labels.has(name) || examples.includes(name) || name.startsWith('telnyx-simulator ');
    should(said.map(({ name }) => name)).containEql('Addresses');
    should(said.filter(({ name }) => !known(name))).deepEqual([]);
  });
});
