import {
  DEFAULT_PATH,
  DUPLICATES,
  KEEP,
  MAX_BODY,
  REPLIES,
  REPLY_TIMEOUT,
  TOLERANCE
} from '../webhook/webhook-fields';
import { neededAccount } from './account/account-choice';
import { labelStyle, paletteLabel } from './lib/labels';
import { chooseOnlyAccounts } from './account/only-account';
import { numberWithin } from './lib/validators';
import { publicUrl } from './register/public-url-rule';
import { prepareTelnyxRegister } from './register/telnyx-register';
import { nodeLabel, outputLabel, prepareDialog, saveDialog, webhookPath } from './lib/webhook-dialog';

RED.nodes.registerType('telnyx-webhook-in', {
  category: 'telnyx',
  color: '#5AAB7C',
  icon: 'telnyx-webhook.svg',
  defaults: {
    name: { value: '' },
    account: { value: '', type: 'telnyx-account', validate: neededAccount },
    path: { value: DEFAULT_PATH.telnyx, required: true, validate: webhookPath },
    publicUrl: { value: '', validate: publicUrl },
    reply: { value: REPLIES[0] },
    replyTimeout: {
      value: String(REPLY_TIMEOUT.fallback),
      validate: numberWithin(REPLY_TIMEOUT, 'reply-timeout')
    },
    tolerance: {
      value: String(TOLERANCE.telnyx.fallback),
      validate: numberWithin(TOLERANCE.telnyx, 'tolerance')
    },
    duplicates: { value: DUPLICATES[0] },
    maxBody: { value: String(MAX_BODY.fallback), validate: numberWithin(MAX_BODY, 'max-body') },
    keep: { value: String(KEEP.fallback), validate: numberWithin(KEEP, 'keep') },
    acceptGet: { value: false },
    health: { value: true },
    rawBody: { value: false },
    rejectedOutput: { value: false },
    outputs: { value: 1 }
  },
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
