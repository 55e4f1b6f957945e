import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { REPOSITORY } from '../support/packed-package';

const TSC = createRequire(__filename).resolve('typescript/bin/tsc');

/** The code of a user who handles events in TypeScript. */
const USER_CODE = `
import type { DescribedEventType, DocumentedPayloads, EventOf } from '@red-telephony/node-red-telnyx';

export function linkOf(event: EventOf<'call.recording.saved'>): string | null {
  return event.payload.recording_urls?.mp3 ?? event.payload.recording_urls?.wav ?? null;
}

export function family(event: EventOf<'recording.ready-to-download'>): string {
  const provider: string = event.provider;
  return provider + event.family + (event.occurred_at ?? '');
}

export const described: DescribedEventType = 'fax.received';
export type Fax = DocumentedPayloads['fax.received'];
`;

const MISTAKE = `
import type { EventOf } from '@red-telephony/node-red-telnyx';
export const event: EventOf<'call.recording.saved'>['payload'] = { recording_id: 7 };
export type None = EventOf<'call.recording.stored'>;
`;

describe('the types that users get', () => {
  let directory: string;

  before(function () {
    this.timeout(120_000);
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-types-'));
    const packed = execFileSync(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', directory],
      {
        cwd: REPOSITORY,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe']
      }
    );
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    const place = path.join(directory, 'node_modules/@red-telephony/node-red-telnyx');
    mkdirSync(place, { recursive: true });
    execFileSync('tar', ['-xzf', path.join(directory, filename), '--strip-components=1', '-C', place]);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function compile(
    name: string,
    text: string,
    resolution: string
  ): { status: number | null; output: string } {
    const file = path.join(directory, name);
    writeFileSync(file, text);
    const [module] = resolution === 'bundler' ? ['esnext'] : [resolution];
    const settings = ['--strict', '--noEmit', '--target', 'es2022'];
    const how = ['--module', module, '--moduleResolution', resolution];
    const { status, stdout } = spawnSync(process.execPath, [TSC, ...settings, ...how, file], {
      cwd: directory,
      encoding: 'utf8'
    });
    return { status, output: stdout };
  }

  for (const resolution of ['node16', 'bundler'])
    it(`compile in a project without other types (${resolution})`, function () {
      this.timeout(120_000);
      should(compile('user.ts', USER_CODE, resolution)).deepEqual({ status: 0, output: '' });
    });

  it('reject an unknown event, and a field of the wrong type', function () {
    this.timeout(120_000);
    const { status, output } = compile('mistake.ts', MISTAKE, 'node16');
    should(status).not.equal(0);
    output.should.match(/mistake\.ts\(3,.*TS2322/).and.match(/mistake\.ts\(4,.*TS2344/);
  });
});
