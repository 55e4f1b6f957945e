import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { custodyOf } from '../../nodes/lib/custody';
import { exchange } from '../support/http-client';
import { wavFile } from '../unit/library/waveform/wav-file';
import { ArchiveTabStage, sha256Of } from './archive-tab-stage';

const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_value, at) => at % 251));

describe('the routes of the tab Archive', () => {
  let stage: ArchiveTabStage;

  beforeEach(async () => {
    stage = await ArchiveTabStage.start();
  });
  afterEach(() => stage.end());

  it('all need the permission to read recordings, and JSON', async () => {
    for (const name of ['search', 'details', 'log', 'waveform', 'ticket', 'verify']) {
      should((await stage.post(name, {}, null)).status).equal(401, name);
      should((await stage.post(name, {}, 'stranger')).status).equal(401, name);
      should((await stage.post(name, 'what=1', 'reader', 'application/x-www-form-urlencoded')).status).equal(
        415,
        name
      );
      should((await stage.post(name, '{}', 'reader', 'text/plain')).status).equal(415, name);
    }
    should((await stage.media('telnyx-sidebar/archive/search')).status).equal(404);
  });

  it('find a recording by the caller, and tell all that is known of it', async () => {
    const file = await stage.store('rec-1', BYTES, {
      from: '+15550100199',
      to: '+15550100101',
      transcription: 'Hello.'
    });
    await stage.store('rec-2', BYTES, { from: '+15550100142' });
    const { status, body } = await stage.post('search', { what: '+1 (555) 010-0199' });
    should(status).equal(200);
    const rows = body['rows'] as Record<string, unknown>[];
    should(rows).have.length(1);
    should(rows[0]).have.properties({
      from: '+15550100199',
      kind: 'audio',
      provider: 'telnyx',
      hasText: true
    });
    should(body['next']).be.null();
    const details = await stage.post('details', { id: rows[0]!['id'] });
    should(details.body).have.properties({ location: file, text: 'Hello.', plays: true, waveform: false });
    should(details.body['recording']).have.property('sha256', sha256Of(BYTES));
  });

  it('play with parts, and log each playback once', async () => {
    await stage.store('rec-1', BYTES);
    const { 'rec-1': id } = await stage.ids();
    const url = await stage.ticket(id!);
    const head = await stage.media(url, { method: 'HEAD' });
    should(head.status).equal(200);
    should(Object.fromEntries(head.headers)).have.properties({
      'content-type': 'audio/mpeg',
      'content-length': '100000',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'private, no-store'
    });
    should(head.headers.get('content-disposition')).match(/^inline; filename="rec-1.mp3"/);
    should(stage.log).be.empty();
    const whole = await stage.media(url);
    should(sha256Of(new Uint8Array(await whole.arrayBuffer()))).equal(sha256Of(BYTES));
    const part = await stage.media(url, { headers: { range: 'bytes=90000-' } });
    should(part.status).equal(206);
    should(part.headers.get('content-range')).equal('bytes 90000-99999/100000');
    should(Buffer.from(await part.arrayBuffer()).equals(BYTES.subarray(90_000))).be.true();
    const etag = part.headers.get('etag')!;
    should((await stage.media(url, { headers: { 'if-none-match': etag } })).status).equal(304);
    should((await stage.media(url, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })).status).equal(
      200
    );
    should((await stage.media(url, { headers: { range: 'bytes=100000-' } })).status).equal(416);
    should(stage.log).eql(['The user reader plays the recording rec-1.']);
    const other = await stage.ticket(id!, 'save', 'writer');
    const saved = await stage.media(other);
    should(saved.headers.get('content-disposition')).match(/^attachment/);
    await saved.arrayBuffer();
    should(stage.log.at(-1)).equal('The user writer saves the recording rec-1.');
    await custodyOf(stage.RED).settled();
    should(stage.custodyLines()).match([
      { event: 'played', actor: `user:${sha256Of(Buffer.from('reader'))}`, sha256: sha256Of(BYTES) },
      { event: 'exported', actor: `user:${sha256Of(Buffer.from('writer'))}`, sha256: sha256Of(BYTES) }
    ]);
    // Neither the address nor a part of it is in the log.
    for (const secret of [url, other]) should(stage.log.join()).not.containEql(secret.slice(-43));
  });

  it('survive ranges from hell', async () => {
    await stage.store('rec-1', BYTES);
    const url = await stage.ticket((await stage.ids())['rec-1']!);
    const ranges = [
      'bytes=-',
      'bytes=5-2',
      `bytes=${'0-,'.repeat(500)}0-`,
      'bytes=0-1,3-4',
      'pages=1-2',
      'bytes=\t0-',
      'x'.repeat(5000)
    ];
    for (const range of ranges) {
      const { status, body } = await exchange(stage.port, {
        method: 'GET',
        path: `/${url}`,
        headers: { range, connection: 'close' }
      });
      should([200, 206]).containEql(status);
      should(body.length).equal(100_000);
    }
    for (const range of [`bytes=${'9'.repeat(300)}-`, 'bytes=-0']) {
      const { status } = await exchange(stage.port, {
        method: 'GET',
        path: `/${url}`,
        headers: { range, connection: 'close' }
      });
      should(status).equal(416);
    }
  });

  it('give nothing for an address that was not issued', async () => {
    await stage.store('rec-1', BYTES);
    const url = await stage.ticket((await stage.ids())['rec-1']!);
    for (const other of [
      'x',
      url.slice(-43).toLowerCase(),
      '..%2f..%2fetc%2fpasswd',
      `${url.slice(-43)}x`,
      '%00'
    ]) {
      const { status, headers } = await stage.media(`telnyx-sidebar/archive/media/${other}`);
      should(status).equal(404);
      should(headers.get('content-type')).match(/^text\/plain/);
    }
  });

  it('know no file that the index does not know', async () => {
    await stage.store('rec-1', BYTES);
    const { 'rec-1': id } = await stage.ids();
    const foreign = [
      undefined,
      null,
      5,
      '',
      'rec-1',
      '../../etc/passwd',
      `${id}x`,
      id!.replace(/^./, 'x'),
      'x'.repeat(10_000),
      [id],
      { id }
    ];
    for (const name of ['details', 'waveform', 'ticket', 'verify'])
      for (const wrong of foreign) {
        const { status, body } = await stage.post(name, { id: wrong });
        should(status).equal(400);
        should(body['error']).be.a.String();
      }
    for (const after of ['x', `1.${'x'.repeat(40)}`, `1e5.${id}`, {}, 5])
      should((await stage.post('search', { after })).status).equal(400);
  });

  describe('when others can write in the folder', () => {
    let secret: string;

    beforeEach(() => {
      secret = path.join(stage.userDir, 'settings.js');
      writeFileSync(secret, BYTES);
    });

    async function refused(id: string, text: RegExp): Promise<void> {
      const { status, body } = await stage.post('ticket', { id, use: 'play' });
      should(status).equal(400);
      should(String(body['error'])).match(text);
      for (const name of ['verify', 'waveform']) {
        const answer = await stage.post(name, { id });
        should(answer.text).not.containEql(sha256Of(BYTES));
      }
    }

    it('follow no link in place of a file', async () => {
      const file = await stage.store('rec-1', BYTES);
      const id = (await stage.ids())['rec-1']!;
      const url = await stage.ticket(id);
      unlinkSync(file);
      symlinkSync(secret, file);
      await refused(id, /link that leads out/);
      // A ticket from before is no way around it.
      should((await stage.media(url)).status).equal(404);
    });

    it('follow no link in place of a folder', async () => {
      const file = await stage.store('rec-1', BYTES);
      const id = (await stage.ids())['rec-1']!;
      const outside = path.join(stage.userDir, 'outside');
      renameSync(path.dirname(file), outside);
      symlinkSync(outside, path.dirname(file));
      await refused(id, /link that leads out/);
    });

    it('read no folder and no pipe in place of a file', async () => {
      const file = await stage.store('rec-1', BYTES);
      const id = (await stage.ids())['rec-1']!;
      rmSync(file);
      mkdirSync(file);
      await refused(id, /link that leads out/);
    });

    it('play no file of another length', async () => {
      const file = await stage.store('rec-1', BYTES);
      const id = (await stage.ids())['rec-1']!;
      writeFileSync(file, 'short');
      const { status, body } = await stage.post('ticket', { id });
      should(status).equal(400);
      should(String(body['error'])).match(/was changed: it had 100000 bytes .* has 5 now/);
    });

    it('play no two files under one address', async () => {
      const file = await stage.store('rec-1', BYTES);
      const url = await stage.ticket((await stage.ids())['rec-1']!);
      should((await stage.media(url, { headers: { range: 'bytes=0-9' } })).status).equal(206);
      rmSync(file);
      writeFileSync(file, Buffer.alloc(BYTES.length, 1));
      const late = await stage.media(url, { headers: { range: 'bytes=10-' } });
      should([late.status, await late.text()]).eql([
        404,
        'The file was replaced meanwhile. Open the recording again.'
      ]);
    });

    it('play and save files with all kinds of names', async () => {
      const names = ['100 % #1?', '"quoted" \'it\'', 'Müller & Söhne+日本', '%2e%2e%2f;x', '<img src=x>'];
      for (const name of names) {
        await stage.store(name, BYTES);
        const { body } = await stage.post('search', { what: name });
        const [row] = body['rows'] as { id: string }[];
        const saved = await stage.media(await stage.ticket(row!.id, 'save'));
        should((await saved.arrayBuffer()).byteLength).equal(BYTES.length);
        const disposition = saved.headers.get('content-disposition') ?? '';
        should(decodeURIComponent(/filename\*=UTF-8''(.*)$/.exec(disposition)?.[1] ?? '')).equal(
          `${name}.mp3`
        );
        should(/filename="([^"]*)"/.exec(disposition)?.[1]).match(/^[\w.+ -]+$/);
      }
    });

    it('read no text outside of the folder, and none that is a link', async () => {
      writeFileSync(secret, 'credentialSecret');
      await stage.store('rec-1', BYTES, { transcription_file: secret });
      await stage.store('rec-2', BYTES, { transcription_file: `${stage.folder}/2026/../../settings.js` });
      const link = path.join(stage.folder, '2026', 'rec-3.txt');
      symlinkSync(secret, link);
      await stage.store('rec-3', BYTES, { transcription_file: link });
      for (const id of Object.values(await stage.ids()))
        should((await stage.post('details', { id })).body['text']).be.null();
      should((await stage.post('search', { text: 'credentialSecret' })).body['rows']).be.empty();
    });

    it('read nothing where the index itself leads out', async () => {
      await stage.index('rec-1', BYTES, { path: secret });
      await stage.index('rec-2', BYTES, { path: `${stage.folder}/../settings.js` });
      await stage.index('rec-3', BYTES, { path: 'settings.js' });
      await stage.index('rec-4', BYTES, { path: undefined });
      for (const id of Object.values(await stage.ids()))
        should((await stage.post('ticket', { id })).status).equal(400);
    });

    it('but read a folder that is a link itself, as its owner made it', async () => {
      const file = await stage.store('rec-1', BYTES);
      const id = (await stage.ids())['rec-1']!;
      renameSync(stage.folder, `${stage.folder}-disk`);
      symlinkSync(`${stage.folder}-disk`, stage.folder);
      should((await stage.post('ticket', { id })).status).equal(200);
      // A second name is how files are published.
      linkSync(file, `${file}.2`);
      should((await stage.post('ticket', { id })).status).equal(200);
    });
  });

  it('never send a page as a page', async () => {
    const page = Buffer.from('<script>alert(document.cookie)</script>');
    for (const format of ['html', 'svg', 'json', 'pdf', 'txt'])
      await stage.store(`rec-${format}`, page, { format });
    await stage.store('rec-mp3', page, { path: path.join(stage.folder, '2026', 'rec-mp3.html') });
    writeFileSync(path.join(stage.folder, '2026', 'rec-mp3.html'), page);
    const ids = await stage.ids();
    should((await stage.post('ticket', { id: ids['rec-html'], use: 'play' })).status).equal(400);
    for (const [name, id] of Object.entries(ids)) {
      const use = name === 'rec-mp3' ? 'play' : 'save';
      const { status, headers } = await stage.media(await stage.ticket(id, use));
      should(status).equal(200);
      should(headers.get('content-type')).not.match(/html|svg|xml|json|text/);
      should(headers.get('x-content-type-options')).equal('nosniff');
      should(headers.get('content-security-policy')).match(/sandbox/);
      if (use === 'save') should(headers.get('content-disposition')).match(/^attachment/);
    }
  });

  it('say what is wrong when a file is not there', async () => {
    rmSync(await stage.store('rec-1', BYTES));
    const { status, body } = await stage.post('ticket', { id: (await stage.ids())['rec-1'] });
    should(status).equal(400);
    should(String(body['error'])).match(/rec-1.mp3 is not there. Look whether its disk is mounted/);
  });

  it('check a file, and show both hashes', async () => {
    const file = await stage.store('rec-1', BYTES);
    const id = (await stage.ids())['rec-1']!;
    const last = async (): Promise<unknown> =>
      JSON.parse((await stage.post('verify', { id })).text.trim().split('\n').at(-1) ?? '');
    should(await last()).eql({
      sha256: sha256Of(BYTES),
      expected: sha256Of(BYTES),
      size: 100_000,
      stored: 100_000
    });
    const changed = Buffer.from(BYTES);
    changed[5] = 77;
    writeFileSync(file, changed);
    should(await last()).have.properties({ sha256: sha256Of(changed), expected: sha256Of(BYTES) });
    writeFileSync(file, 'short');
    should(await last()).have.properties({ size: 5, stored: 100_000 });
  });

  it('complete what the index does not know from the file beside', async () => {
    const file = await stage.store('rec-1', BYTES, { sidecar: 'x', from: null });
    const told = {
      provider: 'telnyx',
      sha256: sha256Of(BYTES),
      from: '+15550100199',
      recording_id: 'another',
      format: 'html'
    };
    writeFileSync(`${file}.json`, JSON.stringify(told));
    should(Object.keys(await stage.ids({ what: '0100199' }))).be.empty();
    const id = (await stage.ids())['rec-1']!;
    const { body } = await stage.post('details', { id });
    // What is known is never overwritten.
    should(body['recording']).have.properties({ from: '+15550100199', recording_id: 'rec-1', format: 'mp3' });
    should(Object.keys(await stage.ids({ what: '0100199' }))).eql(['rec-1']);
  });

  it('do not believe the file beside when it describes another file', async () => {
    const file = await stage.store('rec-1', BYTES, { sidecar: 'x' });
    for (const text of [
      JSON.stringify({ sha256: 'f'.repeat(64), from: '+15550100199' }),
      '{',
      '[]',
      'null'
    ]) {
      writeFileSync(`${file}.json`, text);
      const { body } = await stage.post('details', { id: (await stage.ids())['rec-1'] });
      should(body['recording']).have.property('from', null);
    }
  });

  it('find a text in a file beside the recording, and in a file that is a text', async () => {
    const text = path.join(stage.folder, '2026', 'rec-1.txt');
    await stage.store('rec-1', BYTES, { transcription_file: text });
    writeFileSync(text, 'We will send the invoice tomorrow.');
    await stage.store('rec-2', Buffer.from('WEBVTT\n\n00:00.000 --> 00:01.000\nThe invoice is late.'), {
      format: 'vtt'
    });
    await stage.store('rec-3', BYTES);
    should(Object.keys(await stage.ids({ text: 'INVOICE' })).sort()).eql(['rec-1', 'rec-2']);
    should(Object.keys(await stage.ids({ text: 'tomorrow' }))).eql(['rec-1']);
  });

  it('show no secret that a sidecar holds', async () => {
    await stage.store('rec-1', BYTES, {
      room_name: 'https://u:p@example.com/x?sig=geheim',
      recording_url: 'https://geheim'
    });
    const { text } = await stage.post('details', { id: (await stage.ids())['rec-1'] });
    should(text).not.match(/geheim/);
  });

  it('have a waveform for a WAV file, and none for others', async () => {
    const tone = wavFile({ rate: 8000, channels: [[0.1, 0.5, -0.7, 0.2]] });
    await stage.store('rec-1', tone, { format: 'wav' });
    await stage.store('rec-2', tone, { format: 'mp3' });
    await stage.store('rec-3', BYTES, { format: 'wav' });
    const ids = await stage.ids();
    should((await stage.post('details', { id: ids['rec-1'] })).body['waveform']).be.true();
    const { peaks } = (await stage.post('waveform', { id: ids['rec-1'] })).body as {
      peaks: { duration: number };
    };
    should(peaks).eql({ channels: [[0.1, 0.5, -0.7, 0.2]], duration: 0.0005 });
    for (const id of [ids['rec-2'], ids['rec-3']])
      should((await stage.post('waveform', { id })).body['peaks']).be.null();
  });

  it('mark what is stored of a sample', async () => {
    await stage.store('rec-1', BYTES);
    await stage.store('rec-2', BYTES, { sample: true });
    for (const [id, isSample] of [
      ['rec-1', false],
      ['rec-2', true]
    ] as const) {
      const { body } = await stage.post('details', { id: (await stage.ids())[id] });
      should(body['row']).have.property('isSample', isSample);
    }
  });

  it('find nothing in an empty archive', async () => {
    const { status, body } = await stage.post('search', {});
    should(status).equal(200);
    should(body).eql({ rows: [], next: null, looked: 0, providers: ['telnyx', 'daily'] });
  });
});
