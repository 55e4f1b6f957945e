import type { CustodyLine } from '../custody/custody-line';

/** What the log says of the bytes of a recording. */
export interface KnownFile {
  recording: string;
  sha256: string;
  /** Whether it was deleted by policy or on request after it was stored. */
  isDeleted: boolean;
  /** A hash of the folder or bucket; null: the log does not say. */
  place: string | null;
  isSeen: boolean;
}

const DELETIONS: ReadonlySet<string> = new Set(['expired', 'erased']);

/** What the log says that was stored, by recording and SHA-256. Some 300 bytes for each. */
export class KnownFiles {
  readonly #files = new Map<string, KnownFile>();
  /** How many files each recording has. */
  readonly #recordings = new Map<string, number>();
  /** When the log begins, ISO 8601 UTC. */
  begin: string | null = null;

  note({ at, event, recording, sha256, details }: CustodyLine): void {
    this.begin ??= at;
    if (recording === null || sha256 === null) return;
    const key = `${recording} ${sha256}`;
    const known = this.#files.get(key);
    if (DELETIONS.has(event)) {
      if (known !== undefined) known.isDeleted = true;
    } else if (event === 'stored') {
      const place = typeof details['place'] === 'string' ? details['place'] : null;
      if (known === undefined) this.#recordings.set(recording, (this.#recordings.get(recording) ?? 0) + 1);
      this.#files.set(key, { recording, sha256, isDeleted: false, place, isSeen: known?.isSeen ?? false });
    }
  }

  find(recording: string, sha256: string): KnownFile | null {
    return this.#files.get(`${recording} ${sha256}`) ?? null;
  }

  knowsRecording(recording: string): boolean {
    return this.#recordings.has(recording);
  }

  /** Those that should be where others were found, and are not. */
  *unseen(): Iterable<KnownFile> {
    const places = new Set<string | null>();
    for (const { isSeen, place } of this.#files.values()) if (isSeen) places.add(place);
    for (const file of this.#files.values())
      if (!file.isSeen && !file.isDeleted && (places.size === 0 || places.has(file.place))) yield file;
  }
}
