import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { telnyxKeysFromFile } from '../../../src/simulator/cli/key-file';
import { SigningKey } from '../../../src/simulator/signing-key';

describe('simulator signing key', () => {
  it('signs timestamp, bar and body in a way that node:crypto verifies', () => {
    const key = new SigningKey();
    const body = Buffer.from('{"text":"grüße","n":1.0}');
    const headers = key.sign(body, '1772615702');
    should(headers['telnyx-timestamp']).equal('1772615702');
    should(verified(key.publicKey, '1772615702|', body, headers['telnyx-signature-ed25519'])).be.true();
    should(verified(key.publicKey, '1772615703|', body, headers['telnyx-signature-ed25519'])).be.false();
    should(
      verified(new SigningKey().publicKey, '1772615702|', body, headers['telnyx-signature-ed25519'])
    ).be.false();
  });

  it('derives the same key from the same seed, and rejects a seed of another length', () => {
    const seed = Buffer.alloc(32, 7);
    should(new SigningKey(seed).publicKey).equal(new SigningKey(seed).publicKey);
    should(() => new SigningKey(Buffer.alloc(31))).throw(/32 bytes long; this one has 31/);
  });

  describe('key file', () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'telnyx-key-'))));
    afterEach(() => rmSync(folder, { recursive: true }));

    it('is created once, readable only by its owner, and gives the same key from then on', () => {
      const file = path.join(folder, 'key.json');
      const first = telnyxKeysFromFile(file);
      const again = telnyxKeysFromFile(file);
      should(again.key.publicKey).equal(first.key.publicKey);
      should(again.apiKey)
        .equal(first.apiKey)
        .and.match(/^KEY[0-9a-f]{64}$/);
      if (process.platform !== 'win32') should(statSync(file).mode & 0o777).equal(0o600);
      should(readFileSync(file, 'utf8')).not.containEql(first);
    });

    for (const content of ['', 'nonsense', '{}', '{"seed":"c2hvcnQ="}', 'null']) {
      it(`is not replaced when it holds ${JSON.stringify(content)}`, () => {
        const file = path.join(folder, 'key.json');
        writeFileSync(file, content);
        should(() => telnyxKeysFromFile(file)).throw(/does not hold a key/);
        should(readFileSync(file, 'utf8')).equal(content);
      });
    }

    it('says what to do when it is not writable', () => {
      should(() => telnyxKeysFromFile(path.join(folder, 'missing', 'key.json'))).throw(/--key-file/);
    });
  });
});

function verified(publicKey: string, prefix: string, body: Buffer, signature: string): boolean {
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  return verify(null, Buffer.concat([Buffer.from(prefix), body]), key, Buffer.from(signature, 'base64'));
}
