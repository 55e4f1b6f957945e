import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { EditorPage } from '../support/editor-page';
import { type FlowNode, NodeRedProcess } from '../support/node-red-process';
import { REPOSITORY } from '../support/packed-package';
import { requireProgram } from '../support/real-parts';

const folder = path.join(REPOSITORY, 'examples');

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
  return { width: Math.min(...nodes.map(({ w }) => w)), overlaps, backwards, invalid };
}`;

describe('example flows in the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  const flows = readdirSync(folder).map(
    (name) => [name, JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as FlowNode[]] as const
  );

  before('a browser and Node-RED with the built package', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    // Together they would use the same addresses.
    const together = flows.flatMap(([, flow], index) =>
      flow.map((node) => ('path' in node ? { ...node, path: `${String(node['path'])}-${index}` } : node))
    );
    nodeRed = await NodeRedProcess.start({ flow: together });
    editor = await EditorPage.open(nodeRed, browser);
  });

  after(async () => {
    // Both are missing when there is no browser.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
  });

  for (const [name, flow] of flows) {
    it(`"${name}" has no invalid or overlapping nodes, and no wire that runs backwards`, async () => {
      const tab = flow.find(({ type }) => type === 'tab')!.id;
      const look = await editor.page.evaluate<{ width: number }>(`(${LOOK})(${JSON.stringify(tab)})`);
      should(look.width).be.above(10);
      should(look).have.properties({ overlaps: [], backwards: [], invalid: [] });
    });
  }

  it('cause no error in the browser', () => {
    should(editor.errors).eql([]);
  });
});
