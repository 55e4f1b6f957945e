import path from 'node:path';
import 'should';
import { CodedError } from '../../../src/errors/coded-error';
import { archiveFolder } from '../../../src/naming/archive-folder';

const ENV = new Map([
  ['DISK', '/mnt/disk'],
  ['HOME', '/home/pi'],
  ['EMPTY', '']
]);
const surroundings = { userDir: path.resolve('/data'), env: (name: string) => ENV.get(name) };

describe('archive-folder', () => {
  for (const [setting, folder] of [
    ['', '/data/telnyx-recordings'],
    ['  ', '/data/telnyx-recordings'],
    ['calls', '/data/calls'],
    ['/srv/calls', '/srv/calls'],
    ['${DISK}/calls', '/mnt/disk/calls'],
    ['a/${ DISK }', '/data/a/mnt/disk'],
    ['~/calls', '/home/pi/calls'],
    ['~calls', '/data/~calls'],
    ['a${b', '/data/a${b'],
    ['${DISK}${DISK}x}', '/mnt/disk/mnt/diskx}']
  ] as const) {
    it(`${JSON.stringify(setting)} is ${folder}`, () => {
      archiveFolder(setting, surroundings).should.equal(path.resolve(folder));
    });
  }

  it('names an unset variable', () => {
    (() => archiveFolder('${NOWHERE}/x', surroundings)).should.throw(/NOWHERE/);
    (() => archiveFolder('${EMPTY}', surroundings)).should.throw(CodedError, { code: 'BAD_SETTING' });
  });

  it('rejects what cannot be a path', () => {
    (() => archiveFolder('x'.repeat(40_000), surroundings)).should.throw(CodedError, { code: 'BAD_SETTING' });
    (() => archiveFolder('a\0b', surroundings)).should.throw(CodedError, { code: 'BAD_SETTING' });
  });
});
