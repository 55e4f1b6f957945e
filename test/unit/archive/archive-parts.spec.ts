import should from 'should';
import { ArchiveProgress } from '../../../src/archive/archive-progress';
import { partialCopyId, partialCopyPrefix } from '../../../src/archive/download/partial-copies';
import { backoffMs, sleep } from '../../../src/clock/backoff';
import { apiAuthorization } from '../../../src/providers/telnyx/telnyx-provider';

describe('api-authorization', () => {
  const API = 'https://api.telnyx.com/v2';

  it('goes only to the host of the API', () => {
    should(apiAuthorization('https://api.telnyx.com/v2/recordings/r.wav', API, 'k')).equal('Bearer k');
    for (const url of [
      'http://api.telnyx.com/v2/recordings/r.wav',
      'https://api.telnyx.com:8443/r.wav',
      'https://api.telnyx.com.example.org/r.wav',
      'https://example.org/api.telnyx.com/r.wav',
      'https://api.telnyx.com@example.org/r.wav',
      'https://s3.amazonaws.com/telephony-recorder-prod/r.wav',
      'https://api.telnyx.com/r.wav?X-Amz-Signature=1',
      'nonsense'
    ]) {
      should(apiAuthorization(url, API, 'k')).be.undefined();
    }
    should(apiAuthorization('https://api.telnyx.com/r.wav', API, null)).be.undefined();
    should(apiAuthorization('https://api.telnyx.com/r.wav', 'nonsense', 'k')).be.undefined();
  });

  it('follows the address of the account', () => {
    should(apiAuthorization('http://127.0.0.1:8080/r.wav', 'http://127.0.0.1:8080/v2', 'k')).equal(
      'Bearer k'
    );
    should(apiAuthorization('https://api.telnyx.com/r.wav', 'http://127.0.0.1:8080/v2', 'k')).be.undefined();
  });
});

describe('backoff', () => {
  it('doubles up to two minutes, with full jitter', () => {
    [1, 2, 3, 4].map((attempt) => backoffMs(attempt, 1, undefined)).should.eql([1000, 2000, 4000, 8000]);
    backoffMs(50, 1, undefined).should.equal(120_000);
    backoffMs(50, 0, undefined).should.equal(0);
    backoffMs(3, 0.25, undefined).should.equal(1000);
  });

  it('waits as long as the server asks, within a limit', () => {
    backoffMs(1, 0, 7000).should.equal(7000);
    backoffMs(4, 1, 7000).should.equal(8000);
    backoffMs(1, 0, 1e12).should.equal(900_000);
  });

  it('sleeps, and wakes up when aborted', async () => {
    await sleep(1, new AbortController().signal);
    const aborting = new AbortController();
    const sleeping = sleep(60_000, aborting.signal);
    aborting.abort(new Error('up'));
    await sleeping.should.be.rejectedWith('up');
    await sleep(60_000, aborting.signal).should.be.rejectedWith('up');
  });
});

describe('archive-progress', () => {
  it('adds up active files and counts the others', () => {
    let changes = 0;
    const progress = new ArchiveProgress(() => (changes += 1));
    const [one, two, three] = [progress.begin(), progress.begin(), progress.begin()];
    one.working();
    one.bytes(10, 100);
    two.working();
    two.bytes(5, null);
    progress.summary().should.eql({ active: 2, waiting: 1, stored: 0, received: 15, total: null });
    two.bytes(5, 50);
    should(progress.summary().total).equal(150);
    one.end(true);
    two.end(false);
    three.end(true);
    progress.summary().should.eql({ active: 0, waiting: 0, stored: 2, received: 0, total: 0 });
    changes.should.equal(11);
  });

  it('tells the files on their way, those being transferred first, and no more than asked for', () => {
    const progress = new ArchiveProgress();
    const about = (recordingId: string) => ({ recordingId, eventType: null, format: 'mp3' });
    const files = ['a', 'b', 'c', 'd'].map((name) => progress.begin(about(name)));
    files[1]!.working();
    files[3]!.working();
    files[3]!.bytes(10, 100);
    const shown = (most: number): (string | null | undefined)[] =>
      progress.files(most).map((file) => file.about?.recordingId);
    should(shown(10)).deepEqual(['b', 'd', 'a', 'c']);
    should(shown(3)).deepEqual(['b', 'd', 'a']);
    should(shown(1)).deepEqual(['b']);
    should(progress.files(2)[1]).have.properties({ received: 10, total: 100, active: true });
    should(new Set(progress.files(10).map(({ key }) => key)).size).equal(4);
    files[1]!.end(true);
    should(shown(10)).deepEqual(['d', 'a', 'c']);
  });
});

describe('archive-job', () => {
  it('names partial copies by node, recording and format, using only safe characters', () => {
    const id = partialCopyId('node-1', 'telnyx:../../x', 'mp3');
    id.should.match(/^[0-9a-z_]{1,128}$/);
    id.should.equal(partialCopyId('node-1', 'telnyx:../../x', 'mp3'));
    id.should.startWith(partialCopyPrefix('node-1'));
    new Set([
      id,
      partialCopyId('node-2', 'telnyx:../../x', 'mp3'),
      partialCopyId('node-1', 'telnyx:y', 'mp3'),
      partialCopyId('node-1', 'telnyx:../../x', null)
    ]).size.should.equal(4);
  });
});
