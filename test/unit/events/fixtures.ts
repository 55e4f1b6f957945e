import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { ParseResult } from '../../../src/events/build-event';
import type { ParsedEvent } from '../../../src/events/event';
import type { Provider } from '../../../src/events/provider';
import { PARSERS } from '../../../src/events/reading/parsers';

/** An entry of test/fixtures/<provider>/index.json: a file and its whole expected event. */
export interface Fixture {
  provider: Provider;
  file: string;
  method: 'POST' | 'GET';
  content_type: string | null;
  expected: Omit<ParsedEvent, 'provider' | 'body' | 'payload'>;
  /** The bytes of the file: a body, or the query string of a GET. */
  bytes: Buffer;
}

const ROOT = path.join(__dirname, '../../fixtures');

export function loadFixtures(provider: Provider): Fixture[] {
  const directory = path.join(ROOT, provider);
  const rows = JSON.parse(readFileSync(path.join(directory, 'index.json'), 'utf8')) as Omit<
    Fixture,
    'bytes'
  >[];
  return rows.map((row) => ({ ...row, provider, bytes: readFileSync(path.join(directory, row.file)) }));
}

/** Files beside the index, to find those that it lacks. */
export function fixtureFiles(provider: Provider): string[] {
  return readdirSync(path.join(ROOT, provider)).filter((file) => file !== 'index.json');
}

export function parseFixture(fixture: Fixture, bytes = fixture.bytes): ParseResult {
  const get = fixture.method === 'GET';
  return PARSERS.get(fixture.provider)!({
    rawBody: get ? Buffer.alloc(0) : bytes,
    contentType: fixture.content_type ?? undefined,
    query: get ? bytes.toString('latin1') : null
  });
}
