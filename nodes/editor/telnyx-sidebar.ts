import { archiveTab } from './sidebar/archive';
import { deliveriesTab } from './sidebar/deliveries';
import { SidebarFrame } from './sidebar/frame';
import { nowTab } from './sidebar/now';

const ID = 'telnyx-sidebar';
const SHOW = 'telnyx-sidebar:show';

RED.plugins.registerPlugin(ID, {
  onadd() {
    const label = this._('telnyx-sidebar.label');
    const say = (key: string, values?: Record<string, string | number>): string =>
      this._(`${ID}.${key}`, values);
    const { content } = new SidebarFrame([nowTab, archiveTab, deliveriesTab], say);
    RED.actions.add(SHOW, () => RED.sidebar.show(ID), { label: this._('telnyx-sidebar.show') });
    RED.sidebar.addTab({
      id: ID,
      label,
      name: label,
      iconClass: 'fa fa-phone',
      content,
      enableOnEdit: true,
      action: SHOW
    });
  }
});
