// Puts the parts that several dialogs share into each of them: a line `<!-- part: name -->` or `// part: name`
// of a node's html stands for the script with data-part="name" in nodes/parts/, and "$part": "name" in a
// locale file for nodes/parts/<language>/name.json. NODE_TYPE in a part is the type of the node.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Fills in every html and locale file of `built`, a copy of `nodes`. Throws on a part that is not there. */
export function fillParts(nodes, built) {
  const parts = partsOf(path.join(nodes, 'parts'));
  for (const file of filesIn(built, '.html')) {
    const type = path.basename(file, '.html');
    const text = readFileSync(file, 'utf8').replace(
      /^( *)(?:<!-- part: ([\w-]+) -->|\/\/ part: ([\w-]+))\n/gm,
      (_line, indent, inHtml, inScript) => {
        const name = inHtml ?? inScript;
        if (!parts.has(name))
          throw new Error(`${file} names the part "${name}", which nodes/parts/ does not have`);
        return indented(parts.get(name), indent).replaceAll('NODE_TYPE', type);
      }
    );
    writeFileSync(file, text);
  }
  for (const language of readdirSync(path.join(built, 'locales'))) {
    for (const file of filesIn(path.join(built, 'locales', language), '.json')) {
      const texts = Object.entries(readJson(file)).map(([type, { $part, ...own }]) => {
        if ($part === undefined) return [type, own];
        return [type, merged(readJson(path.join(nodes, 'parts', language, `${$part}.json`)), own)];
      });
      writeFileSync(file, `${JSON.stringify(Object.fromEntries(texts), null, 2)}\n`);
    }
  }
}

/** name → text without its indentation */
function partsOf(folder) {
  const parts = new Map();
  for (const file of filesIn(folder, '.html')) {
    const scripts = readFileSync(file, 'utf8').matchAll(
      /<script type="text\/(\w+)" data-part="([\w-]+)">\n([^]*?)<\/script>/g
    );
    for (const [, kind, name, body] of scripts) {
      // Prettier indents html and scripts by two; in Markdown white space has a meaning.
      parts.set(name, kind === 'markdown' ? body : body.replace(/^ {2}/gm, ''));
    }
  }
  return parts;
}

function indented(text, indent) {
  return text.replace(/^(?=.)/gm, indent);
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
