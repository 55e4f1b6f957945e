import { EventEmitter } from 'node:events';
import should from 'should';
import { afterStart } from '../../nodes/lib/on-flows-started';
import type { FlowMessage, NodeRedApi, RedNode, StatusValue } from '../../nodes/lib/node-red';
import { NodeStatus } from '../../nodes/lib/node-status';
import { asError, inBackground, onClose, onInput } from '../../nodes/lib/on-input';
import { readBoolean, readChoice, readNumber, readText } from '../../nodes/lib/read-setting';
import { RejectionWarnings } from '../../nodes/webhook/rejection-warnings';
import { telnyxAccountOf } from '../../nodes/config/telnyx-account-access';

/** Runs everything that is due, as often as a chain of promises needs. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A node that records all calls. */
class NodeDouble extends EventEmitter {
  readonly id = 'node';
  readonly type = 'double';
  readonly errors: [Error | string, FlowMessage | undefined][] = [];
  readonly warnings: string[] = [];
  readonly statuses: StatusValue[] = [];
  send = (): void => undefined;
  log = (): void => undefined;
  status = (value: StatusValue): void => void this.statuses.push(value);
  warn = (text: string): void => void this.warnings.push(text);
  error = (error: Error | string, message?: FlowMessage): void => void this.errors.push([error, message]);
}

describe('reading settings', () => {
  const limits = { fallback: 7, min: 1, max: 10 };

  it('accepts numbers, also as text', () => {
    for (const value of [3, '3', ' 3 ', '3.0', '03']) readNumber(value, 'x', limits).should.equal(3);
    readNumber('2.5', 'x', { ...limits, whole: false }).should.equal(2.5);
    readNumber(1, 'x', limits).should.equal(1);
    readNumber('10', 'x', limits).should.equal(10);
  });

  it('has a default value', () => {
    for (const value of [undefined, null, '']) readNumber(value, 'x', limits).should.equal(7);
  });

  it('rejects everything else, with the name and the limits', () => {
    const wrong = [0, 11, 2.5, '2.5', 'abc', '3 s', '${X}', ' ', Number.NaN, Infinity, '1e99', true, [3], {}];
    for (const value of wrong) {
      should(() => readNumber(value, 'tolerance', limits)).throw(
        /"tolerance" must be a whole number from 1 to 10/,
        {
          code: 'BAD_SETTING'
        }
      );
    }
    should(() => readNumber('x', 'y', { ...limits, whole: false })).throw(/must be a number from/);
  });

  it('accepts switches, also as text', () => {
    for (const value of [true, 'true']) readBoolean(value, false).should.be.true();
    for (const value of [false, 'false', '${X}', 1, 'yes', 'TRUE'])
      readBoolean(value, true).should.be.false();
    for (const value of [undefined, null, '']) {
      readBoolean(value, true).should.be.true();
      readBoolean(value, false).should.be.false();
    }
  });

  it('accepts one of several words; the first is the default', () => {
    const words = ['drop', 'pass'] as const;
    readChoice('pass', 'x', words).should.equal('pass');
    for (const value of [undefined, null, '']) readChoice(value, 'x', words).should.equal('drop');
    for (const value of ['Pass', '${X}', 1, true]) {
      should(() => readChoice(value, 'duplicates', words)).throw(/"duplicates" must be one of drop, pass/, {
        code: 'BAD_SETTING'
      });
    }
  });

  it('trims text', () => {
    readText(' a b\n').should.equal('a b');
    for (const value of [undefined, null, '', '  ', 3, {}]) readText(value, 'else').should.equal('else');
  });
});

