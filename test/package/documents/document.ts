import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { REPOSITORY } from '../../support/packed-package';

/** A Markdown file of this repository. */
export interface Document {
  /** Relative to the repository, with `/`. */
  name: string;
  text: string;
  /** What it shows, without blocks of code. */
  prose: string;
}

export function documentOf(name: string): Document {
  const text = readFileSync(path.join(REPOSITORY, name), 'utf8');
  return { name, text, prose: withoutCode(text) };
}

/** The documents at the top and in docs/. */
export function allDocuments(): Document[] {
  const top = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CHANGELOG.md'];
  return [...top.map(documentOf), ...documentsIn('docs')];
}

/** The help of the nodes, in all languages. */
export function allHelp(): Document[] {
  return documentsIn('nodes/help');
}

function documentsIn(folder: string): Document[] {
  return readdirSync(path.join(REPOSITORY, folder), { recursive: true })
    .map((name) => `${folder}/${String(name).replaceAll(path.sep, '/')}`)
    .filter((name) => name.endsWith('.md'))
    .map(documentOf);
}

function withoutCode(text: string): string {
  let isCode = false;
  const lines = text.split('\n').map((line) => {
    const isFence = line.trim().startsWith('```');
    if (isFence) isCode = !isCode;
    return isFence || isCode ? '' : line;
  });
  return lines.join('\n');
}

/** Heading → its lines up to the next heading of the same or a higher level. */
export function sectionOf({ name, prose }: Document, heading: string): string {
  const lines = prose.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`${name} has no heading ${heading}`);
  const level = heading.indexOf(' ');
  const length = lines.slice(start + 1).findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level);
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** The cells of the tables in a text, without heads. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n');
  const isRule = (line: string | undefined): boolean => /^\|[-: |]+\|$/.test(line ?? '');
  return lines
    .filter((line, index) => line.startsWith('|') && !isRule(line) && !isRule(lines[index + 1]))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
    );
}

/** The pieces between backticks. */
export function codeIn(text: string): string[] {
  return text.split('`').filter((_piece, index) => index % 2 === 1);
}

/** As GitHub makes them of headings. */
export function anchorsOf({ prose }: Document): Set<string> {
  const anchors = new Set<string>();
  for (const line of prose.split('\n')) {
    if (!/^#+ /.test(line)) continue;
    const heading = line.slice(line.indexOf(' ') + 1).replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const plain = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '');
    const anchor = plain.trim().replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

export interface Link {
  target: string;
  isImage: boolean;
}

/** The links and pictures of a document. */
export function linksOf({ prose }: Document): Link[] {
  const inline = [...prose.matchAll(/(!?)\[[^\]]*\]\(([^()\s]*)\)/g)].map(([, mark, target = '']) => ({
    target,
    isImage: mark === '!'
  }));
  const html = [...prose.matchAll(/<img\b[^>]*\bsrc="([^"]*)"/g)].map(([, target = '']) => ({
    target,
    isImage: true
  }));
  return [...inline, ...html];
}
