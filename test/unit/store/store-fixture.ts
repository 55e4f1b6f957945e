import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import { realFileSystem, type FileSystem } from '../../../src/store/file-system';
import { createFolderStore, type FolderStore } from '../../../src/store/folder-store';
import type { PartialCopy, PublishedFile } from '../../../src/store/store';

/** A folder that is gone after the test. */
export class TestFolder {
  private constructor(readonly path: string) {}

  static async create(): Promise<TestFolder> {
    return new TestFolder(await mkdtemp(join(tmpdir(), 'telnyx-store-')));
  }

  at(...segments: string[]): string {
    return join(this.path, ...segments);
  }

  store(fs: FileSystem = realFileSystem, bootTime?: () => number): FolderStore {
    return createFolderStore({
      folder: this.at('archive'),
      fs,
      ...(bootTime === undefined ? {} : { bootTime })
    });
  }

  /** All files below the archive, sorted, with `/`; hidden ones too. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.at('archive'), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.at('archive').length + 1))
      .sort();
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** The real file system with some functions replaced. */
export function fileSystemWith(replacements: Partial<FileSystem>): FileSystem {
  return { ...realFileSystem, ...replacements };
}

export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by the test`), { code });
}

export async function publishBytes(
  store: FolderStore,
  jobId: string,
  name: string,
  bytes: Buffer
): Promise<PublishedFile> {
  const part = await store.openPart(jobId);
  try {
    await part.write(bytes);
    return await publish(part, name, bytes);
  } catch (error) {
    await part.discard();
    throw error;
  }
}

export async function publish(part: PartialCopy, name: string, bytes: Buffer): Promise<PublishedFile> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return await part.publish({ name, sha256, size: bytes.length, contentType: 'audio/mpeg' });
}

export async function readAll(part: PartialCopy): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const bytes of part.read()) pieces.push(Buffer.from(bytes));
  return Buffer.concat(pieces);
}

export async function storeFailure(promise: Promise<unknown>): Promise<CodedError> {
  try {
    await promise;
  } catch (error) {
    should(error).be.instanceof(CodedError);
    should(error).have.property('code', 'STORE_FAILED');
    return error as CodedError;
  }
  throw new Error('expected STORE_FAILED');
}
