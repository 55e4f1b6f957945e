import type { ServerResponse } from 'node:http';
import should from 'should';
import { BUCKET_TEST_PATH } from '../../nodes/config/bucket/bucket-test-request';
import { serveBucketTest } from '../../nodes/config/bucket/bucket-test-route';
import type { AdminHandler, NodeRedApi } from '../../nodes/lib/node-red';
import type { Finding } from '../../src/store/bucket/finding';
import type { BucketSettings } from '../../src/store/bucket/client/settings';
import { until } from '../support/until';

const STORED = { accessKeyId: 'STORED-ID', secretAccessKey: 'stored-secret' };
const FINDINGS: Finding[] = [{ check: 'reach', result: 'ok', said: [{ notice: 'may-write' }] }];

describe('the route behind the Test button of telnyx-bucket', () => {
  let handlers: AdminHandler[] = [];
  let asked: string[] = [];
  let checked: BucketSettings[] = [];
  let check: (settings: BucketSettings) => Promise<Finding[]>;
  let time = 0;

  const guard: AdminHandler = (_request, _response, next) => next();

  beforeEach(() => {
    handlers = [];
    asked = [];
    checked = [];
    time = 1_000_000;
    check = () => Promise.resolve(FINDINGS);
    const nodes = new Map<string, object>([
      ['bucket', { type: 'telnyx-bucket', credentials: STORED }],
      ['other', { type: 'another-node', credentials: STORED }]
    ]);
    const RED = {
      nodes: { getNode: (id: string) => nodes.get(id) ?? null },
      httpAdmin: {
        post: (path: string, ...given: AdminHandler[]) => {
          should(path).equal(BUCKET_TEST_PATH);
          handlers = given;
        }
      },
      auth: {
        needsPermission: (permission: string) => {
          asked.push(permission);
          return guard;
        }
      },
      util: {
        evaluateNodeProperty: (
          value: string,
          _type: string,
          _node: object,
          _message: object,
          callback: (error: null, found: unknown) => void
        ) => callback(null, value === '${BUCKET}' ? 'from-env' : '')
      }
    } as unknown as NodeRedApi;
    serveBucketTest(RED, {
      check: (settings) => {
        checked.push(settings);
        return check(settings);
      },
      now: () => time
    });
  });

  async function post(
    body: unknown,
    type = 'application/json'
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = { statusCode: 0, body: undefined as unknown };
    const json = (value: unknown): void => void (response.body = value);
    handlers.at(-1)!(
      { body, headers: { 'content-type': type } } as never,
      Object.assign(response, { json }) as unknown as ServerResponse & { json(value: unknown): void },
      () => undefined
    );
    const answer = await until('the answer', () => response.body as Record<string, unknown> | undefined);
    return { status: response.statusCode, body: answer };
  }
  const next = (): void => void (time += 5000);

  it('requires the permission to change flows', () => {
    should(asked).eql(['flows.write']);
    should(handlers[0]).equal(guard);
  });

  it('tests the values of the dialog, even before a deploy', async () => {
    const { status, body } = await post({
      id: 'new',
      endpoint: 'https://s3.example.com',
      bucket: 'my-bucket',
      prefix: 'calls',
      forcePathStyle: true,
      accessKeyId: ' TYPED-ID ',
      secretAccessKey: 'typed-secret'
    });
    should(status).equal(200);
    should(body).eql({ findings: FINDINGS });
    should(checked[0]).have.properties({
      endpoint: 'https://s3.example.com',
      bucket: 'my-bucket',
      prefix: 'calls/',
      forcePathStyle: true
    });
    should(checked[0]!.credentials).eql({ accessKeyId: 'TYPED-ID', secretAccessKey: 'typed-secret' });
  });

  it('uses the stored secret where the dialog shows only a placeholder', async () => {
    await post({
      id: 'bucket',
      bucket: 'my-bucket',
      accessKeyId: 'STORED-ID',
      secretAccessKey: '__PWRD__'
    });
    should(checked[0]!.credentials).eql(STORED);
  });

  it('uses nothing from nodes of another type', async () => {
    const { status, body } = await post({
      id: 'other',
      bucket: 'my-bucket',
      accessKeyId: 'STORED-ID',
      secretAccessKey: '__PWRD__'
    });
    should(status).equal(400);
    should(String(body['error'])).match(/Secret key/);
    should(checked).be.empty();
  });

  it('reads environment variables', async () => {
    await post({ id: 'new', bucket: '${BUCKET}' });
    should(checked[0]!.bucket).equal('from-env');
  });

  for (const [what, body] of [
    ['no JSON', undefined],
    ['a list', []],
    ['no bucket', { id: 'new' }],
    ['what is too long', { id: 'new', bucket: 'x'.repeat(3000) }],
    ['a wrong endpoint', { id: 'new', bucket: 'my-bucket', endpoint: 'ftp://x' }]
  ] as const)
    it(`rejects ${what}, and says why`, async () => {
      const { status, body: said } = await post(body);
      should(status).equal(400);
      should(said['error']).be.a.String();
      should(checked).be.empty();
    });

  it('runs one test at a time, with a pause between tests', async () => {
    let end = (): void => undefined;
    check = () => new Promise((resolve) => (end = () => resolve(FINDINGS)));
    const first = post({ id: 'new', bucket: 'my-bucket' });
    next();
    should((await post({ id: 'new', bucket: 'my-bucket' })).status).equal(429);
    end();
    should((await first).status).equal(200);
    should((await post({ id: 'new', bucket: 'my-bucket' })).status).equal(429);
    next();
    check = () => Promise.resolve(FINDINGS);
    should((await post({ id: 'new', bucket: 'my-bucket' })).status).equal(200);
    should(checked).have.length(2);
  });

  it('reveals nothing about an internal error', async () => {
    check = () => Promise.reject(new Error('typed-secret'));
    const { status, body } = await post({ id: 'new', bucket: 'my-bucket' });
    should(status).equal(500);
    should(JSON.stringify(body)).not.containEql('typed-secret');
  });
});
