import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFolderStore } from '../../../src/store/folder/folder-store';
import { writeContent } from '../../../src/transfer/write-content';
import { sha256 } from '../../support/media';
import { testOwner } from '../store/folder/store-fixture';

describe('write-content', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'telnyx-content-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('writes a text of any length, in place of what was there', async () => {
    const part = await createFolderStore({ folder, owner: testOwner() }).openPart('job');
    await part.write(Buffer.from('the beginning of something else'));
    const text = 'ö'.repeat(1_500_000);
    const media: unknown[] = [];
    const result = await writeContent(
      { text, contentType: 'text/plain' },
      { format: 'txt', maxSize: 0, into: part, onMedia: (found) => Promise.resolve(void media.push(found)) }
    );
    result.should.eql({
      size: 3_000_000,
      sha256: sha256(Buffer.from(text)),
      contentType: 'text/plain',
      format: 'txt',
      sourceHost: '',
      resumed: false
    });
    media.should.eql([{ format: 'txt', contentType: 'text/plain', size: 3_000_000 }]);
    const { location } = await part.publish({ name: 'a.txt', ...result });
    (await readFile(String(location), 'utf8')).should.equal(text);
  });

  it('refuses one that is larger than the node allows', async () => {
    const part = await createFolderStore({ folder, owner: testOwner() }).openPart('job');
    await writeContent(
      { text: 'öö', contentType: 'text/plain' },
      { format: null, maxSize: 3, into: part }
    ).should.be.rejectedWith({ code: 'TOO_LARGE', message: /4 bytes.*"Largest file"/ });
    part.size.should.equal(0);
    await part.discard();
  });
});
