// Writes the table of families and event types into docs/events.md, between its two markers.
// Run it after a change to the catalogue: node --import tsx scripts/event-table.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { withEventTable } from './event-table.ts';

const document = new URL('../docs/events.md', import.meta.url);
writeFileSync(document, withEventTable(readFileSync(document, 'utf8')));
