import { type X509Certificate, constants, createHash, verify } from 'node:crypto';
import { CodedError } from '../../errors/coded-error';
import { type SigningCertificate, certificateOf, leadsToRoot, wasValid } from './certificates';
import { type Der, TAG, expect, oidOf, partsOf, readDer, tagged } from './der';

/** Bytes of a reply; usual ones have two to eight thousand. */
export const LARGEST_REPLY = 64 * 1024;

const NONCE_BYTES = 8;

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const ATTRIBUTES = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  certificate: '1.2.840.113549.1.9.16.2.12',
  certificateV2: '1.2.840.113549.1.9.16.2.47'
} as const;
const PSS = '1.2.840.113549.1.1.10';

/** What is strong enough to sign with. */
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512']
]);

/** Signature algorithms that name a digest of their own. */
const SIGNATURES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512']
]);

const SHA256_IDENTIFIER = Buffer.from('300d06096086480165030402010500', 'hex');

/** How a time stamp was judged. `text` names the fault, or who stamped. */
export interface StampVerdict {
  ok: boolean;
  /** ISO 8601 UTC, as the authority says. */
  at: string | null;
  /** Whether the authority's certificate leads to a root that was given. */
  isRooted: boolean;
  text: string;
}

export interface JudgeOptions {
  /** What was sent with the query; null: it is not known any more. */
  nonce: Buffer | null;
  /** Whom the auditor trusts. */
  roots: readonly X509Certificate[];
}

/**
 * The question for a time stamp of some bytes (RFC 3161): the hash and a number, nothing else.
 *
 * @param random at least eight random bytes
 */
export function timeStampQuery(sha256: Buffer, random: Buffer): { query: Buffer; nonce: Buffer } {
  const nonce = Buffer.from(random.subarray(0, NONCE_BYTES));
  // A positive number of exactly this length.
  nonce.writeUInt8((nonce.readUInt8(0) & 0x3f) | 0x40, 0);
  const imprint = Buffer.concat([SHA256_IDENTIFIER, Buffer.from([TAG.octets, sha256.length]), sha256]);
  const content = Buffer.concat([
    Buffer.from([TAG.integer, 1, 1, TAG.sequence, imprint.length]),
    imprint,
    Buffer.from([TAG.integer, NONCE_BYTES]),
    nonce,
    // The certificate shall come with the reply.
    Buffer.from([TAG.boolean, 1, 0xff])
  ]);
  return { query: Buffer.concat([Buffer.from([TAG.sequence, content.length]), content]), nonce };
}

/**
 * Checks the reply of a time-stamping authority, whole: status, hash, number, signature, the purpose of its certificate, and
 * whether that was valid at the time and leads to a root.
 *
 * @param reply DER, as received
 * @param stamped the bytes that it is to be about
 */
export function judgeStamp(reply: Buffer, stamped: Buffer, { nonce, roots }: JudgeOptions): StampVerdict {
  try {
    if (reply.length > LARGEST_REPLY) throw fault('It is larger than any time stamp.');
    const token = tokenOf(reply);
    const info = infoOf(token);
    if (!info.imprint.equals(sha256(stamped))) throw fault('It is the time stamp of something else.');
    if (nonce !== null && info.nonce?.equals(nonce) !== true)
      throw fault('It answers another question: its nonce is not the one that was sent.');
    const signer = signerOf(token);
    if (!wasValid(signer.x509, info.at))
      throw fault("The authority's certificate was not valid at that time.");
    const at = new Date(info.at).toISOString();
    const isRooted = leadsToRoot(signer.x509, token.certificates, { roots, at: info.at });
    const by = signer.x509.subject.split('\n').join(', ');
    if (roots.length === 0 || isRooted) return { ok: true, at, isRooted, text: by };
    return { ok: false, at, isRooted, text: `Its certificate does not lead to one of the roots: ${by}.` };
  } catch (error) {
    const text =
      error instanceof CodedError ? error.message : 'It holds a key or a certificate that is none.';
    return { ok: false, at: null, isRooted: false, text };
  }
}

interface Token {
  /** What was signed: the encoded information. */
  content: Buffer;
  certificates: readonly SigningCertificate[];
  signer: readonly Der[];
}

function tokenOf(reply: Buffer): Token {
  const [statusInfo, contentInfo] = partsOf(readDer(reply), TAG.sequence);
  const status = expect(partsOf(statusInfo, TAG.sequence)[0], TAG.integer).content;
  // Granted, or granted with modifications.
  if (status.length !== 1 || (status[0] ?? 2) > 1)
    throw fault(`The authority refused: status ${status.readIntBE(0, Math.min(status.length, 6))}.`);
  const [type, wrapped] = partsOf(contentInfo, TAG.sequence);
  if (oidOf(type) !== SIGNED_DATA) throw fault('It holds no signed data.');
  const fields = partsOf(partsOf(wrapped, tagged(0))[0], TAG.sequence);
  const [contentType, octets] = partsOf(fields[2], TAG.sequence);
  if (oidOf(contentType) !== TST_INFO) throw fault('What is signed in it is no time stamp.');
  const held = fields.find(({ tag }) => tag === tagged(0));
  const signers = partsOf(fields.at(-1), TAG.set);
  if (signers.length !== 1) throw fault('It has not exactly one signature.');
  return {
    content: expect(partsOf(octets, tagged(0))[0], TAG.octets).content,
    certificates:
      held === undefined ? [] : partsOf(held, tagged(0)).slice(0, MOST_CERTIFICATES).map(certificateOf),
    signer: partsOf(signers[0], TAG.sequence)
  };
}

