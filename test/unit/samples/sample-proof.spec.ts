import should from 'should';
import { SampleProof } from '../../../src/samples/sample-proof';

describe('SampleProof', () => {
  const proof = new SampleProof();

  it('proves an event that it made, also a copy', () => {
    const event = { sample: true, id: proof.newId() };
    should(proof.proves(event)).be.true();
    should(proof.proves(structuredClone(event))).be.true();
  });

  it('makes a new id each time, which says what it is', () => {
    should(proof.newId()).startWith('sample-').and.not.equal(proof.newId());
  });

  it('proves nothing that another process made', () => {
    should(proof.proves({ sample: true, id: new SampleProof().newId() })).be.false();
  });

  it('proves nothing without the mark, whatever its id', () => {
    const id = proof.newId();
    for (const sample of [undefined, false, 'true', 1]) should(proof.proves({ sample, id })).be.false();
  });

  it('proves nothing with an id that was changed', () => {
    const id = proof.newId();
    const last = id.endsWith('0') ? '1' : '0';
    const changed = [
      '',
      id.slice(0, -1),
      `${id.slice(0, -1)}${last}`,
      `${id}0`,
      id.toUpperCase(),
      `sample-${'0'.repeat(36)}${id.slice(43)}`,
      `\n${id}`,
      `${id}\n`,
      'sample-' + '0'.repeat(1_000_000)
    ];
    for (const other of changed) should(proof.proves({ sample: true, id: other })).be.false();
  });

  it('proves nothing that is no event', () => {
    for (const event of [null, undefined, 'sample', 7, [], { sample: true }, { sample: true, id: 7 }])
      should(proof.proves(event)).be.false();
  });
});
