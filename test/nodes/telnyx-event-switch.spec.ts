import should from 'should';
import eventSwitch from '../../nodes/telnyx-event-switch';
import { node, tab } from '../support/flows';
import { loadedNode, nodeHelper, type TestMessage } from '../support/node-helper';

const OUTPUTS = 4;

interface Outcome {
  /** The outputs that sent the message, from 1, in order of arrival. */
  outputs: number[];
  messages: TestMessage[];
  /** What the Catch node received; absent when the message was completed. */
  error?: { message: string; code?: string; source: { id: string } };
}

/** Starts a flow with one switch, a recorder on each output, a Catch and a Complete node. */
async function start(properties: object): Promise<void> {
  const outputs = Array.from({ length: OUTPUTS }, (_, at) => `output-${at + 1}`);
  await nodeHelper.load(
    [eventSwitch],
    [
      tab(),
      node('switch', 'telnyx-event-switch', {
        property: 'event.event_type',
        propertyType: 'msg',
        checkall: 'false',
        outputs: OUTPUTS,
        wires: outputs.map((id) => [id]),
        ...properties
      }),
      ...outputs.map((id) => node(id, 'helper')),
      node('catch', 'catch', { scope: ['switch'], wires: [['caught']] }),
      node('caught', 'helper'),
      node('complete', 'complete', { scope: ['switch'], wires: [['completed']] }),
      node('completed', 'helper')
    ]
  );
}

/** Sends a message through the switch and waits until the switch is done with it. */
function route(message: TestMessage): Promise<Outcome> {
  return new Promise((resolve) => {
    const outcome: Outcome = { outputs: [], messages: [] };
    const listeners: [id: string, listener: (message: TestMessage) => void][] = [
      ['completed', () => finish()],
      [
        'caught',
        (caught) => {
          outcome.error = caught['error'] as NonNullable<Outcome['error']>;
          finish();
        }
      ]
    ];
    for (let output = 1; output <= OUTPUTS; output++) {
      listeners.push([
        `output-${output}`,
        (sent) => {
          outcome.outputs.push(output);
          outcome.messages.push(sent);
        }
      ]);
    }
    const finish = (): void => {
      for (const [id, listener] of listeners) loadedNode(id).removeListener('input', listener);
      resolve(outcome);
    };
    for (const [id, listener] of listeners) loadedNode(id).on('input', listener);
    loadedNode('switch').receive(message);
  });
}

/** A message like those of the webhook nodes. */
function webhookMessage(event_type: string, more: object = {}, payload: object = {}): TestMessage {
  const event = {
    provider: 'telnyx',
    event_type,
    canonical_type: event_type,
    family: 'made-up',
    known: true,
    shape: 'envelope',
    id: 'e1',
    ...more
  };
  return { topic: event_type, event, payload };
}

const RECORDING = { recording_id: 'r1', recording_urls: { mp3: 'https://media.example.com/r1.mp3' } };

