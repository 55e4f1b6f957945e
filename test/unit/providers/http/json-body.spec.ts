import should from 'should';
import type { HttpBody } from '../../../../src/http/http-response';
import { type JsonBody, readJsonBody } from '../../../../src/providers/http/json-body';

const LIMIT = 4 * 1024 * 1024;

function read(text: string): Promise<JsonBody> {
  const body: HttpBody = {
    destroy: () => undefined,
    async *[Symbol.asyncIterator]() {
      yield await Promise.resolve(Buffer.from(text));
    }
  };
  return readJsonBody(body, LIMIT);
}

describe('the JSON of an API', () => {
  it('is rejected unparsed when it has more values than any list', async () => {
    const keys = Array.from({ length: 120_000 }, (_, number) => `"k${number}":1`).join();
    for (const text of [`[${'[],'.repeat(200_000)}1]`, `{${keys}}`, `[${'1,'.repeat(200_000)}1]`])
      should(await read(text)).deepEqual({ ok: false, reason: 'JSON of more than 100000 values' });
  });

  it('is read when it is a full page of recordings, or has commas and brackets in its strings', async () => {
    const fields = Object.fromEntries(Array.from({ length: 60 }, (_, number) => [`field_${number}`, number]));
    const page = { data: Array.from({ length: 250 }, () => fields) };
    const prose = { text: ',[{"\\'.repeat(100_000) };
    for (const value of [page, prose])
      should(await read(JSON.stringify(value))).deepEqual({ ok: true, value });
  });
});
