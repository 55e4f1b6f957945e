import should from 'should';
import { LAST_STORED_PATH, type LastStored } from '../../nodes/download/last-stored-request';
import { serveLastStored } from '../../nodes/download/last-stored-route';
import { compileFilename } from '../../src/naming/filename-template';
import { ArchiveTabStage } from './archive-tab-stage';

const TYPE = 'telnyx-recording-download';
const BYTES = Buffer.from('bytes');

describe('what the example of a file name is made from', () => {
  let stage: ArchiveTabStage;

  beforeEach(async () => {
    stage = await ArchiveTabStage.start();
    const getNode = (id: string): object | null => (id === 'deployed' ? { id, type: TYPE } : null);
    Object.assign(stage.RED, { nodes: { getNode } });
    serveLastStored(stage.RED, TYPE);
  });
  afterEach(() => stage.end());

  const ask = (id: string, headers: Record<string, string> = { authorization: 'Bearer reader' }) =>
    stage.media(`${LAST_STORED_PATH.slice(1)}?id=${id}`, { headers });
  const last = async (id = 'deployed'): Promise<LastStored['last']> =>
    ((await (await ask(id)).json()) as LastStored).last;

  it('needs the permission to read recordings, and is not told to other sites', async () => {
    should((await ask('deployed', {})).status).equal(401);
    should((await ask('deployed', { authorization: 'Bearer stranger' })).status).equal(401);
    const elsewhere = { authorization: 'Bearer reader', 'sec-fetch-site': 'cross-site' };
    should((await ask('deployed', elsewhere)).status).equal(403);
  });

  it('is nothing while no real recording is stored, and for a node that is not deployed', async () => {
    should(await last()).equal(null);
    await stage.store('sample-1', BYTES, { sample: true });
    should(await last()).equal(null);
    await stage.store('rec-1', BYTES);
    should(await last('new')).equal(null);
  });

  it('is the latest real recording, as it is spelled in names', async () => {
    await stage.store('rec-1', BYTES, { from: '+15550100199', started_at: '2026-03-03T10:00:00.000Z' });
    await stage.store('rec-2', BYTES, { from: '../+1555/..', started_at: '2026-03-04T11:00:00.000Z' });
    await stage.store('sample-1', BYTES, { sample: true, started_at: '2026-03-05T10:00:00.000Z' });
    const found = await last();
    should(found?.stored_at).equal('2026-03-04T10:00:00.000Z');
    const { values } = found!;
    should(values).match({
      year: '2026',
      day: '04',
      recording_id: 'rec-2',
      ext: 'mp3',
      room_name: 'unknown'
    });
    should(values.from).not.match(/[/\\]/);
    // It is the name that the store makes.
    const template = '{{day}}/{{recording_id}}_{{from}}_.{{ext}}';
    const { from } = values;
    should(compileFilename(template).name({ ...values, from: '../+1555/..' })).equal(`04/rec-2_${from}_.mp3`);
  });
});
