import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import ts from 'typescript';
import { hostileTexts } from '../support/hostile-texts';
import { FUNCTIONS, WITHOUT_OUTSIDE_TEXT } from '../support/text-functions';

const ROOT = path.join(__dirname, '../..');
const LENGTH = 1_000_000;

/** CPU time of one call for 1 MB. Wall-clock time would include the work of other programs. */
const LIMIT_MS = 20;
/** An ordinary machine takes about 1 ms to look at each character of 1 MB. */
const ORDINARY_WALK_MS = 1.5;
/** A fast call says nothing about growth: its overhead dominates. */
const TELLING_MS = 10;
/** Matches of a pattern in one text: each has an overhead besides the search. */
const MOST_FOUND = 10_000;
/** From 250 kB to 1 MB: 4 when linear, 16 when quadratic, in between when the garbage is collected. */
const MOST_GROWTH = 10;

interface Pattern {
  file: string;
  line: number;
  text: string;
  pattern: RegExp;
}

function sources(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')));
}

function patternsOf(file: string): Pattern[] {
  const found: Pattern[] = [];
  const source = ts.createSourceFile(
    file,
    readFileSync(path.join(ROOT, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true
  );
  const visit = (node: ts.Node): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    if (ts.isRegularExpressionLiteral(node)) {
      const text = node.getText();
      const end = text.lastIndexOf('/');
      found.push({ file, line, text, pattern: new RegExp(text.slice(1, end), text.slice(end + 1)) });
    }
    if (ts.isIdentifier(node) && node.text === 'RegExp' && ts.isNewExpression(node.parent))
      throw new Error(`${file}:${line} builds a pattern at run time, which no test can find. Write it out.`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The CPU time of the fastest of a few calls, in milliseconds; stops at the first that is fast enough. */
async function cost(call: () => unknown, enough: number): Promise<number> {
  let fastest = Infinity;
  for (let run = 0; run < 10 && fastest > enough; run += 1) {
    const before = process.cpuUsage();
    await call();
    const { user, system } = process.cpuUsage(before);
    fastest = Math.min(fastest, (user + system) / 1000);
  }
  return fastest;
}

/** @returns what takes too long or grows too fast; nothing when all is well */
async function complaints(
  what: string,
  call: (text: string) => unknown,
  isParser = false
): Promise<string[]> {
  const found: string[] = [];
  for (const { name, text } of hostileTexts(LENGTH)) {
    const limit = LIMIT_MS + (isParser ? await cost(() => parsed(text), 0) : 0);
    const whole = await cost(() => call(text), TELLING_MS);
    if (whole > limit && whole > limit * (await slowness()))
      found.push(`${what} takes ${whole} ms for 1 MB of ${name}`);
    if (whole <= TELLING_MS) continue;
    const part = text.slice(0, LENGTH / 4);
    const inPart = async (): Promise<number> => Math.max(await cost(() => call(part), 0), 2);
    let growth = whole / (await inPart());
    // A busy machine can slow one of the two measurements; what grows too fast does so again.
    if (growth > MOST_GROWTH) growth = Math.min(growth, (await cost(() => call(text), 0)) / (await inPart()));
    if (growth > MOST_GROWTH)
      found.push(`${what} takes ${growth} times as long for four times as many ${name}`);
  }
  return found;
}

/** How much slower than an ordinary machine this one is, or how busy. */
async function slowness(): Promise<number> {
  const text = 'x'.repeat(LENGTH);
  const walk = (): number => {
    let sum = 0;
    for (let at = 0; at < text.length; at += 1) sum = (sum + text.charCodeAt(at)) | 0;
    return sum;
  };
  return Math.max(1, (await cost(walk, 0)) / ORDINARY_WALK_MS);
}

/** The time that Node.js itself needs for a text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Searches for a pattern until there are no more matches, up to a limit. */
function searchAll(pattern: RegExp, text: string): void {
  pattern.lastIndex = 0;
  for (let found = 0; found < MOST_FOUND && pattern.test(text) && pattern.global; found += 1);
}

describe('outside text takes linear time', function () {
  // A hundred patterns and functions with thirty texts of 1 MB each take seconds, longer on a busy machine.
  this.timeout(300_000);

  // The simulator is a separate tool that only its user talks to.
  const files = [...sources('src'), ...sources('nodes')].filter((file) => !file.startsWith('src/simulator/'));
  const patterns = files.flatMap(patternsOf);

  it('in every pattern of the package', async () => {
    should(patterns.length).be.above(80);
    const found: string[] = [];
    for (const { file, line, text, pattern } of patterns)
      found.push(
        ...(await complaints(`${text} (${file}:${line})`, (subject) => searchAll(pattern, subject)))
      );
    should(found).eql([]);
  });

  it('in every function of the list', async () => {
    const found: string[] = [];
    for (const { file, name, call, isParser } of FUNCTIONS)
      found.push(...(await complaints(`${name} (${file})`, call, isParser)));
    should(found).eql([]);
  });

  it('and every file with a pattern is in the list, or handles no outside text', () => {
    const listed = new Set([...FUNCTIONS.map(({ file }) => file), ...WITHOUT_OUTSIDE_TEXT.keys()]);
    const missing = [...new Set(patterns.map(({ file }) => file))].filter((file) => !listed.has(file));
    should(missing).eql([], 'Add the functions with these patterns to test/support/text-functions.ts');
    should([...listed].filter((file) => !files.includes(file))).eql([], 'These files no longer exist');
  });
});
