import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import should from 'should';
import { sha256 } from '../../../support/media';
import { publish, publishBytes, readAll, storeFailure, TestFolder, testOwner } from './store-fixture';

describe('store/folder-store', () => {
  const bytes = Buffer.from('the recording');
  const other = Buffer.from('another recording');
  let folder: TestFolder;

  beforeEach(async () => {
    folder = await TestFolder.create();
  });
  afterEach(() => folder.remove());

  it('publishes a copy under its name, and leaves nothing else', async () => {
    const store = folder.store();
    const part = await store.openPart('job-1');
    await part.write(bytes.subarray(0, 3));
    await part.write(bytes.subarray(3));
    should(await folder.files()).eql(['.telnyx-partial/job-1.part']);
    const published = await publish(part, '2026/01/31/call.mp3', bytes);
    should(published).eql({ location: folder.at('archive/2026/01/31/call.mp3'), alreadyStored: false });
    should((await readFile(published.location!)).equals(bytes)).be.true();
    should(await folder.files()).eql(['2026/01/31/call.mp3']);
    should((await stat(published.location!)).mode & 0o007).equal(0);
  });

  it('writes large copies byte for byte, in chunks of any size', async () => {
    const large = randomBytes(20_000_003);
    const part = await folder.store().openPart('job');
    for (let at = 0, size = 1; at < large.length; at += size, size = (size * 7 + 13) % 300_000)
      await part.write(large.subarray(at, at + size));
    should(part.size).equal(large.length);
    const { location } = await publish(part, 'large.wav', large);
    should(await folder.store().readBack(location!)).eql({ sha256: sha256(large), size: large.length });
  });

  it('stores the same recording once', async () => {
    const store = folder.store();
    const first = await publishBytes(store, 'a', 'd/call.mp3', bytes);
    const second = await publishBytes(store, 'b', 'd/call.mp3', bytes);
    should(second).eql({ location: first.location, alreadyStored: true });
    should(await folder.files()).eql(['d/call.mp3']);
  });

  it('keeps both when two recordings have the same name, and finds each again', async () => {
    const store = folder.store();
    const contents = Array.from({ length: 12 }, (_, number) => Buffer.from(`recording ${number}`));
    const places: (string | null)[] = [];
    for (const [number, content] of contents.entries())
      places.push((await publishBytes(store, `j${number}`, 'call.mp3', content)).location);
    should(new Set(places).size).equal(12);
    should(places.slice(0, 3)).eql(
      ['call.mp3', 'call_2.mp3', 'call_3.mp3'].map((name) => folder.at('archive', name))
    );
    should(places[10]).equal(folder.at('archive', `call_${sha256(contents[10]!).slice(0, 16)}.mp3`));
    for (const [number, content] of contents.entries()) {
      should((await readFile(places[number]!)).equals(content)).be.true();
      const again = await publishBytes(store, 'again', 'call.mp3', content);
      should(again).eql({ location: places[number], alreadyStored: true });
    }
  });

  it('keeps both when they arrive at the same time', async () => {
    const store = folder.store();
    const contents = Array.from({ length: 8 }, (_, number) => Buffer.from(`recording ${number % 4}`));
    const published = await Promise.all(
      contents.map((content, number) => publishBytes(store, `j${number}`, 'call.mp3', content))
    );
    should(new Set(published.map(({ location }) => location)).size).equal(4);
    for (const [number, { location }] of published.entries())
      should((await readFile(location!)).equals(contents[number]!)).be.true();
    should(await folder.files()).have.length(4);
  });

  it('does not mistake a truncated file of that name for the recording', async () => {
    await mkdir(folder.at('archive'));
    await writeFile(folder.at('archive/call.mp3'), bytes.subarray(0, 5));
    await writeFile(folder.at('archive/call_2.mp3'), Buffer.alloc(bytes.length));
    const { location } = await publishBytes(folder.store(), 'a', 'call.mp3', bytes);
    should(location).equal(folder.at('archive/call_3.mp3'));
    should((await readFile(folder.at('archive/call.mp3'))).length).equal(5);
  });

  it('does not publish a file of the wrong size', async () => {
    const part = await folder.store().openPart('a');
    await part.write(bytes);
    const error = await storeFailure(part.publish({ name: 'x.mp3', sha256: '', size: 5, contentType: '' }));
    should(error.retryable).be.true();
    await part.suspend();
    should(await folder.files()).be.empty(); // does not resume a copy of the wrong size
  });

  describe('resuming', () => {
    it('resumes a suspended copy', async () => {
      const first = await folder.store().openPart('job');
      await first.write(bytes.subarray(0, 5));
      await first.suspend();
      const second = await folder.store().openPart('job');
      should(second.size).equal(5);
      should((await readAll(second)).equals(bytes.subarray(0, 5))).be.true();
      await second.write(bytes.subarray(5));
      should((await readAll(second)).equals(bytes)).be.true();
      await publish(second, 'x.mp3', bytes);
      should(await folder.files()).eql(['x.mp3']);
    });

    it('resumes a copy that was suspended before a power cut', async () => {
      const first = await folder.store().openPart('job');
      await first.write(bytes);
      await first.suspend();
      const later = folder.store(undefined, testOwner('after the power cut', 'another-boot'));
      const second = await later.openPart('job');
      should(second.size).equal(bytes.length);
      await second.discard();
    });

    it('resumes what a killed process left, but not after a power cut', async () => {
      const store = folder.store();
      await mkdir(folder.at('archive/.telnyx-partial'), { recursive: true });
      const left = folder.partPaths('job', testOwner('killed')).part;
      await writeFile(left, bytes);
      const second = await store.openPart('job');
      should(second.size).equal(bytes.length);
      await second.discard();

      await writeFile(left, bytes);
      const third = await folder.store(undefined, testOwner('this', 'another-boot')).openPart('job');
      should(third.size).equal(0);
      await third.discard();
    });

    it('never writes into a published file whose old name remains', async () => {
      const store = folder.store();
      const { location } = await publishBytes(store, 'job', 'x.mp3', bytes);
      for (const kind of ['part', 'held'] as const) {
        await link(location!, folder.partPaths('job', testOwner('killed'))[kind]);
        // A file that an earlier process left.
        const part = await folder.store().openPart('job');
        should(part.size).equal(0);
        await part.write(other);
        await part.restart();
        await part.discard();
        should((await readFile(location!)).equals(bytes)).be.true();
      }
      should(await folder.files()).eql(['x.mp3']);
    });

    it('starts over, and suspends nothing when it holds no bytes', async () => {
      const store = folder.store();
      const part = await store.openPart('job');
      await part.write(other);
      await part.restart();
      should(part.size).equal(0);
      await part.write(bytes);
      await publish(part, 'x.mp3', bytes);
      await part.discard();
      await (await store.openPart('empty')).suspend();
      const forgotten = await store.openPart('forgotten');
      await forgotten.write(bytes);
      await forgotten.discard();
      await forgotten.discard();
      should(await folder.files()).eql(['x.mp3']);
    });

    it('removes partial copies of jobs that no longer exist', async () => {
      const store = folder.store();
      should(await store.sweep(() => false)).equal(0);
      for (const jobId of ['old', 'live']) {
        const part = await store.openPart(jobId);
        await part.write(bytes);
        await part.suspend();
      }
      await writeFile(folder.at('archive/.telnyx-partial/note of the owner.txt'), '');
      // A killed process left this of a job that was about to end.
      const killed = folder.partPaths('killed', testOwner('killed'));
      for (const kind of ['part', 'claim', 'sidecar'] as const) await writeFile(killed[kind], '');
      should(await store.sweep((jobId) => jobId === 'live')).equal(4);
      should(await folder.files()).eql([
        '.telnyx-partial/live.held',
        '.telnyx-partial/note of the owner.txt'
      ]);
    });
  });

  describe('names and links', () => {
    for (const name of [
      '../x.mp3',
      'a/../../x.mp3',
      '/etc/x.mp3',
      'a//x.mp3',
      'a/./x.mp3',
      '',
      'a\\..\\x.mp3',
      'x\0.mp3',
      'C:x.mp3',
      '.',
      '..'
    ])
      it(`rejects the name ${JSON.stringify(name)}`, async () => {
        const error = await storeFailure(publishBytes(folder.store(), 'a', name, bytes));
        should(error.retryable).be.false();
        should(await folder.files()).be.empty();
      });

    for (const jobId of ['', '../x', 'a/b', 'a.b', 'x'.repeat(129)])
      it(`rejects the job id ${JSON.stringify(jobId.slice(0, 10))}`, async () => {
        await storeFailure(folder.store().openPart(jobId));
      });

    it('does not follow a symbolic link out of the folder', async () => {
      await mkdir(folder.at('archive'));
      await mkdir(folder.at('outside'));
      await symlink(folder.at('outside'), folder.at('archive/2026'));
      await symlink(folder.at('nowhere'), folder.at('archive/2027'));
      for (const name of ['2026/x.mp3', '2026/01/x.mp3', '2027/x.mp3'])
        should((await storeFailure(publishBytes(folder.store(), 'a', name, bytes))).message).match(
          /archive|needed/
        );
      await stat(folder.at('outside/x.mp3')).should.be.rejected();
      await stat(folder.at('outside/01')).should.be.rejected();
      await stat(folder.at('nowhere')).should.be.rejected();
    });

    it('does not keep partial copies outside the folder either', async () => {
      await mkdir(folder.at('archive'));
      await mkdir(folder.at('outside'));
      await symlink(folder.at('outside'), folder.at('archive/.telnyx-partial'));
      await storeFailure(folder.store().openPart('a'));
    });

    it('does not write through a link that replaces a file', async () => {
      await mkdir(folder.at('archive/.telnyx-partial'), { recursive: true });
      await writeFile(folder.at('victim'), 'untouched');
      await symlink(folder.at('victim'), folder.at('archive/x.mp3'));
      await symlink(folder.at('victim'), folder.partPaths('a', testOwner('killed')).part);
      const { location } = await publishBytes(folder.store(), 'a', 'x.mp3', bytes);
      should(location).equal(folder.at('archive/x_2.mp3'));
      should(await readFile(folder.at('victim'), 'utf8')).equal('untouched');
    });

    it('works below a folder that is itself a link, and in links that stay inside', async () => {
      await mkdir(folder.at('disk/real'), { recursive: true });
      await symlink(folder.at('disk'), folder.at('archive'));
      await symlink(folder.at('disk/real'), folder.at('disk/2026'));
      const { location } = await publishBytes(folder.store(), 'a', '2026/x.mp3', bytes);
      should(location).equal(folder.at('archive/2026/x.mp3'));
      should((await readFile(folder.at('disk/real/x.mp3'))).equals(bytes)).be.true();
    });
  });
});
