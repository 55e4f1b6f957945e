import type { NodeConfig, NodeRedApi } from './node-red';

/** The parts of a saved node that lead messages on; all come from the flow file. */
interface SavedWiring extends NodeConfig {
  readonly z?: unknown;
  readonly d?: unknown;
  readonly wires?: unknown;
  /** Of *link out* and *link call*. */
  readonly links?: unknown;
  /** Of the definition of a subflow. */
  readonly in?: unknown;
  readonly out?: unknown;
}

/**
 * The saved nodes of a type that a message from a node can reach, through any other nodes, links and subflows. Nodes that are disabled pass
 * nothing on. All instances of a subflow count as one.
 *
 * @param id as saved: for a node in a subflow that of the definition
 */
export function wiredBehind(RED: Pick<NodeRedApi, 'nodes'>, id: string, type: string): NodeConfig[] {
  const saved = new Map<string, SavedWiring>();
  RED.nodes.eachNode((node) => saved.set(node.id, node));
  const instances = new Map<string, SavedWiring[]>();
  for (const node of saved.values()) {
    if (!node.type.startsWith('subflow:')) continue;
    const definition = node.type.slice('subflow:'.length);
    const known = instances.get(definition);
    if (known === undefined) instances.set(definition, [node]);
    else known.push(node);
  }
  /** Where what leaves the node goes; an output of a subflow goes on behind each of its instances. */
  const behind = (node: SavedWiring): string[] => {
    const definition = typeof node.z === 'string' ? saved.get(node.z) : undefined;
    const outer = listOf(definition?.out).flatMap((output, index) =>
      idsOf(wiresOf(output)).includes(node.id)
        ? (instances.get(definition?.id ?? '') ?? []).flatMap(({ wires }) => idsOf(listOf(wires)[index]))
        : []
    );
    // What a subflow sends comes from the nodes in it.
    const own = node.type.startsWith('subflow:') ? insideOf(node) : listOf(node.wires).flatMap(idsOf);
    return [...own, ...outer, ...(LINKS.has(node.type) ? idsOf(node.links) : [])];
  };
  const insideOf = ({ type: instance }: SavedWiring): string[] =>
    listOf(saved.get(instance.slice('subflow:'.length))?.in).flatMap((input) => idsOf(wiresOf(input)));

  const reached = new Set<string>();
  const begin = saved.get(id);
  const next = begin === undefined ? [] : behind(begin);
  for (let one = next.pop(); one !== undefined; one = next.pop()) {
    const node = saved.get(one);
    if (node === undefined || node.d === true || reached.has(one)) continue;
    reached.add(one);
    next.push(...behind(node));
  }
  return [...saved.values()].filter((node) => node.type === type && reached.has(node.id));
}

const LINKS: ReadonlySet<string> = new Set(['link out', 'link call']);

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Ids in a list of wires: plain ones, or `{ id }` in the definition of a subflow. */
function idsOf(value: unknown): string[] {
  return listOf(value).flatMap((wire) => {
    if (typeof wire === 'string') return [wire];
    const id: unknown = typeof wire === 'object' && wire !== null && 'id' in wire ? wire.id : undefined;
    return typeof id === 'string' ? [id] : [];
  });
}

function wiresOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'wires' in value ? value.wires : undefined;
}
