import { element } from './elements';
import type { SidebarTab } from './tab';

export const nowTab: SidebarTab = {
  id: 'now',
  label: 'now.label',
  permission: 'flows.read',
  closesWithPage: true,
  open: (container, { say }) => {
    container.append(element('p', { class: 'telnyx-sidebar-empty', text: say('now.empty') }));
  },
  close: () => undefined
};
