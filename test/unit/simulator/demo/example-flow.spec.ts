import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { prepareExample } from '../../../../src/simulator/demo/example-flow';
import { prepareUserDirectory } from '../../../../src/simulator/demo/user-directory';

describe('npm start: user directory', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'telnyx-flow-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const flow = [
    { id: 'a', type: 'telnyx-account', publicKeys: '', apiUrl: 'https://api.telnyx.com/v2' },
    { id: 'w', type: 'telnyx-webhook-in', account: 'a', path: '/calls', wires: [['d']] },
    { id: 'd', type: 'telnyx-recording-download', folder: 'calls', network: 'public-https', wires: [[]] },
    { id: 'x', type: 'debug', complete: 'payload', wires: [] },
    { id: 'b', type: 'daily-account', apiUrl: 'https://api.daily.co/v1' }
  ];
  const changes = {
    publicKey: 'the key',
    apiUrl: 'http://127.0.0.1:1/v2',
    dailyApiUrl: 'http://127.0.0.1:2/v1'
  };

  function file(content: unknown, as = 'example'): string {
    const name = path.join(folder, `${as}.json`);
    writeFileSync(name, JSON.stringify(content));
    return name;
  }

  it('replaces only the provider in the example, by the stand-in', () => {
    const prepared = prepareExample([file(flow)], changes);
    should(prepared.webhookPath).equal('/calls');
    should(prepared.recordingsFolder).equal('calls');
    should(JSON.parse(prepared.json)).deepEqual([
      { ...flow[0], publicKeys: 'the key', apiUrl: 'http://127.0.0.1:1/v2' },
      flow[1],
      { ...flow[2], network: 'any' },
      flow[3],
      { ...flow[4], apiUrl: 'http://127.0.0.1:2/v1' }
    ]);
    should(prepared.dailyPath).equal(null);
  });

  it('makes a second example store where the first one does, and finds its button', () => {
    const second = [
      { id: 'i', type: 'inject', wires: [['l']] },
      { id: 'other', type: 'inject', wires: [['f']] },
      { id: 'l', type: 'telnyx-recording-list', wires: [['f'], []] },
      { id: 'f', type: 'telnyx-recording-download', folder: 'elsewhere', filename: 'x', wires: [[]] }
    ];
    const first = flow.map((node) => (node.id === 'd' ? { ...node, filename: '{{recording_id}}' } : node));
    const prepared = prepareExample([file(first), file(second, 'second')], changes);
    should(prepared.listButton).equal('i');
    should(prepared.recordingsFolder).equal('calls');
    should(JSON.parse(prepared.json)).containDeep([
      { id: 'f', folder: 'calls', filename: '{{recording_id}}', network: 'any' }
    ]);
    should(prepareExample([file(flow)], changes).listButton).equal(null);
  });

  it('has what a delivery list finds written to a file, and finds its button', () => {
    const second = [
      { id: 'i', type: 'inject', wires: [['l']] },
      { id: 'l', type: 'telnyx-delivery-list', z: 't', wires: [['x'], []] }
    ];
    const found = path.join(folder, 'found.jsonl');
    const prepared = prepareExample([file(flow), file(second, 'second')], { ...changes, foundFile: found });
    should([prepared.deliveryButton, prepared.listButton]).eql(['i', null]);
    should(JSON.parse(prepared.json)).containDeep([
      { id: 'l', wires: [['x', 'l-found'], []] },
      { id: 'l-found', type: 'file', z: 't', filename: found }
    ]);
  });

  it('finds the path of the Daily node', () => {
    const daily = { id: 'e', type: 'daily-webhook-in', account: 'b', path: '/meetings', wires: [['d']] };
    should(prepareExample([file([...flow, daily])], changes).dailyPath).equal('/meetings');
  });

  it('leaves the flow unchanged for the real Telnyx', () => {
    should(JSON.parse(prepareExample([file(flow)], null).json)).deepEqual(flow);
  });

  it('rejects any other flow', () => {
    should(() => prepareExample([file({ no: 'array' })], null)).throw(/not an exported flow/);
    should(() => prepareExample([file([1])], null)).throw(/not an exported flow/);
    should(() => prepareExample([file(flow.slice(0, 2))], null)).throw(/no download node/);
  });

  it('creates a user directory with default settings, and leaves an existing one unchanged', () => {
    const stock = path.join(folder, 'stock.js');
    writeFileSync(stock, 'module.exports = { flowFile: "flows.json", editorTheme: { palette: 1 } };');
    const userDir = path.join(folder, 'user-dir');
    prepareUserDirectory(userDir, stock, '[]');
    const settings: unknown = createRequire(__filename)(path.join(userDir, 'settings.js'));
    should(settings).containDeep({
      uiHost: '127.0.0.1',
      flowFile: 'flows.json',
      telemetry: { enabled: false },
      editorTheme: { palette: 1, tours: false }
    });
    should((settings as { credentialSecret: string }).credentialSecret).match(/^[0-9a-f]{48}$/);
    should(existsSync(path.join(userDir, 'package.json'))).be.true();

    const before = readFileSync(path.join(userDir, 'settings.js'), 'utf8');
    prepareUserDirectory(userDir, stock, '[{}]');
    should(readFileSync(path.join(userDir, 'settings.js'), 'utf8')).equal(before);
    should(readFileSync(path.join(userDir, 'flows.json'), 'utf8')).equal('[]');
  });
});
