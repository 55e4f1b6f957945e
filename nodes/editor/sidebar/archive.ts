import { element } from './elements';
import type { SidebarTab } from './tab';

export const archiveTab: SidebarTab = {
  id: 'archive',
  label: 'archive.label',
  permission: 'telnyx.read',
  open: (container, { say }) => {
    container.append(element('p', { class: 'telnyx-sidebar-empty', text: say('archive.empty') }));
  },
  close: () => undefined
};
