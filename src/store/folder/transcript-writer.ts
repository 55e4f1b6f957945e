import type { TextWriter } from '../destination';
import { storeFault } from '../store-fault';
import { type FileSystem, errnoOf, realFileSystem } from './file-system';
import { replaceFile, writeNewFile } from './whole-file';

/** Texts as files beside the stored ones. */
export function folderTexts(fs: FileSystem = realFileSystem): TextWriter {
  return {
    create: async (path, text) => {
      try {
        await writeNewFile(fs, path, text);
        return 'created';
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw storeFault(`write the text ${path}`, error);
      }
      return await compared(fs, path, text);
    },
    replace: async (path, text) => {
      try {
        await replaceFile(fs, path, text);
      } catch (error) {
        throw storeFault(`replace the text ${path}`, error);
      }
    }
  };
}

async function compared(fs: FileSystem, path: string, text: string): Promise<'created' | 'same' | 'taken'> {
  try {
    const found = await fs.lstat(path);
    if (!found.isFile()) return 'taken';
    // The reservation of a write that was cut off where the file system has no hard links.
    if (found.size === 0 && text !== '') {
      await replaceFile(fs, path, text);
      return 'created';
    }
    if (found.size !== Buffer.byteLength(text)) return 'taken';
    return (await fs.readFile(path, 'utf8')) === text ? 'same' : 'taken';
  } catch (error) {
    throw storeFault(`compare the text ${path}`, error);
  }
}
