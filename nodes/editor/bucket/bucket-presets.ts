import { BUCKET_PRESETS } from '../../../src/store/bucket/client/presets';
import { textOf } from '../lib/validators';

/** Offers to fill in what the usual stores need. The choice itself is not a property of the node. */
export function offerPresets(node: EditorNode): void {
  const say = (key: string): string => node._(`${node.type}.preset.${key}`);
  const id = `${node.type}-preset`;
  const select = $('<select style="width: 70%"></select>').attr('id', id);
  select.append($('<option></option>').val('').text(say('choose')));
  for (const { key } of BUCKET_PRESETS) select.append($('<option></option>').val(key).text(say(key)));
  const label = $('<label></label>').attr('for', id);
  label.append('<i class="fa fa-magic" aria-hidden="true"></i> ', $('<span></span>').text(say('label')));
  const tip = $('<div role="status"></div>').css({ margin: '4px 0 0 104px' }).hide();
  // A space as in the rows of the template, so that the fields stand below each other.
  const endpoint = $('#node-config-input-endpoint');
  $('<div class="form-row"></div>')
    .append(label, ' ', select, tip)
    .insertBefore(endpoint.closest('.form-row'));
  select.on('change', () => {
    const preset = BUCKET_PRESETS.find(({ key }) => key === textOf(select.val()));
    tip.toggle(preset !== undefined);
    if (preset === undefined) return;
    endpoint.val(preset.endpoint).trigger('change');
    $('#node-config-input-region').val(preset.region).trigger('change');
    $('#node-config-input-forcePathStyle').prop('checked', preset.forcePathStyle).trigger('change');
    tip.text(say(`${preset.key}-tip`));
  });
}
