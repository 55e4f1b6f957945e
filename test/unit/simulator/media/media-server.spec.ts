import { createHash } from 'node:crypto';
import should from 'should';
import type { StandInRecording } from '../../../../src/simulator/telnyx/recording-shelf';
import { type ExpectedFile, TelnyxStandIn } from '../../../../src/simulator/stand-in';

const START = Date.parse('2026-03-04T09:15:02Z');

describe('simulator media server', () => {
  let now: number;
  let standIn: TelnyxStandIn;
  let recording: StandInRecording;
  let expected: ExpectedFile;
  let link: string;

  beforeEach(async () => {
    now = START;
    standIn = new TelnyxStandIn({ clock: () => now });
    await standIn.start();
    recording = standIn.addRecording({ formats: ['wav'], seconds: 4, channels: 'dual' });
    expected = standIn.expectedFiles(recording)[0]!;
    link = standIn.link(recording, 'wav')!;
  });
  afterEach(() => standIn.stop());

  it('serves the whole file with length, type and ETag', async () => {
    const response = await fetch(link);
    const bytes = Buffer.from(await response.arrayBuffer());
    should(response.status).equal(200);
    should(response.headers.get('content-type')).equal('audio/wav');
    should(response.headers.get('content-length')).equal(String(expected.size));
    should(response.headers.get('etag')).match(/^"[0-9a-f]{32}"$/);
    should(response.headers.get('accept-ranges')).equal('bytes');
    should(sha256(bytes)).equal(expected.sha256);
  });

  it('makes links that look pre-signed', () => {
    const url = new URL(link);
    should(url.pathname).match(/^\/telephony-recorder-prod\/[-0-9a-f]+\/2026-03-04\/[-0-9a-f]+-\d+\.wav$/);
    should(url.searchParams.get('X-Amz-Date')).equal('20260304T091502Z');
    should(url.searchParams.get('X-Amz-Expires')).equal('600');
    should(url.searchParams.get('X-Amz-Signature')).match(/^[0-9a-f]{64}$/);
    should(standIn.link(recording, 'mp3')).equal(null);
  });

  it('expires a link after ten minutes; a fresh one works', async () => {
    now = START + 600_000;
    should((await fetch(link)).status).equal(200);
    now = START + 600_001;
    const late = await fetch(link);
    should(late.status).equal(403);
    should(late.headers.get('content-type')).equal('application/xml');
    should(await late.text()).match(/<Code>AccessDenied<\/Code><Message>Request has expired/);
    should((await fetch(standIn.link(recording, 'wav')!)).status).equal(200);
  });

  it('rejects links that it did not create', async () => {
    const longer = link.replace('X-Amz-Expires=600', 'X-Amz-Expires=999999');
    should((await fetch(longer)).status).equal(403);
    const unsigned = await fetch(link.split('?')[0]!);
    should(unsigned.status).equal(403);
    should(await unsigned.text()).containEql('<Code>AccessDenied</Code>');
    const other = standIn.addRecording({ formats: ['wav'] });
    const swapped = standIn.link(other, 'wav')!.split('?')[0]! + new URL(link).search;
    should(await (await fetch(swapped)).text()).containEql('SignatureDoesNotMatch');
  });

  it('rejects a second authentication, like S3', async () => {
    const response = await fetch(link, { headers: { authorization: `Bearer ${standIn.apiKey}` } });
    should(response.status).equal(400);
    should(await response.text()).containEql('Only one auth mechanism allowed');
  });

  it('answers 405 to other methods and 404 once the recording is deleted', async () => {
    should((await fetch(link, { method: 'POST', body: 'x' })).status).equal(405);
    await fetch(`${standIn.apiUrl}/recordings/${recording.id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${standIn.apiKey}` }
    });
    should((await fetch(link)).status).equal(404);
  });

  describe('ranges', () => {
    let whole: Buffer;
    beforeEach(async () => (whole = Buffer.from(await (await fetch(link)).arrayBuffer())));

    const cases: [range: string, start: number, end: (size: number) => number][] = [
      ['bytes=0-0', 0, () => 1],
      ['bytes=100-199', 100, () => 200],
      ['bytes=1000-', 1000, (size) => size],
      ['bytes=5-99999999', 5, (size) => size]
    ];
    for (const [range, start, end] of cases) {
      it(`serves ${range}`, async () => {
        const response = await fetch(link, { headers: { range } });
        should(response.status).equal(206);
        const last = end(whole.length);
        should(response.headers.get('content-range')).equal(`bytes ${start}-${last - 1}/${whole.length}`);
        should(whole.subarray(start, last).equals(Buffer.from(await response.arrayBuffer()))).be.true();
      });
    }

    it('serves the last bytes', async () => {
      const response = await fetch(link, { headers: { range: 'bytes=-7' } });
      should(Buffer.from(await response.arrayBuffer())).deepEqual(whole.subarray(-7));
    });

    it('answers 416 beyond the end', async () => {
      const response = await fetch(link, { headers: { range: `bytes=${whole.length}-` } });
      should(response.status).equal(416);
      should(response.headers.get('content-range')).equal(`bytes */${whole.length}`);
    });

    for (const range of ['bytes=3-1', 'bytes=0-1,5-6', 'bytes=-', 'lines=1-2', 'bytes=a-b']) {
      it(`serves everything for ${range}`, async () => {
        const response = await fetch(link, { headers: { range } });
        should(response.status).equal(200);
        should((await response.arrayBuffer()).byteLength).equal(whole.length);
      });
    }

    it('resumes only the same file: If-Range', async () => {
      const etag = (await fetch(link)).headers.get('etag')!;
      const same = await fetch(link, { headers: { range: 'bytes=10-', 'if-range': etag } });
      should(same.status).equal(206);
      const other = await fetch(link, { headers: { range: 'bytes=10-', 'if-range': '"another"' } });
      should(other.status).equal(200);
    });
  });

  it('counts a download when the last byte is sent, not before', async () => {
    await (await fetch(link, { headers: { range: 'bytes=0-99' } })).arrayBuffer();
    should(standIn.downloads(recording)).equal(0);
    const done = standIn.downloaded(recording, new AbortController().signal);
    await (await fetch(link, { headers: { range: 'bytes=100-' } })).arrayBuffer();
    await done;
    should(standIn.downloads(recording)).equal(1);
  });

  it('survives a receiver that disconnects', async () => {
    const long = standIn.addRecording({ formats: ['wav'], seconds: 3600 });
    const cancel = new AbortController();
    const response = await fetch(standIn.link(long, 'wav')!, { signal: cancel.signal });
    await response.body!.getReader().read();
    cancel.abort();
    should((await fetch(link)).status).equal(200);
    should(standIn.downloads(long)).equal(0);
  });

  it('can damage what it serves without changing length or type', async () => {
    const faulty = new TelnyxStandIn({ fault: 'corrupt-media' });
    await faulty.start();
    try {
      const damaged = faulty.addRecording({ formats: ['mp3'] });
      const truth = faulty.expectedFiles(damaged)[0]!;
      const bytes = Buffer.from(await (await fetch(faulty.link(damaged, 'mp3')!)).arrayBuffer());
      should(bytes.length).equal(truth.size);
      should(bytes.toString('latin1', 0, 3)).equal('ID3');
      should(sha256(bytes)).not.equal(truth.sha256);
    } finally {
      await faulty.stop();
    }
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
