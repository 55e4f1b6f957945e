import should from 'should';
import { formDelivery, jsonDelivery } from '../../../support/deliveries';
import { STRANGER } from '../../../support/sign';
import { loadFixtures } from '../../events/fixtures';
import { EndpointStage } from './endpoint-fixture';
import { closeServers } from '../express/real-http';

/** Bodies sent; the parser's own spec gives it a hundred thousand more. */
const SIGNED = 1500;
const FORGED = 1500;
const AT_ONCE = 16;

const OBJECT_PROTOTYPE = Object.getOwnPropertyNames(Object.prototype).sort().join();
const PIECES = [
  '"__proto__":{"x":1},',
  '\\u0000',
  '[[[[[[',
  '}',
  '"',
  '\ufeff',
  '%zz',
  '&__proto__=1',
  '=',
  ' '
];

/** Always the same numbers for one seed, so that a failure can be reproduced. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
}

/** A fixture with something cut, repeated, flipped or inserted. */
function mutate(bytes: Buffer, pick: (below: number) => number): Buffer {
  const at = pick(bytes.length + 1);
  const piece = Buffer.from(PIECES[pick(PIECES.length)] ?? '');
  switch (pick(5)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(pick(bytes.length + 1))]);
    case 3: {
      const flipped = Buffer.from(bytes);
      if (flipped.length > 0) flipped[at % flipped.length] = pick(256);
      return flipped;
    }
    default:
      return bytes;
  }
}

describe('the HTTP entry, given bodies from hell', function () {
  this.timeout(120_000);
  const seed = Date.now() % 1_000_000;
  const pick = numbers(seed);
  const fixtures = loadFixtures('telnyx').filter(
    ({ method, bytes }) => method === 'POST' && bytes.length > 0
  );
  let stage: EndpointStage;

  before(async () => {
    stage = await EndpointStage.start({ maxBody: 100_000 });
  });
  after(closeServers);

  async function sendAll(count: number, forged: boolean): Promise<number[]> {
    const statuses: number[] = [];
    let left = count;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const fixture = fixtures[pick(fixtures.length)];
        const body = mutate(fixture?.bytes ?? Buffer.alloc(0), pick);
        const sign = pick(2) === 0 ? jsonDelivery : formDelivery;
        const { status } = await stage.send(sign(body, forged ? { key: STRANGER } : {}));
        statuses.push(status);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return statuses;
  }

  it(`accepts or refuses each signed one, and sends each accepted one once (seed ${seed})`, async () => {
    const statuses = await sendAll(SIGNED, false);
    should([...new Set(statuses)].filter((status) => status !== 200 && status !== 400)).deepEqual([]);
    should(statuses.filter((status) => status === 200).length).be.above(SIGNED / 10);
    const ids = stage.emitted.map(({ message }) => message.event.id);
    should(new Set(ids).size).equal(ids.length);
    should(stage.emitted.length).be.belowOrEqual(statuses.filter((status) => status === 200).length);
    for (const { message } of stage.emitted) {
      for (const part of [message, message.event])
        should(Object.getPrototypeOf(part)).equal(Object.prototype);
      should(JSON.parse(JSON.stringify(message))).be.an.Object();
      should(Object.assign({}, message.payload)).not.have.property('x');
    }
    should(stage.faults).deepEqual([]);
    should(Object.getOwnPropertyNames(Object.prototype).sort().join()).equal(OBJECT_PROTOTYPE);
  });

  it(`lets none of the forged ones through (seed ${seed})`, async () => {
    const before = stage.emitted.length;
    const statuses = await sendAll(FORGED, true);
    should([...new Set(statuses)]).deepEqual([401]);
    should(stage.emitted.length).equal(before);
  });
});
