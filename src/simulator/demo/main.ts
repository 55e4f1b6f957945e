import path from 'node:path';
import { describeError } from '../cli/describe-error';
import { printToStdout } from '../cli/print';
import { DEMO_USAGE, type DemoOptions, readDemoCommand } from './demo-options';
import { demonstrate, type Places } from './demonstration';
import { listen } from './listening';
import type { NodeRedChild } from './node-red-child';
import { Workshop } from './workshop';

const EXAMPLE = '2 Archive/Archive recordings of Telnyx and Daily.json';
const LIST_EXAMPLE = '5 Operations/Fetch missed recordings every night.json';
const DELIVERY_EXAMPLE = '5 Operations/Fetch missed events every hour.json';
const TELNYX_EXAMPLE = '1 Start here/Archive call recordings to disk.json';

const print = printToStdout();

/**
 * What `npm start` does.
 *
 * @param args its arguments
 * @param repository folder of this repository
 * @param nodeRedManifest path of Node-RED's package.json
 * @returns the exit code: 0 all went well, 1 something is missing or differs, 2 wrong arguments
 */
export async function main(args: string[], repository: string, nodeRedManifest: string): Promise<number> {
  let command;
  try {
    command = readDemoCommand(args, process.env['TELNYX_PUBLIC_KEY']);
  } catch (error) {
    process.stderr.write(`${describeError(error)}\nSee: npm start -- --help\n`);
    return 2;
  }
  if (command.name === 'help') {
    process.stdout.write(DEMO_USAGE);
    return 0;
  }
  const nodeRed = path.dirname(nodeRedManifest);
  const places: Places = {
    repository,
    example: path.join(repository, 'examples', EXAMPLE),
    listExample: path.join(repository, 'examples', LIST_EXAMPLE),
    deliveryExample: path.join(repository, 'examples', DELIVERY_EXAMPLE),
    telnyxExample: path.join(repository, 'examples', TELNYX_EXAMPLE),
    nodeRed: path.join(nodeRed, 'red.js'),
    stockSettings: path.join(nodeRed, 'settings.js')
  };
  return run(command.name === 'listen' ? listen : demonstrate, command.options, places);
}

async function run(show: typeof demonstrate, options: DemoOptions, places: Places): Promise<number> {
  const stop = new AbortController();
  const workshop = new Workshop();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  try {
    const nodeRed = await show(options, { places, workshop, print }, stop.signal);
    print(`The editor: ${nodeRed.url}/`);
    if (!options.once) await stayUp(nodeRed, stop.signal);
    else if (!options.keep) print('The temporary folder is deleted now; with --keep it stays.');
    return 0;
  } catch (error) {
    const reason = stop.signal.aborted ? 'Stopped before the end.' : describeError(error);
    process.stderr.write(`${reason}\n`);
    return 1;
  } finally {
    await workshop.clear();
  }
}

async function stayUp(nodeRed: NodeRedChild, signal: AbortSignal): Promise<void> {
  print('Running until Ctrl-C.');
  try {
    await nodeRed.ended(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (!signal.aborted) throw new Error(`Node-RED ended. It logged:\n${nodeRed.logTail()}`);
}
