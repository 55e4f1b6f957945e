import should from 'should';
import { type ApiPeers, ApiShare, partOf } from '../../../../src/providers/http/api-pace';
import { RequestPace } from '../../../../src/providers/http/request-pace';
import { until } from '../../../support/until';

/** Those who ask, as an instance hears of them. */
class Peers implements ApiPeers {
  others = 0;
  isAsking = false;

  begin(): () => void {
    this.isAsking = true;
    return () => (this.isAsking = false);
  }

  count(): number {
    return this.others + 1;
  }
}

describe('ApiShare', () => {
  it('is the whole while nobody else asks', () => {
    const share = new ApiShare();
    should(share.ask()).equal(1);
    const peers = new Peers();
    should(share.join({}, peers)).be.true();
    should(peers.isAsking).be.false();
    should(share.ask()).equal(1);
    should(peers.isAsking).be.true();
  });

  it('follows those who come and go', () => {
    const share = new ApiShare();
    const peers = new Peers();
    share.join(peers, peers);
    for (const others of [2, 0, 5]) {
      peers.others = others;
      should(share.ask()).equal(others + 1);
    }
  });

  it('is told to the others for as long as it asks, and again afterwards', async () => {
    const share = new ApiShare(30);
    const peers = new Peers();
    share.join(peers, peers);
    share.ask();
    await until('the end', () => !peers.isAsking);
    share.ask();
    should(peers.isAsking).be.true();
    await until('the end', () => !peers.isAsking);
  });

  it('is that of the group in which most ask, until a group is left', () => {
    const share = new ApiShare();
    const [one, other] = [new Peers(), new Peers()];
    [one.others, other.others] = [1, 3];
    share.join(one, one);
    share.join(other, other);
    should(share.join(other, new Peers())).be.false();
    should(share.ask()).equal(4);
    share.leave(other);
    should(other.isAsking).be.false();
    should(share.ask()).equal(2);
    share.leave(one);
    should(share.ask()).equal(1);
  });
});

describe('a part of a rate limit', () => {
  it('is the whole for one, and together never more than the whole', () => {
    should(partOf({ requests: 90, span: 5000 }, 1)).equal(90);
    for (const parts of [2, 3, 7, 80])
      should(partOf({ requests: 90, span: 5000 }, parts) * parts).be.belowOrEqual(90);
  });

  it('lets a request pass every five seconds, however many there are', () => {
    should(partOf({ requests: 45, span: 30_000 }, 200)).equal(6);
    should(partOf({ requests: 10, span: 1000 }, 200)).equal(1);
    should(partOf({ requests: 3, span: 60_000 }, 200)).equal(3);
  });
});

describe('RequestPace of one among several', () => {
  const never = new AbortController().signal;

  it('passes its part, and the whole once the others have gone', async () => {
    let parts = 3;
    let clock = 0;
    const pace = new RequestPace(
      { requests: 30, span: 10_000 },
      () => clock,
      () => parts
    );
    for (let count = 0; count < 12; count += 1) {
      if (count === 10) clock += 10_000;
      await pace.turn(never);
    }
    clock += 10_000;
    for (let count = 0; count < 10; count += 1) await pace.turn(never);
    const stop = new AbortController();
    const eleventh = pace.turn(stop.signal);
    stop.abort(new Error('it has to wait'));
    await eleventh.should.be.rejectedWith('it has to wait');
    const waiting = pace.turn(never);
    parts = 1;
    await waiting;
    for (let count = 11; count < 30; count += 1) await pace.turn(never);
  });
});
