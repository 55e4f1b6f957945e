import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

/** A file of JSON lines that another process writes, followed while it grows. */
export class LineFile<T> {
  readonly #decoder = new StringDecoder('utf8');
  #offset = 0;
  #rest = '';

  constructor(private readonly file: string) {}

  /** What was written since the last call; nothing as long as there is no file. A line counts when it is complete. */
  *added(): Generator<T> {
    let file: number;
    try {
      file = openSync(this.file, 'r');
    } catch {
      return;
    }
    try {
      const buffer = Buffer.alloc(1024 * 1024);
      for (;;) {
        const length = readSync(file, buffer, 0, buffer.length, this.#offset);
        if (length === 0) break;
        this.#offset += length;
        const lines = (this.#rest + this.#decoder.write(buffer.subarray(0, length))).split('\n');
        this.#rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as T;
      }
    } finally {
      closeSync(file);
    }
  }
}
