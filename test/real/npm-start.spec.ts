import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { Child } from '../support/child-process';
import { REPOSITORY } from '../support/packed-package';
import { until } from '../support/until';

/** What a newcomer runs first. */
describe('npm start', function () {
  this.timeout(180_000);
  const children: Child[] = [];

  afterEach(() => Promise.all(children.splice(0).map((child) => child.end('SIGKILL'))));

  function start(...args: string[]): Child {
    const child = new Child(path.join(REPOSITORY, 'scripts', 'start.mjs'), args, { cwd: REPOSITORY });
    children.push(child);
    return child;
  }

  const end = (child: Child) =>
    until('the end of npm start', () => (child.alive ? undefined : true), { deadline: 170_000 });

  it('is scripts/start.mjs', () => {
    const manifest = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    should(manifest.scripts['start']).equal('node scripts/start.mjs');
  });

  it('--once archives the announced recordings and the lost one, finds the lost event, shows each step and leaves nothing behind', async () => {
    const child = start('--once');
    await end(child);
    should(child.output).containEql('All 4 recordings are stored');
    should(child.exitCode).equal(0);
    for (const event of [
      'conference.recording.saved',
      'call.playback.ended',
      'texml.siprec.started',
      'texml.transcription',
      'call.recording.saved',
      'meeting.recording.available',
      'meeting.transcript.completed',
      'meeting.artifact.completed',
      'recording.started',
      'recording.ready-to-download'
    ]) {
      should(child.output).match(new RegExp(`^- ${event}: 200 in \\d+ ms$`, 'm'));
    }
    const stored = [...child.output.matchAll(/^- Stored (.+)\n {2}\d+ bytes, SHA-256 [0-9a-f]{64}$/gm)];
    should(stored.map(([, file]) => path.extname(file ?? '')).sort()).deepEqual([
      '.json',
      '.mp3',
      '.mp4',
      '.mp4',
      '.txt',
      '.txt',
      '.vtt',
      '.vtt',
      '.wav',
      '.wav'
    ]);
    const beside = stored
      .slice(-3)
      .map(([, file = '']) => file.replace(/\.(events|transcript|chat)\.\w+$/, '.mp4'));
    for (const file of beside) should(stored.map(([, other]) => other)).containEql(file);
    should(child.output).containEql('the 3 side files of the Daily recording');
    const [, lost = ''] = /lost on purpose, nobody tells the flow of recording (\S+)$/m.exec(child.output)!;
    should(child.output).match(
      /^- Comparing what Telnyx lists .+ …\n {2}\d recordings are listed, 1 was missing/m
    );
    const [, message = ''] = /^- message\.received: lost on purpose, message (\S+) never arrives$/m.exec(
      child.output
    )!;
    should(child.output).match(/^- Comparing what Telnyx tried to deliver .+ …$/m);
    should(child.output).containEql(`  message.received ${message} was missing, and the flow has it now`);
    should(stored.findIndex(([, file]) => file?.includes(lost))).equal(6);
    should(child.output).containEql('So are the 3 files of the meeting');
    should(child.output).match(
      new RegExp(`^- Stored .+${lost}.*\\.txt\\n {2}the transcript of the lost recording`, 'm')
    );
    for (const [, file = ''] of stored) should(existsSync(file)).be.false();
    should(child.output).match(/^The editor: http:\/\/127\.0\.0\.1:\d+\/$/m);
  });

  it('--once fails when a stored recording is not what was announced', async () => {
    const child = start('--once', '--fault', 'corrupt-media');
    await end(child);
    should(child.exitCode).equal(1);
    should(child.output).match(/Not every recording is stored and intact:\n.+SHA-256 is not that/);
  });

  it('stays up with the editor until it is interrupted', async () => {
    const child = start();
    const [, editor = ''] = await child.waitForOutput(/The editor: (\S+)/, { deadline: 120_000 });
    await child.waitForOutput(/Running until Ctrl-C/);
    const [, file = ''] = await child.waitForOutput(/^- Stored (.+)$/m);
    should(existsSync(file)).be.true();
    should((await fetch(editor)).status).equal(200);
    await child.end('SIGINT');
    should(child.exitCode).equal(0);
    should(existsSync(file)).be.false();
    await should(fetch(editor)).be.rejected();
  });
});
