import { parseArgs } from 'node:util';
import { defaultKeyFile } from './key-file';
import { sampleKind } from '../telnyx/sample-catalogue';
import { STAND_INS, type StandInDescription } from './stand-ins';

interface CommonOptions {
  standIn: StandInDescription;
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
  | { name: 'list'; standIns: readonly StandInDescription[] }
  | { name: 'key'; standIn: StandInDescription; keyFile: string }
  | { name: 'send'; options: SendOptions }
  | { name: 'serve'; options: ServeOptions };

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
 * Parses the command line.
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
      standIns: values.provider === undefined ? STAND_INS : [readStandIn(values.provider, [])]
    };
  if (positionals.length !== 1) throw new Error('Expected one of the commands key, send and serve');

  const standIn = readStandIn(values.provider, values.event ?? []);
  const common: CommonOptions = {
    standIn,
    port: readNumber('--port', values.port, standIn.usualPort, [0, 65_535]),
    keyFile: values['key-file'] ?? defaultKeyFile(),
    host: values.host ?? '127.0.0.1',
    seconds: readNumber('--seconds', values.seconds, 3, [1, 86_400])
  };
  switch (positionals[0]) {
    case 'key':
      return { name: 'key', standIn, keyFile: common.keyFile };
    case 'send':
      return {
        name: 'send',
        options: {
          ...common,
          to: readTarget(values.to),
          events: readEvents(standIn, values.event, values.all === true),
          count: readNumber('--count', values.count, 1, [1, 100_000]),
          linger: readNumber('--linger', values.linger, 30, [0, 86_400])
        }
      };
    case 'serve':
      return {
        name: 'serve',
        options: {
          ...common,
          recordings: readNumber('--recordings', values.recordings, 5, [0, 1_000_000])
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

/** Named, or derived from the events: one address accepts the events of one provider. */
function readStandIn(named: string | undefined, events: string[]): StandInDescription {
  if (named === undefined) return standInFor(events);
  const standIn = STAND_INS.find(({ name }) => name === named);
  const known = STAND_INS.map(({ name }) => name).join(' and ');
  if (standIn === undefined) throw new Error(`--provider knows ${known}, not "${named}"`);
  return standIn;
}

function standInFor(events: string[]): StandInDescription {
  const [usual, ...others] = STAND_INS;
  const sends = ({ kinds }: StandInDescription, event: string): boolean =>
    kinds.some(({ name }) => name === event);
  const found = others.find((standIn) => events.some((event) => sends(standIn, event))) ?? usual;
  // Unknown events are reported by name later.
  if (found !== usual && !events.every((event) => sends(found, event)))
    throw new Error('Send events of one provider at a time');
  return found;
}

function readEvents(
  { kinds, usualEvent }: StandInDescription,
  named: string[] | undefined,
  all: boolean
): string[] {
  if (all) return kinds.map((kind) => kind.name);
  return (named ?? [usualEvent]).map((name) => sampleKind(name, kinds).name);
}

/** @param range the smallest and the largest accepted number */
function readNumber(
  option: string,
  value: string | undefined,
  fallback: number,
  [least, most]: readonly [number, number]
): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new Error(`${option} needs a whole number from ${least} to ${most}, not "${value}"`);
  }
  return number;
}
