import should from 'should';
import { FAMILIES } from '../../../src/events/catalogue';
import { PROVIDERS } from '../../../src/events/provider';
import { SHAPES } from '../../../src/events/shapes';
import { fixtureFiles, loadFixtures, parseFixture } from './fixtures';
import { eventOf } from './parsed';

describe('events: fixtures of every shape and family', () => {
  for (const provider of PROVIDERS) {
    const fixtures = loadFixtures(provider);

    for (const fixture of fixtures) {
      it(`${provider}/${fixture.file} is ${fixture.expected.shape} ${fixture.expected.event_type}`, () => {
        const { body, payload, ...told } = eventOf(parseFixture(fixture));
        should(told).deepEqual({ provider, ...fixture.expected });
        should(body).not.be.undefined();
        should(payload).not.be.undefined();
      });
    }

    it(`${provider}: the index lists every file`, () => {
      should(fixtures.map((fixture) => fixture.file).sort()).deepEqual(fixtureFiles(provider).sort());
    });

    it(`${provider}: every family has a fixture`, () => {
      const shown = new Set(fixtures.map((fixture) => fixture.expected.family));
      const families = FAMILIES.filter((family) => family.provider === provider);
      should(families.map((row) => row.family).filter((family) => !shown.has(family))).deepEqual([]);
    });
  }

  it('every shape has a fixture', () => {
    const all = PROVIDERS.flatMap(loadFixtures);
    const shown = new Set(all.map((fixture) => fixture.expected.shape));
    should(SHAPES.filter((shape) => !shown.has(shape))).deepEqual([]);
  });
});
