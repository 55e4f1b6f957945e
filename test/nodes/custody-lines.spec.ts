import { readdirSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { verify } from '../../src/evidence/cli/cli-verify';
import { Custody } from '../../src/evidence/custody/custody';
import type { CustodyLine } from '../../src/evidence/custody/custody-line';
import { requireProgram } from '../support/real-parts';
import { TimeStampAuthority } from '../support/time-stamp-authority';
import { until } from '../support/until';
import { makePrivateDirectory } from '../../src/state/private-directory';
import { linesOfCustody } from '../support/custody-lines';
import { loadedNode, nodeHelper } from '../support/node-helper';
import { DAY_MS } from '../unit/evidence/custody-fixture';
import { DownloadStage } from './download-stage';

describe('the custody log of a download node', () => {
  let stage: DownloadStage;
  let directory: string;

  beforeEach(async () => {
    stage = await DownloadStage.create();
    directory = path.join(stage.userDir, 'telnyx', 'custody');
  });
  afterEach(() => stage.remove());

  function lines(): CustodyLine[] {
    return linesOfCustody(stage.userDir);
  }

  function told(event: string): CustodyLine[] {
    return lines().filter((line) => line.event === event);
  }

  async function store(name: string): Promise<void> {
    const stored = stage.next('stored');
    loadedNode('download').receive(stage.saved(name));
    await stored;
    await until(`the line of ${name}`, () => told('stored').length > 0);
  }

  it('tells of a stored file by ids and hashes, and is as written', async () => {
    await stage.start();
    await store('9d1bd6a2-7f2b-4d1c-8f0a-000000000001');
    const [line, ...others] = told('stored');
    should(others).eql([]);
    should(line).match({
      recording: '9d1bd6a2-7f2b-4d1c-8f0a-000000000001',
      actor: 'node:download',
      version_id: null
    });
    should(line?.details).have.properties({
      destination: 'folder',
      bytes: stage.bytes.length,
      format: 'wav'
    });
    should(JSON.stringify(lines())).not.match(new RegExp(`geheim|${path.basename(stage.folder)}`));
    const output: string[] = [];
    const command = {
      name: 'verify',
      folder: stage.folder,
      log: directory,
      key: null,
      roots: null,
      isQuiet: true
    } as const;
    const print = { print: (text: string) => output.push(text), progress: () => undefined };
    should(await verify(command, print, new AbortController().signal)).equal(0, output.join('\n'));
    should(output.join('\n')).match(/1 files, 1 as written/);
  });

  it('tells of a file once, also when it is asked for again', async () => {
    await stage.start();
    await store('9d1bd6a2-7f2b-4d1c-8f0a-000000000001');
    await store('9d1bd6a2-7f2b-4d1c-8f0a-000000000001');
    const both = stage.next('stored');
    loadedNode('download').receive(stage.saved('9d1bd6a2-7f2b-4d1c-8f0a-000000000002'));
    await both;
    await until('the other one', () => told('stored').length > 1);
    should(told('stored').map(({ recording }) => recording?.slice(-1))).eql(['1', '2']);
  });

  it('says when the nodes began and ended', async () => {
    await stage.start();
    await until('the start', () => told('start').length === 1);
    await nodeHelper.unload();
    should(lines().at(-1)).have.property('event', 'stop');
    await stage.start();
    await until('the next start', () => told('start').length === 2);
  });

  it('tells whose settings a deploy has changed, by a hash', async () => {
    await stage.start();
    await until('the settings of both', () => told('settings-changed').length === 2);
    await nodeHelper.unload();
    await stage.start({ concurrency: '2' });
    await until('the change', () => told('settings-changed').length === 3);
    await nodeHelper.unload();
    await stage.start({ concurrency: '2', name: 'Only the name' }, {});
    await until('the new node', () => told('settings-changed').length === 4);
    const details = told('settings-changed').map((line) => line.details);
    should(details.map(({ node }) => node)).eql(['account', 'download', 'download', 'download2']);
    should(details[1]?.['settings']).not.equal(details[2]?.['settings']);
    await nodeHelper.unload();
    await stage.start({ concurrency: '2' });
    await until('the removal', () => told('settings-changed').length === 5);
    should(told('settings-changed').at(-1)?.details['settings']).equal('removed');
    should(JSON.stringify(lines())).not.containEql(stage.media.url);
  });

  describe('of the day before', () => {
    const before = process.env['TELNYX_TIMESTAMP_URL'];
    let authority: TimeStampAuthority;

    beforeEach(async function () {
      requireProgram(this, 'openssl');
      authority = await TimeStampAuthority.start();
      const yesterday = Date.now() - DAY_MS;
      const state = path.join(stage.userDir, 'telnyx');
      makePrivateDirectory(state);
      const log = await Custody.open({ state, instance: 'a', log: () => undefined, now: () => yesterday });
      await log.close();
    });
    afterEach(async () => {
      if (before === undefined) Reflect.deleteProperty(process.env, 'TELNYX_TIMESTAMP_URL');
      else process.env['TELNYX_TIMESTAMP_URL'] = before;
      await authority.stop();
    });

    const files = (end: string): string[] => readdirSync(directory).filter((name) => name.endsWith(end));

    it('is signed at the start, and stamped by the authority that the environment names', async () => {
      process.env['TELNYX_TIMESTAMP_URL'] = authority.url.href;
      await stage.start();
      await until('the time stamp', () => told('anchored').length === 1);
      should(files('.tsr')).eql([`${files('.checkpoint.json')[0] ?? ''}.tsr`]);
      should(authority.queries).have.length(1);
    });

    it('is signed without one, and an address that cannot be used is reported', async () => {
      process.env['TELNYX_TIMESTAMP_URL'] = 'ftp://tsa.example.com';
      await stage.start();
      await until('the checkpoint', () => files('.checkpoint.json').length === 1);
      await until('the warning', () =>
        nodeHelper.log().args.some(([{ msg }]) => /time-stamping authority cannot be used/.test(String(msg)))
      );
    });
  });
});
