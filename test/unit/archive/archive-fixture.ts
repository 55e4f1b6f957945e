import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ArchiveDeps, ArchiveSettings } from '../../../src/archive/archive-context';
import { ArchiveProgress } from '../../../src/archive/archive-progress';
import { Archiver } from '../../../src/archive/archiver';
import { folderSidecar } from '../../../src/archive/folder-sidecar';
import type { StoredFile } from '../../../src/archive/stored-recording';
import { compileFilename, DEFAULT_FILENAME } from '../../../src/naming/filename-template';
import { mediaLink } from '../../../src/recording/media-link';
import { unknownDetails } from '../../../src/recording/announcement';
import type { RecordingReference } from '../../../src/recording/recording-reference';
import { createFolderStore } from '../../../src/store/folder-store';
import { transfer } from '../../../src/transfer/transfer';

export const STORED_AT = Date.UTC(2026, 2, 4, 10, 0, 0);

/** An archive in a folder of its own, with pauses that are written down instead of waited for. */
export class ArchiveFixture {
  readonly pauses: number[] = [];
  readonly progress = new ArchiveProgress();

  private constructor(readonly folder: string) {}

  static async create(): Promise<ArchiveFixture> {
    return new ArchiveFixture(await mkdtemp(path.join(tmpdir(), 'telnyx-archive-')));
  }

  archiver(settings: Partial<ArchiveSettings> = {}, deps: Partial<ArchiveDeps> = {}): Archiver {
    return new Archiver(
      {
        scope: 'node-1',
        filename: compileFilename(DEFAULT_FILENAME),
        sidecar: true,
        concurrency: 4,
        retries: 3,
        maxSize: 0,
        stallTimeoutMs: 5000,
        network: 'any',
        ...settings
      },
      {
        store: createFolderStore({ folder: this.folder }),
        transfer,
        sidecar: folderSidecar,
        authorize: () => undefined,
        now: () => STORED_AT,
        random: () => 1,
        sleep: (ms, signal) => {
          this.pauses.push(ms);
          signal.throwIfAborted();
          return Promise.resolve();
        },
        ...deps
      },
      this.progress
    );
  }

  /** Names of everything in the folder, hidden partial copies included, sorted. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(this.folder, path.join(entry.parentPath, entry.name)))
      .map((name) => name.split(path.sep).join('/'))
      .sort();
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A dual-channel recording of 2026-03-04 at the given addresses; the format is read off their end. */
export function recordingAt(...urls: string[]): RecordingReference {
  return {
    kind: 'audio',
    identity: 'telnyx:rec-1',
    details: {
      ...unknownDetails({
        provider: 'telnyx',
        event_type: 'call.recording.saved',
        event_id: 'evt-1',
        announced_at: null
      }),
      recording_id: 'rec-1',
      channels: 'dual',
      started_at: '2026-03-04T09:15:02.118Z'
    },
    links: urls.map((url) => mediaLink(url, /\.(mp3|wav)/.exec(url)?.[1] ?? null)),
    media_index: null,
    announced_at: '2026-03-04T09:20:00.000Z',
    storage_key: null
  };
}

/** The only file of a job that went well. */
export async function onlyFile(
  outcomes: Promise<Awaited<ReturnType<Archiver['archive']>>>
): Promise<StoredFile> {
  const [outcome, ...others] = await outcomes;
  if (outcome === undefined || others.length > 0)
    throw new Error(`${others.length + 1} outcomes instead of one`);
  if (!outcome.ok) throw outcome.error;
  return outcome.file;
}
