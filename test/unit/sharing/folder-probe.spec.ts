import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { FolderProbe, notShared, type ProbedPeer, type ProbeFiles } from '../../../src/sharing/folder-probe';

describe('FolderProbe', () => {
  const directories: string[] = [];
  let time = 0;

  function folder(): string {
    const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-probe-'));
    directories.push(directory);
    return directory;
  }

  function filesIn(directory: string): ProbeFiles {
    return {
      read: (name) => readFile(path.join(directory, name), 'utf8').catch(() => null),
      write: (name, text) => writeFile(path.join(directory, name), text),
      remove: (name) => rm(path.join(directory, name), { force: true })
    };
  }

  const probeIn = (directory: string, id: string): FolderProbe =>
    new FolderProbe(filesIn(directory), id, { graceMs: 60, now: () => time });
  const peer = (id: string, { token }: FolderProbe): ProbedPeer => ({ id, host: `host-${id}`, probe: token });

  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
  });

  it('sees the others in one folder, and misses those of another one after a while', async () => {
    const shared = folder();
    const [one, two, stranger] = [probeIn(shared, '1'), probeIn(shared, '2'), probeIn(folder(), '3')];
    for (const probe of [one, two, stranger]) await probe.leave();
    const peers = [peer('2', two), peer('3', stranger)];
    should(await one.missing(peers)).eql([]);
    time += 59;
    should(await one.missing(peers)).eql([]);
    time += 1;
    should(await one.missing(peers)).eql(['host-3']);
    should(await stranger.missing([peer('1', one)])).eql([]);
    // It gets the right folder, and a new token with its next start.
    const again = probeIn(shared, '3');
    await again.leave();
    should(await one.missing([peer('2', two), peer('3', again)])).eql([]);
  });

  it('misses one whose file is an old one, and begins anew with each time that it is seen', async () => {
    const shared = folder();
    const [one, two] = [probeIn(shared, '1'), probeIn(shared, '2')];
    await two.leave();
    const restarted = peer('2', probeIn(shared, '2'));
    should(await one.missing([restarted])).eql([]);
    time += 60;
    should(await one.missing([peer('2', two)])).eql([]);
    should(await one.missing([restarted])).eql([]);
    time += 60;
    should(await one.missing([restarted])).eql(['host-2']);
    should(await one.missing([{ ...restarted, probe: '' }])).eql([]);
    await two.remove();
    should(await filesIn(shared).read('instance-2.probe')).be.null();
  });

  it('leaves the folder for no id', async () => {
    const asked: string[] = [];
    const files = {
      ...filesIn(folder()),
      read: (name: string) => (asked.push(name), Promise.resolve(null))
    };
    await new FolderProbe(files, '1').missing([{ id: '../../etc/passwd', host: '', probe: 'x' }]);
    should(asked).have.length(1);
    should(asked[0]).match(/^instance-[0-9a-f]{32}\.probe$/);
  });

  it('says what to do', () => {
    const error = notShared(['a', 'b']);
    should(error.code).equal('BAD_SETTING');
    should(error.message).containEql('"Folder"').and.containEql('a, b');
  });
});
