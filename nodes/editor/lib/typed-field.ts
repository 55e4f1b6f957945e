/**
 * Makes a field Node-RED's typed input, whose visible parts get the name of the field's label: the label names only the
 * field itself, which Node-RED hides.
 */
export function makeTyped(field: JQuery, options: TypedInputOptions): JQuery {
  const id = field.attr('id') ?? '';
  const label = $(`label[for="${id}"]`).attr({ id: `${id}-label`, for: `${id}-shown` });
  const row = field.typedInput(options).closest('.form-row');
  row.find('.red-ui-typedInput-input').attr('id', `${id}-shown`);
  // Node-RED translates the label later.
  row.find('.red-ui-typedInput-option-expand').attr('aria-labelledby', label.attr('id') ?? '');
  return field;
}
