// Writes the table of families and event types into README.md, between its two markers.
// Run it after a change to the catalogue: node --import tsx scripts/event-table.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { withEventTable } from './event-table.ts';

const readme = new URL('../README.md', import.meta.url);
writeFileSync(readme, withEventTable(readFileSync(readme, 'utf8')));
