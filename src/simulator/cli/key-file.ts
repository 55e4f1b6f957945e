import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { DailySecret } from '../daily/daily-secret';
import { SigningKey } from '../signing-key';

/** Where the command keeps its key, so that the key it printed and later deliveries match. */
export function defaultKeyFile(): string {
  return path.join(homedir(), '.telnyx-simulator.json');
}

/** The command's keys as a Telnyx account; see `seedFromFile`. */
export function telnyxKeysFromFile(file: string): { key: SigningKey; apiKey: string } {
  const seed = seedFromFile(file);
  return { key: new SigningKey(seed), apiKey: `KEY${derived(seed, 'telnyx api key').toString('hex')}` };
}

/** The command's secrets as a Daily account; see `seedFromFile`. */
export function dailyKeysFromFile(file: string): { secret: DailySecret; apiKey: string } {
  const seed = seedFromFile(file);
  return {
    secret: new DailySecret(derived(seed, 'daily webhook secret')),
    apiKey: derived(seed, 'daily api key').toString('hex')
  };
}

function derived(seed: Buffer, name: string): Buffer {
  return createHmac('sha256', seed).update(name).digest();
}

/**
 * Reads the seed of all keys of the command, or makes one at the first use. The file is readable by its
 * owner alone.
 *
 * @param file absolute or relative path of the key file
 * @throws Error with what to do, when the file cannot be read, written or understood
 */
function seedFromFile(file: string): Buffer {
  try {
    return readSeed(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const seed = randomBytes(32);
  try {
    // `wx`: of two commands that start together, one writes and the other reads what it wrote.
    writeFileSync(file, `${JSON.stringify({ seed: seed.toString('base64') })}\n`, {
      mode: 0o600,
      flag: 'wx'
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readSeed(file);
    throw new Error(`The key file ${file} cannot be written; name another one with --key-file`, {
      cause: error
    });
  }
  return seed;
}

function readSeed(file: string): Buffer {
  const text = readFileSync(file, 'utf8');
  const seed = parseSeed(text);
  if (seed?.length !== 32) {
    throw new Error(`The key file ${file} does not hold a key; delete it, and a new key is made`);
  }
  return seed;
}

function parseSeed(text: string): Buffer | undefined {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content !== 'object' || content === null || !('seed' in content)) return undefined;
    return typeof content.seed === 'string' ? Buffer.from(content.seed, 'base64') : undefined;
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
