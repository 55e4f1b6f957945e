import should from 'should';
import * as codes from '../../../src/errors/codes';
import { STATUS_OF } from '../../../src/webhook/endpoint/http-responses';
import { codeIn, documentOf, sectionOf, tableRows } from './document';
import { NODES } from '../node-files';

const GUIDE = documentOf('docs/troubleshooting.md');
const statuses = sectionOf(GUIDE, '## Status texts');
const errors = sectionOf(GUIDE, '## Error codes');

/** What the first column of the tables below a heading names. */
function firstColumn(text: string): string[] {
  return tableRows(text).flatMap(([first = '']) => codeIn(first));
}

/** Matches a text of the catalogue with anything in place of what is inserted. */
function pattern(text: string): RegExp {
  const parts = text.split(/__\w+__/).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`);
}

function statusTexts(type: string): string[] {
  const texts = NODES.find((node) => node.type === type)?.texts ?? new Map<string, string>();
  return [...texts].filter(([key]) => key.startsWith(`${type}.status.`)).map(([, text]) => text);
}

const shown = NODES.filter(({ type }) => statusTexts(type).length > 0);

describe('docs/troubleshooting.md: status texts', () => {
  const headings = statuses.split('\n').filter((line) => line.startsWith('### '));

  for (const { type, texts } of shown) {
    const palette = texts.get(`${type}.palette`) ?? '';
    const heading = headings.find((line) => line.slice(4).split(', ').includes(palette));

    it(`explains all of ${palette}`, () => {
      should(heading).be.a.String();
      const explained = codeIn(sectionOf(GUIDE, heading!));
      const missing = statusTexts(type).filter((text) => !explained.some((one) => pattern(text).test(one)));
      should(missing).deepEqual([]);
    });
  }

  it('are those that the nodes show', () => {
    for (const heading of headings) {
      const labels = heading.slice(4).split(', ');
      const known = shown
        .filter(({ type, texts }) => labels.includes(texts.get(`${type}.palette`) ?? ''))
        .flatMap(({ type }) => statusTexts(type).map(pattern));
      const explained = firstColumn(sectionOf(GUIDE, heading));
      should(explained).not.be.empty();
      should(explained.filter((text) => !known.some((one) => one.test(text)))).deepEqual([]);
    }
  });

  it('know the nodes that have some', () => {
    should(shown.map(({ type }) => type))
      .containEql('telnyx-webhook-in')
      .and.containEql('telnyx-event-switch');
    should(shown.length).be.aboveOrEqual(6);
  });
});

describe('docs/troubleshooting.md: error codes', () => {
  const all = Object.values(codes).flatMap((value) => (Array.isArray(value) ? (value as string[]) : []));

  it('explains every code, once', () => {
    should(all.length).be.aboveOrEqual(34);
    should(firstColumn(errors).sort()).deepEqual([...all].sort());
  });

  it('says what the sender of a refused delivery gets', () => {
    const rows = tableRows(sectionOf(GUIDE, '### Deliveries'));
    const said = rows.map(([code = '', status = '']) => [codeIn(code)[0], Number(status)]);
    should(Object.fromEntries(said)).deepEqual({ ...STATUS_OF });
  });
});
