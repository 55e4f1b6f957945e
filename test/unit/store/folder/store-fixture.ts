import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import type { Destination, PartialCopy, PublishedFile } from '../../../../src/store/destination';
import {
  PARTIAL_DIRECTORY,
  type PartPaths,
  partPaths,
  readPartName
} from '../../../../src/store/folder/archive-path';
import { type FileSystem, realFileSystem } from '../../../../src/store/folder/file-system';
import { type FolderStore, createFolderStore } from '../../../../src/store/folder/folder-store';
import type { Fate, PartOwner } from '../../../../src/store/folder/parts/part-owner';

/** The installation that the stores of these tests belong to. */
export const INSTANCE = 'a'.repeat(32);

/** This process, or an earlier one of the same instance whose `fate` is known. */
export function testOwner(process = 'this', fate: Fate = 'ended', instance = INSTANCE): PartOwner {
  return { instance: instance.slice(0, 16), process, fateOf: () => fate };
}

/** The name of a partial copy without its owner. */
export function withoutOwner(path: string): string {
  const part = readPartName(basename(path));
  return part === null ? path : join(dirname(path), `${part.jobId}.${part.kind}`);
}

/** A folder that is removed after the test. */
export class TestFolder {
  private constructor(readonly path: string) {}

  static async create(): Promise<TestFolder> {
    return new TestFolder(await mkdtemp(join(tmpdir(), 'telnyx-store-')));
  }

  at(...segments: string[]): string {
    return join(this.path, ...segments);
  }

  store(fs: FileSystem = realFileSystem, owner: PartOwner = testOwner()): FolderStore {
    return createFolderStore({ folder: this.at('archive'), fs, owner });
  }

  /** Sweeps while all jobs exist. @param age of all files, in milliseconds */
  async sweep(owner: PartOwner, age: number): Promise<number> {
    return await this.store(aged(age), owner).sweep(() => true);
  }

  /** New names of a job in the hidden directory. */
  partPaths(jobId: string, owner: PartOwner = testOwner()): PartPaths {
    return partPaths(this.at('archive', PARTIAL_DIRECTORY), jobId, owner);
  }

  /** All files below the archive, sorted, with `/`; hidden ones too, `withoutOwner`. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.at('archive'), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.at('archive').length + 1))
      .map(withoutOwner)
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

/** Makes all files look unchanged for this long: the ctime of a file cannot be set. */
export function aged(milliseconds: number): FileSystem {
  return fileSystemWith({
    lstat: (async (path: string) => {
      const found = await lstat(path);
      const mtimeMs = found.mtimeMs - milliseconds;
      return Object.assign(found, { mtimeMs, ctimeMs: mtimeMs });
    }) as typeof lstat
  });
}

export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by the test`), { code });
}

export async function publishBytes(
  store: Pick<Destination, 'openPart'>,
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
