import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { DiskPace, systemFiles, writingAtPace } from '../../../../src/webhook/log/log-files';

/** A disk whose writes take some milliseconds of a clock that only they move. */
class Disk {
  now = 0;
  readonly pace = new DiskPace(() => this.now);

  /** @returns how many of `count` writes the event loop would wait for */
  write(count: number, took: number): number {
    let waits = 0;
    for (let index = 0; index < count; index += 1) {
      if (this.pace.isQuick) {
        waits += 1;
        this.pace.measure(() => (this.now += took));
      } else this.now += took;
    }
    return waits;
  }
}

describe('the pace of a disk', () => {
  it('is worth waiting for while writes are quick', () => {
    should(new Disk().write(1000, 0.3)).equal(1000);
  });

  it('is not worth waiting for when they are slow, and is then tried more and more seldom', () => {
    const disk = new Disk();
    const anHour = 60 * 60_000;
    should(disk.write(anHour / 10, 10)).within(10, 25);
    should(disk.write(anHour / 10, 10)).within(5, 8);
  });

  it('bears a single stall', () => {
    const disk = new Disk();
    disk.write(100, 0.1);
    disk.write(1, 9);
    should(disk.write(100, 0.1)).equal(100);
  });

  it('waits for few writes of a disk that stalls often', () => {
    const disk = new Disk();
    let stalls = 0;
    for (let round = 0; round < 10_000; round += 1) {
      disk.write(10, 0.2);
      stalls += disk.write(1, 50);
    }
    should(stalls).be.below(100);
  });

  it('is worth waiting for again when it has recovered', () => {
    const disk = new Disk();
    disk.write(1, 50);
    should(disk.pace.isQuick).be.false();
    disk.now += 60_000;
    should(disk.write(1000, 0.2)).equal(1000);
  });
});

describe('writing through', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'writing-through-'));
  after(() => rmSync(directory, { recursive: true, force: true }));

  /** Notes what it was asked to wait for. */
  class NotedPace extends DiskPace {
    waits = 0;

    constructor(private readonly isQuickDisk: boolean) {
      super();
    }

    override get isQuick(): boolean {
      return this.isQuickDisk;
    }

    override measure(write: () => void): void {
      this.waits += 1;
      super.measure(write);
    }
  }

  for (const { disk, isQuick, bytes, waits } of [
    { disk: 'a quick disk', isQuick: true, bytes: 2000, waits: 1 },
    { disk: 'a quick disk', isQuick: true, bytes: 100_000, waits: 0 },
    { disk: 'a slow disk', isQuick: false, bytes: 2000, waits: 0 }
  ])
    it(`writes ${bytes} bytes to ${disk}, and ${waits > 0 ? 'waits' : 'does not wait'} for it`, async () => {
      const file = path.join(directory, `${disk}-${bytes}`);
      const handle = await systemFiles.allocate(file, 200_000);
      const pace = new NotedPace(isQuick);
      const content = Buffer.alloc(bytes, 'content');
      await writingAtPace(pace).writeThrough(handle, content, 500);
      systemFiles.close(handle);
      const written = readFileSync(file);
      should(written.subarray(500, 500 + bytes).equals(content)).be.true();
      should(written.subarray(0, 500).equals(Buffer.alloc(500))).be.true();
      should(written).have.length(200_000);
      if (process.platform === 'linux') should(pace.waits).equal(waits);
    });
});
