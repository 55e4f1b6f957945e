import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port';
import { findProgram, requireProgram } from './real-parts';
import { supervised } from './supervised';
import { until } from './until';

/** The administrator of the test server. */
export const S3_USER = {
  accessKeyId: 'TESTACCESSKEY0000001',
  secretAccessKey: 'test-secret-0123456789abcdefghij'
};

/** A user without any rights, until the policy of a bucket gives some: `arn:aws:iam:::user/guest`. */
export const S3_GUEST = {
  accessKeyId: 'TESTACCESSKEY0000002',
  secretAccessKey: 'test-secret-of-the-guest-0123456'
};

const PROGRAMS = ['ceph-mon', 'ceph-osd', 'ceph', 'ceph-authtool', 'monmaptool', 'radosgw-admin', 'radosgw'];

/**
 * A Ceph Object Gateway with its backend, in memory: the S3 server of a widely used storage product, as
 * packaged by Debian. It checks signatures and hashes, supports multipart uploads and returns the errors of S3.
 * It starts once per test run, in about two seconds, and ends with it.
 */
export async function requireCeph(context: Mocha.Context): Promise<string> {
  const programs = PROGRAMS.map((program) => [program, requireProgram(context, program)] as const);
  context.timeout(90_000);
  started ??= start(new Map(programs));
  return await started;
}

/**
 * The same outside a test.
 *
 * @throws Error when one of the programs is not installed
 */
export async function startCeph(): Promise<string> {
  started ??= start(new Map(PROGRAMS.map((program) => [program, findProgram(program)])));
  return await started;
}

let started: Promise<string> | undefined;

async function start(programs: ReadonlyMap<string, string>): Promise<string> {
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-ceph-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const at = (name: string): string => path.join(directory, name);
  for (const name of ['mon', 'osd', 'gateway', 'run']) mkdirSync(at(name));
  const monitorPort = await freePort();
  const gatewayPort = await freePort();
  const cluster = randomUUID();
  const monitor = `[v2:127.0.0.1:${monitorPort}]`;
  writeFileSync(at('ceph.conf'), configuration(directory, cluster, monitor, gatewayPort));
  const keyring = at('keyring');
  const run = (program: string, ...args: string[]): void => {
    execFileSync(programs.get(program) ?? program, args, { cwd: directory, stdio: 'pipe' });
  };
  const daemon = (program: string, ...args: string[]): void => {
    supervised(programs.get(program) ?? program, args, { directory, removesDirectory: true });
  };
  const config = ['-c', at('ceph.conf')];

  run('ceph-authtool', '-C', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *');
  const everything = ['--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *', '--cap', 'mgr', 'allow *'];
  run('ceph-authtool', keyring, '--gen-key', '-n', 'client.admin', ...everything);
  run('ceph-authtool', keyring, '--gen-key', '-n', 'osd.0', ...everything);
  run('monmaptool', '--create', '--fsid', cluster, '--addv', 'a', monitor, at('monmap'));
  run('ceph-mon', ...config, '-i', 'a', '--mkfs', '--monmap', at('monmap'), '--keyring', keyring);
  daemon('ceph-mon', ...config, '-i', 'a', '-f');
  const disk = randomUUID();
  run('ceph', ...config, '--connect-timeout', '30', 'osd', 'new', disk);
  run('ceph-osd', ...config, '-i', '0', '--mkfs', '--osd-uuid', disk);
  daemon('ceph-osd', ...config, '-i', '0', '-f');
  for (const [name, { accessKeyId, secretAccessKey }] of [
    ['test', S3_USER],
    ['guest', S3_GUEST]
  ] as const) {
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    run('radosgw-admin', ...config, 'user', 'create', `--uid=${name}`, `--display-name=${name}`, ...keys);
  }
  daemon('radosgw', ...config, '-n', 'client.admin', '-f');

  const url = `http://127.0.0.1:${gatewayPort}`;
  try {
    await until('the Ceph Object Gateway', () => answers(url), { deadline: 60_000 });
  } catch (error) {
    const log = readFileSync(at('daemon.log'), 'utf8').slice(-2000);
    throw new Error(`${(error as Error).message}. It wrote:\n${log}`, { cause: error });
  }
  return url;
}

/** Without delays for distributed machines, and with the data in memory. */
function configuration(directory: string, cluster: string, monitor: string, gatewayPort: number): string {
  return `[global]
fsid = ${cluster}
mon_host = ${monitor}
mon_initial_members = a
keyring = ${directory}/keyring
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_pg_warn_min_per_osd = 0
osd_objectstore = memstore
memstore_device_bytes = 8589934592
run_dir = ${directory}/run
admin_socket = ${directory}/run/$cluster-$name.asok
log_file = ${directory}/daemon.log
mon_cluster_log_file = ${directory}/daemon.log
pid_file =
[mon.a]
mon_data = ${directory}/mon
[osd.0]
osd_data = ${directory}/osd
[client.admin]
rgw_frontends = beast endpoint=127.0.0.1:${gatewayPort}
rgw_data = ${directory}/gateway
rgw_crypt_require_ssl = false
`;
}

async function answers(url: string): Promise<true | undefined> {
  try {
    await fetch(url);
    return true;
  } catch {
    return undefined;
  }
}
