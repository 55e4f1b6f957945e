import type { Say } from '../tab';
import { element, icon } from '../elements';
import type { ArchiveRow, DetailsReply } from './archive-api';
import { shownDay, shownTime } from './shown';

/** How long a file is kept, in a line of its own below a row; null: no policy says so, and nothing holds it. */
export function keptLine(row: ArchiveRow, say: Say): HTMLElement | null {
  const texts = keptTexts(row, say);
  const { cases } = row;
  if (cases.length === 0 && texts.length === 0) return null;
  const line = element('small', { class: 'telnyx-sidebar-kept' });
  if (cases.length > 0)
    line.append(
      element(
        'em',
        { class: 'telnyx-sidebar-held' },
        icon('hand-paper-o'),
        ` ${say('archive.keep.held', { cases: cases.join(', ') })}`
      ),
      texts.length === 0 ? '' : ' · '
    );
  line.append(texts.join(' · '));
  return line;
}

/** What is over is left out, except that its time to be deleted has come. */
function keptTexts({ policy, keepUntil, deleteAfter, lockedUntil }: ArchiveRow, say: Say): string[] {
  const texts: string[] = [];
  const tell = (key: string, at: string): void => void texts.push(say(key, { date: shownDay(at) }));
  const isAhead = (at: string): boolean => Date.parse(at) > Date.now();
  if (keepUntil !== null && isAhead(keepUntil)) tell('archive.keep.until', keepUntil);
  if (deleteAfter !== null)
    tell(isAhead(deleteAfter) ? 'archive.keep.due' : 'archive.keep.overdue', deleteAfter);
  if (policy !== null && keepUntil === null && deleteAfter === null) texts.push(say('archive.keep.forever'));
  if (lockedUntil !== null && isAhead(lockedUntil)) tell('archive.keep.locked', lockedUntil);
  return texts;
}

/** The same in full for the details of a file: labels and values. */
export function keptFacts({ row, cases }: DetailsReply, say: Say): [label: string, value: string][] {
  const { policy, keepUntil, deleteAfter, lockedUntil, lockMode } = row;
  const facts: [string, string][] = [];
  if (policy !== null) facts.push([say('archive.kept.policy'), policy]);
  if (keepUntil !== null) facts.push([say('archive.kept.until'), shownTime(keepUntil)]);
  if (deleteAfter !== null) facts.push([say('archive.kept.after'), shownTime(deleteAfter)]);
  else if (policy !== null || keepUntil !== null)
    facts.push([say('archive.kept.after'), say('archive.kept.never')]);
  if (lockedUntil !== null)
    facts.push([say('archive.kept.locked'), `${shownTime(lockedUntil)} (${lockMode ?? ''})`]);
  for (const { id, reason, by, at, releasedBy, releasedAt } of cases) {
    const isActive = releasedAt === null;
    const values = { id, reason, by: releasedBy ?? by, date: shownTime(releasedAt ?? at) };
    facts.push([
      say(isActive ? 'archive.kept.case' : 'archive.kept.released'),
      say('archive.kept.case-text', values)
    ]);
  }
  return facts;
}
