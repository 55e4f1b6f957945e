import { MOST_VARIABLES, VARIABLE_NAME } from '../../config/dialog/known-keys';
import { knownKeys } from '../account/known-keys';
import { icon } from './marks';
import { textOf } from './validators';

/**
 * Says below each field that takes its value from an environment variable whether the variable is set. The value
 * itself never reaches the editor.
 *
 * @param blanks variables that count when a field is blank, by the name of the field
 */
export function showVariables(node: EditorNode, blanks: Readonly<Record<string, string>> = {}): void {
  const isConfig = node._def.category === 'config';
  const prefix = isConfig ? 'node-config-input' : 'node-input';
  const fields = [...Object.keys(node._def.defaults), ...Object.keys(node._def.credentials ?? {})]
    .map((name) => ({
      name,
      field: $(`#${prefix}-${name}`).filter('[type=text], [type=password], textarea')
    }))
    .filter(({ field }) => field.length > 0);
  const nameIn = ({ name, field }: (typeof fields)[number]): string | null => {
    const text = textOf(field.val()).trim();
    if (text === '') return Object.hasOwn(blanks, name) ? (blanks[name] ?? null) : null;
    const written = /^\$\{([^{}]+)\}$/.exec(text)?.[1]?.trim() ?? '';
    return VARIABLE_NAME.test(written) ? written : null;
  };
  const say = (name: string, isSet: boolean): string =>
    node._(`${node.type}.variable.${isSet ? 'set' : 'not-set'}`, { name });

  let round = 0;
  const show = async (): Promise<void> => {
    const mine = ++round;
    const used = fields.map((one) => ({ ...one, variable: nameIn(one) }));
    const names = [...new Set(used.flatMap(({ variable }) => variable ?? []))].slice(0, MOST_VARIABLES);
    const known = names.length === 0 ? null : await knownKeys({ id: node.id, names: names.join(',') });
    if (mine !== round) return;
    for (const { field, variable } of used) {
      const row = field.closest('.form-row');
      row.find('.telnyx-variable').remove();
      if (variable === null || known === null || !Object.hasOwn(known.variables, variable)) continue;
      const isSet = known.variables[variable] === true;
      const note = $('<div class="telnyx-variable" role="status"></div>')
        .css({ marginLeft: '104px', overflowWrap: 'anywhere' })
        .append($('<span></span>').text(say(variable, isSet)));
      // A blank field needs no variable: something else may fill its place.
      if (isSet || textOf(field.val()).trim() !== '') note.prepend(icon(isSet ? 'ok' : 'warning'), ' ');
      row.append(note);
    }
  };
  for (const { field } of fields) field.on('change', () => void show());
  void show();
}