describe('NodeStatus', () => {
  it('shows the first immediately, then at most one a second, and always the last', async () => {
    const node = new NodeDouble();
    let now = 0;
    const status = new NodeStatus(node, () => now);
    status.working('0');
    for (let at = 1; at <= 5; at += 1) status.working(String(at));
    node.statuses.should.deepEqual([{ fill: 'blue', shape: 'dot', text: '0' }]);
    now = 999;
    status.ready('6');
    node.statuses.length.should.equal(1);
    await waitUntil(() => node.statuses.length === 2);
    should(node.statuses[1]).deepEqual({ fill: 'green', shape: 'dot', text: '6' });
    now = 5000;
    status.idle('7');
    should(node.statuses[2]).deepEqual({ fill: 'grey', shape: 'dot', text: '7' });
  });

  it('has the colours of the core nodes', () => {
    const node = new NodeDouble();
    let now = 0;
    const status = new NodeStatus(node, () => (now += 2000));
    status.waiting('w');
    status.problem(() => 'made when shown');
    status.off();
    node.statuses.should.deepEqual([
      { fill: 'yellow', shape: 'ring', text: 'w' },
      { fill: 'red', shape: 'ring', text: 'made when shown' },
      {}
    ]);
  });

  it('does not repeat the same status', () => {
    const node = new NodeDouble();
    let now = 0;
    const status = new NodeStatus(node, () => (now += 2000));
    for (let count = 0; count < 3; count += 1) status.ready('same');
    node.statuses.length.should.equal(1);
  });

  it('shows nothing after it is disposed', async () => {
    const node = new NodeDouble();
    const status = new NodeStatus(node, () => 0);
    status.ready('shown');
    status.ready('waiting');
    status.dispose();
    status.problem('too late');
    const other = new NodeDouble();
    const later = new NodeStatus(other, () => 0);
    later.ready('1');
    later.ready('2');
    await waitUntil(() => other.statuses.length === 2);
    node.statuses.length.should.equal(1);
  });
});

describe('RefusalWarnings', () => {
  const refusal = (code: 'SIGNATURE_MISMATCH' | 'BODY_TOO_LARGE') => ({
    code,
    message: 'the reason.',
    status: 401,
    remote: null,
    method: 'POST',
    path: '/'
  });

  it('logs the first immediately and the rest of a burst together', async () => {
    const said: string[] = [];
    const warnings = new RejectionWarnings((text) => said.push(text));
    warnings.add(refusal('SIGNATURE_MISMATCH'));
    said.should.deepEqual(['Delivery refused with 401, SIGNATURE_MISMATCH: the reason.']);
    for (let count = 0; count < 3; count += 1) warnings.add(refusal('BODY_TOO_LARGE'));
    said.length.should.equal(1);
    await waitUntil(() => said.length === 2);
    should(said[1]).equal('Delivery refused with 401, BODY_TOO_LARGE (the last of 3): the reason.');
    warnings.dispose();
    said.length.should.equal(2);
  });

  it('logs the rest when its node closes', () => {
    const said: string[] = [];
    const warnings = new RejectionWarnings((text) => said.push(text));
    warnings.add(refusal('SIGNATURE_MISMATCH'));
    warnings.add(refusal('BODY_TOO_LARGE'));
    warnings.dispose();
    should(said[1]).match(/BODY_TOO_LARGE: /);
  });
});

