import { execFileSync } from 'node:child_process';
import { X509Certificate, createHash, randomBytes, sign } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import should from 'should';
import { readCommand } from '../../../../src/evidence/cli/cli-options';
import { verify } from '../../../../src/evidence/cli/cli-verify';
import { TAG, expect, partsOf, readDer, tagged } from '../../../../src/evidence/timestamp/der';
import { judgeStamp, timeStampQuery } from '../../../../src/evidence/timestamp/time-stamp';
import { TimeStampAnchor, timeStampUrl } from '../../../../src/evidence/timestamp/time-stamp-anchor';
import { requireProgram } from '../../../support/real-parts';
import { TimeStampAuthority } from '../../../support/time-stamp-authority';
import { storeFile } from '../archive-fixture';
import { CustodyFixture, DAY_MS } from '../custody-fixture';

const DATA = Buffer.from('what is stamped');

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

describe('time stamps', function () {
  this.timeout(60_000);
  let authority: TimeStampAuthority;
  let others: TimeStampAuthority[];

  before(async function () {
    requireProgram(this, 'openssl');
    authority = await TimeStampAuthority.start();
  });
  beforeEach(() => {
    others = [];
    authority.answer = undefined;
    authority.queries.length = 0;
  });
  afterEach(async () => {
    for (const other of others) await other.stop();
  });
  after(() => authority.stop());

  async function another(
    ...options: Parameters<typeof TimeStampAuthority.start>
  ): Promise<TimeStampAuthority> {
    const other = await TimeStampAuthority.start(...options);
    others.push(other);
    return other;
  }

  function rootsOf({ roots }: TimeStampAuthority): X509Certificate[] {
    return [new X509Certificate(readFileSync(roots))];
  }

  describe('as they are judged', () => {
    it('are asked for with the query that OpenSSL makes', () => {
      const { query } = timeStampQuery(sha256(DATA), randomBytes(8));
      const file = path.join(authority.folder, 'own.tsq');
      writeFileSync(file, query);
      const text = execFileSync('openssl', ['ts', '-query', '-in', file, '-text'], { encoding: 'utf8' });
      should(text)
        .match(/Hash Algorithm: sha256/)
        .and.match(/Certificate required: yes/);
      should(query).have.length(69);
      for (const byte of [0x00, 0x7f, 0xff])
        should(timeStampQuery(sha256(DATA), Buffer.alloc(8, byte)).query).have.length(69);
    });

    for (const [kind, key] of Object.entries({
      RSA: ['rsa:3072'],
      'an elliptic curve': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']
    }))
      it(`are good with a key of ${kind}`, async () => {
        const other = await another({ key });
        const { query, nonce } = timeStampQuery(sha256(DATA), randomBytes(8));
        const verdict = judgeStamp(other.reply(query), DATA, { nonce, roots: rootsOf(other) });
        should(verdict).match({ ok: true, isRooted: true, text: 'CN=Test Authority' });
        should(Math.abs(Date.parse(verdict.at ?? '') - Date.now())).be.below(60_000);
      });

    it('are refused with what is wrong', async () => {
      const { query, nonce } = timeStampQuery(sha256(DATA), randomBytes(8));
      const reply = authority.reply(query);
      const plain = { nonce, roots: [] };
      should(judgeStamp(reply, DATA, plain)).have.properties({ ok: true, isRooted: false });
      should(judgeStamp(reply, Buffer.from('else'), plain).text).match(/something else/);
      should(judgeStamp(reply, DATA, { ...plain, nonce: randomBytes(8) }).text).match(/nonce/);
      const stranger = await another();
      should(judgeStamp(reply, DATA, { nonce, roots: rootsOf(stranger) }).text).match(
        /does not lead to one of the roots/
      );
      const refusal = Buffer.from('30053003020102', 'hex');
      should(judgeStamp(refusal, DATA, plain).text).match(/refused: status 2/);
    });

    for (const [what, usage] of Object.entries({
      'no purpose': null,
      'another purpose': 'critical,codeSigning',
      'more than this purpose': 'critical,timeStamping,codeSigning',
      'a purpose that is not critical': 'timeStamping'
    }))
      it(`are refused when their certificate has ${what}`, async () => {
        should(await signedBy(usage)).match({ ok: false, text: /not made for time stamps alone/ });
      });

    it('are good when signed in the same way with the right purpose', async () => {
      should(await signedBy('critical,timeStamping')).match({ ok: true, isRooted: true });
    });

    /** OpenSSL does not sign with such a certificate, so its reply is signed anew. */
    async function signedBy(usage: string | null): Promise<ReturnType<typeof judgeStamp>> {
      const other = await another({ usage });
      const { query, nonce } = timeStampQuery(sha256(DATA), randomBytes(8));
      const [from, to] = [authority, other].map(
        ({ folder }) => new X509Certificate(readFileSync(path.join(folder, 'tsa.pem'))).raw
      ) as [Buffer, Buffer];
      const reply = withCertificate(authority.reply(query), from, to);
      sha256(to).copy(reply, reply.indexOf(sha256(from)));
      const signedData = partsOf(
        partsOf(partsOf(readDer(reply), TAG.sequence)[1], TAG.sequence)[1],
        tagged(0)
      )[0];
      const signer = partsOf(partsOf(partsOf(signedData, TAG.sequence).at(-1), TAG.set)[0], TAG.sequence);
      const attributes = Buffer.from(expect(signer[3], tagged(0)).raw);
      attributes[0] = TAG.set;
      const key = readFileSync(path.join(other.folder, 'tsa.key'));
      sign('sha256', attributes, key).copy(expect(signer[5], TAG.octets).content);
      return judgeStamp(reply, DATA, { nonce, roots: rootsOf(other) });
    }

    it('are refused at every length, and with every byte changed that counts', () => {
      const { query, nonce } = timeStampQuery(sha256(DATA), randomBytes(8));
      const reply = authority.reply(query);
      const options = { nonce, roots: rootsOf(authority) };
      for (let length = 0; length < reply.length; length += 1)
        should(judgeStamp(reply.subarray(0, length), DATA, options).ok).be.false();
      should(judgeStamp(Buffer.concat([reply, Buffer.alloc(1)]), DATA, options).ok).be.false();
      should(judgeStamp(Buffer.alloc(1024 * 1024, 0x30), DATA, options).ok).be.false();
      let accepted = 0;
      for (let at = 0; at < reply.length; at += 7) {
        const changed = Buffer.from(reply);
        changed[at] = (changed[at] ?? 0) ^ 0x55;
        if (judgeStamp(changed, DATA, options).ok) accepted += 1;
      }
      // What is neither signed nor read: a version, an algorithm that is named twice, the policy's status text.
      should(accepted).be.below(10);
    });
  });

  /** Puts another certificate into a reply, with all lengths around it. */
  function withCertificate(reply: Buffer, from: Buffer, to: Buffer): Buffer {
    const at = reply.indexOf(from);
    const head = Buffer.from(reply.subarray(0, at));
    // The values around the certificate have lengths of two bytes each.
    for (let place = head.indexOf(0x82, 1); place !== -1; place = head.indexOf(0x82, place + 1)) {
      const length = place + 3 > head.length ? 0 : head.readUInt16BE(place + 1);
      const ends = place + 3 + length;
      if (ends >= at + from.length && ends <= reply.length)
        head.writeUInt16BE(length + to.length - from.length, place + 1);
    }
    return Buffer.concat([head, to, reply.subarray(at + from.length)]);
  }

  describe('of checkpoints', () => {
    let fixture: CustodyFixture;
    let url: URL | null;
    let folder: string;

    beforeEach(async () => {
      fixture = new CustodyFixture();
      fixture.now = Date.now();
      url = authority.url;
      folder = path.join(fixture.state, 'archive');
      const anchor = new TimeStampAnchor(() => (url === null ? null : { url, proxy: null }), 2000);
      const custody = await fixture.open({ anchor });
      await storeFile(folder, 1, fixture);
      fixture.now += DAY_MS;
      await custody.daily().catch(() => undefined);
    });
    afterEach(() => fixture.end());

    function daily(): Promise<void> {
      return fixture.custody!.daily();
    }

    async function verified(...more: string[]): Promise<{ code: number; text: string }> {
      const command = readCommand(['verify', folder, '--quiet', '--log', fixture.directory, ...more]);
      if (command.name !== 'verify') throw new Error('not read');
      const lines: string[] = [];
      const output = { print: (line: string) => lines.push(line), progress: () => undefined };
      const code = await verify(command, output, new AbortController().signal);
      return { code, text: lines.join('\n') };
    }

    async function next(): Promise<void> {
      fixture.now += DAY_MS;
      await daily();
    }

    it('are beside them, once, and OpenSSL accepts them', async () => {
      const [checkpoint = ''] = fixture.files('.checkpoint.json');
      should(fixture.files('.tsr')).eql([`${checkpoint}.tsr`]);
      const [data, stamp] = [fixture.path(checkpoint), fixture.path(`${checkpoint}.tsr`)];
      execFileSync('openssl', ['ts', '-verify', '-data', data, '-in', stamp, '-CAfile', authority.roots], {
        stdio: 'pipe'
      });
      await daily();
      should(authority.queries).have.length(1);
      const { code, text } = await verified('--roots', authority.roots);
      should(text).match(
        /Time stamps: 1, of which 1 lead to your roots; the last such checkpoint existed at 2/
      );
      should(code).equal(0);
      should((await verified()).text).match(/Time stamps: 1\. Who made them/);
    });

    it('are not asked for without an authority', async () => {
      url = null;
      await next();
      should(fixture.files('.checkpoint.json')).have.length(2);
      should(authority.queries).have.length(1);
    });

    it('are found when they were changed, exchanged, removed, or made by somebody else', async () => {
      await next();
      const [first = '', second = ''] = fixture.files('.tsr');
      const roots = ['--roots', authority.roots];
      should(await verified(...roots)).have.property('code', 0);
      const bytes = readFileSync(fixture.path(first));
      const changed = Buffer.from(bytes);
      changed[changed.length - 9] = (changed[changed.length - 9] ?? 0) ^ 1;
      writeFileSync(fixture.path(first), changed);
      should((await verified()).text).match(
        new RegExp(`NOT AS WRITTEN {2}${first}: Its signature does not fit`)
      );
      renameSync(fixture.path(second), fixture.path(first));
      should((await verified()).text)
        .match(/something else/)
        .and.match(/missing/);
      rmSync(fixture.path(first));
      const { code, text } = await verified(...roots);
      should(text).match(new RegExp(`${first}: the log tells of this time stamp, but it is missing`));
      should(code).equal(1);
      const stranger = await another();
      const checkpoint = readFileSync(fixture.path(first.slice(0, -'.tsr'.length)));
      writeFileSync(
        fixture.path(first),
        stranger.reply(timeStampQuery(sha256(checkpoint), randomBytes(8)).query)
      );
      should((await verified(...roots)).text)
        .match(/does not lead to one of the roots/)
        .and.match(/replaced/);
    });

    it('need a file of certificates as roots', async () => {
      const [checkpoint = ''] = fixture.files('.checkpoint.json');
      await should(verified('--roots', fixture.path(checkpoint))).be.rejectedWith(/no certificate/);
    });

    const good = (query: Buffer): Buffer => authority.reply(query);
    const HOSTILE: Record<string, (query: Buffer, response: ServerResponse) => void> = {
      'a truncated reply': (query, response) => void response.end(good(query).subarray(0, 500)),
      'a reply that breaks off': (query, response) => {
        response.writeHead(200, { 'content-length': 5000 });
        response.write(good(query), () => response.destroy());
      },
      'an endless reply': (_query, response) => {
        const more = (): void => {
          if (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 0x30))) setImmediate(more);
          else response.once('drain', more);
        };
        more();
      },
      'a reply byte by byte': (_query, response) => {
        const timer = setInterval(() => response.write(Buffer.alloc(1)), 50);
        response.once('close', () => clearInterval(timer));
      },
      'the time stamp of something else': (_query, response) =>
        void response.end(good(timeStampQuery(sha256(DATA), randomBytes(8)).query)),
      'another nonce': (query, response) => {
        const other = Buffer.from(query);
        other[query.length - 5] = (other[query.length - 5] ?? 0) ^ 1;
        response.end(good(other));
      },
      'an error page': (_query, response) => void response.writeHead(200).end('<html>Sorry</html>'),
      'an error': (_query, response) => void response.writeHead(503).end(),
      'a redirect': (_query, response) => void response.writeHead(302, { location: '/other' }).end()
    };
    for (const [what, answer] of Object.entries(HOSTILE))
      it(`are not kept when there is ${what}, and asked for again later`, async () => {
        authority.answer = answer;
        await should(next()).be.rejectedWith({ code: /LINK_REFUSED|TRUNCATED|STALLED/ });
        should(fixture.files('.tsr')).have.length(1);
        should(fixture.files('.checkpoint.json')).have.length(2);
        authority.answer = undefined;
        await daily();
        should(fixture.files('.tsr')).have.length(2);
        should(await verified('--roots', authority.roots)).have.property('code', 0);
      });

    it('are made later when the authority is away', async () => {
      url = new URL('http://127.0.0.1:1/tsr');
      await should(next()).be.rejectedWith({ code: 'LINK_REFUSED' });
      await should(next()).be.rejectedWith({ code: 'LINK_REFUSED' });
      should(existsSync(fixture.directory)).be.true();
      url = authority.url;
      await daily();
      should(fixture.files('.tsr')).have.length(3);
    });
  });

  it('come from an address that can be used', () => {
    should(timeStampUrl('http://tsa.example.com/tsr?x=1').host).equal('tsa.example.com');
    for (const bad of [
      'tsa.example.com',
      'ftp://tsa.example.com',
      'https://a:b@tsa.example.com/',
      '',
      'file:///etc/passwd'
    ])
      should(() => timeStampUrl(bad)).throw({ code: 'BAD_SETTING' });
  });
});
