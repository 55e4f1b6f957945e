import { join, resolve } from 'node:path';
import should from 'should';
import { areHeldIn, isHeldIn } from '../../../src/store/held-location';

const FOLDER = resolve('/srv/archive');
const BUCKET = 's3://calls/telnyx/ at https://s3.example.com at home';

describe('where a destination may have a file', () => {
  it('is below its folder, without a detour', () => {
    should(isHeldIn(FOLDER, join(FOLDER, 'a', 'b.mp3'))).be.true();
    should(isHeldIn(resolve('/'), resolve('/a.mp3'))).be.true();
    for (const elsewhere of [
      FOLDER,
      `${FOLDER}/`,
      `${FOLDER}/../flows.json`,
      `${FOLDER}/a/../../flows.json`,
      `${FOLDER}/a//b.mp3`,
      `${FOLDER}/a\0.mp3`,
      `${FOLDER}-2/a.mp3`,
      'srv/archive/a.mp3',
      resolve('/srv'),
      resolve('/etc/passwd'),
      's3://calls/telnyx/a.mp3',
      ''
    ])
      should(isHeldIn(FOLDER, elsewhere)).be.false(elsewhere);
  });

  it('is below the prefix in its bucket', () => {
    const start = 's3://calls/telnyx/ at https://s3.example.com';
    should(isHeldIn(start, 's3://calls/telnyx/a.mp3')).be.true();
    should(isHeldIn('s3://calls/ at AWS', 's3://calls/a.mp3')).be.true();
    for (const elsewhere of [
      's3://calls/telnyx/',
      's3://calls/other/a.mp3',
      's3://calls-2/telnyx/a.mp3',
      '/a'
    ])
      should(isHeldIn(start, elsewhere)).be.false(elsewhere);
    // A prefix may hold anything; the server holds no blank.
    should(isHeldIn(BUCKET, 's3://calls/telnyx/a.mp3')).be.false();
  });

  it('is nowhere for a message, or where there is no place', () => {
    for (const place of ['', 'message', 's3://calls', 'relative'])
      should(isHeldIn(place, resolve('/a.mp3'))).be.false(place);
  });

  it('counts for each file of a recording', () => {
    const path = join(FOLDER, 'a.mp3');
    const whole = { path, sidecar: `${path}.json`, transcription_file: join(FOLDER, 'a.txt') };
    should(areHeldIn(FOLDER, whole)).be.true();
    for (const name of ['path', 'sidecar', 'transcription_file'] as const)
      should(areHeldIn(FOLDER, { ...whole, [name]: resolve('/etc/passwd') })).be.false(name);
    should(areHeldIn(FOLDER, { bucket: 'calls', key: 'a', sidecar: null })).be.false();
  });
});
