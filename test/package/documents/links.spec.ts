import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { allExamples, exampleNamed } from '../../support/example-flow';
import { REPOSITORY } from '../../support/packed-package';
import { allDocuments, allHelp, anchorsOf, documentOf, linksOf, sectionOf, tableRows } from './document';

const REPOSITORY_PAGE = 'https://github.com/red-telephony/node-red-telnyx';
const PAGES = `${REPOSITORY_PAGE}/blob/main/`;
const PICTURES = 'https://raw.githubusercontent.com/red-telephony/node-red-telnyx/main/';

const documents = allDocuments();
const named = new Map(documents.map((document) => [document.name, document]));

/** @returns what the link leads to in this repository, or null for other places */
function placeOf(from: string, target: string): { file: string; anchor: string } | null {
  for (const start of [PAGES, PICTURES]) {
    if (target.startsWith(start)) return split(decodeURI(target.slice(start.length)));
  }
  if (/^[a-z]+:/.test(target)) return null;
  const { file, anchor } = split(decodeURI(target));
  const place = file === '' ? from : path.posix.join(path.posix.dirname(from), file);
  return { file: place, anchor };
}

function split(target: string): { file: string; anchor: string } {
  const [file = '', anchor = ''] = target.split('#');
  return { file, anchor };
}

function fault(from: string, target: string): string | null {
  const place = placeOf(from, target);
  if (place === null) return null;
  const { file, anchor } = place;
  if (!existsSync(path.join(REPOSITORY, file))) return `${from}: ${target} leads to no file`;
  if (anchor === '') return null;
  const document = named.get(file);
  const isThere = document === undefined ? false : anchorsOf(document).has(anchor);
  return isThere ? null : `${from}: ${target} leads to no heading`;
}

describe('links of the documents', () => {
  it('lead to files and headings that exist', () => {
    const faults = documents.flatMap((document) =>
      linksOf(document).map(({ target }) => fault(document.name, target))
    );
    should(faults.filter((text) => text !== null)).deepEqual([]);
  });

  it('in the help of the nodes do, too, and begin with https', () => {
    const faults = allHelp().flatMap((document) =>
      linksOf(document).map(({ target }) =>
        target.startsWith('https://') ? fault(document.name, target) : `${document.name}: ${target}`
      )
    );
    should(faults.filter((text) => text !== null)).deepEqual([]);
    should(faults.length).be.above(100);
  });

  it('are found: a broken one would be reported', () => {
    should(documents.flatMap(linksOf).length).be.above(100);
    should(fault('docs/README.md', 'no-such.md')).match(/no file/);
    should(fault('docs/README.md', 'events.md#no-such')).match(/no heading/);
    should(fault('README.md', `${PAGES}docs/no-such.md`)).match(/no file/);
    should(fault('README.md', `${PICTURES}docs/images/no-such.png`)).match(/no file/);
  });

  it('work in the README wherever it is shown', () => {
    // npm resolves relative links with the repository; the Flow Library looks for them on a branch `master`, takes
    // links with `#` for files, and makes no anchors of headings.
    const targets = linksOf(named.get('README.md')!).map(({ target }) => target);
    should(targets.filter((target) => !target.startsWith('https://'))).deepEqual([]);
    const own = targets.filter((target) => target.startsWith(REPOSITORY_PAGE));
    should(own.filter((target) => !target.startsWith(PAGES))).deepEqual([]);
  });
});

describe('pictures of the documents', () => {
  const pictures = documents.flatMap((document) =>
    linksOf(document)
      .filter(({ isImage }) => isImage)
      .map(({ target }) => ({ document, target }))
  );

  it('are in docs/images, or plots in docs/plots, and each has a text for those who do not see it', () => {
    for (const { document, target } of pictures) {
      should(placeOf(document.name, target)?.file).match(
        /^docs\/(?:images\/[\w-]+\.png|plots\/[\w-]+\.svg)$/
      );
      should(document.prose).not.containEql(`![](${target})`);
    }
  });

  it('are all used', () => {
    const folder = path.join(REPOSITORY, 'docs', 'images');
    const there = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.png')) : [];
    const used = new Set(pictures.map(({ document, target }) => placeOf(document.name, target)?.file));
    should(there.filter((name) => !used.has(`docs/images/${name}`))).deepEqual([]);
  });

  it('are small enough to look at on a phone', () => {
    for (const { document, target } of pictures) {
      const { file } = placeOf(document.name, target)!;
      should(statSync(path.join(REPOSITORY, file)).size).be.below(500_000, file);
    }
  });
});

describe('the guides', () => {
  const guides = documents.map(({ name }) => name).filter((name) => /^docs\/[^/]+\.md$/.test(name));

  it('are all listed in docs/README.md and in the README', () => {
    const listed = linksOf(named.get('docs/README.md')!).map(({ target }) => `docs/${target}`);
    const inReadme = linksOf(named.get('README.md')!).map(({ target }) => target.replace(PAGES, ''));
    const others = guides.filter((name) => name !== 'docs/README.md');
    should(others.filter((name) => !listed.includes(name))).deepEqual([]);
    should(others.filter((name) => !inReadme.includes(name))).deepEqual([]);
  });

  it('list every example in its folder', () => {
    const rows = tableRows(documentOf('docs/examples.md').prose);
    let folder = '';
    const listed = rows.map(([place = '', name = '']) => {
      if (place !== '') folder = place.replaceAll('*', '');
      return `${folder}/${name.replaceAll('*', '')}`;
    });
    should(listed.sort()).deepEqual(
      allExamples()
        .map((example) => `${example.folder}/${example.name}`)
        .sort()
    );
  });

  it('name every permission of a bucket that the test of the dialog asks for', () => {
    // What the test finds is told in the texts of the language.
    const checks = [
      'src/store/bucket/bucket-check.ts',
      'src/store/bucket/bucket-kind.ts',
      'nodes/parts/en-US/errors.json'
    ].map((name) => readFileSync(path.join(REPOSITORY, name), 'utf8'));
    const asked = new Set(checks.join('\n').match(/\bs3:[A-Z][A-Za-z]+/g));
    should(asked.size).be.above(9);
    const guide = documentOf('docs/bucket.md');
    should([...asked].filter((permission) => !guide.prose.includes(`\`${permission}\``))).deepEqual([]);
    // Those without which nothing is stored, in what users copy.
    const optional = /Version|GetBucket|DeleteObject/;
    const needed = [...asked].filter((permission) => !optional.test(permission));
    const { flow } = exampleNamed('Archive call recordings to a bucket');
    for (const copied of [guide.text.split('```json')[1] ?? '', JSON.stringify(flow)])
      should(needed.filter((permission) => !copied.includes(permission))).deepEqual([]);
  });

  it('name examples that exist', () => {
    const examples = new Set(allExamples().map(({ name }) => name));
    const start = sectionOf(named.get('docs/five-minute-start.md')!, '## 2. Your own calls');
    const [, imported = ''] = /\*\*([^*]+)\*\*, \*Import\*/.exec(start) ?? [];
    should(examples.has(imported)).be.true();
  });
});
