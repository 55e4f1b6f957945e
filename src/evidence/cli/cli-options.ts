import { parseArgs } from 'node:util';

export const USAGE = `telnyx-evidence: checks an archive of recordings, without changing anything

  telnyx-evidence verify FOLDER [--log DIRECTORY] [--key FILE] [--roots FILE]
  telnyx-evidence certificate FILE --custody DIRECTORY [--key FILE] [--roots FILE]

  FOLDER       where a recording download node stores, or a copy of it or of a bucket
  --log        the custody log: the folder "custody" in the state (userDir/telnyx), or a copy of it
  FILE         the certificate of a month (JSON)
  --custody    the custody log that has its hash
  --key        the public key (PEM) that you keep elsewhere; else the one beside the log is used
  --roots      root certificates (PEM) of the authorities whose time stamps you trust
  --quiet      no progress

"verify" compares every file with its sidecar, and with --log every line of the log with the one before it and with the signed
checkpoints and their time stamps, and the files with the log. "certificate" checks the log in the same way, and that the
certificate is the one that was entered there.

Exit code: 0 everything is as it was written; 1 something is not; 2 wrong use; 3 not everything could be read.
docs/evidence.md shows the same with openssl, sha256sum and jq.
`;

export type Command =
  | { name: 'help' }
  | {
      name: 'verify';
      folder: string;
      log: string | null;
      key: string | null;
      roots: string | null;
      isQuiet: boolean;
    }
  | { name: 'certificate'; file: string; custody: string; key: string | null; roots: string | null };

/** @throws Error for wrong use; its text is for people */
export function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      log: { type: 'string' },
      custody: { type: 'string' },
      key: { type: 'string' },
      roots: { type: 'string' },
      quiet: { type: 'boolean' }
    }
  });
  const [name, folder, ...rest] = positionals;
  if (values.help === true || name === undefined || name === 'help') return { name: 'help' };
  if (name !== 'verify' && name !== 'certificate') throw new Error(`There is no command "${name}".`);
  const { log = null, key = null, roots = null, custody = null, quiet = false } = values;
  if (name === 'certificate') {
    if (folder === undefined) throw new Error('Name the certificate to check.');
    if (rest.length > 0) throw new Error('Name one certificate only.');
    if (custody === null) throw new Error('Name the folder of the custody log with --custody.');
    return { name: 'certificate', file: folder, custody, key, roots };
  }
  if (folder === undefined) throw new Error('Name the folder to check.');
  if (rest.length > 0) throw new Error('Name one folder only.');
  if (custody !== null) throw new Error('The custody log is named with --log here.');
  return { name: 'verify', folder, log, key, roots, isQuiet: quiet };
}
