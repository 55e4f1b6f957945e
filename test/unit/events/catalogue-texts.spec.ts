import should from 'should';
import { IN_ENGLISH, listedWith } from '../../../src/events/catalogue-texts';
import { ruleChoices } from '../../../src/routing/event-catalogue';
import { sampleChoices } from '../../../src/samples/sample-choices';

const TEXTS = {
  families: { recording: 'Aufnahmen' },
  telnyx: { 'streaming.started': 'Das Streaming begann' },
  daily: { 'recording.started': 'Eine Aufnahme begann', 'streaming.started': 'Ein Stream begann' }
};

describe('the catalogue in another language', () => {
  it('has the texts of that language in samples and rules', () => {
    const listed = listedWith(TEXTS);
    const [first] = sampleChoices('daily', listed).families;
    should(first?.label).equal('Aufnahmen');
    should(first?.types[0]?.description).equal('Eine Aufnahme begann');
    const rules = ruleChoices(listed);
    should(rules.families.find(({ family }) => family === 'recording')?.label).equal('Aufnahmen');
    const started = rules.types.find(({ type }) => type === 'streaming.started');
    should(started?.description).equal('Das Streaming begann / Ein Stream begann');
    should(rules.types.find(({ type }) => type === 'recording.started')?.label).equal('Aufnahmen');
  });

  it('stays English where a text is missing', () => {
    should(listedWith({})).deepEqual(IN_ENGLISH);
    should(listedWith({ telnyx: {}, other: { 'call.hangup': 'Aufgelegt' } })).deepEqual(IN_ENGLISH);
  });
});
