import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { recordingName } from '../../../src/evidence/custody/custody-line';
import { sidecarPath, sidecarText } from '../../../src/store/sidecar';
import type { CustodyFixture } from './custody-fixture';

/** Stores a file with its sidecar, as the download node does, and enters it into the log. @returns its path */
export async function storeFile(
  folder: string,
  number: number,
  { custody, now }: Pick<CustodyFixture, 'custody' | 'now'>
): Promise<string> {
  const id = `9d1bd6a2-7f2b-4d1c-8f0a-${String(number).padStart(12, '0')}`;
  const file = path.join(folder, '2026', `call ${number}.mp3`);
  const bytes = Buffer.from(`the sound of call ${number}`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const identity = `telnyx:${id}`;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  const stored_at = new Date(now).toISOString();
  const record = { provider: 'telnyx', recording_id: id, identity, sha256, size: bytes.length, stored_at };
  writeFileSync(sidecarPath(file), sidecarText(record));
  await custody?.append({ event: 'stored', recording: recordingName(id, identity), sha256, actor: 'node:1' });
  return file;
}
