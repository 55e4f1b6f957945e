import type { ServerResponse } from 'node:http';
import should from 'should';
import { FlowReply, type ReplyOutcome } from '../../../../src/webhook/endpoint/flow-reply';
import { exchange } from '../../../support/http-client';
import { ask } from './flow-reply-fixture';
import { closeServers, deferred, serve } from '../express/real-http';

describe('FlowReply among others', () => {
  afterEach(closeServers);

  describe('with a mistake in the flow', () => {
    for (const status of [1000, 99, 100, 0, 200.5, Number.NaN]) {
      it(`throws there for the status ${status}, and can still be answered`, async () => {
        const asked = await ask();
        asked.response.statusCode = status;
        (() => asked.response.end('x')).should.throw(RangeError);
        asked.response.statusCode = 200;
        asked.response.end('right');
        (await asked.client).body.toString().should.equal('right');
      });
    }

    it('throws there for what is neither text nor bytes', async () => {
      const asked = await ask();
      const end = asked.response.end.bind(asked.response) as (chunk: unknown) => void;
      for (const chunk of [5, {}, [1], true]) (() => end(chunk)).should.throw(TypeError);
      asked.response.end('right');
      (await asked.client).body.toString().should.equal('right');
    });

    it('settles even when the answer cannot be sent at the last moment', async () => {
      const asked = await ask();
      asked.response.statusMessage = 'two\nlines';
      asked.response.end('x');
      should(await asked.outcome).have.property('kind', 'answered');
      (await asked.client).status.should.equal(0);
    });
  });

  it('calls the methods of a middleware in front', async () => {
    const seen: string[] = [];
    const front = (response: ServerResponse): void => {
      const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
      const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
      response.end = (...args: unknown[]) => {
        seen.push('end');
        return end(...args);
      };
      response.writeHead = (...args: unknown[]) => {
        seen.push('writeHead');
        response.setHeader('X-Front', '1');
        return writeHead(...args);
      };
    };
    const asked = await ask({ front });
    asked.response.send('x');
    should((await asked.client).headers).have.property('x-front', '1');
    seen.should.deepEqual(['end', 'writeHead']);
  });

  it('works on a response without Express', async () => {
    const outcome = deferred<ReplyOutcome>();
    const port = await serve((_request, response) => {
      new FlowReply(response, {
        timeoutMs: 1000,
        commit: () => Promise.resolve(),
        onSettled: outcome.resolve,
        onLate: () => undefined
      });
      response.writeHead(202, { 'Content-Type': 'text/plain' });
      response.end('plain');
    });
    const answer = await exchange(port, { path: '/' });
    answer.status.should.equal(202);
    answer.body.toString().should.equal('plain');
    should(await outcome.promise).have.property('kind', 'answered');
  });
});
