import { createHash, randomBytes } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { readCommand } from '../../../../src/evidence/cli/cli-options';
import { verify } from '../../../../src/evidence/cli/cli-verify';
import { recordingName } from '../../../../src/evidence/custody/custody-line';
import { timeStampQuery } from '../../../../src/evidence/timestamp/time-stamp';
import { sidecarPath } from '../../../../src/store/sidecar';
import { requireProgram } from '../../../support/real-parts';
import { TimeStampAuthority } from '../../../support/time-stamp-authority';
import { storeFile } from '../archive-fixture';
import { CustodyFixture, DAY_MS } from '../custody-fixture';

const ROOT = path.join(__dirname, '../../../..');

describe('the check of an archive', () => {
  let fixture: CustodyFixture;
  let folder: string;
  let files: string[];

  beforeEach(async () => {
    fixture = new CustodyFixture();
    folder = path.join(fixture.state, 'archive');
    const custody = await fixture.open();
    files = [];
    for (let number = 0; number < 6; number += 1) {
      files.push(await storeFile(folder, number, fixture));
      if (number % 2 === 1) fixture.now += DAY_MS;
      await custody.daily();
    }
  });

  afterEach(() => fixture.end());

  async function run(...more: string[]): Promise<{ code: number; text: string }> {
    const lines: string[] = [];
    const command = readCommand(['verify', folder, '--quiet', ...more]);
    if (command.name !== 'verify') throw new Error('not read');
    const output = { print: (line: string) => lines.push(line), progress: () => undefined };
    const code = await verify(command, output, new AbortController().signal);
    return { code, text: lines.join('\n') };
  }

  function withLog(): Promise<{ code: number; text: string }> {
    return run('--log', fixture.directory);
  }

  it('finds nothing in an archive as it was written', async () => {
    const { code, text } = await withLog();
    should(text).match(/Archive: 6 files, 6 as written; 0 other/);
    should(text).match(/Everything is as it was written/);
    should(code).equal(0);
    should(await run()).have.property('code', 0);
  });

  it('finds a file that was changed, with and without the log', async () => {
    writeFileSync(files[2] ?? '', 'another sound');
    for (const { code, text } of [await run(), await withLog()]) {
      should(text).match(/call 2\.mp3: it was changed/);
      should(code).equal(1);
    }
  });

  it('checks a JSON file or a text that has a sidecar of its own', async () => {
    const [file = ''] = files;
    for (const [from, to] of [
      [file, 'events.json'],
      [sidecarPath(file), 'events.json.json']
    ] as const)
      renameSync(from, path.join(path.dirname(file), to));
    should((await withLog()).text).match(/Archive: 6 files, 6 as written; 0 other/);
    writeFileSync(path.join(path.dirname(file), 'events.json'), '{}');
    should((await withLog()).text).match(/events\.json: it was changed/);
  });

  it('finds by the log that file and sidecar were both replaced', async () => {
    const [file = '', other = ''] = files;
    const sidecar = JSON.parse(readFileSync(sidecarPath(file), 'utf8')) as object;
    const { sha256 } = JSON.parse(readFileSync(sidecarPath(other), 'utf8')) as { sha256: string };
    cpSync(other, file);
    writeFileSync(sidecarPath(file), JSON.stringify({ ...sidecar, sha256 }));
    should(await run()).have.property('code', 0);
    const { code, text } = await withLog();
    should(text).match(/call 0\.mp3: the log has another SHA-256 for this recording/);
    should(code).equal(1);
  });

  it('finds a file that is missing, with its sidecar or without', async () => {
    rmSync(files[1] ?? '');
    should((await run()).text).match(/call 1\.mp3\.json: the file that it describes is not there/);
    rmSync(sidecarPath(files[1] ?? ''));
    should(await run()).have.property('code', 0);
    const { code, text } = await withLog();
    should(text).match(/000000000001: the log says that it was stored and not deleted/);
    should(code).equal(1);
  });

  it('finds a file that was added, and one that came back after it was deleted', async () => {
    await storeFile(folder, 7, { custody: null, now: fixture.now });
    should((await withLog()).text).match(/call 7\.mp3: the log does not know it/);
    rmSync(path.join(folder, '2026', 'call 7.mp3'));
    rmSync(path.join(folder, '2026', 'call 7.mp3.json'));
    const { sha256, recording_id, identity } = JSON.parse(
      readFileSync(sidecarPath(files[3] ?? ''), 'utf8')
    ) as Record<string, string>;
    const recording = recordingName(recording_id ?? '', identity ?? '');
    await fixture.custody?.append({ event: 'expired', recording, sha256: sha256 ?? '', actor: 'sweep' });
    should((await withLog()).text).match(/call 3\.mp3: the log says that it was deleted, but it is here/);
    rmSync(files[3] ?? '');
    rmSync(sidecarPath(files[3] ?? ''));
    should(await withLog()).have.property('code', 0);
  });

  it('counts files that are older than the log, and does not follow links', async () => {
    await storeFile(folder, 8, { custody: null, now: Date.UTC(2020, 0, 1) });
    mkdirSync(path.join(fixture.state, 'elsewhere'));
    writeFileSync(path.join(fixture.state, 'elsewhere', 'x.mp3'), 'x');
    symlinkSync(path.join(fixture.state, 'elsewhere'), path.join(folder, 'link'));
    const { code, text } = await withLog();
    should(text).match(/7 files, 6 as written, 1 older than the log/);
    should(code).equal(0);
  });

  it('needs the key that the auditor keeps to find a log that was written anew', async () => {
    const [key = ''] = fixture.files('.pem');
    const kept = path.join(fixture.state, 'kept.pem');
    cpSync(fixture.path(key), kept);
    should(await run('--log', fixture.directory, '--key', kept)).have.property('code', 0);
    await fixture.custody?.close();
    renameSync(fixture.directory, `${fixture.directory}-old`);
    renameSync(path.join(fixture.state, 'custody-key.pem'), path.join(fixture.state, 'old-key.pem'));
    const custody = await fixture.open();
    for (let number = 0; number < 6; number += 1) await storeFile(folder, number, fixture);
    fixture.now += DAY_MS;
    await custody.daily();
    should(await withLog()).have.property('code', 0);
    const { code, text } = await run('--log', fixture.directory, '--key', kept);
    should(text).match(/not signed by the key that you gave/);
    should(code).equal(1);
  });

  it('shows no control characters of names', async () => {
    writeFileSync(path.join(folder, 'a\u001b[2J.mp3'), 'x');
    const { text } = await withLog();
    should(text).match(/a\?\[2J\.mp3: it has no readable sidecar/);
  });

  it('is a program that explains wrong use', () => {
    const cli = path.join(ROOT, 'src/evidence/cli/cli.ts');
    const started = (...args: string[]): { status: number | null; stderr: string; stdout: string } =>
      spawnSync(process.execPath, ['--import', 'tsx', cli, ...args], { cwd: ROOT, encoding: 'utf8' });
    should(started('verify').status).equal(2);
    should(started('verify', folder, '--log', path.join(folder, 'none'))).have.properties({ status: 3 });
    const found = started('verify', folder, '--log', fixture.directory);
    should(found.stdout).match(/Everything is as it was written/);
    should(found.status).equal(0);
  });

  describe('by the commands of docs/evidence.md', () => {
    const text = readFileSync(path.join(ROOT, 'docs/evidence.md'), 'utf8');
    const commands = [...text.matchAll(/\n```sh\n([^`]*)```\n/g)].map((match) => match[1] ?? '');

    function all(bash: string): { failed: number[]; output: string } {
      const failed: number[] = [];
      let output = '';
      for (const [at, command] of commands.entries()) {
        const { status, stdout, stderr } = spawnSync(bash, ['-eo', 'pipefail', '-c', command], {
          cwd: fixture.state,
          encoding: 'utf8'
        });
        if (status !== 0) failed.push(at);
        output += stdout + stderr;
      }
      return { failed, output };
    }

    let authority: TimeStampAuthority;

    before(async function () {
      requireProgram(this, 'openssl');
      authority = await TimeStampAuthority.start();
    });
    after(() => authority.stop());

    beforeEach(function () {
      for (const program of ['openssl', 'jq', 'sha256sum']) requireProgram(this, program);
      const [key = ''] = fixture.files('.pem');
      cpSync(fixture.path(key), path.join(fixture.state, 'auditor-key.pem'));
      cpSync(authority.roots, path.join(fixture.state, 'auditor-roots.pem'));
      for (const name of fixture.files('.checkpoint.json')) {
        const hash = createHash('sha256')
          .update(readFileSync(fixture.path(name)))
          .digest();
        writeFileSync(
          fixture.path(`${name}.tsr`),
          authority.reply(timeStampQuery(hash, randomBytes(8)).query)
        );
      }
    });

    it('finds nothing in an archive as it was written', function () {
      const { failed, output } = all(requireProgram(this, 'bash'));
      should(failed).eql([], output);
      should(commands.length).be.above(6);
      should(output).match(/Signature Verified Successfully/);
      should(output).match(/Verification: OK\n[^]*Time stamp: [A-Z]/);
      should(output).match(/"event":"stored"/);
    });

    it('finds changed files, lines, checkpoints and signatures', function () {
      const bash = requireProgram(this, 'bash');
      writeFileSync(files[0] ?? '', 'another sound');
      should(all(bash).failed).eql([0, 6]);
      const [first = '', second = ''] = fixture.files('.jsonl');
      fixture.write(second, fixture.lines(second).slice(0, -1));
      should(all(bash).failed).containDeep([2, 4]);
      const [checkpoint = ''] = fixture.files('.checkpoint.json');
      fixture.write(
        checkpoint,
        fixture.lines(checkpoint).map((line) => line.replace(first, second))
      );
      should(all(bash).failed).containDeep([1, 3, 8]);
      const last = fixture.files('.jsonl').at(-1) ?? '';
      fixture.write(last, fixture.lines(last).reverse());
      should(all(bash).failed).containDeep([5]);
    });

    it('needs an openssl that reads raw messages', function () {
      const version = execFileSync(requireProgram(this, 'openssl'), ['version'], { encoding: 'utf8' });
      should(version).match(/OpenSSL [3-9]/);
    });
  });
});
