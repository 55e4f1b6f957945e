import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import should from 'should';
import { type FlowNode, NodeRedProcess } from '../support/node-red-process';
import { REPOSITORY } from '../support/packed-package';
import { definitionOf, NODES } from './node-files';

const folder = path.join(REPOSITORY, 'examples');
const files = readdirSync(folder, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.json'));
const flows = new Map(
  files.map((name) => [name, JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as FlowNode[]])
);
const own = NODES.map(({ type }) => type);
const configs = NODES.filter((node) => definitionOf(node).category === 'config').map(({ type }) => type);
const STRUCTURE = ['tab', 'group', 'comment', 'junction', 'subflow'];

describe('example flows', () => {
  it('show every node', () => {
    const used = [...flows.values()].flat().map(({ type }) => type);
    should(own.filter((type) => !configs.includes(type) && !used.includes(type))).deepEqual([]);
  });

  for (const [name, flow] of flows) {
    describe(name, () => {
      it('is a list of nodes with an explanation', () => {
        should(flow).be.an.Array();
        const comments = flow.filter(({ type }) => type === 'comment');
        should(comments).not.be.empty();
        for (const comment of comments) should(comment['name']).be.a.String().and.not.be.empty();
      });

      it('uses only core nodes and nodes of this package', () => {
        const nodeRed = createRequire(require.resolve('node-red'));
        const coreFolder = path.dirname(nodeRed.resolve('@node-red/nodes/package.json'));
        const core = readdirSync(path.join(coreFolder, 'core'), { recursive: true })
          .map(String)
          .filter((file) => file.endsWith('.html'))
          .flatMap((file) => [
            ...readFileSync(path.join(coreFolder, 'core', file), 'utf8').matchAll(
              /registerType\(['"]([^'"]+)/g
            )
          ])
          .map(([, type]) => type);
        const foreign = flow.filter(({ type }) => ![...core, ...own, ...STRUCTURE].includes(type));
        should(foreign.map(({ type }) => type)).deepEqual([]);
      });

      it('hangs together', () => {
        const ids = flow.map(({ id }) => id);
        should(new Set(ids).size).equal(ids.length);
        const targets = flow.flatMap(({ wires }) => ((wires as string[][] | undefined) ?? []).flat());
        should(targets.filter((id) => !ids.includes(id))).deepEqual([]);
        for (const node of flow) {
          const bucket = node.type === 'telnyx-bucket' ? '' : node['bucket'];
          for (const value of [node['z'], node['g'], node['account'], node['dailyAccount'], bucket]) {
            if (typeof value === 'string' && value !== '') should(ids).containEql(value);
          }
        }
      });

      it('contains every property of our nodes, so that an import shows no change', () => {
        for (const node of flow) {
          const files = NODES.find(({ type }) => type === node.type);
          if (!files) continue;
          const wanted = Object.keys(definitionOf(files).defaults);
          should([node.type, wanted.filter((name) => !(name in node))]).deepEqual([node.type, []]);
        }
      });

      it('contains no credential, real number or foreign host', () => {
        const text = JSON.stringify(flow);
        should(text).not.match(/"credentials"/);
        const numbers = text.match(/\+\d{7,15}/g) ?? [];
        should(numbers.filter((number) => !/^\+120255501\d\d$/.test(number))).deepEqual([]);
        const hosts = [...text.matchAll(/https?:\/\/([^/"\\\s)]+)/g)].map(([, host = '']) => host);
        const known =
          /(^|\.)(example\.(com|org)|telnyx\.com|daily\.co|nodered\.org|localhost|127\.0\.0\.1(:\d+)?)$/;
        should(hosts.filter((host) => !known.test(host))).deepEqual([]);
      });
    });
  }

  it('run in a real Node-RED', async function () {
    this.timeout(60_000);
    const nodeRed = await NodeRedProcess.start();
    try {
      for (const flow of flows.values()) {
        const from = nodeRed.log.length;
        await nodeRed.deploy(flow);
        should(nodeRed.log.slice(from)).not.match(
          /missing types|Waiting for|TypeError|\[error\].*BAD_SETTING/
        );
      }
      const where = 'library/examples/flows/@red-telephony/node-red-telnyx';
      const listed = await (await nodeRed.admin(where, { headers: { Accept: 'application/json' } })).text();
      for (const name of files) should(listed).containEql(path.basename(name, '.json'));
    } finally {
      await nodeRed.stop();
    }
  });

  it('all appear in the import dialog once the package is installed', async function () {
    this.timeout(60_000);
    const nodeRed = await NodeRedProcess.start();
    try {
      const response = await nodeRed.admin('nodes', { headers: { Accept: 'application/json' } });
      const sets = (await response.json()) as {
        module: string;
        types: string[];
        enabled: boolean;
        err?: string;
      }[];
      const ours = sets.filter(({ module }) => module === '@red-telephony/node-red-telnyx');
      should(ours.flatMap(({ types }) => types).sort()).deepEqual([...own].sort());
      should(ours.filter(({ enabled, err }) => !enabled || err !== undefined)).deepEqual([]);
      should(nodeRed.log).not.match(/\[(warn|error)\].*telnyx/);
    } finally {
      await nodeRed.stop();
    }
  });
});
