import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { MediaFault } from '../media/media-server';

export interface DemoOptions {
  /** End by itself, with an exit code that shows whether everything was stored. */
  once: boolean;
  /** Leave the temporary folder in place. */
  keep: boolean;
  /** 0: any free port. */
  port: number;
  /** Where Node-RED and the recordings are kept when the real Telnyx sends. */
  directory: string;
  fault: MediaFault;
}

export type DemoCommand =
  { name: 'help' } | { name: 'demonstrate'; options: DemoOptions } | { name: 'listen'; options: DemoOptions };

/** Node-RED's own port: a tunnel to it can be set up once. */
const LISTENING_PORT = 1880;

export const DEMO_USAGE = `npm start: a real Node-RED with this package, and stand-ins for Telnyx and Daily that send events to it.

  npm start                       show the main job, then stay up until Ctrl-C
  npm start -- --once             show it and end; exit code 0 when every recording is stored and intact
  TELNYX_PUBLIC_KEY=... npm start  listen for the real Telnyx instead

  --port <n>         port of Node-RED; default: any free one, with TELNYX_PUBLIC_KEY ${LISTENING_PORT}
  --keep             do not delete the temporary folder at the end
  --directory <dir>  with TELNYX_PUBLIC_KEY: folder of Node-RED and its recordings, which is kept;
                     default telnyx-node-red in your home folder
  --fault corrupt-media   the stand-in sends a damaged recording, which must be noticed
`;

/**
 * @param args arguments of `npm start`
 * @param publicKey value of `TELNYX_PUBLIC_KEY`
 * @throws Error that says what was expected
 */
export function readDemoCommand(args: string[], publicKey: string | undefined): DemoCommand {
  const { values } = parseArgs({
    args,
    options: {
      once: { type: 'boolean' },
      keep: { type: 'boolean' },
      port: { type: 'string' },
      directory: { type: 'string' },
      fault: { type: 'string' },
      help: { type: 'boolean', short: 'h' }
    }
  });
  if (values.help === true) return { name: 'help' };
  const listens = publicKey !== undefined && publicKey.trim() !== '';
  if (listens && values.once === true) {
    throw new Error('--once needs the stand-in for Telnyx: unset TELNYX_PUBLIC_KEY');
  }
  return {
    name: listens ? 'listen' : 'demonstrate',
    options: {
      once: values.once === true,
      keep: values.keep === true,
      port: readPort(values.port, listens ? LISTENING_PORT : 0),
      directory: path.resolve(values.directory ?? path.join(homedir(), 'telnyx-node-red')),
      fault: readFault(values.fault)
    }
  };
}

function readPort(value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new Error(`--port needs a number from 0 to 65535, not "${value}"`);
  }
  return Number(value);
}

function readFault(value: string | undefined): MediaFault {
  if (value === undefined || value === 'none') return 'none';
  if (value !== 'corrupt-media') throw new Error(`--fault knows only corrupt-media, not "${value}"`);
  return value;
}
