import should from 'should';
import { sampleContent } from '../../../src/samples/sample-file';
import { checkMedia } from '../../../src/transfer/media-check';

describe('sampleContent', () => {
  it('makes a tone that differs from sample to sample', () => {
    const first = sampleContent('tone', 'one', 'wav');
    const second = sampleContent('tone', 'two', 'wav');
    should(first.format).equal('wav');
    should(first.bytes.equals(second.bytes)).be.false();
    should(first.bytes.equals(sampleContent('tone', 'one', 'wav').bytes)).be.true();
  });

  it('makes a tone that can be heard', () => {
    const { bytes } = sampleContent('tone', 'one', null);
    const samples = Array.from({ length: 8000 }, (_, index) =>
      bytes.readInt16LE(bytes.length - 2 - 2 * index)
    );
    should(Math.max(...samples)).be.above(5000);
    should(bytes.length).be.within(32_000, 33_000);
  });

  it('makes files that the download node would accept from a server', () => {
    const tone = sampleContent('tone', 'one', null);
    const page = sampleContent('page', 'one', null);
    should(checkMedia('audio', tone.contentType, tone.bytes.subarray(0, 4096))).match({
      ok: true,
      format: 'wav'
    });
    should(checkMedia('fax', page.contentType, page.bytes)).match({ ok: true, format: 'pdf' });
  });

  it('makes a page whose table of contents is right', () => {
    const text = sampleContent('page', 'one', null).bytes.toString('latin1');
    const offsets = [...text.matchAll(/^(\d{10}) 00000 n $/gm)].map(([, offset]) => Number(offset));
    offsets.forEach((offset, index) => should(text.slice(offset)).startWith(`${index + 1} 0 obj`));
    should(text.slice(Number(/startxref\n(\d+)/.exec(text)?.[1]))).startWith('xref');
  });

  it('makes subtitles where these are announced, else text', () => {
    should(sampleContent('text', 'one', 'vtt').bytes.toString()).startWith('WEBVTT\n');
    should(sampleContent('text', 'one', null)).match({ format: 'txt' });
  });
});
