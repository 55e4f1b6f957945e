import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { tryFolder } from '../../../../src/store/folder/folder-trial';
import { inEnglish } from '../../../support/in-english';

describe('the trial of a folder', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'telnyx-trial-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const texts = async (folder: string): Promise<string> =>
    (await tryFolder(folder)).map(({ result, said }) => `${result}: ${inEnglish(said)}`).join('\n');

  it('tells the path, that files and hard links work, and how much is free', async () => {
    const found = await texts(root);
    should(found).containEql(`ok: Recordings go to ${root}.`);
    should(found)
      .match(/ok: Files can be written/)
      .and.match(/ok: Hard links work/)
      .and.match(/[\d.]+ [GM]iB free/);
    should(readdirSync(root)).eql([]);
  });

  it('creates no folder', async () => {
    const folder = path.join(root, 'a', 'b');
    should(await texts(folder)).containEql(`${folder}, which is created with the first one`);
    should(existsSync(path.join(root, 'a'))).be.false();
    should(readdirSync(root)).eql([]);
  });

  it('says what is wrong with a file, a dead link and a folder that may not be written', async function () {
    const file = path.join(root, 'file');
    writeFileSync(file, '');
    should(await texts(file)).match(/^failed: .*is a file/);
    symlinkSync(path.join(root, 'nowhere'), path.join(root, 'link'));
    should(await texts(path.join(root, 'link'))).match(/^failed: .*leads nowhere/);
    if (process.getuid?.() === 0) return;
    const locked = path.join(root, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    should(await texts(locked)).match(/failed: No file can be written/);
  });
});
