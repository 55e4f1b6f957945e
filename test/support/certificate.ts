import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Both as PEM. */
export interface Certificate {
  key: Buffer;
  cert: Buffer;
}

/**
 * A self-signed certificate for a host, made for this run.
 *
 * @param openssl path of the program
 * @param names in the format of `subjectAltName`, such as `DNS:media.example.com,IP:127.0.0.1`
 */
export function certificate(openssl: string, names: string): Certificate {
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-tls-'));
  try {
    const [key, cert] = [path.join(directory, 'key.pem'), path.join(directory, 'cert.pem')];
    const keyKind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const subject = ['-subj', '/CN=media.example.com', '-addext', `subjectAltName=${names}`];
    const files = ['-keyout', key, '-out', cert];
    execFileSync(openssl, ['req', '-x509', ...keyKind, '-days', '1', ...subject, ...files], {
      stdio: 'pipe'
    });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
