import { open } from 'node:fs/promises';
import { asFields, asText } from '../../values/fields';
import { sha256Hex } from '../custody/custody-line';
import { custodyFiles } from '../custody/custody-reader';
import { judgeStamp } from '../timestamp/time-stamp';
import { verifyLog } from '../verify/verify-log';
import type { Command } from './cli-options';
import { EXIT, type VerifyOutput, publicKeyOf, rootsOf, tellFindings, tellLog } from './cli-verify';
import { printable } from './printable';

/** A month of 100,000 recordings that are all named takes some 300 kB. */
const LARGEST_BYTES = 64 * 1024 * 1024;

/**
 * Checks that a certificate is the one that the custody log has the hash of, and the log itself.
 *
 * @returns the exit code
 * @throws Error for a file that cannot be used; the system's error; `signal.reason`
 */
export async function checkCertificate(
  { file, custody, key, roots }: Extract<Command, { name: 'certificate' }>,
  { print }: Pick<VerifyOutput, 'print'>,
  signal: AbortSignal
): Promise<number> {
  const bytes = await contentOf(file);
  const certificate = asFields(parsed(bytes));
  if (certificate?.['kind'] !== 'completeness-certificate')
    throw new Error(`${file} is no certificate. Name the JSON file, not the page.`);
  const pinned = key === null ? null : await publicKeyOf(key);
  const trusted = roots === null ? [] : await rootsOf(roots);
  if ((await custodyFiles(custody)).length === 0) throw new Error(`${custody} holds no custody log.`);
  const sha256 = sha256Hex(bytes);
  const place = new CertifiedPlace(sha256);
  const findings = tellFindings(print);
  const report = await verifyLog({
    directory: custody,
    pinned,
    judgeStamp: (stamp, content) => judgeStamp(stamp, content, { nonce: null, roots: trusted }),
    onLine: (line) => place.note(line),
    onFinding: findings.tell,
    onFile: ({ checkpoints }) => place.endFile(checkpoints),
    signal
  });
  const { found, isSigned } = place;
  if (found === null)
    findings.tell({ where: file, text: `the custody log has no line with its SHA-256 (${sha256}).` });
  tellLog(report, pinned, print);
  if (found !== null)
    print(
      `Certificate: line ${found.seq} of the log, of ${found.at}, has its SHA-256. ` +
        (isSigned
          ? 'A checkpoint signs that line.'
          : 'No checkpoint signs that line yet: its day has not ended in this copy of the log.')
    );
  print(`It says: ${printable(asText(certificate['statement']) ?? '')}`);
  findings.end();
  return findings.count === 0 ? EXIT.intact : EXIT.differs;
}

/** Looks for the line of a certificate, and whether the file of the log that holds it has a checkpoint. */
class CertifiedPlace {
  found: { seq: number; at: string } | null = null;
  isSigned = false;
  readonly #sha256: string;
  #checkpoints = 0;
  #isInThisFile = false;

  constructor(sha256: string) {
    this.#sha256 = sha256;
  }

  note({ event, sha256, seq, at }: { event: string; sha256: string | null; seq: number; at: string }): void {
    if (event !== 'certified' || sha256 !== this.#sha256 || this.found !== null) return;
    this.found = { seq, at };
    this.#isInThisFile = true;
  }

  endFile(checkpoints: number): void {
    if (this.#isInThisFile) this.isSigned = checkpoints > this.#checkpoints;
    this.#isInThisFile = false;
    this.#checkpoints = checkpoints;
  }
}

async function contentOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size > LARGEST_BYTES) throw new Error(`${file} is too large to be a certificate.`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}
