import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

interface Texts {
  server: Record<string, string>;
  nodes: { flows: Record<string, string> };
}

/** What Node-RED logs, in the language of its settings. @param redJs its main file */
export function logLines(redJs: string, language: unknown): { listening: RegExp; started: RegExp } {
  const library = path.dirname(createRequire(redJs).resolve('@node-red/runtime'));
  const name = typeof language === 'string' ? language : 'en-US';
  const file = path.join(library, '..', 'locales', name, 'runtime.json');
  const { server, nodes } = JSON.parse(readFileSync(file, 'utf8')) as Texts;
  const any = (texts: Record<string, string>, keys: string[]): RegExp =>
    new RegExp(keys.map((key) => (texts[key] ?? '').replace('__listenpath__', '.*')).join('|'));
  return {
    listening: any(server, ['now-running', 'headless-mode']),
    started: any(nodes.flows, ['started-flows', 'started-modified-nodes', 'started-modified-flows'])
  };
}
