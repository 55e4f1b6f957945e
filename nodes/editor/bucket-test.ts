import type { Finding } from '../../src/store/bucket/finding';
import { BUCKET_TEST_PATH, BUCKET_TEXTS, type BucketTestRequest } from '../config/bucket-test-request';
import { HIDDEN_PASSWORD } from '../config/hidden-password';
import { markedItem } from './lib/marks';
import { askRuntime } from './lib/runtime-call';
import { isChosen, textOf } from './lib/validators';

/** Tests the current values of the dialog, deployed or not, and shows the findings. */
export async function testBucket(node: EditorNode): Promise<void> {
  const button = $('#telnyx-bucket-test').prop('disabled', true);
  const list = $('#telnyx-bucket-findings').empty().show();
  list.append(markedItem('running', node._(`${node.type}.test.running`)));
  const answer = await askRuntime<{ findings: Finding[] }>(BUCKET_TEST_PATH, shownValues(node), {
    notPermitted: node._(`${node.type}.test.not-permitted`),
    notReached: node._(`${node.type}.test.not-reached`)
  });
  list.empty();
  if (answer.ok) for (const { result, text } of answer.reply.findings) list.append(markedItem(result, text));
  else list.append(markedItem('failed', answer.error));
  button.prop('disabled', false);
}

function shownValues(node: EditorNode): BucketTestRequest {
  const texts = BUCKET_TEXTS.map((name) => [name, textOf(field(name).val()).trim()] as const);
  return {
    ...(Object.fromEntries(texts) as Record<(typeof BUCKET_TEXTS)[number], string>),
    id: node.id,
    proxy: chosen('proxy'),
    forcePathStyle: field('forcePathStyle').is(':checked'),
    accessKeyId: secret(node, 'accessKeyId'),
    secretAccessKey: secret(node, 'secretAccessKey')
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

/** The value of a password field; the editor knows a password that was typed but not yet deployed. */
function secret(node: EditorNode, name: string): string {
  const shown = textOf(field(name).val());
  const typed = textOf(node.credentials?.[name]);
  return shown === HIDDEN_PASSWORD && typed !== '' ? typed : shown;
}
