import should from 'should';
import { Cluster, fingerprint, type NodeReport } from '../../../src/sharing/cluster';
import { until } from '../../support/until';
import { type Member, SharingFixture } from './sharing-fixture';

describe('Cluster', () => {
  let fixture: SharingFixture;
  const clusters: Cluster[] = [];

  beforeEach(async function () {
    fixture = await SharingFixture.start(this);
  });
  afterEach(async () => {
    await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
    await fixture.close();
  });

  const node = (more: Partial<NodeReport> = {}): NodeReport => ({
    ...{ settings: { Folder: fingerprint('/a') }, running: 1, waiting: 2, probe: '' },
    ...more
  });

  function join(member: Member, nodes: Record<string, NodeReport> = { n: node() }): Cluster {
    const { connection, instance } = member;
    const cluster = new Cluster({ connection, instance, report: () => nodes, beatMs: 100 });
    clusters.push(cluster);
    return cluster;
  }

  const hosts = (cluster: Cluster): string[] =>
    cluster
      .peers()
      .map(({ host }) => host)
      .sort();

  it('knows the other instances, their jobs, and who has gone', async () => {
    const one = join(await fixture.join('one'));
    const two = join(await fixture.join('two'), { n: node({ running: 3 }), x: node() });
    const three = join(await fixture.join('three'), {});
    await until('all', () => [one, two, three].every((each) => each.peers().length === 2));
    should(hosts(one)).eql(['three', 'two']);
    should(one.counts('n')).eql({ instances: 2, running: 4, waiting: 4 });
    should(three.counts('none')).eql({ instances: 1, running: 0, waiting: 0 });
    await two.close();
    await one.beat();
    should(hosts(one)).eql(['three']);
    should(one.lastKnown('n')).equal(1);
    // Killed: it says nothing.
    fixture.members[2]!.connection.close();
    await until('the end of its time', () => one.peers().length === 0);
  });

  it('tells by which files folders are recognised, and whether it has heard of anybody', async () => {
    const one = join(await fixture.join('one'));
    should(one.probes('n')).be.null();
    join(await fixture.join('two'), { n: node({ probe: 'its file' }), x: node() });
    join(await fixture.join('three'), {});
    await until('all', () => one.peers().length === 2);
    should(one.probes('n')).eql([{ id: 'id-two', host: 'two', probe: 'its file' }]);
    should(one.probes('constructor')).eql([]);
    // Nothing is known of them once Redis is gone for a while.
    await fixture.server.kill();
    await until('silence', () => one.probes('n') === null);
    should(one.peers()).eql([]);
  });

  it('names settings that differ, with hosts, and shows nothing of them', async () => {
    const one = join(await fixture.join('one'));
    join(await fixture.join('two'), { n: node({ settings: { Folder: fingerprint('/geheim') } }) });
    join(await fixture.join('three'), {
      n: node({ settings: { Folder: fingerprint('/geheim'), Format: 'x' } })
    });
    join(await fixture.join('four'), {});
    await until('all', () => one.peers().length === 3);
    should(one.differences('n')).eql([
      { setting: 'Folder', hosts: ['three', 'two'] },
      { setting: 'Format', hosts: ['three'] }
    ]);
    should(await fixture.server.say('GET {test}:instance:id-two')).not.containEql('geheim');
  });

  it('knows nobody while Redis is away, and everybody afterwards, also when it was emptied', async () => {
    const one = join(await fixture.join('one'));
    join(await fixture.join('two'));
    await until('the other', () => one.peers().length === 1);
    await fixture.server.kill();
    await until('silence', () => one.peers().length === 0);
    should(one.counts('n')).eql({ instances: 1, running: 1, waiting: 2 });
    // It is likely to be there all the same.
    should(one.lastKnown('n')).equal(2);
    await fixture.server.run();
    await until('the other again', () => one.peers().length === 1);
  });

  it('closes at once when nothing passes', async () => {
    const member = await fixture.join('one');
    const one = join(member);
    member.relay.silence();
    const since = performance.now();
    await one.close();
    should(performance.now() - since).be.below(5000);
  });

  it('believes nobody who is not of its kind', async () => {
    const one = join(await fixture.join('one'));
    await fixture.server.say('ZADD {test}:instances 9999999999999 evil 9999999999999 worse');
    await fixture.server.say(`SET {test}:instance:evil "{\\"id\\":\\"evil\\",\\"host\\":1}"`);
    await fixture.server.say('SET {test}:instance:worse nonsense');
    await one.beat();
    should(one.peers()).eql([]);
  });
});
