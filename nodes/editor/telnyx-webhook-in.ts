import { labelStyle, paletteLabel } from './lib/labels';
import { chooseOnlyAccounts } from './account/only-account';
import { prepareTelnyxRegister } from './register/telnyx-register';
import { nodeLabel, outputLabel, prepareDialog, saveDialog, webhookDefaults } from './lib/webhook-dialog';

RED.nodes.registerType('telnyx-webhook-in', {
  category: 'telnyx',
  color: '#5AAB7C',
  icon: 'telnyx-webhook.svg',
  defaults: { ...webhookDefaults('telnyx'), acceptGet: { value: false } },
  inputs: 0,
  outputs: 1,
  paletteLabel,
  label: nodeLabel,
  labelStyle,
  outputLabels: outputLabel,
  onadd: chooseOnlyAccounts,
  oneditprepare: function () {
    prepareDialog.call(this);
    prepareTelnyxRegister(this);
  },
  oneditsave: saveDialog
});
