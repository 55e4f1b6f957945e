import { parseArgs } from 'node:util';
import { defaultKeyFile } from './key-file';
import { SAMPLE_KINDS, sampleKind } from './sample-catalogue';

interface CommonOptions {
  keyFile: string;
  host: string;
  /** Length of the recordings. */
  seconds: number;
}

export interface SendOptions extends CommonOptions {
  to: string;
  events: string[];
  count: number;
  /** Seconds. */
  linger: number;
}

export interface ServeOptions extends CommonOptions {
  port: number;
  recordings: number;
}

export type Command =
  | { name: 'help' }
  | { name: 'list' }
  | { name: 'key'; keyFile: string }
  | { name: 'send'; options: SendOptions }
  | { name: 'serve'; options: ServeOptions };

const OPTIONS = {
  to: { type: 'string' },
  event: { type: 'string', multiple: true },
  all: { type: 'boolean' },
  count: { type: 'string' },
  linger: { type: 'string' },
  recordings: { type: 'string' },
  port: { type: 'string' },
  seconds: { type: 'string' },
  host: { type: 'string' },
  'key-file': { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' }
} as const;

/**
 * Understands the command line.
 *
 * @param args the arguments without node and program
 * @throws Error that says what was expected
 */
export function readCommand(args: string[]): Command {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  if (values.help === true) return { name: 'help' };
  if (values.list === true) return { name: 'list' };
  if (positionals.length !== 1) throw new Error('Expected one of the commands key, send and serve');

  const common: CommonOptions = {
    keyFile: values['key-file'] ?? defaultKeyFile(),
    host: values.host ?? '127.0.0.1',
    seconds: readNumber('--seconds', values.seconds, 3, 1, 86_400)
  };
  switch (positionals[0]) {
    case 'key':
      return { name: 'key', keyFile: common.keyFile };
    case 'send':
      return {
        name: 'send',
        options: {
          ...common,
          to: readTarget(values.to),
          events: readEvents(values.event, values.all === true),
          count: readNumber('--count', values.count, 1, 1, 100_000),
          linger: readNumber('--linger', values.linger, 30, 0, 86_400)
        }
      };
    case 'serve':
      return {
        name: 'serve',
        options: {
          ...common,
          port: readNumber('--port', values.port, 0, 0, 65_535),
          recordings: readNumber('--recordings', values.recordings, 5, 0, 1_000_000)
        }
      };
    default:
      throw new Error(`There is no command "${positionals[0] ?? ''}"; there are key, send and serve`);
  }
}

function readTarget(to: string | undefined): string {
  if (to === undefined) {
    throw new Error('send needs --to, the address of the flow, such as http://127.0.0.1:1880/telnyx');
  }
  if (!URL.canParse(to) || !/^https?:$/.test(new URL(to).protocol)) {
    throw new Error(`--to needs an address that begins with http:// or https://, not "${to}"`);
  }
  return to;
}

function readEvents(named: string[] | undefined, all: boolean): string[] {
  if (all) return SAMPLE_KINDS.map((kind) => kind.name);
  return (named ?? ['call.recording.saved']).map((name) => sampleKind(name).name);
}

function readNumber(
  option: string,
  value: string | undefined,
  fallback: number,
  least: number,
  most: number
): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new Error(`${option} needs a whole number from ${least} to ${most}, not "${value}"`);
  }
  return number;
}
