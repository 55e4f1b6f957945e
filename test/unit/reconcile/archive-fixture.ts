import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { entering } from '../../../src/archive/effects';
import { LocalFacts } from '../../../src/archive/index/local-facts';
import type { IndexedFile } from '../../../src/archive/index/stored-index';
import { storedDetails } from '../../../src/recording/find-recordings';
import { sidecarText } from '../../../src/store/sidecar';
import type { StoredRecording } from '../../../src/store/stored-recording';
import { StateFixture } from '../archive/state-fixture';

/** A folder of stored files with their sidecars, and a state to index them in. */
export class StoredFolder {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'telnyx-stored-'));
  readonly state = new StateFixture();
  facts = new LocalFacts(this.state.database);

  /** Writes a file of a recording; `enter` adds it to the index. */
  file(id: string, more: Partial<StoredRecording> = {}, bytes = `bytes of ${id}`): IndexedFile {
    const file = path.join(this.folder, '2026', '03', `${id}.mp3`);
    const provider = more.provider ?? 'telnyx';
    const recording: StoredRecording = {
      ...storedDetails({ recording_id: id, format: 'mp3', started_at: '2026-03-04T09:15:02.000Z' }, provider),
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      content_type: 'audio/mpeg',
      destination: 'folder',
      path: file,
      sidecar: `${file}.json`,
      source_host: 'media.example.com',
      attempts: 1,
      resumed: false,
      already_stored: false,
      stored_at: '2026-03-04T10:00:00.000Z',
      deleted_at_source: null,
      identity: `${provider}:${id}`,
      ...more
    };
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    writeFileSync(`${file}.json`, sidecarText({ ...recording }));
    const wantedFormat = provider === 'daily' ? null : 'mp3';
    return { identity: recording.identity ?? '', wantedFormat, recording, order: 'order' };
  }

  async enter(...files: IndexedFile[]): Promise<void> {
    await this.facts.commit(entering(this.facts.at(this.folder), files));
  }

  get recordings(): LocalFacts['recordings'] {
    return this.facts.recordings;
  }

  async remove(): Promise<void> {
    await this.state.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
