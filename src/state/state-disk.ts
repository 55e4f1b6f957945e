import { readFileSync, statfsSync, statSync } from 'node:fs';

/** What is asked of the operating system about the place of the state. */
export interface DiskTable {
  readonly platform: NodeJS.Platform;
  /** The number of the file system's type according to statfs(2), and the bytes that are free for this user. */
  statfs(directory: string): { type: number; free: number };
  /** The number of the device that a directory is on. */
  device(directory: string): number;
  /** The text of `/proc/self/mountinfo`. */
  mounts(): string;
}

export const systemDisks: DiskTable = {
  platform: process.platform,
  statfs: (directory) => {
    const { type, bavail, bsize } = statfsSync(directory);
    return { type, free: bavail * bsize };
  },
  device: (directory) => statSync(directory).dev,
  mounts: () => readFileSync('/proc/self/mountinfo', 'utf8')
};

/** By the numbers of linux/magic.h and of the file systems themselves. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x786f4256, 'a VirtualBox share'],
  [0xbacbacbc, 'a VMware share']
]);

/**
 * Of block devices, which two kernels never mount together: ext, xfs, btrfs, f2fs, tmpfs, zfs, bcachefs,
 * overlay.
 */
const ONE_KERNEL_TYPES: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x01021994, 0x2fc12fc1, 0xca451a4e, 0x794c7630
]);

const FUSE_TYPE = 0x65735546;

/** FUSE can be local (NTFS, mergerfs, the folders of desktop containers); these types are not. */
const NETWORK_FUSE =
  /^fuse\.(sshfs|glusterfs|ceph-fuse|ceph|s3fs|rclone|gcsfuse|goofys|mount-s3|blobfuse2?|davfs2?|juicefs\S*|JuiceFS\S*|mfs|moosefs|seaweedfs|curlftpfs|smbnetfs|gvfsd-fuse|beegfs|lizardfs)$/;

/**
 * The name of the network file system of a directory. LMDB maps its file into memory, which stays consistent
 * only within the kernel of one machine.
 *
 * @param directory must exist
 * @returns null on a local disk, and when unknown
 */
export function networkFileSystem(directory: string, disks: DiskTable = systemDisks): string | null {
  if (disks.platform === 'win32') return /^[\\/]{2}[^\\/?.]/.test(directory) ? 'a network share' : null;
  if (disks.platform !== 'linux') return null;
  const type = typeOf(directory, disks);
  if (type !== FUSE_TYPE) return NETWORK_TYPES.get(type) ?? null;
  return NETWORK_FUSE.exec(fuseType(directory, disks))?.[1] ?? null;
}

/**
 * Whether only one running kernel can use the disk of a directory, so that a process of another boot is dead.
 */
export function isOfOneKernel(directory: string, disks: DiskTable = systemDisks): boolean {
  return disks.platform === 'linux' && ONE_KERNEL_TYPES.has(typeOf(directory, disks));
}

/** Bytes below which LMDB may fail in ways that look like damage. */
const LITTLE_SPACE = 256 * 1024;

/** Whether so little space is left that trouble with a file does not mean that it is damaged. */
export function isDiskFull(directory: string, disks: DiskTable = systemDisks): boolean {
  try {
    return disks.statfs(directory).free < LITTLE_SPACE;
  } catch {
    return false;
  }
}

function typeOf(directory: string, disks: DiskTable): number {
  try {
    // Some platforms give the 32 bits with a sign.
    return disks.statfs(directory).type >>> 0;
  } catch {
    return 0;
  }
}

/** The type as the mount table names it, such as `fuse.sshfs`. */
function fuseType(directory: string, disks: DiskTable): string {
  try {
    const device = disks.device(directory);
    const major = (Math.floor(device / 2 ** 32) & ~0xfff) | ((device >>> 8) & 0xfff);
    const minor = (device & 0xff) | ((Math.floor(device / 2 ** 12) >>> 0) & ~0xff);
    for (const line of disks.mounts().split('\n')) {
      const [mount = '', rest = ''] = line.split(' - ');
      if (mount.split(' ')[2] === `${major}:${minor >>> 0}`) return rest.split(' ')[0] ?? '';
    }
  } catch {
    // Without a mount table a local one is more likely.
  }
  return '';
}
