import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import type { DeliveryLog } from '../../../../src/webhook/log/delivery-log';
import { systemFiles, type LogFiles } from '../../../../src/webhook/log/log-files';
import { requireMount } from '../../../support/real-parts';
import { delivery, idsOf, LogFixture, readAll } from './log-fixture';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** Files that fail while `fault` says so; what was written stays, as on a real disk. */
class SickFiles implements LogFiles {
  fault: { call: 'write' | 'sync' | 'allocate'; code: string } | null = null;
  readonly allocate: LogFiles['allocate'] = (file, bytes) =>
    this.#fail('allocate') ?? systemFiles.allocate(file, bytes);
  readonly write: LogFiles['write'] = async (handle, bytes, at) => {
    const isSick = this.fault?.call === 'write';
    // Some of it arrives.
    await systemFiles.write(handle, isSick ? bytes.subarray(0, bytes.length / 2) : bytes, at);
    if (isSick) throw systemError('EIO');
  };
  /** The same faults as in two steps. */
  readonly writeThrough: LogFiles['writeThrough'] = async (handle, bytes, at) => {
    await this.write(handle, bytes, at);
    await this.sync(handle);
  };
  readonly sync: LogFiles['sync'] = (handle) => this.#fail('sync') ?? systemFiles.sync(handle);
  readonly cut: LogFiles['cut'] = (handle, bytes) => systemFiles.cut(handle, bytes);
  readonly restore: LogFiles['restore'] = (handle, bytes, target) =>
    this.#fail('allocate') ?? systemFiles.restore(handle, bytes, target);
  readonly close: LogFiles['close'] = (handle) => systemFiles.close(handle);
  readonly place: LogFiles['place'] = (file, handle) => systemFiles.place(file, handle);

  #fail(call: string): Promise<never> | null {
    return this.fault?.call === call ? Promise.reject(systemError(this.fault.code)) : null;
  }
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'none';
  } catch (error) {
    should(error).be.instanceOf(CodedError);
    should((error as CodedError).retryable).equal(true);
    return (error as CodedError).code;
  }
}

