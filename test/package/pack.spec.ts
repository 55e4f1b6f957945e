import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import should from 'should';
import { REPOSITORY } from '../support/packed-package';
import { definitionOf, languages, MANIFEST, NODES, PLUGINS } from './node-files';

const fromNodeRed = createRequire(require.resolve('node-red'));
const semver = fromNodeRed('semver') as { satisfies(version: string, range: string): boolean };

describe('the package that users install', () => {
  let files: string[];

  before(function () {
    this.timeout(60_000);
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const output = execFileSync('npm', args, {
      cwd: REPOSITORY,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe']
    });
    const [packed] = JSON.parse(output) as [{ files: { path: string }[] }];
    files = packed.files.map(({ path: file }) => file);
  });

  it('is built with all of its nodes and its plugin', () => {
    should(NODES.map(({ type }) => type)).deepEqual(Object.keys(MANIFEST['node-red'].nodes));
    should(PLUGINS.map(({ type }) => type)).deepEqual(['telnyx-sidebar']);
  });

  it('contains the plugin with its editor part and its texts', () => {
    for (const { type, text } of PLUGINS) {
      const base = MANIFEST['node-red'].plugins![type]!.replace(/\.js$/, '');
      for (const file of [`${base}.js`, `${base}.html`]) should(files).containEql(file);
      for (const language of languages())
        should(files).containEql(`${path.posix.dirname(base)}/locales/${language}/${type}.json`);
      should(text).match(/<script type="text\/javascript">/);
      should(text).not.match(/data-help-name|data-template-name/);
    }
  });

  it('contains each node with its form, its texts and its icon', () => {
    for (const node of NODES) {
      const base = MANIFEST['node-red'].nodes[node.type]!.replace(/\.js$/, '');
      const folder = path.posix.dirname(base);
      should(files).containEql(`${base}.js`);
      should(files).containEql(`${base}.html`);
      for (const language of languages()) {
        should(files).containEql(`${folder}/locales/${language}/${node.type}.json`);
      }
      const { icon } = definitionOf(node);
      if (icon !== undefined && !icon.startsWith('font-awesome/')) {
        should(files).containEql(`${folder}/icons/${icon}`);
      }
    }
  });

  it('contains the documents, the examples and the command', () => {
    for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json'])
      should(files).containEql(name);
    should(files.filter((file) => /^examples\/.*\.json$/.test(file))).not.be.empty();
    for (const command of Object.values(MANIFEST.bin)) should(files).containEql(command);
  });

  it('contains what the editor loads for waveforms, with its licence', () => {
    const folder = 'resources/wavesurfer';
    should(files.filter((file) => file.startsWith('resources/')).sort()).deepEqual([
      `${folder}/LICENSE`,
      `${folder}/wavesurfer.min.js`
    ]);
    should(readFileSync(path.join(REPOSITORY, folder, 'LICENSE'), 'utf8')).match(/BSD 3-Clause/);
    should(files).containEql('dist/src/library/waveform/peaks-worker.js');
  });

  // The guides of docs/ are read on GitHub, where the README leads: Node-RED shows no file of a package, and their
  // pictures would be most of what users install.
  it('contains nothing else: no tests, no sources, no guides, no dangling source maps', () => {
    const wanted = /^(dist\/|examples\/|resources\/|README\.md$|LICENSE$|CHANGELOG\.md$|package\.json$)/;
    should(files.filter((file) => !wanted.test(file))).deepEqual([]);
    const unwanted =
      /(?<!\.d)\.ts$|\.(tsbuildinfo|map|spec\.js|env|pem|key|tgz|log)$|(^|\/)(test|bench|node_modules)\//;
    should(files.filter((file) => unwanted.test(file))).deepEqual([]);
    // The types of events, and the types they refer to.
    const declarations = files.filter((file) => file.endsWith('.d.ts'));
    should(declarations).containEql(MANIFEST.types);
    should(declarations.filter((file) => !file.startsWith('dist/src/events/'))).deepEqual([]);
    const elsewhere = /^dist\/(?!src\/|nodes\/)/;
    should(files.filter((file) => elsewhere.test(file))).deepEqual([]);
  });

  it('has a manifest that the Flow Library and the palette accept', () => {
    should(MANIFEST.name).equal('@red-telephony/node-red-telnyx');
    should(MANIFEST.license).equal('Apache-2.0');
    should(MANIFEST.keywords).containEql('node-red');
    should(MANIFEST.repository.url).match(/^git\+https:/);
    should(MANIFEST.bugs.url).match(/^https:/);
    for (const version of ['20.19.0', '22.9.0', '24.0.0']) {
      should(semver.satisfies(version, MANIFEST.engines.node)).equal(true, version);
    }
    for (const version of ['4.0.0', '4.1.15', '5.0.7']) {
      should(semver.satisfies(version, MANIFEST['node-red'].version)).equal(true, version);
    }
  });

  it('depends on few packages, each with a purpose, and never on Node-RED', () => {
    const allowed = ['tweetnacl', 'lmdb', '@aws-sdk/client-s3', '@aws-sdk/lib-storage', 'bullmq', 'ioredis'];
    const names = Object.keys(MANIFEST.dependencies);
    should(names.length).be.belowOrEqual(6);
    should(names.filter((name) => !allowed.includes(name))).deepEqual([]);
  });

  it('installs what these tests use: nothing that only this repository specifies, and no build', () => {
    // npm applies the overrides of the root package, not those of installed packages.
    should(MANIFEST.overrides).equal(undefined);
    should(MANIFEST.scripts).not.have.property('prepare');
    should(MANIFEST.dependencies['lmdb']).match(/^\d+\.\d+\.\d+$/);
  });

  it('names only built files', () => {
    const { nodes, plugins = {} } = MANIFEST['node-red'];
    const named = [nodes, plugins, MANIFEST.bin].flatMap((each) => Object.values(each));
    for (const file of named) should(existsSync(path.join(REPOSITORY, file))).equal(true, file);
  });
});
