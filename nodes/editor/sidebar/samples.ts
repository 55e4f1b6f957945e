import { SamplePanel } from '../samples/sample-panel';
import { element } from './elements';
import type { TabContext } from './tab';

/** The webhook nodes that may be running; those of subflows are left out, because they may have many instances. */
function webhookNodes(): EditorNode[] {
  const found: EditorNode[] = [];
  RED.nodes.eachNode((node) => {
    const tab = RED.nodes.workspace(node.z);
    const isOff = node.d === true || tab === undefined || tab.disabled === true;
    if (/^\w+-webhook-in$/.test(node.type) && !isOff) found.push(node);
  });
  return found;
}

/**
 * "Send a sample", to be opened below a tab's content. Nothing is loaded before that.
 *
 * @returns null when the user may not send any, or there is no webhook node
 */
export function sampleSection({
  may,
  say,
  nameOf
}: Pick<TabContext, 'may' | 'say' | 'nameOf'>): HTMLElement | null {
  const nodes = webhookNodes();
  const [first] = nodes;
  if (!may('flows.write') || first === undefined) return null;
  const id = 'telnyx-sidebar-sample-node';
  const select = element('select', { id });
  for (const node of nodes)
    select.append(element('option', { value: node.id, text: nameOf(node.id) ?? node.id }));
  const place = element('div');
  const details = element(
    'details',
    { class: 'telnyx-sidebar-sample' },
    element('summary', { text: say('sample.open') }),
    element('label', { for: id, text: say('sample.node') }),
    select,
    place
  );
  let type = '';
  const show = (): void => {
    const node = nodes.find((one) => one.id === select.value) ?? first;
    if (!details.open || node.type === type) return;
    type = node.type;
    const panel = new SamplePanel({
      type,
      node: () => select.value,
      text: (key, values) => node._(`${node.type}.sample.${key}`, values)
    });
    place.replaceChildren(...panel.element.get());
  };
  details.addEventListener('toggle', show);
  select.addEventListener('change', show);
  return details;
}