describe('telnyx-event-switch', () => {
  afterEach(() => nodeHelper.unload());

  it('sends the unchanged message to the output of the first rule that matches', async () => {
    await start({
      rules: [{ t: 'event', v: 'fax.*' }, { t: 'event', v: 'call.*' }, { t: 'event', v: '*' }, { t: 'else' }]
    });
    const message = webhookMessage('call.hangup', {}, { hangup_cause: 'normal_clearing' });
    const outcome = await route({ ...message, _msgid: 'm1' });
    outcome.outputs.should.deepEqual([2]);
    outcome.messages[0]!.should.deepEqual({ ...message, _msgid: 'm1' });
    should(outcome.error).be.undefined();
  });

  it('sends it to every rule that matches with checkall, as separate copies', async () => {
    await start({
      checkall: 'true',
      rules: [{ t: 'event', v: 'call.*' }, { t: 'event', v: 'fax.*' }, { t: 'event', v: '*' }, { t: 'else' }]
    });
    const outcome = await route(webhookMessage('call.hangup'));
    outcome.outputs.should.deepEqual([1, 3]);
    outcome.messages[0]!['event']!.should.not.equal(outcome.messages[1]!['event']);
  });

  it('sends a message that no earlier rule matches to otherwise, if there is one', async () => {
    await start({ rules: [{ t: 'event', v: 'call.*' }, { t: 'else' }] });
    (await route(webhookMessage('fax.sent'))).outputs.should.deepEqual([2]);
    await nodeHelper.unload();
    await start({ rules: [{ t: 'event', v: 'call.*' }] });
    (await route(webhookMessage('fax.sent'))).should.deepEqual({ outputs: [], messages: [] });
  });

  it('treats other names of an event as the same', async () => {
    await start({
      rules: [
        { t: 'event', v: 'call.siprec.started' },
        { t: 'event', v: 'siprec.*' }
      ]
    });
    (await route(webhookMessage('siprec.started'))).outputs.should.deepEqual([1]);
    (await route(webhookMessage('siprec.stopped'))).outputs.should.deepEqual([2]);
    const renamed = webhookMessage('call.siprec.stopped', { canonical_type: 'siprec.stopped' });
    (await route(renamed)).outputs.should.deepEqual([2]);
  });

  it('routes by family, and by event types that only the message knows', async () => {
    await start({ rules: [{ t: 'family', v: 'fax' }, { t: 'unknown' }, { t: 'else' }] });
    (await route(webhookMessage('any.thing', { family: 'fax' }))).outputs.should.deepEqual([1]);
    (await route(webhookMessage('any.thing', { known: false }))).outputs.should.deepEqual([2]);
    (await route(webhookMessage('any.thing'))).outputs.should.deepEqual([3]);
  });

  it('routes events with something to store', async () => {
    await start({ rules: [{ t: 'recording' }, { t: 'else' }] });
    (await route(webhookMessage('call.recording.saved', {}, RECORDING))).outputs.should.deepEqual([1]);
    (await route(webhookMessage('brand.new.kind', { known: false }, RECORDING))).outputs.should.deepEqual([
      1
    ]);
    (await route(webhookMessage('call.recording.error', {}, { reason: 'none' }))).outputs.should.deepEqual([
      2
    ]);
  });

  for (const [what, message] of Object.entries<TestMessage>({
    'without msg.event': { payload: RECORDING },
    'whose msg.event is not an object': { event: 'call.hangup', payload: 1 },
    'whose msg.event is null': { event: null },
    'whose event type is not a string': { event: { event_type: 7 } },
    'whose event type is empty': { event: { event_type: '', known: false } }
  })) {
    it(`sends a message ${what} only to otherwise, without an error`, async () => {
      const rules = [{ t: 'event', v: '*' }, { t: 'unknown' }, { t: 'recording' }, { t: 'else' }];
      await start({ checkall: 'true', rules });
      const outcome = await route(message);
      outcome.outputs.should.deepEqual([4]);
      should(outcome.error).be.undefined();
    });
  }

  describe('with another property', () => {
    const rules = [
      { t: 'event', v: 'call.siprec.started' },
      { t: 'family', v: 'recording' },
      { t: 'unknown' },
      { t: 'else' }
    ];

    it('looks the rest up in the catalogue', async () => {
      await start({ property: 'kind', rules });
      (await route({ kind: 'siprec.started' })).outputs.should.deepEqual([1]);
      (await route({ kind: 'call.recording.saved' })).outputs.should.deepEqual([2]);
      (await route({ kind: 'recording.ready-to-download' })).outputs.should.deepEqual([2]);
      (await route({ kind: 'brand.new' })).outputs.should.deepEqual([3]);
      (await route({ kind: 'call.hangup' })).outputs.should.deepEqual([4]);
      (await route({})).outputs.should.deepEqual([4]);
      (
        await route({ kind: 'brand.new', event: { event_type: 'other', known: true } })
      ).outputs.should.deepEqual([3]);
    });

    it('still trusts msg.event when it is about the same type', async () => {
      await start({ property: 'topic', rules });
      (await route(webhookMessage('any.thing', { family: 'recording' }))).outputs.should.deepEqual([2]);
    });

    it('reads flow and global context', async () => {
      await start({ property: 'kind', propertyType: 'flow', rules });
      loadedNode('switch').context().flow.set('kind', 'call.recording.saved');
      (await route({})).outputs.should.deepEqual([2]);
      loadedNode('switch').context().flow.set('kind', undefined);
      (await route({})).outputs.should.deepEqual([4]);
      await nodeHelper.unload();

      await start({ property: 'kind', propertyType: 'global', rules });
      loadedNode('switch').context().global.set('kind', 'brand.new');
      (await route({})).outputs.should.deepEqual([3]);
    });

    it('evaluates JSONata', async () => {
      await start({ property: '$lowercase(kind)', propertyType: 'jsonata', rules });
      (await route({ kind: 'SIPREC.STARTED' })).outputs.should.deepEqual([1]);
      (await route({})).outputs.should.deepEqual([4]);
    });

    it('reports a failing expression to the Catch nodes and continues with the next message', async () => {
      await start({ property: '$lowercase(kind)', propertyType: 'jsonata', rules });
      const { outputs, error } = await route({ kind: 7 });
      outputs.should.deepEqual([]);
      should(error?.code).equal('BAD_SETTING');
      should(error?.message).match(/\$lowercase\(kind\).*could not be evaluated.*lowercase/);
      should(error?.source.id).equal('switch');
      (await route({ kind: 'brand.new' })).outputs.should.deepEqual([3]);
    });

    it('reports an invalid expression or property to the Catch nodes', async () => {
      await start({ property: '$$$(', propertyType: 'jsonata', rules });
      should((await route({ kind: 'x' })).error?.code).equal('BAD_SETTING');
      await nodeHelper.unload();
      await start({ property: 'kind[', rules });
      should((await route({ kind: 'x' })).error?.code).equal('BAD_SETTING');
    });
  });

  describe('with settings that cannot work', () => {
    for (const [what, properties, message, status] of [
      ['an empty pattern', { rules: [{ t: 'else' }, { t: 'event', v: ' ' }] }, /Rule 2 /, 'bad-rule'],
      ['a rule of another kind', { rules: [{ t: 'regex', v: '.*' }] }, /Rule 1 /, 'bad-rule'],
      ['no rules', { rules: [] }, /no rules/, 'bad-settings'],
      ['no property', { rules: [{ t: 'else' }], property: '' }, /from "" \(msg\)/, 'bad-settings'],
      [
        'a property of another kind',
        { rules: [{ t: 'else' }], propertyType: 'env' },
        /\(env\)/,
        'bad-settings'
      ]
    ] as const) {
      it(`${what}: shows red, logs the reason, and loses no message silently`, async () => {
        await start(properties);
        const logged = nodeHelper.log().args.map(([entry]) => entry);
        const reports = logged.filter((entry) => entry.id === 'switch').map((entry) => String(entry.msg));
        reports.should.matchAny(message);
        should(lastStatus()).match({
          fill: 'red',
          shape: 'ring',
          text: `telnyx-event-switch.status.${status}`
        });
        const { outputs, error } = await route(webhookMessage('call.hangup'));
        outputs.should.deepEqual([]);
        should(error?.code).equal('BAD_SETTING');
        should(error?.message).match(message);
      });
    }
  });

  it('offers the types and families of the catalogue to the editor', async () => {
    await start({ rules: [{ t: 'else' }] });
    const { status, body } = await nodeHelper.request().get('/telnyx/catalogue');
    status.should.equal(200);
    const { types, families } = body as Record<string, Record<string, string>[]>;
    types!
      .map(({ type }) => type)
      .should.containDeep(['call.recording.saved', 'recording.ready-to-download']);
    families!.map(({ family }) => family).should.containDeep(['recording', 'fax']);
    new Set(types!.map(({ type }) => type)).size.should.equal(types!.length);
    new Set(families!.map(({ family }) => family)).size.should.equal(families!.length);
    for (const { type, description } of types!) (type! + description!).should.match(/^\S+.*\S$/);
  });
});

function lastStatus(): unknown {
  const { status } = loadedNode('switch') as unknown as { status: { lastCall?: { args: unknown[] } } };
  return status.lastCall?.args[0];
}
