import { FAMILY_GROUPS } from '../src/events/catalogue';
import type { FamilyGroup, TypeRow } from '../src/events/catalogue/catalogue-entry';
import { providers } from '../src/providers/registry';
import { withPassage } from './marked-text';

/** The table of docs/events.md: families and event types (Markdown), one line a family. */
export function eventTable(groups: readonly FamilyGroup[] = FAMILY_GROUPS): string {
  const head = ['| Sender | Family | Event types |', '| --- | --- | --- |'];
  return [...head, ...groups.map(familyLine)].join('\n');
}

function familyLine(group: FamilyGroup): string {
  const types = group.types.map(typeText).join(', ');
  const sender = providers.find(group.provider)?.label ?? group.provider;
  return `| ${sender} | ${group.label} (\`${group.family}\`) | ${types} |`;
}

function typeText(row: TypeRow): string {
  const others = [...(row.canonical === undefined ? [] : [row.canonical]), ...(row.aliases ?? [])];
  const same = others.map((name) => ` = \`${name}\``).join('');
  return `\`${row.event_type}\`${same}`;
}

/**
 * docs/events.md with the current table.
 *
 * @throws when the two markers around it are missing
 */
export function withEventTable(document: string): string {
  return withPassage(document, 'events', eventTable());
}
