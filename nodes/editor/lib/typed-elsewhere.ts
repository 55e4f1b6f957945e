import { textOf } from './validators';

/** All webhook nodes of this Node-RED have the same public address, so it has to be typed only once. */
export function typedElsewhere({ id }: { id: string }): string {
  let found = '';
  RED.nodes.eachNode((other) => {
    if (other.id === id || !/^\w+-webhook-in$/.test(other.type)) return;
    found ||= textOf(other['publicUrl']).trim();
  });
  return found;
}
