import { element } from './elements';
import type { SidebarTab } from './tab';

export const deliveriesTab: SidebarTab = {
  id: 'deliveries',
  label: 'deliveries.label',
  permission: 'telnyx.read',
  open: (container, { say }) => {
    container.append(element('p', { class: 'telnyx-sidebar-empty', text: say('deliveries.empty') }));
  },
  close: () => undefined
};
