import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { awaitCopy } from '../../../../src/simulator/demo/stored-copy';
import type { ExpectedFile } from '../../../../src/simulator/stand-in';

describe('npm start: stored copies', () => {
  const bytes = Buffer.from('the bytes of a recording');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const expected: ExpectedFile = { recordingId: 'r1', format: 'mp3', size: bytes.length, sha256 };
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'telnyx-copies-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  function store(content: Buffer, sidecar: unknown): string {
    mkdirSync(path.join(folder, '2026', '03'), { recursive: true });
    const file = path.join(folder, '2026', '03', 'a.mp3');
    writeFileSync(file, content);
    writeFileSync(`${file}.json`, typeof sidecar === 'string' ? sidecar : JSON.stringify(sidecar));
    return file;
  }

  const look = (deadline = 0, others: string[] = []) =>
    awaitCopy(folder, { expected, others: new Set(others) }, deadline, new AbortController().signal);
  const truth = { recording_id: 'r1', size: bytes.length, sha256 };

  it('finds an intact copy by its sidecar', async () => {
    const file = store(bytes, truth);
    should(await look()).deepEqual({ path: file, size: bytes.length, sha256, differences: [] });
  });

  it('distinguishes damage of the same length from an intact copy', async () => {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(0, 3);
    store(damaged, { ...truth, sha256: createHash('sha256').update(damaged).digest('hex') });
    should((await look())!.differences).deepEqual([`its SHA-256 is not that of the recording, ${sha256}`]);
  });

  it('recognises a truncated copy, and a sidecar that does not match', async () => {
    store(bytes.subarray(1), truth);
    should((await look())!.differences.length).equal(4);
    store(bytes, { ...truth, size: 1 });
    should((await look())!.differences).deepEqual(['the sidecar says 1 bytes']);
    store(bytes, { ...truth, sha256: 'x' });
    should((await look())!.differences).deepEqual(['the sidecar says SHA-256 x']);
  });

  it('finds nothing where no copy is, or something else', async () => {
    should(await look()).equal(undefined);
    store(bytes, { ...truth, recording_id: 'r2' });
    should(await look()).equal(undefined);
    store(bytes, '{"recording_id":');
    should(await look()).equal(undefined);
    rmSync(folder, { recursive: true });
    should(await look()).equal(undefined);
    mkdirSync(folder);
  });

  it('distinguishes the files of one recording', async () => {
    const other = Buffer.from('another file of it');
    const hash = createHash('sha256').update(other).digest('hex');
    store(other, { ...truth, size: other.length, sha256: hash });
    should(await look(0, [hash])).equal(undefined);
    should((await look())!.differences).not.be.empty();
    writeFileSync(path.join(folder, 'b.mp3'), bytes);
    writeFileSync(path.join(folder, 'b.mp3.json'), JSON.stringify(truth));
    should((await look(0, [hash]))!.path).equal(path.join(folder, 'b.mp3'));
  });

  it('waits for a copy that appears later', async () => {
    const waiting = look(5000);
    store(bytes, truth);
    should((await waiting)!.differences).be.empty();
  });
});
