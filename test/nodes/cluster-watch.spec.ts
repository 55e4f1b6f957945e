import { EventEmitter } from 'node:events';
import should from 'should';
import { ClusterWatch } from '../../nodes/download/cluster-watch';
import { toldSettings } from '../../nodes/download/told-settings';
import type { DownloadTarget } from '../../nodes/download/download-settings';
import type { Difference, NodeReport } from '../../src/sharing/cluster';
import { until } from '../support/until';

describe('what a download node knows of its others', () => {
  const looks = new EventEmitter();
  let differences: Difference[];
  let instances: number;
  let isAway: boolean;
  let warnings: string[];
  let report: (() => NodeReport) | undefined;
  let watch: ClusterWatch;

  beforeEach(() => {
    differences = [];
    instances = 2;
    isAway = false;
    warnings = [];
    report = undefined;
    const cluster = {
      counts: () => ({ instances, running: 5, waiting: 7 }),
      differences: () => differences
    };
    const queue = {
      cluster,
      connection: {
        get isAway() {
          return isAway;
        }
      },
      reportNode: (_node: string, told: () => NodeReport) => {
        report = told;
        return () => (report = undefined);
      }
    };
    watch = new ClusterWatch({
      queue: queue as unknown as ConstructorParameters<typeof ClusterWatch>[0]['queue'],
      ...{ node: 'n', settings: { Format: 'hash' }, lookMs: 5 },
      onLook: () => looks.emit('look'),
      onDifferences: (text) => warnings.push(text)
    });
    watch.begin(
      { tally: () => ({ running: 2, held: 3, pooled: 20 }) },
      { finding: { kind: 'apart', hosts: ['b'] }, probe: 'its file' }
    );
  });
  afterEach(() => watch.end());

  const look = (): Promise<unknown> => new Promise((resolve) => looks.once('look', resolve));

  it('adds up what runs and waits, and tells the others', async () => {
    await look();
    should(watch.view).eql({
      ...{ isAway: false, here: 2, running: 5 },
      instances: 2,
      waiting: 22,
      differing: [],
      folder: { kind: 'apart', hosts: ['b'] }
    });
    should(report?.()).eql({ settings: { Format: 'hash' }, running: 2, waiting: 3, probe: 'its file' });
    isAway = true;
    await look();
    should(watch.view?.isAway).be.true();
    watch.end();
    should([watch.view, report]).eql([null, undefined]);
    isAway = false;
    watch.begin({ tally: () => ({ running: 0, held: 0, pooled: 0 }) }, null);
    await look();
    should([watch.view?.folder, report?.().probe]).eql([null, '']);
  });

  it('warns once of settings that differ, and again only after they were equal', async () => {
    differences = [
      { setting: 'Format', hosts: ['b', 'c'] },
      { setting: 'Folder', hosts: ['b'] }
    ];
    await until('the hosts', () => watch.view?.differing.join() === 'b,c');
    await look();
    should(warnings).have.length(1);
    should(warnings[0]).match(/"Format" \(b, c\); "Folder" \(b\).*same flow everywhere/);
    // The others are away for a moment.
    [differences, instances] = [[], 1];
    await look();
    [differences, instances] = [[{ setting: 'Format', hosts: ['b'] }], 2];
    await look();
    should(warnings).have.length(1);
    differences = [];
    await look();
    should(watch.view?.differing).eql([]);
    differences = [{ setting: 'Format', hosts: ['b'] }];
    await look();
    should(warnings).have.length(2);
  });

  it('says what another key means', async () => {
    differences = [{ setting: 'Encryption', hosts: ['b'] }];
    await until('the warning', () => warnings.length > 0);
    should(warnings[0]).match(/"Encryption" \(b\).*enter the same key/);
  });

  it('compares what decides about a recording, and tells no secret', () => {
    const RED = { nodes: { getNode: () => null } } as unknown as Parameters<typeof toldSettings>[0];
    const told = (target: DownloadTarget, config: object = {}) =>
      toldSettings(RED, { id: 'n', type: 't', ...config }, { target, format: 'any', deleteAtSource: false });
    const folder = told({ kind: 'folder', folder: '/srv/archive' });
    should(told({ kind: 'folder', folder: '/srv/archive' }, { concurrency: '9', name: 'x' })).eql(folder);
    for (const config of [{ filename: '{{recording_id}}.{{ext}}' }, { sidecar: false }])
      should(told({ kind: 'folder', folder: '/srv/archive' }, config)).not.eql(folder);
    should(told({ kind: 'folder', folder: '/srv/other' })['Folder']).not.equal(folder['Folder']);
    should(JSON.stringify(folder)).not.containEql('srv');
    const bucket = (secretAccessKey: string): DownloadTarget => ({
      kind: 'bucket',
      settings: { endpoint: 'https://s3.example.com', bucket: 'b', prefix: '', secretAccessKey } as never
    });
    should(told(bucket('one'))).eql(told(bucket('another')));
  });
});
