import should from 'should';
import { FairPlaces } from '../../../src/concurrency/fair-places';

describe('fair places', () => {
  let places: FairPlaces;
  let ended: string[];

  beforeEach(() => {
    places = new FairPlaces(4);
    ended = [];
  });

  const take = (owner: string | null, name: string) => places.take(owner, () => ended.push(name));

  it('are all for one owner while nobody else wants any', () => {
    for (const name of ['1', '2', '3', '4']) should(take('a', name)).be.a.Function();
    should(take('a', '5')).be.null();
    should(ended).be.empty();
  });

  it('go from the owner who has most to one who has fewer, the oldest first', () => {
    for (const name of ['a1', 'a2', 'a3', 'a4']) take('a', name);
    should(take('b', 'b1')).be.a.Function();
    should(take(null, 'c1')).be.a.Function();
    should(ended).deepEqual(['a1', 'a2']);
    // One cannot have fewer than one.
    should(take('d', 'd1')).be.a.Function();
    should(ended).deepEqual(['a1', 'a2', 'a3']);
    for (const owner of ['a', 'b', null, 'd', 'e']) should(take(owner, 'more')).be.null();
    should(ended).have.length(3);
  });

  it('can be given back once', () => {
    const give = take('a', 'a1')!;
    for (const name of ['a2', 'a3', 'a4']) take('a', name);
    give();
    give();
    should(take('a', 'a5')).be.a.Function();
    should(take('a', 'a6')).be.null();
    take('b', 'b1');
    should(ended).deepEqual(['a2']);
  });

  it('are not given back by what has lost its place', () => {
    const give = take('a', 'a1')!;
    for (const name of ['a2', 'a3', 'a4']) take('a', name);
    take('b', 'b1');
    should(ended).deepEqual(['a1']);
    give();
    should(take('a', 'a5')).be.null();
  });
});
