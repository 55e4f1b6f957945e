import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { type JobMark, UnderWayFile } from '../../../../src/archive/crashes/under-way-file';
import { requireMount } from '../../../support/real-parts';

function mark(id: string, more: Partial<JobMark> = {}): JobMark {
  return { id, list: 'node', dueAt: 1_780_000_000_000, deaths: 0, alone: 0, state: 'begun', ...more };
}

describe('UnderWayFile', () => {
  let directory: string;
  let name: string;
  let files: UnderWayFile[];

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-marks-'));
    name = path.join(directory, 'under-way');
    files = [];
  });
  afterEach(async () => {
    await Promise.all(files.map((file) => file.close()));
    rmSync(directory, { recursive: true });
  });

  function opened(at = name): UnderWayFile {
    const file = new UnderWayFile(at);
    files.push(file);
    return file;
  }

  const ids = (marks: JobMark[]): string[] => marks.map(({ id }) => id).sort();

  it('is empty when there is no file', () => {
    should(opened().read()).eql([]);
  });

  it('returns marks that were set and not removed, whatever the job', async () => {
    const file = opened();
    file.begin([]).should.be.true();
    const setting = Array.from({ length: 300 }, (_value, index) => file.set(mark(`id-${index}`)));
    await Promise.all(setting);
    for (let index = 0; index < 300; index += 1) if (index % 3 !== 0) void file.remove(`id-${index}`);
    await file.set(mark('late', { deaths: 4, alone: 3, state: 'proven' }));
    await file.remove('id-0');
    const found = opened().read();
    should(ids(found)).eql(
      ['late', ...Array.from({ length: 99 }, (_value, index) => `id-${(index + 1) * 3}`)].sort()
    );
    should(found.find(({ id }) => id === 'late')).eql(mark('late', { deaths: 4, alone: 3, state: 'proven' }));
  });

  it('tells what an earlier version wrote, which had follow-ups under another name of the node', async () => {
    const { list, ...rest } = mark('plain');
    const line = (value: object): string => `${JSON.stringify(value).padEnd(255)}\n`;
    writeFileSync(
      name,
      line({ ...rest, node: list }) + line({ ...rest, id: 'after', node: 'node\nfollow-ups' })
    );
    const file = opened();
    const found = [mark('plain'), mark('after', { list: { followUpsOf: 'node' } })];
    should(file.read()).eql(found);
    file.begin(found);
    await file.set(mark('plain'));
    should(opened().read()).eql(found);
  });

  it('reuses slots: the file does not grow with the number of jobs', async () => {
    const file = opened();
    file.begin([]);
    for (let index = 0; index < 1000; index += 1) {
      await file.set(mark(`id-${index}`));
      await file.remove(`id-${index}`);
    }
    statSync(name).size.should.be.belowOrEqual(512);
  });

  it('starts over with the given marks', async () => {
    const before = opened();
    before.begin([]);
    await Promise.all(['a', 'b', 'c'].map((id) => before.set(mark(id))));
    const file = opened();
    file.begin([mark('b', { deaths: 1, state: 'resting' })]).should.be.true();
    should(opened().read()).eql([mark('b', { deaths: 1, state: 'resting' })]);
    await file.set(mark('d'));
    ids(opened().read()).should.eql(['b', 'd']);
  });

  it('is readable only by its owner', () => {
    opened().begin([]);
    (statSync(name).mode & 0o777).should.equal(0o600);
  });

  it('keeps only the crash counts when the process shuts down cleanly', async () => {
    const file = opened();
    file.begin([mark('a', { deaths: 2, alone: 1, state: 'resting' })]);
    await Promise.all([file.set(mark('a', { deaths: 2, alone: 1 })), file.set(mark('b'))]);
    file.clear();
    should(opened().read()).eql([mark('a', { deaths: 2, alone: 1, state: 'resting' })]);
  });

  it('skips damaged slots, and keeps the rest', async () => {
    const file = opened();
    file.begin([]);
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => file.set(mark(id))));
    const bytes = readFileSync(name);
    bytes.fill(0, 256, 300);
    writeFileSync(name, bytes);
    truncateSync(name, 1000);
    ids(opened().read()).should.eql(['a', 'c']);
    for (const damaged of ['', 'x'.repeat(5000), JSON.stringify([1]), `{"id":1}${' '.repeat(248)}`]) {
      writeFileSync(name, damaged);
      should(opened().read()).eql([]);
    }
    writeFileSync(name, JSON.stringify({ ...mark('a'), deaths: -1 }).padEnd(256));
    should(opened().read()).eql([]);
  });

  it('skips a job whose mark is longer than a slot', async () => {
    const file = opened();
    file.begin([]);
    await Promise.all([file.set(mark('a', { list: 'ü'.repeat(100) })), file.set(mark('b'))]);
    ids(opened().read()).should.eql(['b']);
  });

  it('works without a file when none can be written, and removes one that it cannot rewrite', async () => {
    const nowhere = opened(path.join(directory, 'missing', 'under-way'));
    nowhere.begin([mark('a')]).should.be.false();
    await nowhere.set(mark('b'));
    await nowhere.remove('b');
    should(nowhere.read()).eql([]);
  });

  it('is written again after it was removed, or once it becomes writable', async () => {
    const later = path.join(directory, 'later');
    const file = new UnderWayFile(path.join(later, 'under-way'), 0);
    files.push(file);
    file.begin([]).should.be.false();
    await file.set(mark('a'));
    for (let removal = 0; removal < 2; removal += 1) {
      rmSync(later, { recursive: true, force: true });
      mkdirSync(later);
      await file.set(mark(`b-${removal}`));
      ids(file.read()).should.containEql('a').and.containEql(`b-${removal}`);
    }
  });

  it('keeps its marks on a full disk, because it changes them in place', async function () {
    const mount = requireMount(this, '1m');
    const full = path.join(mount.directory, 'under-way');
    const file = new UnderWayFile(full);
    try {
      file.begin([]);
      await Promise.all(['a', 'b'].map((id) => file.set(mark(id))));
      try {
        writeFileSync(path.join(mount.directory, 'filler'), Buffer.alloc(2 * 1024 * 1024));
      } catch {
        // The disk is full, as intended.
      }
      await file.set(mark('a', { state: 'proven' }));
      await file.remove('b');
      await Promise.all(Array.from({ length: 100 }, (_value, index) => file.set(mark(`more-${index}`))));
      should(new UnderWayFile(full).read()[0]).have.properties({ state: 'proven' });
      const successor = new UnderWayFile(full);
      successor.begin([mark('a', { deaths: 1, state: 'resting' })]).should.be.true();
      await successor.close();
    } finally {
      await file.close();
      mount.unmount();
    }
  });

  for (const [end, left] of [
    ['process.kill(process.pid, "SIGKILL")', ['job']],
    ['process.exit(1)', ['job']],
    ['process.exit(0)', []]
  ] as const)
    it(`says after ${end} that ${left.length === 0 ? 'nothing' : 'the job'} was running`, async () => {
      const program = `
        const { UnderWayFile } = require(${JSON.stringify(require.resolve('../../../../src/archive/crashes/under-way-file'))});
        const file = new UnderWayFile(process.argv[1]);
        file.begin([]);
        file.set(${JSON.stringify(mark('job'))}).then(() => { ${end}; });
      `;
      const child = spawn(process.execPath, ['--import', 'tsx', '--eval', program, name], {
        stdio: 'inherit'
      });
      await once(child, 'exit');
      ids(opened().read()).should.eql([...left]);
    });
});
