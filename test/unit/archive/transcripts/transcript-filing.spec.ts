import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { storedCopies } from '../../../../src/archive/index/stored-index';
import { type TranscriptDeps, TranscriptFiling } from '../../../../src/archive/transcripts/transcript-filing';
import { CodedError } from '../../../../src/errors/coded-error';
import { unknownDetails } from '../../../../src/recording/extract/announcement';
import { announcesText, findRecordings } from '../../../../src/recording/find-recordings';
import {
  type RecordingReference,
  identityOfUrl,
  mediaLink
} from '../../../../src/recording/recording-reference';
import type { FoundObject, Probed, ReadObject, Written } from '../../../../src/store/bucket/objects';
import { bucketTexts } from '../../../../src/store/bucket/transcript-writer';
import { folderSidecar } from '../../../../src/store/folder/folder-sidecar';
import { folderTexts } from '../../../../src/store/folder/transcript-writer';
import type { StoredFile, StoredRecording } from '../../../../src/store/stored-recording';

const never = new AbortController().signal;
const TEXT = 'Good morning, front desk. „Grüezi“ — 您好.';

/** As in the event. */
function textOf(text: string | null, recording_id = 'rec-1'): RecordingReference {
  const payload = { recording_id, recording_transcription_id: 'tr-1', transcription_text: text };
  const event = { provider: 'telnyx', event_type: 'call.recording.transcription.saved', id: 'evt-2' };
  return findRecordings({ event, payload })[0]!;
}

