import should from 'should';
import { DAILY_HMAC } from '../support/daily';
import { EditorPage } from '../support/editor-page';
import { allExamples } from '../support/example-flow';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { TRUSTED } from '../support/sign';

/** What the editor reports about a visible tab. */
const LOOK = `(id) => {
  RED.workspaces.show(id);
  RED.view.redraw(true, true);
  const nodes = RED.nodes.filterNodes({ z: id });
  const box = ({ x, y, w, h }) => ({ left: x - w / 2, right: x + w / 2, top: y - h / 2, bottom: y + h / 2 });
  const overlaps = [];
  nodes.forEach((one, index) => nodes.slice(index + 1).forEach((other) => {
    const [a, b] = [box(one), box(other)];
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      overlaps.push([one.name || one.type, other.name || other.type]);
  }));
  const backwards = RED.nodes.filterLinks({ source: { z: id } })
    .filter(({ source, target }) => box(target).left < box(source).right)
    .map(({ source, target }) => [source.name, target.name]);
  const invalid = [];
  const judge = (node) => { if (node.valid === false) invalid.push([node.type, node.validationErrors]); };
  nodes.forEach(judge);
  RED.nodes.eachConfig(judge);
  const groups = RED.nodes.groups(id);
  const inside = ({ x, y, w, h }) => ({ left: x, right: x + w, top: y, bottom: y + h });
  const crossing = groups.flatMap((one, index) => groups.slice(index + 1).filter((other) => {
    const [a, b] = [inside(one), inside(other)];
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  }).map((other) => [one.name, other.name]));
  const outside = nodes.filter((node) => {
    const [a, b] = [box(node), inside(RED.nodes.group(node.g))];
    return a.left < b.left || a.right > b.right || a.top < b.top || a.bottom > b.bottom;
  }).map(({ name, type }) => name || type);
  const changed = nodes.filter((node) => node.changed).map(({ name, type }) => name || type);
  return { crossing, outside, changed, width: Math.min(...nodes.map(({ w }) => w)), overlaps, backwards, invalid };
}`;

describe('example flows in the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  const examples = allExamples();

  before('a browser and Node-RED with the built package', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    // Accounts without any key are marked as incomplete.
    const env = { TELNYX_PUBLIC_KEY: TRUSTED.publicKey, DAILY_HMAC_SECRET: DAILY_HMAC };
    nodeRed = await NodeRedProcess.start({
      coreNodes: 'all',
      flow: examples.flatMap(({ flow }) => flow),
      env
    });
    editor = await EditorPage.open(nodeRed, browser);
  });

  after(async () => {
    // Both are missing when there is no browser.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
  });

  for (const { name, flow } of examples) {
    it(`"${name}" has no invalid, changed or overlapping nodes, tidy groups, and no wire that runs backwards`, async () => {
      const tab = flow.find(({ type }) => type === 'tab')!.id;
      const look = await editor.page.evaluate<{ width: number }>(`(${LOOK})(${JSON.stringify(tab)})`);
      should(look.width).be.above(10);
      const none = {
        overlaps: [],
        backwards: [],
        invalid: [],
        crossing: [],
        outside: [],
        changed: []
      };
      should(look).have.properties(none);
    });
  }

  it('cause no error in the browser', () => {
    should(editor.errors).eql([]);
  });
});
