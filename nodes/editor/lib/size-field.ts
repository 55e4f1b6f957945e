import { isVariable, textOf } from './validators';

const MIB = 1024 * 1024;

/**
 * Shows a size in MiB, while the flow keeps bytes as always: what is typed goes to the hidden field of the property.
 * Text that is no number is kept as it is, for an environment variable or for the validator.
 */
export function prepareSize(node: EditorNode, property: string): void {
  const bytes = $(`#node-input-${property}`);
  const id = `node-input-${property}-mib`;
  const shown = $('<input type="text" style="width: 100px">').attr('id', id).insertAfter(bytes).after(' ');
  bytes.closest('.form-row').children('label').attr('for', id);
  shown.val(inMib(textOf(bytes.val())));
  const mark = (): void => {
    const problem = node._def.defaults[property]?.validate?.call(node, bytes.val(), {});
    const text = typeof problem === 'string' ? problem : '';
    shown.toggleClass('input-error', text !== '').attr({ title: text, 'aria-invalid': String(text !== '') });
  };
  shown.on('input change', () => {
    bytes.val(inBytes(textOf(shown.val()).trim())).trigger('change');
    mark();
  });
  mark();
}

/** @returns exact: the division is by a power of two */
function inMib(bytes: string): string {
  return isNumber(bytes) ? String(Number(bytes) / MIB) : bytes;
}

function inBytes(mib: string): string {
  return isNumber(mib) ? String(Math.round(Number(mib) * MIB)) : mib;
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && !isVariable(text) && Number.isFinite(Number(text));
}
