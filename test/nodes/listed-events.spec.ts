import should from 'should';
import { IN_ENGLISH } from '../../src/events/catalogue-texts';
import { listedEvents } from '../../nodes/lib/listed-events';

async function recordings(language: string): Promise<string | undefined> {
  return (await listedEvents(language)).families.find(({ family }) => family === 'recording')?.label;
}

describe('the list of events', () => {
  it('is in the language of the editor', async () => {
    should(await recordings('de')).equal('Aufnahmen');
    should(await recordings('pt-BR')).equal('Gravações');
    const { entries } = await listedEvents('de');
    const started = entries.filter(({ event_type }) => event_type === 'streaming.started');
    should(started.map(({ provider, description }) => [provider, description])).deepEqual([
      ['telnyx', 'Das Streaming an den WebSocket hat begonnen'],
      ['daily', 'Ein Livestream hat begonnen']
    ]);
  });

  it('is in a language without its country when there is none for the country', async () => {
    should(await recordings('es-ES')).equal('Grabaciones');
  });

  it('is in English for any other language, and for what is none', async () => {
    for (const language of ['en-US', 'en-GB', 'ru', '', '..', '../..', '../de', 'de/../de', 'events.json'])
      should(await listedEvents(language)).equal(IN_ENGLISH);
  });
});
