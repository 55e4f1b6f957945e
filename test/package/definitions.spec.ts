import { createRequire } from 'node:module';
import should from 'should';
import { providers } from '../../src/providers/registry';
import { definitionOf, NODES } from './node-files';

interface Syntax {
  type: string;
  [property: string]: unknown;
}

const fromEslint = createRequire(require.resolve('eslint'));
const espree = fromEslint('espree') as { parse(text: string, options: object): Syntax };

/** What a node file registers with a runtime that only records registrations. */
function registeredBy(file: string): Map<string, { credentials?: Record<string, { type: string }> }> {
  const registered = new Map<string, { credentials?: Record<string, { type: string }> }>();
  const anything: unknown = new Proxy(() => undefined, {
    get: (_target, name) => {
      if (name === 'registerType') {
        return (type: string, _constructor: unknown, options: object = {}) => registered.set(type, options);
      }
      return name === Symbol.toPrimitive ? () => '' : anything;
    },
    apply: () => anything
  });
  const load = createRequire(__filename)(file) as (RED: unknown) => void;
  load(anything);
  return registered;
}

function calls(syntax: unknown, found: Syntax[] = []): Syntax[] {
  if (Array.isArray(syntax)) for (const each of syntax) calls(each, found);
  else if (typeof syntax === 'object' && syntax !== null) {
    const one = syntax as Syntax;
    if (one.type === 'CallExpression') found.push(one);
    Object.values(one).forEach((inner) => calls(inner, found));
  }
  return found;
}

/** Not offered in the form: only a validator. */
const WITHOUT_FIELD: Record<string, string[]> = {
  'telnyx-account': ['anyKey'],
  'daily-account': ['anyKey']
};

const COLOUR = '#5AAB7C';
const SPECIAL_NAMES =
  /^(changed|dirty|id|inputLabels|moved|outputLabels|selected|type|users|valid|validationErrors|wires|.)$/;

for (const node of NODES) {
  describe(`${node.type}: definitions in the editor and the runtime`, () => {
    const definition = definitionOf(node);
    const isConfig = definition.category === 'config';
    const registered = registeredBy(node.js);

    it('is one type, the same on both sides', () => {
      for (const types of [node.definitions, node.forms, node.helps, registered]) {
        should([...types.keys()]).deepEqual([node.type]);
      }
      should(providers.names.some((name) => node.type.startsWith(`${name}-`))).be.true();
    });

    it('has the same credentials on both sides', () => {
      const kinds = (credentials: Record<string, { type: string }> = {}) =>
        Object.fromEntries(Object.entries(credentials).map(([name, { type }]) => [name, type]));
      should(kinds(registered.get(node.type)?.credentials)).deepEqual(kinds(definition.credentials));
    });

    it('is in the palette', () => {
      should(definition.defaults).have.property('name');
      should(definition.label).be.a.Function();
      if (isConfig) return;
      should(definition.category).equal('telnyx');
      should(definition.color).equal(COLOUR);
      should(definition.icon).be.a.String();
      should(definition.paletteLabel).not.equal(undefined);
      should(definition.labelStyle).be.a.Function();
      should([0, 1]).containEql(definition.inputs);
      should(definition.outputs).be.a.Number();
      const severalOutputs = definition.outputs !== 1 || 'outputs' in definition.defaults;
      if (severalOutputs) should(definition.outputLabels).not.equal(undefined);
    });

    it('uses no property name that Node-RED reserves', () => {
      const names = [...Object.keys(definition.defaults), ...Object.keys(definition.credentials ?? {})];
      should(names.filter((name) => SPECIAL_NAMES.test(name))).deepEqual([]);
    });

    it('has validators that give reasons', () => {
      for (const [name, { validate }] of Object.entries(definition.defaults)) {
        if (validate) should([name, validate.length]).deepEqual([name, 2]);
      }
    });

    it('is readable for the Flow Library', () => {
      should(node.text).match(/<script type="text\/javascript">\s*$/m);
      const registrations = calls(espree.parse(node.script, { ecmaVersion: 2020 })).filter(
        ({ callee }) => (callee as { property?: { name?: string } }).property?.name === 'registerType'
      );
      should(registrations).have.length(1);
      const [type, literal] = registrations[0]?.['arguments'] as [Syntax, Syntax];
      should([type.type, type['value']]).deepEqual(['Literal', node.type]);
      should(literal.type).equal('ObjectExpression');
      const properties = literal['properties'] as { type: string; key: { name: string }; value: Syntax }[];
      should(properties.filter((property) => property.type !== 'Property')).deepEqual([]);
      for (const { key, value } of properties) {
        if (['category', 'icon', 'color', 'inputs', 'outputs'].includes(key.name)) {
          should([key.name, value.type]).deepEqual([key.name, 'Literal']);
        }
        if (['defaults', 'credentials'].includes(key.name)) should(value.type).equal('ObjectExpression');
      }
    });
  });

  describe(`${node.type}: the form`, () => {
    const definition = definitionOf(node);
    const form = node.forms.get(node.type) ?? '';
    const prefix = definition.category === 'config' ? 'node-config-input-' : 'node-input-';
    const tags = [...form.matchAll(/<(input|select|textarea)\b[^>]*\bid="([^"]+)"[^>]*>/g)];
    const ids = tags.map(([, , id = '']) => id);
    const visible = tags.filter(([tag]) => !tag.includes('type="hidden"')).map(([, , id = '']) => id);
    /** Lists of rows have no field; the number of outputs follows another field. */
    const madeByScript = (name: string) =>
      name === 'outputs' ||
      form.includes(`<ol id="${prefix}${name}`) ||
      form.includes(`<div id="${prefix}${name}`);

    it('has a field for each property, and a property for each field', () => {
      const names = [...Object.keys(definition.defaults), ...Object.keys(definition.credentials ?? {})];
      const missing = names.filter((name) => !ids.includes(prefix + name) && !madeByScript(name));
      should(missing).deepEqual(WITHOUT_FIELD[node.type] ?? []);
      const unknown = ids.filter((id) => !id.startsWith(prefix) || !names.includes(id.slice(prefix.length)));
      should(unknown).deepEqual([]);
    });

    it('has a label for each visible field', () => {
      const labelled = [...form.matchAll(/<label\b[^>]*\bfor="([^"]+)"/g)].map(([, id]) => id);
      should(visible.filter((id) => !labelled.includes(id))).deepEqual([]);
      should(labelled.filter((id) => !ids.includes(String(id)))).deepEqual([]);
    });
  });
}
