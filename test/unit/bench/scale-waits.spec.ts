import should from 'should';
import { type MediaLine, waits } from '../../../bench/scale/media-lines';

const line = (id: string, what: MediaLine['what'], time: number): MediaLine => ({ id, what, time });

describe('how long recordings wait for another instance', () => {
  it('is the time until somebody asks for what the ended one was fetching', () => {
    const lines = [
      line('a', 'asked', 100),
      line('b', 'asked', 200),
      line('b', 'sent', 300),
      line('a', 'left', 1001),
      line('a', 'asked', 4000)
    ];
    should(waits(lines, 1000, 1010)).eql([3000]);
  });

  it('is endless where nobody asks', () => {
    should(waits([line('a', 'asked', 100), line('a', 'left', 1001)], 1000, 1010)).eql([Infinity]);
  });

  it('does not count what went away at another time', () => {
    const lines = [line('a', 'left', 900), line('a', 'asked', 950), line('b', 'left', 9000)];
    should(waits(lines, 1000, 1010)).eql([]);
  });

  it('counts each recording once', () => {
    const lines = [line('a', 'left', 1001), line('a', 'asked', 2000), line('a', 'asked', 5000)];
    should(waits(lines, 1000, 1010)).eql([1000]);
  });
});
