import { X509Certificate } from 'node:crypto';
import { type Der, TAG, oidOf, partsOf, tagged } from './der';

const EXTENDED_KEY_USAGE = '2.5.29.37';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

/** What a time stamp needs to know of a certificate. */
export interface SigningCertificate {
  x509: X509Certificate;
  /** DER. */
  issuer: Buffer;
  serial: Buffer;
  /** Whether it may sign time stamps and nothing else, as RFC 3161 demands. */
  isForTimeStamps: boolean;
}

/** @throws CodedError `UNPARSABLE_BODY`, or the error of OpenSSL */
export function certificateOf(der: Der): SigningCertificate {
  const [body] = partsOf(der, TAG.sequence);
  const all = partsOf(body, TAG.sequence);
  const fields = all[0]?.tag === tagged(0) ? all.slice(1) : all;
  const [serial, , issuer] = fields;
  const extensions = all.find(({ tag }) => tag === tagged(3));
  const listed = extensions === undefined ? [] : partsOf(partsOf(extensions, tagged(3))[0], TAG.sequence);
  return {
    x509: new X509Certificate(der.raw),
    issuer: issuer?.raw ?? Buffer.alloc(0),
    serial: serial?.content ?? Buffer.alloc(0),
    isForTimeStamps: listed.some(isTimeStamping)
  };
}

function isTimeStamping(extension: Der): boolean {
  const [id, critical, value] = partsOf(extension, TAG.sequence);
  if (oidOf(id) !== EXTENDED_KEY_USAGE || critical?.tag !== TAG.boolean || critical.content[0] !== 0xff)
    return false;
  const purposes = partsOf(partsOf(value, TAG.octets)[0], TAG.sequence).map(oidOf);
  return purposes.length === 1 && purposes[0] === TIME_STAMPING;
}

/** @param at milliseconds since 1970 */
export function wasValid({ validFrom, validTo }: X509Certificate, at: number): boolean {
  return Date.parse(validFrom) <= at && at <= Date.parse(validTo);
}

/** Certificates between that of the authority and a root. */
const LONGEST_CHAIN = 8;

/** Whether a certificate was issued under one of the roots, each one on the way valid at a time. */
export function leadsToRoot(
  certificate: X509Certificate,
  between: readonly SigningCertificate[],
  { roots, at }: { roots: readonly X509Certificate[]; at: number }
): boolean {
  let current = certificate;
  for (let length = 0; length < LONGEST_CHAIN; length += 1) {
    if (!wasValid(current, at)) return false;
    const issued = current;
    if (roots.some((root) => root.raw.equals(issued.raw))) return true;
    if (roots.some((root) => isIssuedBy(issued, root) && wasValid(root, at))) return true;
    const next = between.find(({ x509 }) => !x509.raw.equals(issued.raw) && isIssuedBy(issued, x509));
    if (next === undefined) return false;
    current = next.x509;
  }
  return false;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** @returns the certificates of a PEM text; empty when there is none, or one cannot be read */
export function readCertificates(pem: string): X509Certificate[] {
  try {
    return (pem.match(CERTIFICATE) ?? []).map((each) => new X509Certificate(each));
  } catch {
    return [];
  }
}
