import should from 'should';
import { mp4Media } from '../../../../src/simulator/media/media-mp4';
import { checkMedia } from '../../../../src/transfer/media-check';

interface Box {
  type: string;
  /** The offset of its content in the file. */
  start: number;
  content: Buffer;
}

const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'dinf', 'stbl', 'udta']);

/** All boxes by type, including nested ones. */
function boxes(bytes: Buffer, from = 0, found = new Map<string, Box>()): Map<string, Box> {
  let at = 0;
  while (at < bytes.length) {
    const size = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    should([type, size]).deepEqual([type, Math.min(size, bytes.length - at)]);
    should(size).be.aboveOrEqual(8);
    const content = bytes.subarray(at + 8, at + size);
    found.set(type, { type, start: from + at + 8, content });
    if (CONTAINERS.has(type)) boxes(content, from + at + 8, found);
    at += size;
  }
  return found;
}

const content = (all: Map<string, Box>, type: string): Buffer => all.get(type)?.content ?? Buffer.alloc(0);

for (const channels of [1, 2] as const) {
  describe(`simulator media: MP4, ${channels} channel(s)`, () => {
    const media = mp4Media({ title: 'made-up', seconds: 3, channels });
    const bytes = media.bytes();
    const all = boxes(bytes);

    it('consists of boxes to its last byte, the tables before the data', () => {
      should(bytes.length).equal(media.size);
      const places = ['ftyp', 'moov', 'mdat'].map((type) => all.get(type)?.start ?? 0);
      should(places).deepEqual([...places].sort((a, b) => a - b));
      should(places[0]).equal(8);
    });

    it('has tables with the offsets and durations of the frames', () => {
      const count = content(all, 'stsz').readUInt32BE(8);
      const size = content(all, 'stsz').readUInt32BE(4);
      should(content(all, 'mdat').length).equal(count * size);
      should(content(all, 'stco').readUInt32BE(8)).equal(all.get('mdat')?.start);
      should(content(all, 'stts').readUInt32BE(8)).equal(count);
      should(content(all, 'stsc').readUInt32BE(12)).equal(count);
      const rate = content(all, 'mdhd').readUInt32BE(12);
      const duration = content(all, 'mdhd').readUInt32BE(16);
      should(duration / rate).be.within(3, 3.1);
      should(content(all, 'mvhd').readUInt32BE(16)).equal(duration);
      should(content(all, 'stsd').subarray(12, 16).toString()).equal('mp4a');
      should(content(all, 'stsd').readUInt16BE(32)).equal(channels);
    });

    it('differs from others by its title, and passes the media check of the download node', () => {
      should(bytes.includes('made-up')).be.true();
      should(media.sha256).not.equal(mp4Media({ title: 'other', seconds: 3, channels }).sha256);
      const verdict = checkMedia('video', media.contentType, bytes.subarray(0, 1024));
      should(verdict).deepEqual({ ok: true, format: 'mp4' });
    });
  });
}
