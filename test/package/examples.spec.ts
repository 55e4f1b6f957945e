import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import should from 'should';
import { allExamples, DASHBOARD_EXAMPLE, plainExamples } from '../support/example-flow';
import { type FlowNode, NodeRedProcess } from '../support/node-red-process';
import { definitionOf, NODES } from './node-files';

const examples = allExamples();
const flows = new Map(examples.map(({ name, flow }) => [name, flow]));
/** The sub-menus of Import, Examples. */
const FOLDERS = ['1 Start here', '2 Archive', '3 Calls and TeXML', '4 Messages and fax', '5 Operations'];
const own = NODES.map(({ type }) => type);
const configs = NODES.filter((node) => definitionOf(node).category === 'config').map(({ type }) => type);
/** Of FlowFuse Dashboard, which one example needs and names. */
const DASHBOARD = ['ui-base', 'ui-theme', 'ui-page', 'ui-group', 'ui-template'];
const STRUCTURE = ['tab', 'group', 'comment', 'junction', 'subflow'];

describe('example flows', () => {
  it('show every node', () => {
    const used = [...flows.values()].flat().map(({ type }) => type);
    should(own.filter((type) => !configs.includes(type) && !used.includes(type))).deepEqual([]);
  });

  it('are in folders, each with a name of its own', () => {
    should(examples.filter(({ folder }) => !FOLDERS.includes(folder))).be.empty();
    should(flows.size).equal(examples.length);
  });

  it('can be imported side by side: no node, no tab and no address is there twice', () => {
    const all = [...flows.values()].flat();
    const taken = [
      ...all.map(({ id }) => id),
      ...all.filter(({ type }) => type === 'tab').map(({ label }) => String(label)),
      ...all.flatMap(addressOf)
    ];
    should(taken.filter((one, index) => taken.indexOf(one) !== index)).deepEqual([]);
  });

  for (const [name, flow] of flows) {
    describe(name, () => {
      it('is a list of nodes with an explanation', () => {
        should(flow).be.an.Array();
        const comments = flow.filter(({ type }) => type === 'comment');
        should(comments).not.be.empty();
        for (const comment of comments) should(comment['name']).be.a.String().and.not.be.empty();
      });

      it('uses only core nodes, nodes of this package and those of a package that it names', () => {
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
        const types = foreign.map(({ type }) => type).sort();
        should(types).deepEqual(name === DASHBOARD_EXAMPLE ? [...DASHBOARD].sort() : []);
        const { info } = flow.find(({ type }) => type === 'tab')!;
        if (types.length > 0) should(info).containEql('Install `@flowfuse/node-red-dashboard`');
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

      it('has every node in a group that says what it is for', () => {
        const groups = flow.filter(({ type }) => type === 'group');
        for (const { id, name: title, nodes } of groups) {
          should(title).be.a.String().and.not.be.empty();
          const members = flow.filter(({ g }) => g === id).map((node) => node.id);
          should([...(nodes as string[])].sort()).deepEqual(members.sort());
        }
        const loose = flow.filter(({ type, z, g }) => type !== 'group' && z !== undefined && g === undefined);
        should(loose.map(({ id }) => id)).deepEqual([]);
      });

      it('shares one account of each provider', () => {
        const accounts = flow.map(({ type }) => type).filter((type) => type.endsWith('-account'));
        should(accounts).not.be.empty();
        should(new Set(accounts).size).equal(accounts.length);
      });

      it('shows what was stored, and why something was not', () => {
        for (const { id } of flow.filter(({ type }) => type === 'telnyx-recording-download')) {
          should(shownBy(flow, id).some((part) => ['recording', 'payload'].includes(part))).be.true();
          const caught = flow.filter(({ type, scope }) => type === 'catch' && includes(scope, id));
          const reasons = caught.flatMap((one) => shownBy(flow, one.id));
          should(reasons.some((part) => ['error', 'payload'].includes(part))).be.true();
        }
      });

      it('contains every property of our nodes, so that an import shows no change', () => {
        for (const node of flow) {
          const files = NODES.find(({ type }) => type === node.type);
          if (!files) continue;
          // A property without a value is never saved: the editor only asks its validator.
          const { defaults } = definitionOf(files);
          const wanted = Object.keys(defaults).filter((name) => defaults[name]!.value !== undefined);
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

  it('run in a real Node-RED, all together', async function () {
    this.timeout(240_000);
    const nodeRed = await NodeRedProcess.start({ coreNodes: 'all' });
    try {
      const from = nodeRed.log.length;
      await nodeRed.deploy(plainExamples().flatMap(({ flow }) => flow));
      should(nodeRed.log.slice(from)).not.match(
        /missing types|Waiting for|TypeError|\[error\].*(BAD_SETTING|PATH_IN_USE)/
      );
      // A newcomer without an account gets no error before the first sample; whoever forgot a key does.
      const errors = nodeRed.log.slice(from).match(/\[error\] \[telnyx-webhook-in:.*NO_PUBLIC_KEY/g) ?? [];
      should(errors.filter((line) => /:(Made-up calls|Events|Voice)\]/.test(line))).be.empty();
      should(errors.filter((line) => line.includes(':Telnyx calls]'))).not.be.empty();
      const where = 'library/examples/flows/@red-telephony/node-red-telnyx';
      for (const folder of FOLDERS) {
        const response = await nodeRed.admin(`${where}/${encodeURIComponent(folder)}`, {
          headers: { Accept: 'application/json' }
        });
        const names = examples.filter((example) => example.folder === folder).map(({ name }) => name);
        const listed = (await response.json()) as { fn: string }[];
        should(listed.map(({ fn }) => path.basename(fn, '.json')).sort()).deepEqual(names.sort());
      }
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

/** The address below Node-RED's own at which a node listens. */
function addressOf({ type, path: ownPath, url }: FlowNode): string[] {
  const address = type.endsWith('-webhook-in') ? ownPath : type === 'http in' ? url : undefined;
  return typeof address === 'string' ? [address] : [];
}

/** The parts of the message that the debug nodes behind a node show. */
function shownBy(flow: readonly FlowNode[], from: string): string[] {
  const seen = new Set<string>([from]);
  for (const id of seen) {
    const wires = flow.find((node) => node.id === id)?.['wires'] as string[][] | undefined;
    for (const next of (wires ?? []).flat()) seen.add(next);
  }
  return flow
    .filter(({ id, type, active }) => type === 'debug' && active === true && seen.has(id))
    .map(({ complete }) => String(complete));
}

function includes(list: unknown, id: string): boolean {
  return Array.isArray(list) && list.includes(id);
}