describe('transcript-filing', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'telnyx-texts-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const at = (name: string): string => path.join(folder, name);
  const filing = (deps: Partial<TranscriptDeps> = {}): TranscriptFiling =>
    new TranscriptFiling({ sidecar: folderSidecar, texts: folderTexts(), ...deps });
  const sidecarOf = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(at(`${name}.json`), 'utf8')) as Record<string, unknown>;

  /** A recording as the archive stores it. */
  async function stored(name: string, rest: Partial<StoredRecording> = {}): Promise<StoredFile> {
    const bytes = Buffer.from(`audio of ${name}`);
    await writeFile(at(name), bytes);
    const recording: StoredRecording = {
      ...unknownDetails({
        provider: 'telnyx',
        event_type: 'call.recording.saved',
        event_id: 'evt-1',
        announced_at: null
      }),
      recording_id: 'rec-1',
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      content_type: 'audio/mpeg',
      destination: 'folder',
      path: at(name),
      sidecar: `${at(name)}.json`,
      source_host: 'media.example.com',
      attempts: 1,
      resumed: false,
      already_stored: false,
      stored_at: '2026-03-04T10:00:00.000Z',
      deleted_at_source: null,
      ...rest
    };
    if (recording.sidecar !== null) await folderSidecar.write(at(name), recording);
    return { recording, payload: at(name) };
  }

  it('files the text beside its audio and in the sidecar', async () => {
    const audio = await stored('call.mp3');
    const filed = await filing().file(audio, textOf(TEXT), never);
    (await readFile(at('call.txt'), 'utf8')).should.equal(TEXT);
    filed.payload.should.equal(at('call.mp3'));
    const expected = { ...audio.recording, transcription: TEXT, transcription_file: at('call.txt') };
    filed.recording.should.eql(expected);
    (await sidecarOf('call.mp3')).should.eql(expected);
    (await readdir(folder)).sort().should.eql(['call.mp3', 'call.mp3.json', 'call.txt']);
  });

  it('files the same text once, and lets a later text replace it', async () => {
    const audio = await stored('call.mp3');
    const once = await filing().file(audio, textOf(TEXT), never);
    await filing().file(once, textOf(TEXT), never);
    // As after a restart, when only the sidecar has it.
    await filing().file(audio, textOf('Corrected.'), never);
    (await readFile(at('call.txt'), 'utf8')).should.equal('Corrected.');
    (await sidecarOf('call.mp3')).should.containEql({ transcription: 'Corrected.' });
    (await readdir(folder)).should.have.length(3);
  });

  it('never replaces a text by one that is older, whichever comes first', async () => {
    const audio = await stored('call.mp3');
    const said = (text: string, announced_at: string): RecordingReference => ({
      ...textOf(text),
      announced_at
    });
    const older = said('first try', '2026-03-04T09:20:00.000Z');
    const newer = said('second try', '2026-03-04T10:00:00.000Z');
    for (const reference of [older, newer, older]) {
      const filed = await filing().file(audio, reference, never);
      if (reference === older) continue;
      filed.recording.should.have.properties({ transcription: 'second try' });
    }
    const { recording } = await filing().file(audio, older, never);
    const expected = {
      transcription: 'second try',
      transcription_file: at('call.txt'),
      transcribed_at: '2026-03-04T10:00:00.000Z'
    };
    recording.should.have.properties(expected);
    (await sidecarOf('call.mp3')).should.have.properties(expected);
    (await readFile(at('call.txt'), 'utf8')).should.equal('second try');
  });

  it('recovers when a crash left the text without its entry in the sidecar', async () => {
    const audio = await stored('call.mp3');
    await writeFile(at('call.txt'), TEXT);
    const { recording } = await filing().file(audio, textOf(TEXT), never);
    recording.transcription_file!.should.equal(at('call.txt'));
    (await readdir(folder)).should.have.length(3);
  });

  it('never overwrites a file that is not its own', async () => {
    const audio = await stored('call.mp3');
    await writeFile(at('call.txt'), 'notes of the user');
    await mkdir(at('call_2.txt'));
    await symlink(at('call.txt'), at('call_3.txt'));
    const { recording } = await filing().file(audio, textOf(TEXT), never);
    recording.transcription_file!.should.equal(at('call_4.txt'));
    (await readFile(at('call.txt'), 'utf8')).should.equal('notes of the user');
    await filing().file(audio, textOf('Later.'), never);
    (await readFile(at('call_4.txt'), 'utf8')).should.equal('Later.');
    (await readFile(at('call.txt'), 'utf8')).should.equal('notes of the user');
  });

  it('mistakes neither a link nor a text of the same length for its own', async () => {
    const audio = await stored('call.mp3');
    await writeFile(at('other.txt'), 'nine char');
    await symlink('other.txt', at('call.txt'));
    await writeFile(at('call_2.txt'), 'NINE CHAR');
    const { recording } = await filing().file(audio, textOf('nine char'), never);
    recording.transcription_file!.should.equal(at('call_3.txt'));
    (await readFile(at('call_2.txt'), 'utf8')).should.equal('NINE CHAR');
  });

  it('takes over the empty file that an interrupted write left', async () => {
    const audio = await stored('call.mp3');
    await writeFile(at('call.txt'), '');
    const { recording } = await filing().file(audio, textOf(TEXT), never);
    recording.transcription_file!.should.equal(at('call.txt'));
    (await readFile(at('call.txt'), 'utf8')).should.equal(TEXT);
  });

  it('does not trust a sidecar that names a file elsewhere', async () => {
    await writeFile(at('other.txt'), 'keep me');
    const audio = await stored('call.mp3', { transcription_file: at('other.txt') });
    await filing().file(audio, textOf(TEXT), never);
    (await readFile(at('other.txt'), 'utf8')).should.equal('keep me');
    (await readFile(at('call.txt'), 'utf8')).should.equal(TEXT);
  });

  it('files one text for both formats of a recording', async () => {
    const files = [await stored('call.mp3'), await stored('call.wav')];
    const one = filing();
    const filed = await Promise.all(files.map((file) => one.file(file, textOf(TEXT), never)));
    filed.map(({ recording }) => recording.transcription_file).should.eql([at('call.txt'), at('call.txt')]);
  });

  it('handles one event per recording at a time, so that text and sidecar match', async () => {
    const audio = await stored('call.mp3');
    const one = filing();
    const texts = ['a', 'bb', 'ccc', 'dddd', 'eeeee'];
    await Promise.all(texts.map((text) => one.file(audio, textOf(text), never)));
    const text = await readFile(at('call.txt'), 'utf8');
    text.should.equal('eeeee');
    (await sidecarOf('call.mp3'))['transcription']!.should.equal(text);
  });

  it('keeps what only the sidecar contains', async () => {
    const audio = await stored('call.mp3');
    await folderSidecar.write(at('call.mp3'), {
      ...audio.recording,
      deleted_at_source: '2026-03-05T00:00:00.000Z'
    });
    const repeated = { ...audio, recording: { ...audio.recording, already_stored: true } };
    const { recording } = await filing().file(repeated, textOf(TEXT), never);
    recording.should.containEql({ deleted_at_source: '2026-03-05T00:00:00.000Z', already_stored: true });
    (await sidecarOf('call.mp3')).should.containEql({
      deleted_at_source: '2026-03-05T00:00:00.000Z',
      already_stored: false
    });
  });

  it('writes no sidecar where there is none, and no file for a recording in a message', async () => {
    const audio = await stored('call.mp3', { sidecar: null });
    await filing().file(audio, textOf(TEXT), never);
    (await readdir(folder)).sort().should.eql(['call.mp3', 'call.txt']);
    const inMessage = { ...audio, payload: Buffer.from('audio') };
    const { recording, payload } = await filing().file(inMessage, textOf(TEXT), never);
    should(recording.transcription).equal(TEXT);
    payload.should.equal(inMessage.payload);
    (await readdir(folder)).should.have.length(2);
  });

  it('fetches a text that the event only names', async () => {
    const audio = await stored('call.mp3');
    const asked: unknown[] = [];
    const fetchText = (reference: RecordingReference): Promise<string | null> => {
      asked.push(reference.transcription_id);
      return Promise.resolve(asked.length === 1 ? TEXT : null);
    };
    const one = filing({ fetchTranscript: fetchText });
    const named = textOf(null);
    announcesText(named).should.be.true();
    (await one.file(audio, named, never)).recording.transcription!.should.equal(TEXT);
    asked.should.eql(['tr-1']);
    (await one.file(audio, named, never)).should.equal(audio);
    await one.file(audio, textOf('Here.'), never);
    asked.should.have.length(2);
    const fault = new CodedError('RATE_LIMITED', 'later', { retryable: true });
    const failing = filing({ fetchTranscript: () => Promise.reject(fault) });
    await failing.file(audio, named, never).should.be.rejectedWith(fault);
  });

  it('leaves an event without a text alone', async () => {
    const audio = await stored('call.mp3');
    const event = { provider: 'telnyx', event_type: 'call.recording.saved' };
    const payload = { recording_id: 'rec-1', recording_urls: { mp3: 'https://media.example.com/a.mp3' } };
    const [plain] = findRecordings({ event, payload });
    announcesText(plain!).should.be.false();
    (await filing().file(audio, plain!, never)).should.equal(audio);
    (await readdir(folder)).should.have.length(2);
  });

  it('files the text of a TeXML transcription', async () => {
    const payload = {
      CallSid: 'v3:leg-1',
      RecordingSid: 'rec-1',
      TranscriptionStatus: 'completed',
      TranscriptionText: TEXT,
      RecordingUrl: 'https://media.example.com/rec-1.mp3'
    };
    const [reference] = findRecordings({ event: { provider: 'telnyx', event_type: 'texml.x' }, payload });
    announcesText(reference!).should.be.true();
    await filing().file(await stored('call.mp3'), reference!, never);
    (await readFile(at('call.txt'), 'utf8')).should.equal(TEXT);
  });

  it('reports what failed, and that it can be retried', async () => {
    const audio = await stored('call.mp3');
    await rm(folder, { recursive: true, force: true });
    const elsewhere = filing({ sidecar: { ...folderSidecar, read: () => Promise.resolve(null) } });
    await elsewhere
      .file(audio, textOf(TEXT), never)
      .should.be.rejectedWith({ code: 'STORE_FAILED', retryable: true, message: /text.*call\.txt/ });
  });

  it('finds a recording by its id, or by the address that the API returns for it', async () => {
    const url = 'https://s3.example.com/telephony-recorder-prod/acc-1/rec-1.mp3?X-Amz-Signature=';
    const entry = { identity: 'x' } as never;
    const index = (known: string): { find: (identity: string) => Promise<never[]> } => ({
      find: (identity) => Promise.resolve(identity === known ? [entry] : [])
    });
    const reference = { ...textOf(TEXT), links: [mediaLink(`${url}fresh`, 'mp3')] };
    (await storedCopies(index('telnyx:rec-1'), reference)).should.eql([entry]);
    (await storedCopies(index(identityOfUrl('telnyx', `${url}old`)), reference)).should.eql([entry]);
    (await storedCopies(index('telnyx:rec-2'), reference)).should.eql([]);
  });

  describe('in a bucket', () => {
    /** What a bucket with conditional writes does. */
    class Objects {
      readonly held = new Map<string, Buffer>();
      put(
        key: string,
        { bytes }: { bytes: Uint8Array },
        options: { replaces?: FoundObject }
      ): Promise<Written> {
        const etag = this.#etag(key);
        if (options.replaces === undefined ? etag !== null : etag !== options.replaces.etag)
          return Promise.resolve({ ok: false, reason: 'taken' });
        this.held.set(key, Buffer.from(bytes));
        return Promise.resolve({ ok: true, checksum: null, etag: this.#etag(key), versionId: null });
      }
      probe(key: string): Promise<Probed> {
        const size = this.held.get(key)?.length;
        return Promise.resolve(
          size === undefined
            ? { kind: 'missing' }
            : { kind: 'object', size, etag: this.#etag(key), versionId: null }
        );
      }
      read(key: string): Promise<ReadObject> {
        return Promise.resolve({ versionId: null, etag: null, bytes: this.#bytes(key) });
      }
      async *#bytes(key: string): AsyncGenerator<Uint8Array> {
        yield await Promise.resolve(this.held.get(key) ?? Buffer.alloc(0));
      }
      #etag(key: string): string | null {
        const bytes = this.held.get(key);
        return bytes === undefined ? null : createHash('md5').update(bytes).digest('hex');
      }
    }

    it('puts the text beside the object, never over another one', async () => {
      const objects = new Objects();
      const texts = bucketTexts(objects, (location) => location.replace('s3://calls/', ''));
      objects.held.set('2026/call.txt', Buffer.from('notes'));
      const { recording } = await stored('call.mp3', { sidecar: null });
      const audio = { recording, payload: 's3://calls/2026/call.mp3' };
      const one = filing({ texts });
      const filed = await one.file(audio, textOf(TEXT), never);
      filed.recording.transcription_file!.should.equal('s3://calls/2026/call_2.txt');
      (await one.file(audio, textOf(TEXT), never)).should.eql(filed);
      await one.file(filed, textOf('Later.'), never);
      const held = [...objects.held].map(([key, bytes]) => [key, bytes.toString()]);
      held.should.eql([
        ['2026/call.txt', 'notes'],
        ['2026/call_2.txt', 'Later.']
      ]);
    });

    it('notices when another process changes the text meanwhile', async () => {
      const objects = new Objects();
      const texts = bucketTexts(objects, (location) => location);
      await texts.create('a', 'one');
      const put = objects.put.bind(objects);
      objects.put = (...sent) => {
        objects.held.set('a', Buffer.from('changed'));
        return put(...sent);
      };
      await texts.replace('a', 'two').should.be.rejectedWith({ code: 'STORE_FAILED', retryable: true });
      (await texts.create('b', 'x')).should.equal('created');
    });

    it('treats a text of the same length as a different one', async () => {
      const objects = new Objects();
      const texts = bucketTexts(objects, (location) => location);
      (await texts.create('a', 'one')).should.equal('created');
      (await texts.create('a', 'one')).should.equal('same');
      (await texts.create('a', 'two')).should.equal('taken');
    });
  });
});
