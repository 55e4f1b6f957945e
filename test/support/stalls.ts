import { existsSync, readFileSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NodeRedOptions } from './node-red-process';

interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  /** Milliseconds. */
  stall: number;
  /** Bytes. */
  rss: number;
}

/** The records of `stall-probe.cjs` from a process under test. */
export class Stalls {
  readonly #file = path.join(mkdtempSync(path.join(tmpdir(), 'telnyx-stalls-')), 'samples.jsonl');

  /** Options to start the process with. */
  get options(): Pick<NodeRedOptions, 'nodeArgs'> & { env: Record<string, string> } {
    const probe = path.join(__dirname, 'stall-probe.cjs');
    return { nodeArgs: ['--require', probe], env: { STALL_PROBE_FILE: this.#file } };
  }

  /** @param from milliseconds since 1970 */
  since(from: number): { longestStall: number; mostRss: number; samples: number } {
    const samples = this.#samples().filter(({ at }) => at >= from);
    return {
      longestStall: Math.max(0, ...samples.map(({ stall }) => stall)),
      mostRss: Math.max(0, ...samples.map(({ rss }) => rss)),
      samples: samples.length
    };
  }

  #samples(): Sample[] {
    if (!existsSync(this.#file)) return [];
    const text = readFileSync(this.#file, 'utf8');
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Sample);
  }
}
