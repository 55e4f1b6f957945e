import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../send-json';
import { type DailyTextFile, type TextFacts, jobFilesOf, transcriptFileOf } from './daily-texts';

/** A transcript or a batch job that the stand-in keeps. */
export interface DailyText extends TextFacts {
  kind: 'transcript' | 'job';
  /** Transcripts of a meeting have the id of its session. */
  sessionId: string;
  seconds: number;
}

export interface DailyTextsOptions {
  /** Makes a fresh link. @param path below the media server */
  link: (path: string) => string;
}

const LARGEST_PAGE = 100;

/** The transcripts and batch jobs of the made-up domain, and the parts of Daily's REST API that know them. */
export class DailyTextsApi {
  readonly #options: DailyTextsOptions;
  readonly #texts = new Map<string, DailyText>();

  constructor(options: DailyTextsOptions) {
    this.#options = options;
  }

  /**
   * Adds a transcript or a finished job.
   *
   * @param now unix milliseconds
   */
  add(kind: DailyText['kind'], overrides: Partial<DailyText>, now: number): DailyText {
    const seconds = overrides.seconds ?? 3;
    const made = {
      id: randomUUID(),
      sessionId: randomUUID(),
      roomName: 'sample-room',
      startedAt: now - seconds * 1000
    };
    const text = { ...made, ...overrides, seconds, kind };
    this.#texts.set(text.id, text);
    return text;
  }

  filesOf(text: DailyText): DailyTextFile[] {
    return text.kind === 'transcript' ? [transcriptFileOf(text)] : jobFilesOf(text);
  }

  /** @param path as the links have it */
  at(path: string): { text: DailyText; file: DailyTextFile } | undefined {
    for (const text of this.#texts.values())
      for (const file of this.filesOf(text)) if (pathOf(text, file) === path) return { text, file };
    return undefined;
  }

  /** Whether these parts of the API have an address. */
  has(path: string): boolean {
    return /^\/v1\/(?:transcript|batch-processor)(?:\/|$)/.test(path);
  }

  /** Answers an admitted request; `url` is its address. */
  handle(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const [, part, id, link] =
      /^\/v1\/(transcript|batch-processor)(?:\/([^/]+)(\/access-link)?)?$/.exec(url.pathname) ?? [];
    const kind = part === 'transcript' ? 'transcript' : 'job';
    const text = id === undefined ? undefined : this.#texts.get(id);
    const isKnown = text?.kind === kind;
    if (request.method === 'GET' && part !== undefined && id === undefined) this.#list(kind, url, response);
    else if (text === undefined || !isKnown) sendJson(response, 404, { error: 'not-found' });
    else if (request.method === 'DELETE') {
      this.#texts.delete(text.id);
      sendJson(response, 200, {
        ...this.#describe(text),
        ...(kind === 'transcript' && { status: 't_deleted' })
      });
    } else sendJson(response, 200, link === undefined ? this.#describe(text) : this.#links(text));
  }

  #list(kind: DailyText['kind'], url: URL, response: ServerResponse): void {
    const query = url.searchParams;
    const all = [...this.#texts.values()]
      .filter((text) => text.kind === kind)
      .sort((a, b) => b.startedAt - a.startedAt);
    const start = all.findIndex(({ id }) => id === query.get('starting_after')) + 1;
    const limit = Math.min(LARGEST_PAGE, Number(query.get('limit') ?? LARGEST_PAGE));
    const data = all.slice(start, start + limit).map((text) => this.#describe(text));
    sendJson(response, 200, { total_count: all.length, data });
  }

  #describe(text: DailyText): Record<string, unknown> {
    const { id, kind, sessionId, seconds, startedAt } = text;
    if (kind === 'job')
      return {
        id,
        preset: 'summarize',
        status: 'finished',
        input: { sourceType: 'uri', uri: 'https://example.com/a.mp4' }
      };
    return {
      transcriptId: id,
      roomId: randomUUID(),
      mtgSessionId: sessionId,
      status: 't_finished',
      isVttAvailable: true,
      duration: seconds,
      created_at: new Date(startedAt).toISOString(),
      updated_at: new Date(startedAt + seconds * 1000).toISOString()
    };
  }

  #links(text: DailyText): Record<string, unknown> {
    const linked = this.filesOf(text).map((file) => ({
      name: file.name,
      format: file.format,
      link: this.#options.link(pathOf(text, file))
    }));
    if (text.kind === 'transcript') return { transcriptId: text.id, link: linked[0]?.link };
    const { id, preset, status } = this.#describe(text);
    const of = (wanted: string): object[] =>
      linked.filter(({ name }) => name === wanted).map(({ format, link }) => ({ format, link }));
    return { id, preset, status, transcription: of('transcription'), summary: of('summary')[0] };
  }
}

function pathOf({ id, kind }: DailyText, { name, format }: DailyTextFile): string {
  return `/daily-${kind}s/${id}/${name}.${format}`;
}
