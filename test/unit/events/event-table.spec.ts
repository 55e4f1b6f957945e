import { readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { CATALOGUE, FAMILIES } from '../../../src/events/catalogue';
import { eventTable, withEventTable } from '../../../scripts/event-table';

describe('docs/events.md: table of families and event types', () => {
  it('names every family and every type', () => {
    const table = eventTable();
    for (const { family } of FAMILIES) should(table).containEql(`(\`${family}\`)`);
    for (const { event_type } of CATALOGUE) should(table).containEql(`\`${event_type}\``);
  });

  it('replaces only the text between the markers', () => {
    const document = 'before\n<!-- events:begin -->\nstale words\n<!-- events:end -->\nafter\n';
    const written = withEventTable(document);
    should(written).startWith('before\n<!-- events:begin -->\n\n| Sender ');
    should(written).endWith('|\n\n<!-- events:end -->\nafter\n').and.not.containEql('stale words');
    should(withEventTable(written)).equal(written);
  });

  it('says which markers are missing', () => {
    should(() => withEventTable('no markers')).throw(/events:begin/);
  });

  it('is current in docs/events.md (otherwise run: npm run docs:events)', () => {
    const document = readFileSync(path.join(__dirname, '../../../docs/events.md'), 'utf8');
    should(withEventTable(document) === document).be.true();
  });
});