const MOST_CERTIFICATES = 16;

function infoOf({ content }: Token): { imprint: Buffer; nonce: Buffer | null; at: number } {
  const fields = partsOf(readDer(content), TAG.sequence);
  const [algorithm, hash] = partsOf(fields[2], TAG.sequence);
  if (DIGESTS.get(oidOf(partsOf(algorithm, TAG.sequence)[0])) !== 'sha256')
    throw fault('It is not about a SHA-256.');
  const nonce = fields.slice(5).find(({ tag }) => tag === TAG.integer);
  return {
    imprint: expect(hash, TAG.octets).content,
    nonce: nonce?.content ?? null,
    at: timeOf(expect(fields[4], TAG.time).content.toString('latin1'))
  };
}

const TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\.\d{1,9})?Z$/;

function timeOf(text: string): number {
  const [, year, month, day, hour, minute, second, fraction = ''] = TIME.exec(text) ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction.slice(0, 4)}Z`);
  if (Number.isNaN(at)) throw fault('It names no time.');
  return at;
}

/** @returns the certificate of the one who signed the information, after all that shows it was checked */
function signerOf({ content, certificates, signer }: Token): SigningCertificate {
  const [, id, digestAlgorithm, signed, signatureAlgorithm, signature] = signer;
  const digest = DIGESTS.get(oidOf(partsOf(digestAlgorithm, TAG.sequence)[0]));
  if (digest === undefined) throw fault('It is signed over a digest that is too weak or not known.');
  const attributes = new Map(
    partsOf(signed, tagged(0)).map((each) => {
      const [type, values] = partsOf(each, TAG.sequence);
      return [oidOf(type), partsOf(values, TAG.set)[0]];
    })
  );
  if (oidOf(attributes.get(ATTRIBUTES.contentType)) !== TST_INFO)
    throw fault('The signature is about something else.');
  const said = expect(attributes.get(ATTRIBUTES.messageDigest), TAG.octets).content;
  if (!said.equals(createHash(digest).update(content).digest()))
    throw fault('Its content is not what was signed.');
  const certificate = certificates.find((each) => isNamed(each, attributes));
  if (certificate === undefined) throw fault('It does not hold the certificate that its signature names.');
  if (id?.tag === TAG.sequence) {
    const [issuer, serial] = partsOf(id, TAG.sequence);
    if (
      issuer?.raw.equals(certificate.issuer) !== true ||
      serial?.content.equals(certificate.serial) !== true
    )
      throw fault('Its certificate is not that of the signer.');
  }
  if (!certificate.isForTimeStamps)
    throw fault(
      'Its certificate is not made for time stamps alone (critical extended key usage timeStamping).'
    );
  const algorithm = oidOf(partsOf(signatureAlgorithm, TAG.sequence)[0]);
  const { publicKey: key } = certificate.x509;
  const hash = key.asymmetricKeyType === 'ed25519' ? null : (SIGNATURES.get(algorithm) ?? digest);
  const padding =
    algorithm === PSS
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
      : {};
  // Signed as a set, sent under a tag of its own.
  const bytes = Buffer.concat([Buffer.from([TAG.set]), expect(signed, tagged(0)).raw.subarray(1)]);
  if (!verify(hash, bytes, { key, ...padding }, expect(signature, TAG.octets).content))
    throw fault('Its signature does not fit.');
  return certificate;
}

/** Whether the signed attributes name a certificate, by its hash. */
function isNamed({ x509 }: SigningCertificate, attributes: ReadonlyMap<string, Der | undefined>): boolean {
  const [v1, v2] = [attributes.get(ATTRIBUTES.certificate), attributes.get(ATTRIBUTES.certificateV2)];
  const first = partsOf(partsOf(v2 ?? v1, TAG.sequence)[0], TAG.sequence)[0];
  const fields = partsOf(first, TAG.sequence);
  const hasAlgorithm = fields[0]?.tag === TAG.sequence;
  const named = hasAlgorithm ? DIGESTS.get(oidOf(partsOf(fields[0], TAG.sequence)[0])) : undefined;
  const digest = v2 === undefined ? 'sha1' : hasAlgorithm ? named : 'sha256';
  if (digest === undefined) return false;
  const hash = expect(fields[hasAlgorithm ? 1 : 0], TAG.octets).content;
  return hash.equals(createHash(digest).update(x509.raw).digest());
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function fault(text: string): CodedError {
  return new CodedError('UNPARSABLE_BODY', text);
}
