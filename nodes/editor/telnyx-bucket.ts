import {
  isBucketName,
  isEndpoint,
  isPrefix,
  isRegion,
  takesKmsKey
} from '../../src/store/bucket/client/field-rules';
import { BUCKET_TEST_PATH } from '../config/bucket/bucket-test-request';
import { offerPresets } from './bucket/bucket-presets';
import { shownBucket } from './bucket/bucket-test';
import { prepareAdvanced } from './lib/advanced';
import { prepareTest } from './lib/test-button';
import { isVariable, textOf } from './lib/validators';
import { showVariables } from './lib/variables';

interface BucketNode extends EditorNode {
  bucket?: string;
  sse?: string;
}

/** A validator; only the runtime knows what an environment variable holds. */
function check(
  problem: string,
  accepts: (text: string, node: BucketNode) => boolean
): EditorValidator<BucketNode> {
  return function (value, _options) {
    const text = textOf(value).trim();
    return isVariable(text) || accepts(text, this) ? true : this._(`${this.type}.error.${problem}`);
  };
}

RED.nodes.registerType<BucketNode>('telnyx-bucket', {
  category: 'config',
  defaults: {
    name: { value: '' },
    endpoint: { value: '', validate: check('endpoint', (text) => text === '' || isEndpoint(text)) },
    region: { value: '', validate: check('region', isRegion) },
    bucket: { value: '', required: true, validate: check('bucket', isBucketName) },
    prefix: { value: '', validate: check('prefix', isPrefix) },
    forcePathStyle: { value: false },
    sse: { value: '' },
    kmsKeyId: {
      value: '',
      validate: check('kms-key-id', (text, node) => text === '' || takesKmsKey(textOf(node.sse)))
    },
    proxy: { value: '', type: 'http proxy', required: false }
  },
  credentials: {
    accessKeyId: { type: 'text' },
    secretAccessKey: { type: 'password' }
  },
  label: function () {
    return this.name || this.bucket || 'S3';
  },
  oneditprepare: function () {
    prepareAdvanced(this);
    showVariables(this);
    prepareTest(this, BUCKET_TEST_PATH, () => shownBucket(this));
    offerPresets(this);
    const endpoint = $('#node-config-input-endpoint');
    endpoint
      .on('input change', () => {
        $('#telnyx-bucket-http-tip').toggle(/^http:/i.test(textOf(endpoint.val()).trim()));
      })
      .trigger('change');
    const encryption = $('#node-config-input-sse');
    encryption
      .on('change', () => {
        const usesKms = takesKmsKey(textOf(encryption.val()));
        $('#telnyx-bucket-kms-row').toggle(usesKms);
        // A key that is not visible could not be corrected.
        if (!usesKms) $('#node-config-input-kmsKeyId').val('');
      })
      .trigger('change');
  }
});
