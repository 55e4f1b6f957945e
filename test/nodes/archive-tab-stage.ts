import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { archiveState } from '../../nodes/lib/archive-state';
import { custodyOf } from '../../nodes/lib/custody';
import type { AdminHandler, NodeRedApi } from '../../nodes/lib/node-red';
import { ownedState } from '../../nodes/lib/state';
import { ArchiveLibrary } from '../../nodes/sidebar/archive/archive-library';
import { serveArchive } from '../../nodes/sidebar/archive/serve-archive';
import { entering } from '../../src/archive/effects';
import { storedDetails } from '../../src/recording/find-recordings';
import type { StoredRecording } from '../../src/store/stored-recording';
import type { CustodyLine } from '../../src/evidence/custody/custody-line';
import { linesOfCustody } from '../support/custody-lines';
import { workerFromSource } from '../unit/library/waveform/worker-from-source';
import { closeServers, express, serve } from '../unit/webhook/express/real-http';

/** The routes of the tab *Archive* on a real HTTP server, with the users `reader` and `writer`, by their tokens. */
export class ArchiveTabStage {
  readonly log: string[] = [];
  readonly userDir = realpathSync(mkdtempSync(path.join(tmpdir(), 'telnyx-archive-tab-')));
  readonly folder = path.join(this.userDir, 'recordings');
  readonly RED: NodeRedApi;
  readonly #port: number;

  private constructor(port: number, app: ReturnType<typeof express>, stalledMs?: number) {
    this.#port = port;
    const note = (text: string): void => void this.log.push(text);
    this.RED = {
      httpAdmin: app,
      auth: { needsPermission: permissionOf },
      settings: { userDir: this.userDir },
      log: { info: note, warn: note, error: note }
    } as unknown as NodeRedApi;
    const library = new ArchiveLibrary(this.RED, workerFromSource);
    serveArchive(this.RED, library, stalledMs === undefined ? {} : { stalledMs });
  }

  /** @param stalledMs as for `serveMedia` */
  static async start(stalledMs?: number): Promise<ArchiveTabStage> {
    const app = express();
    app.use(express.json() as never);
    return new ArchiveTabStage(await serve(app), app, stalledMs);
  }

  async end(): Promise<void> {
    await closeServers();
    await custodyOf(this.RED).settled();
    await ownedState(this.RED).close();
    rmSync(this.userDir, { recursive: true, force: true });
  }

  /** What the custody log tells of recordings. */
  custodyLines(): CustodyLine[] {
    return linesOfCustody(this.userDir).filter(({ recording }) => recording !== null);
  }

  /** Stores a file as a download node would. @returns where it is */
  async store(
    id: string,
    bytes: Uint8Array,
    more: Record<string, unknown> & { format?: string } = {}
  ): Promise<string> {
    const file = path.join(this.folder, '2026', `${id}.${more.format ?? 'mp3'}`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    await this.index(id, bytes, { path: file, ...more });
    return file;
  }

  /** Enters a file into the index. */
  async index(
    id: string,
    bytes: Uint8Array,
    more: Record<string, unknown> = {},
    place = this.folder
  ): Promise<void> {
    const described = { recording_id: id, format: 'mp3', started_at: '2026-03-03T10:00:00.000Z', ...more };
    const recording = {
      ...storedDetails(described, 'telnyx'),
      size: bytes.length,
      sha256: sha256Of(bytes),
      content_type: 'text/html',
      destination: 'folder',
      sidecar: null,
      source_host: 'media.example.com',
      stored_at: '2026-03-04T10:00:00.000Z',
      ...more
    } as unknown as StoredRecording;
    const { facts } = archiveState(this.RED);
    const file = { identity: `telnyx:${id}`, wantedFormat: null, recording, order: 'o' };
    await facts.commit(entering({ place }, [file]));
  }

  /** @param token of the user; null: none */
  async post(
    name: string,
    body: unknown,
    token: string | null = 'reader',
    type = 'application/json'
  ): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/telnyx-sidebar/archive/${name}`, {
      method: 'POST',
      headers: { 'content-type': type, ...(token !== null && { authorization: `Bearer ${token}` }) },
      body: typeof body === 'string' ? body : JSON.stringify(body)
    });
    const text = await response.text();
    return {
      status: response.status,
      text,
      body: text.startsWith('{"') && !text.includes('\n') ? read(text) : {}
    };
  }

  /** The ids of the files that a search finds, by the id of their recordings. */
  async ids(query: object = {}): Promise<Record<string, string>> {
    const ids: Record<string, string> = {};
    for (let after: unknown = null; ;) {
      const { body } = await this.post('search', { ...query, after });
      for (const { id } of body['rows'] as { id: string }[]) {
        const details = (await this.post('details', { id })).body as {
          recording?: { recording_id?: string };
        };
        ids[String(details.recording?.recording_id)] = id;
      }
      after = body['next'];
      if (after === null) return ids;
    }
  }

  /** @returns the address of the media of a recording, as the tab has it */
  async ticket(id: string, use = 'play', token = 'reader'): Promise<string> {
    const { body } = await this.post('ticket', { id, use }, token);
    return String(body['url']);
  }

  media(url: string, options: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#port}/${url}`, options);
  }

  get port(): number {
    return this.#port;
  }
}

export interface Answer {
  status: number;
  text: string;
  body: Record<string, unknown>;
}

function read(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** As Node-RED: 401 without a token, and for one that lacks the permission. */
export function permissionOf(permission: string): AdminHandler {
  const permissions: Record<string, string[]> = {
    reader: ['telnyx.read'],
    writer: ['telnyx.read', 'flows.write'],
    stranger: []
  };
  return (request, response, next) => {
    const name = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (permissions[name]?.includes(permission) !== true) {
      response.statusCode = 401;
      return void response.end();
    }
    (request as { user?: unknown }).user = { username: name };
    next();
  };
}