describe('the ends of promises', () => {
  const boom = new Error('boom');
  const handlers: [how: string, handle: () => Promise<void> | void, error: Error | undefined][] = [
    ['returns', () => undefined, undefined],
    ['resolves', () => Promise.resolve(), undefined],
    [
      'throws',
      () => {
        throw boom;
      },
      boom
    ],
    ['rejects', () => Promise.reject(boom), boom]
  ];

  for (const [how, handle, error] of handlers) {
    it(`are reported to Node-RED when input ${how}`, async () => {
      const node = new NodeDouble();
      onInput(node, handle);
      const done: unknown[][] = [];
      node.emit(
        'input',
        {},
        () => undefined,
        (...args: unknown[]) => done.push(args)
      );
      await turns();
      done.should.deepEqual([error === undefined ? [] : [error]]);
      node.errors.should.be.empty();
    });

    it(`never block a deploy when closing ${how}`, async () => {
      const node = new NodeDouble();
      const removed: boolean[] = [];
      onClose(node, (gone) => {
        removed.push(gone);
        return handle();
      });
      let done = 0;
      node.emit('close', true, () => (done += 1));
      await turns();
      done.should.equal(1);
      removed.should.deepEqual([true]);
      node.warnings.should.deepEqual(error === undefined ? [] : ['boom']);
    });

    it(`reach Catch nodes when background work ${how}`, async () => {
      const node = new NodeDouble();
      const message = { topic: 'about this' };
      inBackground(node, handle, message);
      await turns();
      node.errors.should.deepEqual(error === undefined ? [] : [[error, message]]);
    });
  }

  it('are errors, whatever is thrown', () => {
    asError(boom).should.equal(boom);
    asError('text').should.be.an.Error().and.have.property('message', 'text');
    asError(undefined).message.should.equal('undefined');
  });
});

describe('afterStart', () => {
  const runtime = () => {
    const events = new EventEmitter();
    return { events, RED: { events } as unknown as NodeRedApi };
  };
  const asNode = (node: NodeDouble) => node as unknown as RedNode;

  it('runs once, after the flows have started', async () => {
    const { events, RED } = runtime();
    let ran = 0;
    afterStart(RED, asNode(new NodeDouble()), () => void (ran += 1));
    await turns();
    ran.should.equal(0);
    events.emit('flows:started');
    events.emit('flows:started');
    await turns();
    ran.should.equal(1);
  });

  it('does not run for a node that is already closed', async () => {
    const { events, RED } = runtime();
    const node = new NodeDouble();
    afterStart(RED, asNode(node), () => {
      throw new Error('It ran');
    });
    node.emit('close', false, () => undefined);
    await turns();
    events.emit('flows:started');
    await turns();
    node.errors.should.be.empty();
  });

  it('never lets one node stop another', async () => {
    const { events, RED } = runtime();
    const first = new NodeDouble();
    let ran = 0;
    afterStart(RED, asNode(first), () => {
      throw new Error('first');
    });
    afterStart(RED, asNode(new NodeDouble()), () => void (ran += 1));
    events.emit('flows:started');
    await turns();
    ran.should.equal(1);
    first.errors.length.should.equal(1);
  });

  it('adds one listener to the runtime, however many nodes there are', () => {
    const { events, RED } = runtime();
    for (let count = 0; count < 50; count += 1) afterStart(RED, asNode(new NodeDouble()), () => undefined);
    events.listenerCount('flows:started').should.equal(1);
  });
});

describe('telnyxAccountOf', () => {
  const telnyxAccount = {};
  const nodes: Record<string, unknown> = { account: { telnyxAccount }, other: {} };
  const RED = { nodes: { getNode: (id: string) => nodes[id] } } as unknown as NodeRedApi;

  it('registers its users with the account, for as long as they use it', async () => {
    const users: Record<string, unknown> = {};
    const withUsers = { nodes: { getNode: () => ({ telnyxAccount, users }) } } as unknown as NodeRedApi;
    const user = new NodeDouble();
    should(telnyxAccountOf(withUsers, 'account', user)).equal(telnyxAccount);
    users.should.deepEqual({ node: user });
    user.emit('close', true, () => undefined);
    await turns();
    users.should.be.empty();
  });

  it('finds the account, or nothing if there is none', () => {
    should(telnyxAccountOf(RED, 'account')).equal(telnyxAccount);
    for (const id of ['other', 'gone', '', undefined, 3]) should(telnyxAccountOf(RED, id)).be.null();
  });
});

/** Waits up to 30 s for an effect of a timer in the code under test. */
async function waitUntil(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error('Waited in vain');
    // Checks again shortly, because nothing signals that the timer has run.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
