import { BUCKET_TEXTS, type BucketTestRequest } from '../../config/bucket/bucket-test-request';
import { typedSecret } from '../lib/test-button';
import { isChosen, textOf } from '../lib/validators';

/** The current values of the dialog, deployed or not. */
export function shownBucket(node: EditorNode): BucketTestRequest {
  const texts = BUCKET_TEXTS.map((name) => [name, textOf(field(name).val()).trim()] as const);
  return {
    ...(Object.fromEntries(texts) as Record<(typeof BUCKET_TEXTS)[number], string>),
    id: node.id,
    proxy: chosen('proxy'),
    forcePathStyle: field('forcePathStyle').is(':checked'),
    accessKeyId: typedSecret(node, 'accessKeyId'),
    secretAccessKey: typedSecret(node, 'secretAccessKey')
  };
}

function field(name: string): JQuery {
  return $(`#node-config-input-${name}`);
}

/** The id of a chosen config node; the editor has a value of its own for none. */
function chosen(name: string): string {
  const id = textOf(field(name).val());
  return isChosen(id) ? id : '';
}
