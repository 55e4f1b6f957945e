import should from 'should';
import { Tickets } from '../../../../src/library/content/tickets';

const MINUTE = 60_000;

describe('tickets', () => {
  let time = 0;
  let tickets: Tickets<string>;

  beforeEach(() => {
    time = 0;
    tickets = new Tickets(() => time);
  });

  it('cannot be guessed, and are of one file each', () => {
    const [one, other] = [tickets.issue('one'), tickets.issue('other')];
    should(one).match(/^[\w-]{43}$/);
    should(one).not.equal(other);
    should(tickets.redeem(one)).equal('one');
    should(tickets.redeem(other)).equal('other');
    for (const foreign of [
      '',
      'x',
      `${one} `,
      one.slice(1),
      one.toUpperCase(),
      '__proto__',
      'x'.repeat(100_000)
    ])
      should(tickets.redeem(foreign)).be.undefined();
  });

  it('end ten minutes after they were last used', () => {
    const ticket = tickets.issue('one');
    time += 9 * MINUTE;
    should(tickets.redeem(ticket)).equal('one');
    time += 9 * MINUTE;
    should(tickets.redeem(ticket)).equal('one');
    time += 11 * MINUTE;
    should(tickets.redeem(ticket)).be.undefined();
    time -= 11 * MINUTE;
    should(tickets.redeem(ticket)).be.undefined();
  });

  it('end after two hours, however much they are used', () => {
    const ticket = tickets.issue('one');
    for (; time <= 120 * MINUTE; time += 5 * MINUTE) should(tickets.redeem(ticket)).equal('one');
    should(tickets.redeem(ticket)).be.undefined();
  });

  it('are limited in number: the oldest ends first', () => {
    const first = tickets.issue('first');
    const others = Array.from({ length: 1000 }, (_value, number) => tickets.issue(String(number)));
    should(tickets.redeem(first)).be.undefined();
    should(tickets.redeem(others[0]!)).equal('0');
    should(tickets.redeem(others.at(-1)!)).equal('999');
  });

  it('of one owner do not end those of another', () => {
    const mine = tickets.issue('mine', 'one');
    const others = Array.from({ length: 2000 }, (_value, number) => tickets.issue(String(number), 'other'));
    should(tickets.redeem(mine)).equal('mine');
    const left = others.filter((ticket) => tickets.redeem(ticket) !== undefined);
    should(left).deepEqual(others.slice(-999));
    const again = tickets.issue('again', null);
    should(tickets.redeem(left[0]!)).be.undefined();
    for (const [ticket, grant] of [
      [mine, 'mine'],
      [again, 'again']
    ] as const)
      should(tickets.redeem(ticket)).equal(grant);
  });
});
