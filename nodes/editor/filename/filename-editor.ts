import { DEFAULT_FOLDER } from '../../../src/naming/archive-defaults';
import { DEFAULT_FILENAME, FILENAME_TOKENS } from '../../../src/naming/filename-syntax';
import { LAST_STORED_PATH, type LastStored } from '../../download/last-stored-request';
import { readRuntime } from '../lib/runtime-call';
import { previewFilename } from './filename-preview';
import { textOf } from '../lib/validators';

/** Templates to begin with, by the key of their description. */
const READY_NAMES: Readonly<Record<string, string>> = {
  default: DEFAULT_FILENAME,
  call: '{{year}}-{{month}}-{{day}}/{{call_session_id}}/{{started_at}}_{{recording_id}}_{{channels}}.{{ext}}',
  numbers: '{{year}}/{{month}}/{{day}}/{{started_at}}_{{from}}_{{to}}_{{recording_id}}.{{ext}}',
  month: '{{provider}}/{{year}}-{{month}}/{{started_at}}_{{recording_id}}.{{ext}}',
  flat: '{{started_at}}_{{recording_id}}_{{channels}}.{{ext}}',
  room: '{{room_name}}/{{started_at}}_{{recording_id}}_{{track}}_{{media_index}}.{{ext}}'
};

/** The field for the file name: ready names, tokens that a click inserts, and an example of what comes out. */
export function prepareFilename(node: EditorNode & { filename?: string }): void {
  const field = $('#node-input-filename');
  if (!node.filename) field.val(DEFAULT_FILENAME);
  offerReadyNames(node, field);
  offerTokens(node, field);
  // It has several lines to show a long name, which is one line nevertheless.
  field.on('keydown', (event) => {
    if (event.key === 'Enter') event.preventDefault();
  });
  field.on('input', () => {
    const text = textOf(field.val());
    if (/[\r\n]/.test(text)) field.val(text.replace(/[\r\n]+/g, ''));
  });
  let values: NonNullable<LastStored['last']>['values'] | undefined;
  const show = (): void => showPreview(node, textOf(field.val()), values);
  field.on('input change', show);
  $('#node-input-folder, #node-input-destination').on('input change', show);
  show();
  void lastStored(node).then((last) => {
    values = last?.values;
    show();
  });
}

/** Asks for the latest recording, if the user may read what is stored, and says what the example is made from. */
async function lastStored(node: EditorNode): Promise<LastStored['last']> {
  if (!RED.user.hasPermission('telnyx.read')) return null;
  const noTexts = { notPermitted: '', notReached: '' };
  const answer = await readRuntime<LastStored>(LAST_STORED_PATH, { id: node.id }, noTexts);
  if (!answer.ok) return null;
  const { last } = answer.reply;
  const from = last === null ? 'made-up' : 'real';
  $(`#${node.type}-preview-from`).text(node._(`${node.type}.preview.${from}`));
  return last;
}

function showPreview(
  node: EditorNode,
  template: string,
  values: NonNullable<LastStored['last']>['values'] | undefined
): void {
  const preview = previewFilename(template || DEFAULT_FILENAME, values);
  const isName = 'name' in preview;
  $('#telnyx-recording-download-preview')
    .text(isName ? placeOf(preview.name) : node._(`${node.type}.${preview.problem}`, preview.values))
    .css('color', isName ? '' : 'var(--red-ui-text-color-error)');
}

/** A name with the folder that it is in, as far as the editor knows it. */
function placeOf(name: string): string {
  if ($('#node-input-destination').val() !== 'folder') return name;
  const folder = textOf($('#node-input-folder').val()).trim() || DEFAULT_FOLDER;
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

function offerReadyNames(node: EditorNode, field: JQuery): void {
  const select = $('<select style="width: 0; min-width: 70%; margin-bottom: 4px"></select>');
  select.attr({
    id: `${node.type}-names`,
    'aria-label': node._(`${node.type}.label.ready-names`)
  });
  select.append(
    $('<option></option>')
      .val('')
      .text(node._(`${node.type}.names.choose`))
  );
  for (const key of Object.keys(READY_NAMES))
    select.append(
      $('<option></option>')
        .val(key)
        .text(node._(`${node.type}.names.${key}`))
    );
  select.insertBefore(field);
  select.on('change', () => {
    const key = textOf(select.val());
    const template = Object.hasOwn(READY_NAMES, key) ? READY_NAMES[key] : undefined;
    if (template === undefined) return;
    field.val(template).trigger('change');
    select.val('');
  });
}

function offerTokens(node: EditorNode, field: JQuery): void {
  const group = $('<div role="group"></div>')
    .attr('aria-label', node._(`${node.type}.label.tokens`))
    .css({ margin: '4px 0 0 104px', display: 'flex', flexWrap: 'wrap', gap: '4px' })
    // All in one row would make the dialog wider than the window.
    .css({ width: 0, minWidth: 'calc(100% - 104px)' })
    .attr('id', `${node.type}-tokens`);
  for (const token of FILENAME_TOKENS) {
    const chip = $('<button type="button" class="red-ui-button red-ui-button-small"></button>').text(token);
    chip.on('click', () => insert(field, `{{${token}}}`));
    group.append(chip);
  }
  field.closest('.form-row').append(group);
}

/** Puts text where the cursor is, in place of what is selected. */
function insert(field: JQuery, text: string): void {
  const area = field[0] as HTMLTextAreaElement | undefined;
  if (area === undefined) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
  field.trigger('change');
  area.focus();
}
