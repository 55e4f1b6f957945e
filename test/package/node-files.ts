import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { REPOSITORY } from '../support/packed-package';

export interface Manifest {
  name: string;
  license: string;
  types: string;
  keywords: string[];
  repository: { url: string };
  bugs: { url: string };
  engines: { node: string };
  bin: Record<string, string>;
  files: string[];
  dependencies: Record<string, string>;
  scripts: Record<string, string>;
  publishConfig?: Record<string, unknown>;
  overrides?: unknown;
  'node-red': { version: string; nodes: Record<string, string>; plugins?: Record<string, string> };
}

export const MANIFEST = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as Manifest;

const NODES_FOLDER = path.join(REPOSITORY, 'nodes') + path.sep;

export interface Property {
  value: unknown;
  required?: boolean;
  type?: string;
  validate?: (value: unknown, options: unknown) => unknown;
}

/** What a node registers with the editor. */
export interface Definition {
  category: string;
  color: string;
  icon?: string;
  inputs?: number;
  outputs?: number;
  defaults: Record<string, Property>;
  credentials?: Record<string, { type: string }>;
  paletteLabel?: unknown;
  label?: unknown;
  labelStyle?: unknown;
  outputLabels?: unknown;
  align?: string;
}

/** One node as built: its editor part and its location. */
export interface NodeFiles {
  type: string;
  /** Absolute paths in dist/. */
  js: string;
  html: string;
  text: string;
  definitions: Map<string, Definition>;
  forms: Map<string, string>;
  helps: Map<string, string>;
  script: string;
  /** The TypeScript sources of both sides and the built HTML, together. */
  sources: string;
  /** The English texts, as `a.b.c` → text. */
  texts: Map<string, string>;
}

export const NODES: NodeFiles[] = built(MANIFEST['node-red'].nodes);

/** Plugins have the same files, but no definitions, forms and helps. */
export const PLUGINS: NodeFiles[] = built(MANIFEST['node-red'].plugins ?? {});

/** Empty before the first build; `pack.spec.ts` fails then. */
function built(files: Readonly<Record<string, string>>): NodeFiles[] {
  return Object.entries(files)
    .filter(([, file]) => existsSync(path.join(REPOSITORY, file.replace(/\.js$/, '.html'))))
    .map(([type, file]) => filesOf(type, file));
}

function filesOf(type: string, file: string): NodeFiles {
  const js = path.join(REPOSITORY, file);
  const html = js.replace(/\.js$/, '.html');
  const text = readFileSync(html, 'utf8');
  const source = withImports(path.join(NODES_FOLDER, `${type}.ts`));
  const editor = withImports(path.join(NODES_FOLDER, 'editor', `${type}.ts`));
  const script = scripts(text, 'type="text/javascript"').map(([, body]) => body);
  return {
    type,
    js,
    html,
    text,
    definitions: definitionsOf(script.join('\n'), html),
    forms: named(text, 'data-template-name'),
    helps: named(text, 'data-help-name'),
    script: script.join('\n'),
    sources: `${source}\n${editor}\n${text}`,
    texts: textsOf('en-US', type)
  };
}

/** A file below nodes/ and its direct and indirect imports from there, each once; imports of types only show no text. */
function withImports(file: string, seen = new Set<string>()): string {
  if (seen.has(file)) return '';
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const code = text.replace(/import type [^;]*;/g, '');
  const imports = [...code.matchAll(/from '(\.{1,2}\/[\w./-]+)'/g)]
    .map(([, name = '']) => path.resolve(path.dirname(file), `${name}.ts`))
    .filter((each) => each.startsWith(NODES_FOLDER) && existsSync(each));
  return [text, ...imports.map((each) => withImports(each, seen))].join('\n');
}

export function definitionOf(node: NodeFiles): Definition {
  const definition = node.definitions.get(node.type);
  if (!definition) throw new Error(`${node.html} does not register ${node.type}`);
  return definition;
}

export function languages(): string[] {
  return readdirSync(path.join(REPOSITORY, 'nodes', 'locales'));
}

/** A locale file, flattened to `a.b.c` → text. */
export function textsOf(language: string, type: string): Map<string, string> {
  const file = path.join(REPOSITORY, 'dist', 'nodes', 'locales', language, `${type}.json`);
  const flat = new Map<string, string>();
  const walk = (value: unknown, prefix: string): void => {
    if (typeof value === 'string') flat.set(prefix, value);
    else
      for (const [key, inner] of Object.entries(value as object))
        walk(inner, prefix ? `${prefix}.${key}` : key);
  };
  walk(JSON.parse(readFileSync(file, 'utf8')), '');
  return flat;
}

function scripts(html: string, attribute: string): [string, string][] {
  const pattern = new RegExp(`<script ([^>]*${attribute}[^>]*)>([^]*?)</script>`, 'g');
  return [...html.matchAll(pattern)].map(([, attributes = '', body = '']) => [attributes, body]);
}

function named(html: string, attribute: string): Map<string, string> {
  const found = scripts(html, `${attribute}="`);
  return new Map(
    found.map(([attributes, body]) => [
      new RegExp(`${attribute}="([^"]*)"`).exec(attributes)?.[1] ?? '',
      body
    ])
  );
}

/** Runs the editor script with an editor that only records registrations. */
function definitionsOf(script: string, file: string): Map<string, Definition> {
  const definitions = new Map<string, Definition>();
  const validator = () => (value: unknown, options: unknown) => value !== options;
  const RED = {
    nodes: { registerType: (type: string, definition: Definition) => void definitions.set(type, definition) },
    plugins: { registerPlugin: () => undefined },
    validators: { number: validator, regex: validator, typedInput: validator },
    settings: {},
    _: (key: string) => key
  };
  vm.runInNewContext(script, { RED, window: {}, document: {}, console }, { filename: file });
  return definitions;
}