describe('a delivery log on a failing disk', function () {
  this.timeout(60_000);
  let fixture: LogFixture;
  beforeEach(() => (fixture = new LogFixture()));
  afterEach(() => fixture.remove());

  for (const call of ['write', 'sync', 'allocate'] as const) {
    it(`refuses while ${call} fails, tries again, and makes nothing up`, async () => {
      const files = new SickFiles();
      const { log } = fixture.open({ files });
      const accepted: string[] = [];
      let refused = 0;
      for (let count = 0; count < 60; count += 1) {
        const isSick = call === 'allocate' ? count % 30 >= 3 && count % 30 < 20 : count % 7 === 3;
        files.fault = isSick ? { call, code: call === 'allocate' ? 'ENOSPC' : 'EIO' } : null;
        const id = `${count}`;
        const code = await codeOf(log.writer.append(delivery(id)));
        if (code === 'none') accepted.push(id);
        else {
          should(code).equal('NOT_RECORDED');
          refused += 1;
        }
      }
      should(refused).be.above(0);
      should((await readAll(log)).map(({ id }) => id)).deepEqual(accepted);
      const { entries, log: again } = fixture.open();
      should(idsOf(entries)).deepEqual(accepted);
      should((await readAll(again)).map(({ id }) => id)).deepEqual(accepted);
    });
  }

  it('never writes again to a file that it could not sync', async () => {
    const files = new SickFiles();
    const { log } = fixture.open({ files });
    const before = await log.writer.append(delivery('before'));
    files.fault = { call: 'sync', code: 'EIO' };
    should(await codeOf(log.writer.append(delivery('refused')))).equal('NOT_RECORDED');
    files.fault = null;
    const after = await log.writer.append(delivery('after'));
    should(after.segment).be.above(before.segment);
    should(after.sequence).equal(before.sequence + 1);
  });

  for (const kilobytes of [1, 20])
    it(`tells of what is on disk before it knows whether the next ${kilobytes} kB get there`, async () => {
      const said: string[] = [];
      let durable = (): number => NaN;
      let next: Promise<string> | undefined;
      const files: LogFiles = {
        ...systemFiles,
        writeThrough: async (handle, bytes, at) => {
          said.push(`writes, and all know ${durable()}`);
          if (next !== undefined) throw systemError('EIO');
          next = codeOf(log.writer.append(delivery('b', { rawBody: Buffer.alloc(kilobytes * 1024, 'x') })));
          await systemFiles.writeThrough(handle, bytes, at);
        }
      };
      const { log } = fixture.open({ files, sizes: { first: 65_536, most: 65_536 } });
      durable = () => log.writer.durable.sequence;
      await log.writer.append(delivery('a'), ({ sequence }) =>
        said.push(`told of ${sequence} of ${durable()}`)
      );
      should(await next).equal('NOT_RECORDED');
      const [told, writes] = ['told of 1 of 1', 'writes, and all know'];
      // Many bytes are on their way first. Until somebody is told, the end of the log is not known either.
      const rest = kilobytes > 16 ? [`${writes} 0`, told] : [told, `${writes} 1`];
      should(said).deepEqual([`${writes} 0`, ...rest]);
      should((await readAll(log)).map(({ id }) => id)).deepEqual(['a']);
      should(idsOf(fixture.open().entries)).deepEqual(['a']);
    });

  it('records hand-overs again that were lost with a file', async () => {
    const files = new SickFiles();
    const { log } = fixture.open({ files });
    const { sequence } = await log.writer.append(delivery('a'));
    log.writer.handedOver(sequence);
    files.fault = { call: 'sync', code: 'EIO' };
    await log.writer.written();
    files.fault = null;
    await log.writer.append(delivery('b'));
    const told = fixture.open().entries.filter(({ kind }) => kind === 'handed-over');
    should(told).have.length(1);
  });

  it('refuses on a full disk, and records again when there is room', async function () {
    const mount = requireMount(this, '1m');
    try {
      const { log } = fixture.open({
        directory: path.join(mount.directory, 'deliveries'),
        sizes: { first: 65_536, most: 262_144 }
      });
      const rawBody = Buffer.alloc(20_000, 'x');
      const accepted: string[] = [];
      let code = 'none';
      for (let count = 0; code === 'none'; count += 1) {
        code = await codeOf(log.writer.append(delivery(`${count}`, { rawBody })));
        if (code === 'none') accepted.push(`${count}`);
      }
      should(code).equal('NOT_RECORDED');
      should(accepted.length).be.above(30);
      should((await readAll(log)).map(({ id }) => id)).deepEqual(accepted);
      should(await codeOf(log.writer.append(delivery('again', { rawBody })))).equal('NOT_RECORDED');
      log.remove(log.oldest(() => false)?.number ?? 0);
      should(await codeOf(log.writer.append(delivery('room', { rawBody })))).equal('none');
      should((await readAll(log)).at(-1)?.id).equal('room');
      await log.close();
    } finally {
      mount.unmount();
    }
  });

  it('reads what is there, and refuses, in a directory where it may not write', async () => {
    const { log } = fixture.open();
    await log.writer.append(delivery('a'));
    await log.close();
    const files: LogFiles = { ...systemFiles, allocate: () => Promise.reject(systemError('EROFS')) };
    chmodSync(fixture.directory, 0o500);
    const { log: again, entries } = fixture.open({ files });
    should(idsOf(entries)).deepEqual(['a']);
    should(await codeOf(again.writer.append(delivery('b')))).equal('NOT_RECORDED');
    chmodSync(fixture.directory, 0o700);
  });

  it('refuses while something is in the way of its directory', async () => {
    mkdirSync(path.dirname(fixture.directory), { recursive: true });
    const { log } = fixture.open();
    writeFileSync(fixture.directory, 'in the way');
    should(await codeOf(log.writer.append(delivery('a')))).equal('NOT_RECORDED');
    rmSync(fixture.directory);
    should(await codeOf(log.writer.append(delivery('b')))).equal('none');
  });

  describe('whose files are removed while it is open', () => {
    let log: DeliveryLog;
    beforeEach(async () => {
      ({ log } = fixture.open());
      for (let count = 0; count < 30; count += 1) await log.writer.append(delivery(`before-${count}`));
    });

    const removals: [string, () => void][] = [
      ['all of them', () => rmSync(fixture.root, { recursive: true })],
      ['one', () => rmSync(path.join(fixture.directory, readdirSync(fixture.directory).sort().at(-2) ?? ''))]
    ];
    for (const [what, remove] of removals) {
      it(`keeps what it accepts afterwards (${what})`, async () => {
        remove();
        const ids = ['after-1', 'after-2', 'after-3'];
        for (const id of ids) await log.writer.append(delivery(id));
        should((await readAll(log)).slice(-3).map(({ id }) => id)).deepEqual(ids);
        const { entries } = fixture.open();
        should(idsOf(entries).slice(-3)).deepEqual(ids);
        // What was in the file being written is there, too.
        should(idsOf(entries)).containEql('before-29');
      });
    }
  });

  it('keeps the only copy of a removed file until it is restored', async () => {
    const files = new SickFiles();
    const { log } = fixture.open({ files });
    for (const id of ['a', 'b']) await log.writer.append(delivery(id));
    rmSync(fixture.root, { recursive: true });
    files.fault = { call: 'allocate', code: 'ENOSPC' };
    for (let attempt = 0; attempt < 3; attempt += 1)
      should(await codeOf(log.writer.append(delivery('refused')))).equal('NOT_RECORDED');
    files.fault = null;
    await log.writer.append(delivery('c'));
    // Removed again at once: it is written on in the restored file.
    rmSync(fixture.root, { recursive: true });
    await log.writer.append(delivery('d'));
    should((await readAll(log)).map(({ id }) => id)).deepEqual(['a', 'b', 'c', 'd']);
    should(idsOf(fixture.open().entries)).deepEqual(['a', 'b', 'c', 'd']);
  });

  it('stops writing when its files are replaced, and says that it has to be opened again', async () => {
    const { log } = fixture.open();
    const { segment } = await log.writer.append(delivery('a'));
    const file = path.join(fixture.directory, `0000000${segment}.log`);
    renameSync(file, `${file}.old`);
    writeFileSync(file, 'from a backup');
    should(await codeOf(log.writer.append(delivery('b')))).equal('NOT_RECORDED');
    should(log.writer.isLost).equal(true);
  });

  it('accepts nothing once another process owns the state', async () => {
    let isOurs = true;
    const guard = (): undefined => {
      if (!isOurs) throw new CodedError('STATE_IN_USE', 'Another process uses it.', { retryable: true });
    };
    const { log } = fixture.open({ guard });
    await log.writer.append(delivery('a'));
    const file = path.join(fixture.directory, '00000001.log');
    const { mtimeMs } = statSync(file);
    isOurs = false;
    should(await codeOf(log.writer.append(delivery('b')))).equal('STATE_IN_USE');
    should(log.writer.isLost).equal(true);
    should(statSync(file).mtimeMs).equal(mtimeMs);
    should(idsOf(fixture.open().entries)).deepEqual(['a']);
  });

  it('accepts nothing that was on its way when another process took the state over', async () => {
    let isOurs = true;
    const guard = (): undefined => {
      if (!isOurs) throw new CodedError('STATE_IN_USE', 'Another process uses it.', { retryable: true });
    };
    const files = { ...systemFiles };
    const { log } = fixture.open({ guard, files });
    await log.writer.append(delivery('a'));
    const late: (() => Promise<void>)[] = [];
    files.writeThrough = (handle, bytes, at) => {
      late.push(() => systemFiles.write(handle, bytes, at));
      isOurs = false;
      return Promise.resolve();
    };
    should(await codeOf(log.writer.append(delivery('late')))).equal('STATE_IN_USE');
    // The other process begins, and what this one wrote reaches the file only then.
    const { log: other } = fixture.open();
    await other.writer.append(delivery('other'));
    await other.close();
    should(idsOf(fixture.open().entries)).deepEqual(['a', 'other']);
    should(late).have.length(1);
  });
});
