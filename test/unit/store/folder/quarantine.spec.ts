import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { isSetAside, setAside } from '../../../../src/store/folder/quarantine';
import { realFileSystem, type FileSystem } from '../../../../src/store/folder/file-system';

const NOW = Date.UTC(2026, 2, 4, 5, 6, 7);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const replacement = { expected: sha256('as stored'), fresh: sha256('as stored') };
const other = { expected: sha256('as stored'), fresh: sha256('made anew') };

describe('a damaged file', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'telnyx-damaged-'));
    file = path.join(folder, 'call.mp3');
    await writeFile(`${file}.json`, '{}');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const names = async (): Promise<string[]> => (await readdir(folder)).sort();

  it('is kept under another name, with its sidecar', async () => {
    await writeFile(file, 'rotten');
    const aside = await setAside(realFileSystem, file, replacement, NOW);
    should(aside).equal(`${file}.damaged-20260304T050607Z`);
    (await readFile(aside!, 'utf8')).should.equal('rotten');
    (await names()).should.eql([
      'call.mp3.damaged-20260304T050607Z',
      'call.mp3.damaged-20260304T050607Z.json'
    ]);
    (await names()).every(isSetAside).should.be.true();
  });

  it('never replaces another file', async () => {
    for (const text of ['rotten', 'rotten again']) {
      await writeFile(file, text);
      await setAside(realFileSystem, file, replacement, NOW);
    }
    (await readFile(`${file}.damaged-20260304T050607Z`, 'utf8')).should.equal('rotten');
    (await readFile(`${file}.damaged-20260304T050607Z_2`, 'utf8')).should.equal('rotten again');
    (await names()).every(isSetAside).should.be.true();
  });

  it('stays in place when it is intact after all', async () => {
    await writeFile(file, 'as stored');
    should(await setAside(realFileSystem, file, other, NOW)).be.null();
    (await names()).should.eql(['call.mp3', 'call.mp3.json']);
  });

  it('leaves the sidecar of a missing file for the fresh copy', async () => {
    should(await setAside(realFileSystem, file, replacement, NOW)).be.null();
    (await names()).should.eql(['call.mp3.json']);
  });

  it('removes the sidecar of a missing file when the fresh copy is different', async () => {
    should(await setAside(realFileSystem, file, other, NOW)).be.null();
    (await names()).should.eql(['call.mp3.damaged-20260304T050607Z.json']);
  });

  it('is renamed where the file system has no hard links, and where its bytes cannot be read', async () => {
    await writeFile(file, 'rotten');
    const broken: FileSystem = {
      ...realFileSystem,
      link: () => Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' })),
      open: (...args: Parameters<FileSystem['open']>) =>
        args[0] === file
          ? Promise.reject(Object.assign(new Error('bad sector'), { code: 'EIO' }))
          : realFileSystem.open(...args)
    };
    should(await setAside(broken, file, replacement, NOW)).equal(`${file}.damaged-20260304T050607Z`);
    (await names()).should.have.length(2);
  });

  it('is recognised by its name', () => {
    ['call.mp3', 'call.damaged.mp3', 'call.mp3.damaged-now'].some(isSetAside).should.be.false();
  });
});
