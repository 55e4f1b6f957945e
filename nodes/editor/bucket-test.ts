import type { Finding } from '../../src/store/bucket/finding';
import {
  BUCKET_TEST_PATH,
  BUCKET_TEXTS,
  type BucketTestReply,
  type BucketTestRequest
} from '../config/bucket-test-request';
import { HIDDEN_PASSWORD } from '../config/hidden-password';
import { isChosen, textOf } from './lib/validators';

type Result = Finding['result'];

const ICONS: Readonly<Record<Result, string>> = {
  ok: 'check-circle',
  warning: 'exclamation-triangle',
  failed: 'times-circle'
};
const COLOURS: Readonly<Record<Result, string>> = { ok: 'success', warning: 'warning', failed: 'error' };

/** Tests the current values of the dialog, deployed or not, and shows the findings. */
export function testBucket(node: EditorNode): void {
  const button = $('#telnyx-bucket-test').prop('disabled', true);
  const list = $('#telnyx-bucket-findings').empty().show();
  list.append(
    $('<li></li>')
      .append($('<i class="fa-li fa fa-spinner fa-spin" aria-hidden="true"></i>'))
      .append($('<span></span>').text(node._(`${node.type}.test.running`)))
  );
  void $.ajax({
    // Relative: the editor may be below another root.
    url: BUCKET_TEST_PATH.slice(1),
    type: 'POST',
    contentType: 'application/json',
    data: JSON.stringify(shownValues(node))
  })
    .done((reply: Extract<BucketTestReply, { findings: unknown }>) => {
      list.empty();
      for (const { result, text } of reply.findings) list.append(line(result, text));
    })
    .fail(({ status, responseJSON }) => {
      const error = textOf((responseJSON as Partial<Record<string, unknown>> | undefined)?.['error']);
      const isForbidden = status === 401 || status === 403;
      const reason = isForbidden
        ? node._(`${node.type}.test.not-permitted`)
        : node._(`${node.type}.test.not-reached`);
      list.empty().append(line('failed', error || reason));
    })
    .always(() => button.prop('disabled', false));
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

function line(result: Result, text: string): JQuery {
  return $('<li></li>')
    .css('margin-bottom', '4px')
    .attr('data-result', result)
    .append(
      $('<i aria-hidden="true"></i>')
        .addClass(`fa-li fa fa-${ICONS[result]}`)
        .css('color', `var(--red-ui-text-color-${COLOURS[result]})`)
    )
    .append($('<span></span>').text(text));
}
