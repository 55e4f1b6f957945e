import should from 'should';
import { languages, type NodeFiles, NODES, PLUGINS, textsOf } from './node-files';

/** Keys that a form, a script or the runtime uses; keys composed at run time are listed by their beginning. */
function named(node: NodeFiles): { whole: string[]; beginnings: string[] } {
  const attributes = [...node.sources.matchAll(/data-i18n="([^"]+)"/g)].flatMap(([, value = '']) =>
    value.split(';').map((part) => part.replace(/^\[[^\]]+\]/, ''))
  );
  const inScript = node.sources.replaceAll(/\$\{((node|this)\.type|type|TYPE)\}/g, node.type);
  const whole = [...attributes];
  const beginnings: string[] = [];
  for (const [, full = '', after = ''] of inScript.matchAll(
    /\b_\(\s*['"`]([^'"`$]*)(['"`] \+|\$\{|['"`])/g
  )) {
    if (!full.startsWith(`${node.type}.`)) continue;
    (after.length > 1 ? beginnings : whole).push(full);
  }
  return { whole, beginnings };
}

for (const node of [...NODES, ...PLUGINS]) {
  describe(`${node.type}: texts`, () => {
    const { whole, beginnings } = named(node);
    const keys = [...node.texts.keys()];
    const { sources } = node;

    it('every key starts with the type', () => {
      should(keys.filter((key) => !key.startsWith(`${node.type}.`))).deepEqual([]);
    });

    it('every requested text exists', () => {
      should(whole).not.be.empty();
      should(whole.filter((key) => !node.texts.has(key))).deepEqual([]);
      const empty = beginnings.filter((start) => !keys.some((key) => key.startsWith(start)));
      should(empty).deepEqual([]);
    });

    it('every text is used', () => {
      const used = (key: string) => {
        const tail = key.slice(node.type.length + 1);
        const parts = tail.split('.');
        const groups = parts.slice(1).map((_, index) => `${parts.slice(0, index + 1).join('.')}.`);
        return (
          whole.includes(key) ||
          beginnings.some((start) => start.length > node.type.length + 1 && key.startsWith(start)) ||
          [tail, ...groups].some((text) => sources.includes(`'${text}'`))
        );
      };
      should(keys.filter((key) => !used(key))).deepEqual([]);
    });

    it('the form itself contains no text', () => {
      const form = node.forms.get(node.type) ?? '';
      const visible = form.replace(/<!--[^]*?-->/g, '').match(/>[^<]*[\p{L}]{2,}[^<]*</gu) ?? [];
      should(visible).deepEqual([]);
      should(form).not.match(/\b(placeholder|title|aria-label)="/);
    });

    it('all languages have the same texts with the same placeholders', () => {
      const holes = (text: string) => (text.match(/__\w+__/g) ?? []).sort();
      for (const language of languages()) {
        const other = textsOf(language, node.type);
        should([...other.keys()].sort()).deepEqual([...keys].sort());
        for (const [key, text] of other) should(holes(text)).deepEqual(holes(node.texts.get(key) ?? ''));
      }
    });
  });

  describe(`${node.type}: appearance`, () => {
    it('uses no colour except that of the node', () => {
      const colours =
        node.text.replace(/color: "#[0-9A-Fa-f]{6}"/, '').match(/#[0-9a-fA-F]{3,8}\b(?!-)/g) ?? [];
      should(colours.filter((text) => !/^#(node|dialog)/.test(text))).deepEqual([]);
      const variables = node.text.match(/var\(--[^)]*\)/g) ?? [];
      should(variables.filter((text) => !text.startsWith('var(--red-ui-'))).deepEqual([]);
    });

    it('loads nothing from other hosts or by an absolute path', () => {
      const outside = node.script + (node.forms.get(node.type) ?? '');
      should(outside).not.match(/\b(src|href)="(https?:)?\//);
      should(outside).not.match(/(getJSON|ajax|get|post)\(\s*['"`]\//);
      should(outside).not.match(/\bfetch\(/);
    });
  });
}

for (const node of NODES) {
  describe(`${node.type}: help`, () => {
    const help = (node.helps.get(node.type) ?? '').trim();
    const lines = help.split('\n');
    const headings = lines.filter((line) => /^#/.test(line));

    it('starts with a paragraph short enough for the palette', () => {
      const first = lines.slice(0, lines.indexOf(''));
      should(first.length).be.within(1, 3);
      should(first[0]).not.match(/^[#:-]/);
    });

    it('has the headings of the style guide, in its order', () => {
      const order = ['### Inputs', '### Outputs', '### Details', '### References'];
      const top = headings.filter((line) => line.startsWith('### '));
      should(top).deepEqual(order.filter((line) => top.includes(line)));
      should(top).containEql('### Details');
      const inDetails = help.slice(help.indexOf('### Details'), help.search(/### References|$/));
      for (const line of headings.filter((each) => each.startsWith('#### ')))
        should(inDetails).containEql(line);
      should(headings.filter((line) => !/^#{3,4} \S/.test(line))).deepEqual([]);
    });

    it('has property lines that Node-RED shows completely', () => {
      const properties = lines.filter((line) => /^\s*:/.test(line));
      for (const line of properties) {
        should(line).match(/^( {3})?: [*_]?[\w.]+[*_]? \([^():]+\) : +[^:]+$/);
      }
      const mentioned = lines.filter((line) => /\) ?: /.test(line) && !properties.includes(line));
      should(mentioned).deepEqual([]);
    });

    it('has no emphasis in running text', () => {
      const running = lines.filter((line) => !/^\s*:/.test(line)).join('\n');
      should(running.replace(/`[^`]*`/g, '')).not.match(/\*\*|(^|\s)_\w+_(\s|$)/m);
    });
  });
}
