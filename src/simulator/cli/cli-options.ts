import { parseArgs } from 'node:util';
import { PROVIDERS, type Provider } from '../../events/provider';
import { DAILY_KINDS } from '../daily/daily-events';
import { defaultKeyFile } from './key-file';
import { SAMPLE_KINDS, sampleKind } from '../telnyx/sample-catalogue';

interface CommonOptions {
  provider: Provider;
  keyFile: string;
  /** 0: any free one. */
  port: number;
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
  recordings: number;
}

export type Command =
  | { name: 'help' }
  /** Null: of all providers. */
  | { name: 'list'; provider: Provider | null }
  | { name: 'key'; provider: Provider; keyFile: string }
  | { name: 'send'; options: SendOptions }
  | { name: 'serve'; options: ServeOptions };

/** Daily's recordings are asked for at the API, whose address the flow must know before. */
export const DAILY_PORT = 8791;

const OPTIONS = {
  provider: { type: 'string' },
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
  if (values.list === true)
    return {
      name: 'list',
      provider: values.provider === undefined ? null : readProvider(values.provider, [])
    };
  if (positionals.length !== 1) throw new Error('Expected one of the commands key, send and serve');

  const provider = readProvider(values.provider, values.event ?? []);
  const common: CommonOptions = {
    provider,
    port: readNumber('--port', values.port, provider === 'daily' ? DAILY_PORT : 0, 0, 65_535),
    keyFile: values['key-file'] ?? defaultKeyFile(),
    host: values.host ?? '127.0.0.1',
    seconds: readNumber('--seconds', values.seconds, 3, 1, 86_400)
  };
  switch (positionals[0]) {
    case 'key':
      return { name: 'key', provider, keyFile: common.keyFile };
    case 'send':
      return {
        name: 'send',
        options: {
          ...common,
          to: readTarget(values.to),
          events: readEvents(provider, values.event, values.all === true),
          count: readNumber('--count', values.count, 1, 1, 100_000),
          linger: readNumber('--linger', values.linger, 30, 0, 86_400)
        }
      };
    case 'serve':
      return {
        name: 'serve',
        options: {
          ...common,
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

/** Named, or told by the events: one address takes the events of one provider. */
function readProvider(named: string | undefined, events: string[]): Provider {
  const isDaily = (event: string): boolean => DAILY_KINDS.some(({ name }) => name === event);
  const found = events.some(isDaily) ? 'daily' : 'telnyx';
  if (named === undefined) {
    if (found === 'daily' && !events.every(isDaily)) throw new Error('Send events of one provider at a time');
    return found;
  }
  const provider = PROVIDERS.find((known) => known === named);
  if (provider === undefined) throw new Error(`--provider knows telnyx and daily, not "${named}"`);
  return provider;
}

function readEvents(provider: Provider, named: string[] | undefined, all: boolean): string[] {
  const kinds: readonly { name: string }[] = provider === 'daily' ? DAILY_KINDS : SAMPLE_KINDS;
  if (all) return kinds.map((kind) => kind.name);
  const usual = provider === 'daily' ? 'recording.ready-to-download' : 'call.recording.saved';
  return (named ?? [usual]).map((name) => sampleKind(name, kinds).name);
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
