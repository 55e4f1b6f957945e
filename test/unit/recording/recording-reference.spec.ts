import 'should';
import {
  type FormatChoice,
  type MediaKind,
  chooseFormat,
  mediaLink
} from '../../../src/recording/recording-reference';
import { processorMsSince } from '../../support/processor-time';

function chosen(
  formats: (string | null)[],
  choice: FormatChoice,
  kind: MediaKind = 'audio'
): (string | null)[] {
  const links = formats.map((format, index) => mediaLink(`https://example.com/${index}`, format));
  return chooseFormat({ kind, links }, choice).map((file) => file.format);
}

describe('recording-reference: the files of a format', () => {
  it('any: whatever exists, mp3 before wav', () => {
    chosen(['wav', 'mp3'], 'any').should.eql(['mp3']);
    chosen(['wav'], 'any').should.eql(['wav']);
    chosen(['ogg', 'wav'], 'any').should.eql(['wav']);
    chosen(['ogg'], 'any').should.eql(['ogg']);
    chosen([null], 'any').should.eql([null]);
    chosen([], 'any').should.eql([]);
  });

  it('mp3 and wav: only that format, or an address that does not show its format', () => {
    chosen(['wav', 'mp3'], 'wav').should.eql(['wav']);
    chosen(['wav'], 'mp3').should.eql([]);
    chosen([null], 'mp3').should.eql([null]);
  });

  it('all: every format once', () => {
    chosen(['wav', 'mp3', 'wav'], 'all').should.eql(['wav', 'mp3']);
    chosen([null], 'all').should.eql([null]);
  });

  it('leaves media with only one form unchanged', () => {
    chosen(['pdf'], 'mp3', 'fax').should.eql(['pdf']);
    chosen(['mp4'], 'wav', 'video').should.eql(['mp4']);
  });

  it('keeps second addresses of a format in order, each once', () => {
    const links = ['a', 'b', 'a'].map((path) => mediaLink(`https://example.com/${path}`, 'mp3'));
    const [file] = chooseFormat({ kind: 'audio', links }, 'any');
    file!.links.map((link) => link.url).should.eql(['https://example.com/a', 'https://example.com/b']);
  });

  it('is fast even for far more formats and addresses than any recording has', () => {
    const links = Array.from({ length: 200_000 }, (_, index) =>
      mediaLink(`https://example.com/${index}`, index % 2 === 0 ? null : index.toString(36))
    );
    const begun = process.cpuUsage();
    chooseFormat({ kind: 'audio', links }, 'all').should.have.length(100_000);
    processorMsSince(begun).should.be.below(5000);
  });
});
