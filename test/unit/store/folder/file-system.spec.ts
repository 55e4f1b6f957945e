import { readFile } from 'node:fs/promises';
import should from 'should';
import { type OpenFile, errnoOf, openFile } from '../../../../src/store/folder/file-system';
import { TestFolder } from './store-fixture';

describe('store/file-system', () => {
  let folder: TestFolder;

  beforeEach(async () => {
    folder = await TestFolder.create();
  });
  afterEach(() => folder.remove());

  it('writes chunks and a text, and reads both back', async () => {
    const path = folder.at('a');
    const file = await openFile(path, 'wx+', 0o640);
    should(await file.writev([Buffer.from('one '), Buffer.from('two')], 0)).have.property('bytesWritten', 7);
    await file.sync();
    await file.datasync();
    await file.truncate(4);
    should((await file.stat()).size).equal(4);
    const piece = Buffer.alloc(10);
    should((await file.read(piece, 2, 8, 1)).bytesRead).equal(3);
    should(piece.toString('utf8', 2, 5)).equal('ne ');
    await file.close();

    const text = await openFile(folder.at('b'), 'wx');
    await text.writeFile('ä text');
    await text.close();
    should(await readFile(folder.at('b'), 'utf8')).equal('ä text');
  });

  it('reports that a name is taken, and changes nothing once closed', async () => {
    const path = folder.at('a');
    const file = await openFile(path, 'wx');
    await openFile(path, 'wx').should.be.rejectedWith({ code: 'EEXIST' });
    await file.close();
    const calls: Record<keyof OpenFile, () => Promise<unknown>> = {
      read: () => file.read(Buffer.alloc(1), 0, 1, null),
      writev: () => file.writev([Buffer.alloc(1)], 0),
      writeFile: () => file.writeFile('text'),
      stat: () => file.stat(),
      truncate: () => file.truncate(0),
      sync: () => file.sync(),
      datasync: () => file.datasync(),
      close: () => file.close()
    };
    for (const [name, call] of Object.entries(calls))
      should(await call().catch(errnoOf)).equal('ERR_OUT_OF_RANGE', name);
  });
});
