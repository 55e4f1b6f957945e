import { labelStyle, paletteLabel } from './lib/labels';
import { chooseOnlyAccounts } from './account/only-account';
import { prepareDailyRegister } from './register/daily-register';
import { nodeLabel, outputLabel, prepareDialog, saveDialog, webhookDefaults } from './lib/webhook-dialog';

RED.nodes.registerType('daily-webhook-in', {
  category: 'telnyx',
  color: '#5AAB7C',
  icon: 'daily-webhook.svg',
  defaults: { ...webhookDefaults('daily') },
  inputs: 0,
  outputs: 1,
  paletteLabel,
  label: nodeLabel,
  labelStyle,
  outputLabels: outputLabel,
  onadd: chooseOnlyAccounts,
  oneditprepare: function () {
    prepareDialog.call(this);
    prepareDailyRegister(this);
  },
  oneditsave: saveDialog
});
