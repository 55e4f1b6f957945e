import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { LineFile } from '../../../bench/runs/line-file';

describe('a file of lines that grows', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'telnyx-lines-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it('gives each line once, as soon as it is complete', () => {
    const file = path.join(directory, 'lines.jsonl');
    const lines = new LineFile<string>(file);
    should([...lines.added()]).eql([]);
    const text = Buffer.from('"über"\n"b"\n');
    appendFileSync(file, text.subarray(0, 2));
    should([...lines.added()]).eql([]);
    appendFileSync(file, text.subarray(2));
    should([...lines.added()]).eql(['über', 'b']);
    should([...lines.added()]).eql([]);
  });
});
