import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import should from 'should';
import {
  readSidecar,
  sidecarPath,
  sidecarText,
  withoutSecrets,
  writeSidecar
} from '../../../src/store/sidecar';
import { TestFolder, fileSystemWith, storeFailure, systemError } from './folder/store-fixture';

describe('store/sidecar', () => {
  const record = {
    recording_id: 'r1',
    from: '+12025550100',
    size: 5,
    sha256: 'aa',
    stored_at: '2026-01-31T12:00:00Z'
  };
  let folder: TestFolder;
  let file: string;

  beforeEach(async () => {
    folder = await TestFolder.create();
    await mkdir(folder.at('archive'));
    file = folder.at('archive/x.mp3');
  });
  afterEach(() => folder.remove());

  it('is beside its file, readable for people, and can be read back', async () => {
    should(await writeSidecar(file, record)).equal(`${file}.json`);
    const text = await readFile(sidecarPath(file), 'utf8');
    should(text).startWith('{\n  "recording_id": "r1",\n').and.endWith('}\n');
    should(await readSidecar(file)).eql({ ok: true, record });
    should(await folder.files()).eql(['x.mp3.json']);
  });

  it('is updated in one step', async () => {
    await writeSidecar(file, record);
    await writeSidecar(file, { ...record, deleted_at_source: true });
    should(await readSidecar(file)).eql({ ok: true, record: { ...record, deleted_at_source: true } });
    should(await folder.files()).eql(['x.mp3.json']);
  });

  it('is cleared of the temporary name that a killed process left when it is read', async () => {
    let temporary = '';
    const killed = fileSystemWith({
      unlink: (path) => {
        temporary = String(path);
        return Promise.reject(systemError('EIO'));
      }
    });
    await writeSidecar(file, record, killed);
    should(await folder.files()).have.length(2);
    should(temporary).endWith('.tmp');
    should(await readSidecar(file)).eql({ ok: true, record });
    should(await folder.files()).eql(['x.mp3.json']);
  });

  it('is complete when several write it at the same time, which also removes remains of a killed process', async () => {
    const dies = fileSystemWith({
      link: () => Promise.reject(systemError('EIO')),
      unlink: () => Promise.reject(systemError('EIO'))
    });
    await storeFailure(writeSidecar(file, record, dies));
    should(await folder.files()).have.length(1); // the temporary file
    await Promise.all(Array.from({ length: 20 }, (_, size) => writeSidecar(file, { ...record, size })));
    should(await readSidecar(file)).have.property('ok', true);
    should(await folder.files()).eql(['x.mp3.json']);
  });

  it('leaves foreign files alone', async () => {
    for (const foreign of ['a note', '[]', '{"sha256":"bb"}', '{}']) {
      await writeFile(`${file}.json`, foreign);
      should((await storeFailure(writeSidecar(file, record))).retryable).be.false();
      should(await readFile(`${file}.json`, 'utf8')).equal(foreign);
    }
    should(await folder.files()).eql(['x.mp3.json']);
  });

  it('does not write through a link', async () => {
    await writeFile(folder.at('victim'), '{"sha256":"aa"}');
    await symlink(folder.at('victim'), `${file}.json`);
    await storeFailure(writeSidecar(file, record));
    should(await readFile(folder.at('victim'), 'utf8')).equal('{"sha256":"aa"}');
    should(await readSidecar(file)).eql({ ok: false, reason: 'unreadable' });
  });

  it('drops what is nested too deeply, and never overflows the stack', () => {
    const deep = JSON.parse('['.repeat(500_000) + ']'.repeat(500_000)) as unknown;
    should(JSON.stringify(withoutSecrets({ deep })).length).be.below(300);
  });

  it('distinguishes missing from damaged', async () => {
    should(await readSidecar(file)).eql({ ok: false, reason: 'missing' });
    await writeFile(`${file}.json`, '{"cut');
    should(await readSidecar(file)).eql({ ok: false, reason: 'unreadable' });
  });

  it('works without hard links, even after an interrupted attempt', async () => {
    const fs = fileSystemWith({ link: () => Promise.reject(systemError('EPERM')) });
    await writeFile(`${file}.json`, '');
    await writeSidecar(file, record, fs);
    await writeSidecar(file, { ...record, size: 6 }, fs);
    should(await readSidecar(file)).eql({ ok: true, record: { ...record, size: 6 } });
    await writeSidecar(folder.at('archive/y.mp3'), record, fs);
    should(await folder.files()).eql(['x.mp3.json', 'y.mp3.json']);
  });

  it('leaves no incomplete file when the disk is full', async () => {
    const fs = fileSystemWith({ link: () => Promise.reject(systemError('ENOSPC')) });
    should((await storeFailure(writeSidecar(file, record, fs))).message).match(/disk is full/);
    should(await folder.files()).be.empty();
  });

  it('never contains secrets', () => {
    const text = sidecarText({
      recording_id: 'see https://user:pass@media.example.com/a.mp3?X-Amz-Signature=abc#frag, or not',
      url: 'https://media.example.com/a.mp3',
      download_url: 'https://media.example.com/a.mp3',
      nested: [{ apiKey: 'k', Authorization: 'Bearer k', ok: 'wss://h.example.com?token=t' }],
      note: 'KEY0123456789ABCDEF0123_abcdef and Bearer abc.def',
      when: new Date(0),
      absent: undefined
    });
    should(JSON.parse(text)).eql({
      recording_id: 'see https://media.example.com/a.mp3 or not',
      nested: [{ ok: 'wss://h.example.com' }],
      note: '(key removed) and (key removed)',
      when: '1970-01-01T00:00:00.000Z'
    });
    for (const [link = '', left] of [
      ['https://user:p@ss@h.example.com/a', 'https://h.example.com/a'],
      ['https://a.example.com/https://u:p@b.example.com?x', 'https://a.example.com/https://b.example.com'],
      ['1https://u@h.example.com#x y?z', '1https://h.example.com y?z'],
      ['(<s3://bucket/key?versionId=1>)', '(<s3://bucket/key>)'],
      ['a@b.example.com ?why', 'a@b.example.com ?why'],
      ['https://h.example.com/?a://b@c', 'https://h.example.com/'],
      ...Array.from('\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\ufeff', (blank) => [
        `https://h.example.com/?a${blank}?b`,
        `https://h.example.com/${blank}?b`
      ])
    ])
      should(withoutSecrets(link)).equal(left);
    should(withoutSecrets({ 'Api-Key': 1, AccessToken: 1, Media_URL: 1, tokens: 1, constructor: 1 })).eql({
      tokens: 1,
      constructor: 1
    });
    should(withoutSecrets(JSON.parse('{"__proto__":{"a":1},"b":null}'))).eql({ b: null });
  });
});
