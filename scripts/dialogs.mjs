// Puts each dialog together: the form (nodes/<type>.html), its script (nodes/editor/<type>.ts, bundled) and the
// help (nodes/help/<type>.md) become dist/nodes/<type>.html, the one file that Node-RED loads. Shared parts of
// forms, help or locale files are in a folder named "parts": `<!-- part: name -->` stands for the part of that
// name, "$part": "name" in a locale file for parts/<language>/name.json. In a part NODE_TYPE stands for the
// type of the node, PART_LABEL for the attribute `label` of the reference. The sidebar has styles in place of a form,
// from parts/styles (`style-now` is now.css), and no help. The help in another language is
// nodes/help/<language>/<type>.md and becomes dist/nodes/locales/<language>/<type>.html, where Node-RED looks for it.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

/** Writes the html and locale files of `built`, a copy of `nodes`. Throws on a missing part. */
export async function buildDialogs(nodes, built) {
  const formParts = new Map([
    ...formPartsOf(path.join(nodes, 'parts')),
    ...stylesOf(path.join(nodes, 'parts', 'styles'))
  ]);
  const helpParts = helpPartsOf(path.join(nodes, 'help', 'parts'));
  for (const file of filesIn(built, '.html')) {
    const type = path.basename(file, '.html');
    const form = fillIn(readFileSync(file, 'utf8'), formParts, type);
    const help = path.join(nodes, 'help', `${type}.md`);
    const script = await bundle(nodes, path.join(nodes, 'editor', `${type}.ts`));
    writeFileSync(
      file,
      `${form}\n<script type="text/javascript">\n${script}</script>\n` +
        (existsSync(help) ? helpElement(type, fillIn(readFileSync(help, 'utf8'), helpParts, type)) : '')
    );
  }
  for (const language of readdirSync(path.join(built, 'locales'))) {
    for (const file of filesIn(path.join(built, 'locales', language), '.json')) {
      const texts = Object.entries(readJson(file)).map(([type, { $part, ...own }]) => {
        if ($part === undefined) return [type, own];
        return [type, merged(readJson(path.join(nodes, 'parts', language, `${$part}.json`)), own)];
      });
      writeFileSync(file, `${JSON.stringify(Object.fromEntries(texts), null, 2)}\n`);
    }
    writeHelps(path.join(nodes, 'help', language), path.join(built, 'locales', language));
  }
}

/** The help of one language in `folder`, if there is any; English is part of the dialogs. */
function writeHelps(folder, target) {
  if (!existsSync(folder)) return;
  const parts = helpPartsOf(path.join(folder, 'parts'));
  for (const file of filesIn(folder, '.md')) {
    const type = path.basename(file, '.md');
    const help = fillIn(readFileSync(file, 'utf8'), parts, type);
    writeFileSync(path.join(target, `${type}.html`), helpElement(type, help).trimStart());
  }
}

function helpElement(type, help) {
  return `\n<script type="text/markdown" data-help-name="${type}">\n${help}</script>\n`;
}

/**
 * One script without imports. It is neither minified nor hoisted: the Flow Library reads the definition of the node
 * from it, which must be an object literal.
 */
async function bundle(nodes, entry) {
  const { outputFiles } = await build({
    // The file names in its comments are relative to this folder, wherever the build starts.
    absWorkingDir: path.resolve(nodes, '..'),
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2019',
    charset: 'utf8',
    legalComments: 'none',
    plugins: [asModules]
  });
  const [{ text }] = outputFiles;
  if (text.includes('</script')) throw new Error(`${entry} would end the script element that it is put into`);
  return text;
}

/** "type": "commonjs" in package.json would wrap each file; a path resolved by a plugin avoids that. */
const asModules = {
  name: 'as-modules',
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, ({ path: name, resolveDir }) => {
      const file = path.resolve(resolveDir, name);
      return { path: file.endsWith('.ts') ? file : `${file}.ts` };
    })
};

/** Parts may contain parts. */
function fillIn(text, parts, type) {
  return text.replace(
    /^( *)<!-- part: ([\w-]+)((?: [\w-]+="[^"]*")*) -->\n/gm,
    (_line, indent, name, attributes) => {
      if (!parts.has(name)) throw new Error(`${type} names the part "${name}", which does not exist`);
      let part = fillIn(parts.get(name), parts, type)
        .replaceAll('NODE_TYPE', type)
        .replaceAll('NODE_INPUT', isConfig(type) ? 'node-config-input' : 'node-input');
      for (const [, key, value] of attributes.matchAll(/ ([\w-]+)="([^"]*)"/g))
        part = part.replaceAll(`PART_${key.toUpperCase()}`, value);
      const missing = /PART_[A-Z]+/.exec(part)?.[0];
      if (missing !== undefined) throw new Error(`${type} uses the part "${name}" without ${missing}`);
      return part.replace(/^(?=.)/gm, indent);
    }
  );
}

/** Node-RED uses other ids for the fields of config nodes. */
function isConfig(type) {
  return /-(account|bucket|queue|retention)$/.test(type);
}

/** name → html without its indentation */
function formPartsOf(folder) {
  const parts = new Map();
  for (const file of filesIn(folder, '.html')) {
    const scripts = readFileSync(file, 'utf8').matchAll(
      /<script type="text\/html" data-part="([\w-]+)">\n([^]*?)<\/script>/g
    );
    for (const [, name, body] of scripts) parts.set(name, body.replace(/^ {2}/gm, ''));
  }
  return parts;
}

/** `style-<name>` → rules of `<name>.css` */
function stylesOf(folder) {
  return filesIn(folder, '.css').map((file) => [
    `style-${path.basename(file, '.css')}`,
    readFileSync(file, 'utf8')
  ]);
}

/** name → Markdown, where white space is significant */
function helpPartsOf(folder) {
  return new Map(
    filesIn(folder, '.md').map((file) => [path.basename(file, '.md'), readFileSync(file, 'utf8')])
  );
}

/** `own` wins. */
function merged(shared, own) {
  const both = { ...shared, ...own };
  for (const [key, value] of Object.entries(shared)) {
    if (typeof value === 'object' && key in own) both[key] = merged(value, own[key]);
  }
  return both;
}

function filesIn(folder, extension) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(extension))
    .map((name) => path.join(folder, name));
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
