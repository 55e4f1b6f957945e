import should from 'should';
import {
  aliasesOf,
  CATALOGUE,
  FAMILIES,
  FAMILY_GROUPS,
  familyOf,
  lookUpType,
  resolveAlias
} from '../../../src/events/catalogue';

describe('events: catalogue', () => {
  it('lists no type twice for one provider, and no alias that is also a row', () => {
    for (const provider of ['telnyx', 'daily'] as const) {
      const types = CATALOGUE.filter((row) => row.provider === provider).map((row) => row.event_type);
      should(new Set(types).size).equal(types.length);
      const groups = FAMILY_GROUPS.filter((group) => group.provider === provider);
      const aliases = groups.flatMap((group) =>
        group.types.flatMap((row) => ('aliases' in row ? [...row.aliases] : []))
      );
      should(new Set(aliases).size).equal(aliases.length);
      should(aliases.filter((alias) => types.includes(alias))).deepEqual([]);
    }
  });

  it('has a family, shapes and one short line of text for every row', () => {
    for (const row of CATALOGUE) {
      should(row.shapes.length).be.above(0);
      should(row.description)
        .match(/^[^\n]{8,100}$/)
        .and.not.endWith('.');
      should(
        FAMILIES.some((family) => family.provider === row.provider && family.family === row.family)
      ).be.true();
    }
  });

  it('resolves every canonical name to its own row', () => {
    for (const row of CATALOGUE) {
      const canonical = lookUpType(row.provider, row.canonical_type);
      should(canonical?.canonical_type).equal(row.canonical_type);
      should(canonical?.event_type).equal(row.canonical_type);
    }
  });

  it('lists the 32 event types of Daily', () => {
    should(CATALOGUE.filter((row) => row.provider === 'daily')).have.length(32);
  });

  it('keeps the providers apart when they use the same name', () => {
    should(lookUpType('daily', 'recording.started')).be.ok();
    should(lookUpType('telnyx', 'recording.started')).be.undefined();
    should(lookUpType('telnyx', 'streaming.started')?.family).equal('call-streaming');
    should(lookUpType('daily', 'streaming.started')?.family).equal('streaming');
    should(resolveAlias('daily', 'call_answered')).equal('call_answered');
  });

  const aliases: readonly (readonly [string, string])[] = [
    ['call.siprec.started', 'siprec.started'],
    ['call.siprec.stopped', 'siprec.stopped'],
    ['call.siprec.failed', 'siprec.failed'],
    ['call.streaming.started', 'streaming.started'],
    ['call.left.queue', 'call.dequeued'],
    ['customer_service_request.status_changed', 'customer_service_record.status_changed'],
    ['dynamic_variables', 'assistant.initialization'],
    ['email.inbound', 'email.received'],
    ['email.inbound.received', 'email.received'],
    ['call_initiated', 'call.initiated'],
    ['call_answered', 'call.answered'],
    ['call_bridged', 'call.bridged'],
    ['call_hangup', 'call.hangup'],
    ['speak_started', 'call.speak.started'],
    ['speak_ended', 'call.speak.ended'],
    ['playback_started', 'call.playback.started'],
    ['playback_ended', 'call.playback.ended'],
    ['gather_ended', 'call.gather.ended'],
    ['fork_started', 'call.fork.started'],
    ['fork_stopped', 'call.fork.stopped'],
    ['dtmf', 'call.dtmf.received'],
    ['recording_saved', 'call.recording.saved']
  ];
  for (const [alias, canonical] of aliases) {
    it(`knows ${alias} as another name of ${canonical}`, () => {
      should(resolveAlias('telnyx', alias)).equal(canonical);
      should(resolveAlias('telnyx', canonical)).equal(canonical);
      should(aliasesOf('telnyx', canonical)).containEql(alias);
      should(aliasesOf('telnyx', alias)).containEql(canonical).and.not.containEql(alias);
      should(lookUpType('telnyx', alias)).be.ok();
    });
  }

  it('leaves unknown names unchanged', () => {
    for (const type of ['call.brand.new', 'unknown', '', '__proto__', 'constructor', 'toString']) {
      should(resolveAlias('telnyx', type)).equal(type);
      should(lookUpType('telnyx', type)).be.undefined();
      should(aliasesOf('telnyx', type)).deepEqual([]);
    }
  });

  const families: readonly (readonly [string, string])[] = [
    ['call.recording.brand.new', 'recording'],
    ['conference.recording.brand.new', 'recording'],
    ['conference.brand.new', 'conference'],
    ['call.brand.new', 'call-control'],
    ['call.machine.brand.new', 'call-amd'],
    ['call.conversation.brand.new', 'ai-assistant'],
    ['texml.call.parked', 'texml-call'],
    ['texml.recording.paused', 'texml-recording'],
    ['texml.message.read', 'legacy-2010'],
    ['conference_created', 'legacy-v1'],
    ['verification.brand.new', 'verify'],
    ['brand.new', 'unknown'],
    ['unknown', 'unknown'],
    ['', 'unknown']
  ];
  for (const [type, family] of families) {
    it(`puts ${JSON.stringify(type)} into the family ${family}`, () => {
      should(familyOf('telnyx', type)).equal(family);
    });
  }

  it('puts a new type of Daily into its family', () => {
    should(familyOf('daily', 'recording.brand.new')).equal('recording');
    should(familyOf('daily', 'call.initiated')).equal('unknown');
  });

  it('marks the types that announce a recording', () => {
    const recordings = CATALOGUE.filter((row) => row.media?.kind === 'recording');
    should(recordings.map((row) => row.event_type).sort()).deepEqual([
      'call.recording.saved',
      'call.recording.transcription.saved',
      'conference.recording.saved',
      'meeting.recording.available',
      'recording.ready-to-download',
      'recording_saved',
      'texml.call.completed',
      'texml.dial',
      'texml.record',
      'texml.recording.completed',
      'texml.transcription.completed',
      'video.room.composition.completed',
      'video.room.recording.completed'
    ]);
  });
});
