import { existsSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { node, recorder, tab } from '../support/flows';
import { NodeRedProcess } from '../support/node-red-process';

/** What the other specs rely on, tested only with core nodes. */
describe('the real Node-RED as a child process', () => {
  const httpIn = (url: string) => [
    node('in', 'http in', { url, method: 'post', wires: [['seen', 'out']] }),
    node('out', 'http response', { statusCode: '', headers: {} }),
    ...recorder()
  ];
  let nodeRed: NodeRedProcess;

  before(async function () {
    this.timeout(60_000);
    nodeRed = await NodeRedProcess.start({
      flow: [tab(), ...httpIn('/one')],
      httpAdminRoot: '/admin',
      httpNodeRoot: '/api',
      adminAuth: { user: 'editor', password: 'a password' },
      installPackage: false
    });
  });
  after(() => nodeRed.stop());

  const post = (where: string, body: unknown) =>
    fetch(nodeRed.url + nodeRed.nodePath(where), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body)
    });

  it('runs the first flow from the file and records messages', async () => {
    should((await post('/one', { n: 1 })).status).equal(200);
    const [message] = await nodeRed.messages(1);
    should(message?.payload).deepEqual({ n: 1 });
    should(message?.['has_res']).equal(true);
  });

  it('has deployed when deploy() resolves', async () => {
    await nodeRed.deploy([tab(), ...httpIn('/two')]);
    should((await post('/two', { n: 2 })).status).equal(200);
    await nodeRed.messages(2);
    should((await post('/one', { n: 3 })).status).equal(404);
    await nodeRed.deploy([tab(), ...httpIn('/three')], 'nodes');
    should((await post('/three', { n: 4 })).status).equal(200);
    await nodeRed.messages(3);
  });

  it('returns at the same address after a kill', async function () {
    this.timeout(60_000);
    const before = nodeRed.pid;
    await nodeRed.kill();
    should(nodeRed.alive).equal(false);
    await nodeRed.start();
    should(nodeRed.pid).not.equal(before);
    should((await post('/three', { n: 5 })).status).equal(200);
    should((await nodeRed.messages(4)).map(({ payload }) => (payload as { n: number }).n)).deepEqual([
      1, 2, 4, 5
    ]);
  });

  it('leaves neither a process nor a directory behind', async () => {
    const { userDir } = nodeRed;
    await nodeRed.stop();
    should(nodeRed.alive).equal(false);
    should(existsSync(path.join(userDir, 'settings.js'))).equal(false);
  });
});
