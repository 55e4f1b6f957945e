import 'should';
import { itemsOf } from '../../nodes/download/download-messages';
import { CodedError } from '../../src/errors/coded-error';

describe('the recordings that a message asks to store', () => {
  const withFiles = (count: number) => ({
    payload: { id: 'm', media: Array.from({ length: count }, (_, index) => ({ url: `https://h/${index}` })) }
  });

  it('are rejected as a whole when there are more than in any real message', () => {
    itemsOf(withFiles(10_000), 'any').length.should.equal(10_000);
    (() => itemsOf(withFiles(10_001), 'any')).should.throw(CodedError, { code: 'TOO_LARGE' });
  });

  it('are quoted on one line, whatever their text', () => {
    const topic = `line\r\n\u001b[31mforged \u202e${'x'.repeat(1_000_000)}`;
    try {
      itemsOf({ topic }, 'any');
      throw new Error('not refused');
    } catch (error) {
      const { message } = error as Error;
      message.should.match(/^The message \(topic "line\?\?\?\[31mforged \?x+…"\) carries nothing/);
      message.length.should.be.below(500);
    }
  });
});
