import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { followState } from '../../nodes/lib/follow-state';
import type { NodeRedApi, RedNode } from '../../nodes/lib/node-red';
import { CodedError } from '../../src/errors/coded-error';
import { until } from '../support/until';

/** The delay of retries; the default is too long for a test. */
const RETRY_MS = 20;

class NodeDouble extends EventEmitter {
  readonly id = 'node';
  readonly errors: unknown[] = [];
  error = (error: unknown): void => void this.errors.push(error);
  warn = (): void => undefined;
}

const full = () => new CodedError('STORE_FAILED', 'No space is left.', { retryable: true });

describe('a node whose state cannot be opened at the start', () => {
  let userDir: string;
  let events: EventEmitter;
  let node: NodeDouble;

  beforeEach(() => {
    userDir = mkdtempSync(path.join(tmpdir(), 'telnyx-follow-'));
    events = new EventEmitter();
    node = new NodeDouble();
  });
  afterEach(() => rmSync(userDir, { recursive: true }));

  function follow(begin: () => void): void {
    const RED = { events, settings: { userDir } } as unknown as NodeRedApi;
    followState(RED, node as unknown as RedNode, { begin, stop: () => undefined, retryMs: RETRY_MS });
    events.emit('flows:started');
  }

  it('starts by itself once it can, and says only once why it could not', async () => {
    let attempts = 0;
    follow(() => {
      attempts += 1;
      if (attempts < 4) throw full();
    });
    await until('the fourth attempt', () => attempts === 4 || undefined);
    // Long enough for another attempt, if there were one.
    await new Promise((resolve) => setTimeout(resolve, 5 * RETRY_MS));
    should(attempts).equal(4);
    should(node.errors.map((error) => (error as CodedError).code)).deepEqual(['STORE_FAILED']);
  });

  it('is not retried once it is closed', async () => {
    let attempts = 0;
    follow(() => {
      attempts += 1;
      throw full();
    });
    await until('the first attempt', () => node.errors.length === 1 || undefined);
    node.emit('close', false, () => undefined);
    const before = attempts;
    // Nothing signals the absence of retries: several would fit in this time.
    await new Promise((resolve) => setTimeout(resolve, 5 * RETRY_MS));
    should(attempts).equal(before);
  });

  it('is not retried where only the user can fix it', async () => {
    let attempts = 0;
    follow(() => {
      attempts += 1;
      throw new CodedError('BAD_SETTING', 'The API address is none.');
    });
    await until('the first attempt', () => node.errors.length === 1 || undefined);
    // As above.
    await new Promise((resolve) => setTimeout(resolve, 5 * RETRY_MS));
    should(attempts).equal(1);
  });
});
