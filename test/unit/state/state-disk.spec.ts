import { tmpdir } from 'node:os';
import should from 'should';
import { OwnedState } from '../../../src/state/owned-state';
import { isDiskFull, isOfOneKernel, networkFileSystem, type DiskTable } from '../../../src/state/state-disk';

const MOUNTS = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 22 0:51 / /mnt/a rw,nosuid - fuse.sshfs user@example.com:/home rw,user_id=0
41 22 0:52 / /mnt/b rw,nosuid - fuse.mergerfs a:b rw,user_id=0
42 22 0:300 / /mnt/c rw - fuse.rclone remote: rw
`;

/** Combines the two halves of a device number like glibc. */
const device = (major: number, minor: number) =>
  ((major & 0xfff) << 8) + (minor & 0xff) + (minor - (minor & 0xff)) * 2 ** 12;

function disk(type: number, given: Partial<DiskTable> & { free?: number; on?: number } = {}): DiskTable {
  const { free = 1e9, on = 0, ...rest } = given;
  return {
    platform: 'linux',
    statfs: () => ({ type, free }),
    device: () => on,
    mounts: () => MOUNTS,
    ...rest
  };
}

const FUSE = 0x65735546;

describe('the disk of the state', () => {
  const kinds: [what: string, table: DiskTable, network: string | null, oneKernel: boolean][] = [
    ['ext4', disk(0xef53), null, true],
    ['xfs', disk(0x58465342), null, true],
    ['btrfs with a sign', disk(0x9123683e | 0), null, true],
    ['overlay', disk(0x794c7630), null, true],
    ['tmpfs', disk(0x01021994), null, true],
    ['NFS', disk(0x6969), 'NFS', false],
    ['CIFS', disk(0xff534d42), 'CIFS', false],
    ['CIFS with a sign', disk(0xff534d42 | 0), 'CIFS', false],
    ['SMB 2', disk(0xfe534d42), 'SMB', false],
    ['9p', disk(0x01021997), '9p', false],
    ['Ceph', disk(0x00c36400), 'Ceph', false],
    ['sshfs', disk(FUSE, { on: device(0, 51) }), 'sshfs', false],
    ['rclone', disk(FUSE, { on: device(0, 300) }), 'rclone', false],
    ['mergerfs', disk(FUSE, { on: device(0, 52) }), null, false],
    ['virtiofs, or any other FUSE', disk(FUSE, { on: device(0, 99) }), null, false],
    ['an unknown one', disk(0x12345678), null, false],
    ['a disk of macOS', disk(0x1a, { platform: 'darwin' }), null, false]
  ];
  for (const [what, table, network, oneKernel] of kinds) {
    it(`${network === null ? 'is' : 'cannot be'} ${what}`, () => {
      should(networkFileSystem('/data', table)).equal(network);
      should(isOfOneKernel('/data', table)).equal(oneKernel);
    });
  }

  it('cannot be a share of Windows', () => {
    const windows = disk(0, { platform: 'win32' });
    should(networkFileSystem('\\\\server\\share\\telnyx', windows)).equal('a network share');
    should(networkFileSystem('C:\\Users\\a\\.node-red\\telnyx', windows)).equal(null);
    should(networkFileSystem('\\\\?\\C:\\Users\\a', windows)).equal(null);
  });

  it('counts as local where nothing is known', () => {
    const fail = (): never => {
      throw new Error('no');
    };
    should(networkFileSystem('/data', disk(0, { statfs: fail }))).equal(null);
    should(networkFileSystem('/data', disk(FUSE, { mounts: fail }))).equal(null);
    should(isDiskFull('/data', disk(0, { statfs: fail }))).be.false();
  });

  it('counts as full shortly before its end', () => {
    should(isDiskFull('/data', disk(0xef53, { free: 100_000 }))).be.true();
    should(isDiskFull('/data', disk(0xef53, { free: 1_000_000 }))).be.false();
  });

  it('is this machine’s own', () => {
    should(networkFileSystem(tmpdir())).equal(null);
    should(isDiskFull(tmpdir())).be.false();
  });
});

describe('OwnedState', () => {
  it('rejects a network file system and says where the state belongs', () => {
    const state = new OwnedState(tmpdir(), { log: () => undefined, disks: disk(0x6969) });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      should(() => state.database()).throw(/network file system \(NFS\)/, { code: 'BAD_SETTING' });
    }
    should(state.problem?.message).containEql('a user directory on a local disk (--userDir)');
  });
});
