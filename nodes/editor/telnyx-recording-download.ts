import { DEFAULT_FOLDER } from '../../src/naming/archive-defaults';
import { DEFAULT_FILENAME } from '../../src/naming/filename-syntax';
import { ACCOUNT_CHOICES, type AccountChoices } from '../config/account-choices';
import { FOLDER_TEST_PATH } from '../config/dialog/test-finding';
import {
  ANSWERS,
  CONCURRENCY,
  DESTINATIONS,
  FORMATS,
  MAX_SIZE,
  NETWORKS,
  RETRIES,
  STALL_TIMEOUT
} from '../download/download-fields';
import { prepareFilename } from './filename/filename-editor';
import { previewFilename } from './filename/filename-preview';
import { prepareAdvanced } from './lib/advanced';
import { labelStyle, paletteLabel } from './lib/labels';
import { chooseOnlyAccounts } from './account/only-account';
import { prepareSize } from './lib/size-field';
import { chooseDefaults, isChosen, numberWithin, textOf } from './lib/validators';
import { prepareTest } from './lib/test-button';
import { showVariables } from './lib/variables';

interface DownloadNode extends EditorNode, AccountChoices {
  destination?: string;
  folder?: string;
  filename?: string;
}

RED.nodes.registerType<DownloadNode>('telnyx-recording-download', {
  category: 'telnyx',
  color: '#5AAB7C',
  icon: 'telnyx-recording.svg',
  defaults: {
    name: { value: '' },
    account: { value: '', type: 'telnyx-account', required: false },
    dailyAccount: { value: '', type: 'daily-account', required: false },
    dailyBucket: { value: '', type: 'telnyx-bucket', required: false },
    destination: { value: DESTINATIONS[0] },
    folder: {
      value: DEFAULT_FOLDER,
      validate: function (value, _options) {
        return /\p{Cc}/u.test(textOf(value)) ? this._(`${this.type}.error.folder`) : true;
      }
    },
    filename: {
      value: DEFAULT_FILENAME,
      validate: function (value, _options) {
        if (this.destination === 'message') return true;
        const preview = previewFilename(textOf(value) || DEFAULT_FILENAME);
        return 'name' in preview ? true : this._(`${this.type}.${preview.problem}`, preview.values);
      }
    },
    bucket: {
      value: '',
      type: 'telnyx-bucket',
      validate: function (value, _options) {
        const isMissing = this.destination === 'bucket' && !isChosen(value);
        return isMissing ? this._(`${this.type}.error.bucket`) : true;
      }
    },
    format: { value: FORMATS[0] },
    sidecar: { value: true },
    concurrency: {
      value: String(CONCURRENCY.fallback),
      validate: numberWithin(CONCURRENCY, 'concurrency')
    },
    retries: { value: String(RETRIES.fallback), validate: numberWithin(RETRIES, 'retries') },
    maxSize: { value: String(MAX_SIZE.fallback), validate: numberWithin(MAX_SIZE, 'max-size') },
    stallTimeout: {
      value: String(STALL_TIMEOUT.fallback),
      validate: numberWithin(STALL_TIMEOUT, 'stall-timeout')
    },
    network: { value: NETWORKS[0] },
    proxy: { value: '', type: 'http proxy', required: false },
    deleteAtSource: {
      value: false,
      validate: function (value, _options) {
        if (value !== true && value !== 'true') return true;
        if (this.destination === 'message') return this._(`${this.type}.error.delete-unstored`);
        const hasAccount = ACCOUNT_CHOICES.some(({ property }) => isChosen(this[property]));
        return hasAccount ? true : this._(`${this.type}.error.delete-account`);
      }
    },
    answer: { value: ANSWERS[0] },
    retention: { value: '', type: 'telnyx-retention', required: false },
    queue: { value: '', type: 'telnyx-queue', required: false }
  },
  inputs: 1,
  outputs: 1,
  paletteLabel,
  label: function () {
    const isFolder = this.destination !== 'message' && this.destination !== 'bucket';
    return this.name || (isFolder && this.folder) || this._(`${this.type}.palette`);
  },
  labelStyle,
  onadd: chooseOnlyAccounts,
  oneditprepare: function () {
    chooseDefaults(this, ['destination', 'format', 'network', 'answer']);
    prepareSize(this, 'maxSize');
    prepareAdvanced(this);
    showVariables(this);
    prepareFilename(this);
    prepareTest(this, FOLDER_TEST_PATH, () => ({
      id: this.id,
      folder: textOf($('#node-input-folder').val())
    }));
    const destination = $('#node-input-destination');
    destination
      .on('change', () => {
        const chosen = destination.val();
        $('.telnyx-recording-download-files').toggle(chosen !== 'message');
        $('#telnyx-recording-download-folder-row, #telnyx-recording-download-test-row').toggle(
          chosen === 'folder'
        );
        $('#telnyx-recording-download-bucket-row').toggle(chosen === 'bucket');
      })
      .trigger('change');
    const deletes = $('#node-input-deleteAtSource');
    deletes
      .on('change', () => {
        $('#telnyx-recording-download-delete-tip').toggle(deletes.is(':checked'));
      })
      .trigger('change');
    const network = $('#node-input-network');
    network
      .on('change', () => {
        $('#telnyx-recording-download-network-tip').toggle(network.val() === 'any');
      })
      .trigger('change');
  }
});
