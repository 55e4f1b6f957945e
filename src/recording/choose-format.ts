import type { MediaLink, RecordingReference } from './recording-reference';

export const FORMAT_CHOICES = ['any', 'mp3', 'wav', 'all'] as const;

/** The setting `format` of the download node. */
export type FormatChoice = (typeof FORMAT_CHOICES)[number];

/** One file to store and the addresses under which its bytes can be had, best first. */
export interface WantedFile {
  /** Null when nothing says it before the bytes do. */
  format: string | null;
  links: MediaLink[];
}

/**
 * Decides which files of a recording are stored. The choice concerns audio; a fax, an attachment, a
 * video or a track has one form only and is always wanted. An address that does not show its format is
 * wanted whatever was chosen: leaving it out could lose the only copy.
 *
 * @returns empty when the recording is unavailable in the chosen format
 */
export function chooseFormat(
  reference: Pick<RecordingReference, 'kind' | 'links'>,
  choice: FormatChoice
): WantedFile[] {
  const groups = groupByFormat(reference.links);
  const known = groups.filter((group) => group.format !== null);
  const unknown = groups.filter((group) => group.format === null);
  const pick = (format: string): WantedFile[] => known.filter((group) => group.format === format);

  if (reference.kind !== 'audio' || choice === 'all') return known.length > 0 ? known : unknown;
  if (choice === 'any') return [...pick('mp3'), ...pick('wav'), ...known, ...unknown].slice(0, 1);
  return [...pick(choice), ...unknown].slice(0, 1);
}

function groupByFormat(links: readonly MediaLink[]): WantedFile[] {
  const groups = new Map<string | null, Map<string, MediaLink>>();
  for (const link of links) {
    const group = groups.get(link.format) ?? new Map<string, MediaLink>();
    groups.set(link.format, group);
    if (!group.has(link.url)) group.set(link.url, link);
  }
  return [...groups].map(([format, byUrl]) => ({ format, links: [...byUrl.values()] }));
}
