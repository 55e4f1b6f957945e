import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import type { FolderFinding, ProbedPeer } from '../../../src/sharing/folder-probe';
import { FolderWatch, type FolderWatchDeps } from '../../../src/sharing/folder-watch';
import { until } from '../../support/until';

describe('FolderWatch', () => {
  let said: string[];
  let finding: FolderFinding | CodedError;
  let leaving: () => Promise<void>;
  let isAway: boolean;
  let isPaused: boolean;
  let back: () => void;
  let peers: ProbedPeer[] | null;
  let lookedAt: (readonly ProbedPeer[] | null)[];
  let watch: FolderWatch;

  beforeEach(() => {
    [said, lookedAt, peers] = [[], [], []];
    [finding, isAway, isPaused] = [{ kind: 'shared' }, false, false];
    leaving = () => Promise.resolve();
    const probe: FolderWatchDeps['probe'] = {
      name: 'its name',
      leave: () => leaving(),
      look: (all) => {
        lookedAt.push(all);
        return finding instanceof CodedError ? Promise.reject(finding) : Promise.resolve(finding);
      },
      remove: () => Promise.resolve(void said.push('removed'))
    };
    const connection = {
      get isAway() {
        return isAway;
      },
      on: (_name: string, listener: () => void) => {
        back = listener;
        return () => void said.push('stopped');
      }
    } as unknown as FolderWatchDeps['connection'];
    watch = new FolderWatch({
      ...{ node: 'n', probe, connection, lookMs: 1e6 },
      cluster: {
        beat: () => Promise.resolve(void said.push('beat')),
        probes: (node) => (node === 'n' ? peers : null)
      },
      jobs: { pause: () => (isPaused = true), resume: () => (isPaused = false) },
      onApart: ({ message }) => said.push(message),
      onShared: () => said.push('shared'),
      onFault: ({ message }) => said.push(message)
    });
  });
  afterEach(() => watch.end());

  const looks = (): Promise<unknown> => {
    const before = lookedAt.length;
    return until('a look', () => lookedAt.length > before);
  };

  it('lets jobs wait for the first look, which comes after news of the others', async () => {
    finding = { kind: 'unheard' };
    watch.begin();
    should(isPaused).be.true();
    await until('two looks', () => lookedAt.length === 2);
    should(said).eql(['beat']);
    should(isPaused).be.true();
    finding = { kind: 'shared' };
    await watch.look();
    should(isPaused).be.false();
    should(watch.probe).equal('its name');
  });

  it('lets jobs wait while an instance is looked for or has another folder, and tells once', async () => {
    watch.begin();
    await until('two looks', () => lookedAt.length === 2);
    for (const kind of ['looking', 'shared'] as const) {
      finding = { kind };
      await watch.look();
      should(isPaused).equal(kind === 'looking');
    }
    should(said).eql(['beat']);
    finding = { kind: 'apart', hosts: ['b'] };
    for (let times = 0; times < 3; times++) await watch.look();
    should([isPaused, said.length]).eql([true, 2]);
    should(said[1]).containEql('on b:');
    // Not over yet, so it is not told again.
    finding = { kind: 'looking' };
    await watch.look();
    finding = { kind: 'apart', hosts: ['b', 'c'] };
    await watch.look();
    should(said).have.length(2);
    finding = { kind: 'shared' };
    await watch.look();
    should([isPaused, said[2]]).eql([false, 'shared']);
    finding = { kind: 'apart', hosts: ['b'] };
    await watch.look();
    should(said).have.length(4);
  });

  it('lets an instance work alone that has never heard of others, until Redis answers', async () => {
    [isAway, peers, finding] = [true, null, { kind: 'unheard' }];
    watch.begin();
    await looks();
    await watch.look();
    should(isPaused).be.false();
    isAway = false;
    back();
    should(isPaused).be.true();
    [peers, finding] = [[], { kind: 'shared' }];
    await until('an end', () => !isPaused);
    should(said).containEql('beat');
  });

  it('goes on waiting while Redis is away, when folders were not the same', async () => {
    watch.begin();
    finding = { kind: 'apart', hosts: ['b'] };
    await watch.look();
    isAway = true;
    await watch.look();
    should(isPaused).be.true();
  });

  it('tells once that a folder cannot be used, and keeps what it knew', async () => {
    watch.begin();
    await until('two looks', () => lookedAt.length === 2);
    const fault = new CodedError('STORE_FAILED', 'stale');
    finding = fault;
    await watch.look();
    await watch.look();
    leaving = () => Promise.reject(fault);
    finding = { kind: 'looking' };
    await watch.look();
    should(isPaused).be.true();
    should(said).eql(['beat', 'stale']);
    leaving = () => Promise.resolve();
    await watch.look();
    finding = fault;
    await watch.look();
    should(isPaused).be.true();
    should(said).eql(['beat', 'stale', 'stale']);
  });

  it('asks a folder that does not answer once, and ends without it', async () => {
    let answer: () => void = () => undefined;
    let asked = 0;
    leaving = () => {
      asked += 1;
      return new Promise((resolve) => (answer = resolve));
    };
    watch.begin();
    const second = watch.look();
    should(asked).equal(1);
    should(isPaused).be.true();
    const ended = watch.end();
    answer();
    await Promise.all([second, ended]);
    await new Promise((resolve) => setImmediate(resolve));
    should(isPaused).be.true();
    should([asked, said.filter((one) => one === 'removed').length]).eql([1, 1]);
  });
});
