import type { EditorPage } from './editor-page';

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
  // The workspace begins at 0.
  const cut = groups.filter(({ x, y }) => x < 0 || y < 0).map(({ name, x, y }) => [name, x, y]);
  const outside = nodes.filter((node) => {
    const [a, b] = [box(node), inside(RED.nodes.group(node.g))];
    return a.left < b.left || a.right > b.right || a.top < b.top || a.bottom > b.bottom;
  }).map(({ name, type }) => name || type);
  const changed = nodes.filter((node) => node.changed).map(({ name, type }) => name || type);
  return { crossing, cut, outside, changed, width: Math.min(...nodes.map(({ w }) => w)), overlaps, backwards, invalid };
}`;

/** What `lookOf` says of a tab without a fault. */
export const TIDY = {
  overlaps: [],
  backwards: [],
  invalid: [],
  crossing: [],
  cut: [],
  outside: [],
  changed: []
};

/**
 * Shows a tab in the editor, and finds what is wrong with it.
 *
 * @param tab id of the tab
 * @returns `width` of the narrowest node, in pixels, and the faults, as in `TIDY`
 */
export function lookOf(editor: EditorPage, tab: string): Promise<typeof TIDY & { width: number }> {
  return editor.page.evaluate(`(${LOOK})(${JSON.stringify(tab)})`);
}
