import { createHash, generateKeyPairSync } from 'node:crypto';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { readPublicKey } from '../../../../src/evidence/custody/signing-key';
import { type Finding, type LogReport, verifyLog } from '../../../../src/evidence/verify/verify-log';
import { CustodyFixture, stored } from '../custody-fixture';

describe('the check of a custody log', () => {
  let fixture: CustodyFixture;

  beforeEach(async () => {
    fixture = new CustodyFixture();
    await fixture.threeDays();
  });

  afterEach(() => fixture.end());

  async function verified(
    pinned: Parameters<typeof verifyLog>[0]['pinned'] = null
  ): Promise<{ report: LogReport; findings: Finding[] }> {
    const findings: Finding[] = [];
    const report = await verifyLog({
      directory: fixture.directory,
      pinned,
      judgeStamp: () => ({ ok: true, at: null, isRooted: false, text: '' }),
      onLine: () => undefined,
      onFinding: (finding) => findings.push(finding),
      onFile: () => undefined
    });
    return { report, findings };
  }

  function texts(findings: readonly Finding[]): string {
    return findings.map(({ where, text }) => `${where}: ${text}`).join('\n');
  }

  it('finds nothing in a log as it was written', async () => {
    const { report, findings } = await verified();
    should(findings).eql([]);
    should(report).have.properties({ files: 3, checkpoints: 2, anchors: 0 });
    should(report.signedUpTo).equal(fixture.files('.jsonl')[1]);
    should(report.keys).have.length(1);
  });

  it('finds a line that was changed', async () => {
    const [, name = ''] = fixture.files('.jsonl');
    const lines = fixture.lines(name);
    lines[2] = (lines[2] ?? '').replace('node:1', 'node:2');
    fixture.write(name, lines);
    const { findings } = await verified();
    should(texts(findings)).match(
      new RegExp(`${name}, line 4: the line before it, number \\d+, is not the one`)
    );
    should(texts(findings)).match(/is not what was signed: another .*sha256/);
    should(texts(findings)).match(/changed after the next file was begun/);
  });

  it('finds lines that were removed', async () => {
    const [, name = ''] = fixture.files('.jsonl');
    const lines = fixture.lines(name);
    lines.splice(2, 1);
    fixture.write(name, lines);
    should(texts((await verified()).findings)).match(/line 3: 1 line\(s\) before it are missing/);
  });

  it('finds lines in another order', async () => {
    const [, name = ''] = fixture.files('.jsonl');
    const [first = '', second = '', third = '', ...rest] = fixture.lines(name);
    fixture.write(name, [first, third, second, ...rest]);
    should(texts((await verified()).findings)).match(/line 3: number \d+ stands after number \d+/);
  });

  it('finds that the last line of a file was removed, and that a whole file was', async () => {
    const [first = '', second = ''] = fixture.files('.jsonl');
    fixture.write(first, fixture.lines(first).slice(0, -1));
    should(texts((await verified()).findings)).match(/changed after the next file was begun/);
    rmSync(fixture.path(second));
    const found = texts((await verified()).findings);
    should(found).match(/the file before it, .*2026-12-01\.jsonl, is missing/);
    should(found).match(/the file of the log that it signs is missing/);
  });

  it('finds that the end of the log was removed', async () => {
    const [, second = '', third = ''] = fixture.files('.jsonl');
    rmSync(fixture.path(third));
    rmSync(fixture.path(second));
    should(texts((await verified()).findings)).match(/the file of the log that it signs is missing/);
  });

  it('finds a checkpoint that was changed or removed', async () => {
    const [checkpoint = ''] = fixture.files('.checkpoint.json');
    const text = fixture.lines(checkpoint).join('');
    fixture.write(checkpoint, [text.replace('"lines":', '"lines": ')]);
    const changed = texts((await verified()).findings);
    should(changed).match(/its signature does not fit/);
    should(changed).match(/does not follow the checkpoint before it/);
    rmSync(fixture.path(checkpoint));
    should(texts((await verified()).findings)).match(
      /its checkpoint is missing, although later files have one/
    );
  });

  it('finds a log that was written anew with another key, by the key that the auditor keeps', async () => {
    const [keyFile = ''] = fixture.files('.pem');
    const kept = readPublicKey(fixture.lines(keyFile).join('\n'));
    should((await verified(kept)).findings).eql([]);
    await fixture.end();
    fixture = new CustodyFixture();
    await fixture.threeDays([stored(1)]);
    // By itself it is whole.
    should((await verified()).findings).eql([]);
    should(texts((await verified(kept)).findings)).match(/not signed by the key that you gave/);
  });

  it('reads garbage as garbage, however long a line is', async () => {
    const [, name = ''] = fixture.files('.jsonl');
    writeFileSync(fixture.path(name), Buffer.alloc(3 * 1024 * 1024, 'x'));
    const { findings } = await verified();
    should(texts(findings)).match(/cannot be read as a line/);
    should(findings.length).be.below(200);
    appendFileSync(fixture.path(name), '\n{}\n[]\nnull\n{"v":1,"seq":"1"}\n');
    should(texts((await verified()).findings)).match(/cannot be read as a line/);
  });

  it('signs each complete file once, checkable by its key, and goes on after a restart', async () => {
    await fixture.custody?.close();
    const before = fixture.files('.checkpoint.json').map((name) => fixture.lines(name));
    fixture.now += 3 * 24 * 60 * 60 * 1000;
    const custody = await fixture.open();
    await custody.daily();
    await custody.daily();
    const after = fixture.files('.checkpoint.json').map((name) => fixture.lines(name));
    should(after.slice(0, 2)).eql(before);
    should(after).have.length(3);
    const last = JSON.parse(after[2]?.[0] ?? '') as Record<string, unknown>;
    should(last['previous']).equal(
      createHash('sha256')
        .update(`${after[1]?.[0] ?? ''}\n`)
        .digest('hex')
    );
    const { report, findings } = await verified();
    should(findings).eql([]);
    should(report.keys).have.length(1);
  });

  it('does not sign with something that is no key, and does not show it', async () => {
    await fixture.custody?.close();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(path.join(fixture.state, 'custody-key.pem'), pem);
    await should(fixture.open()).be.rejectedWith(/is not an Ed25519 key/);
  });
});
