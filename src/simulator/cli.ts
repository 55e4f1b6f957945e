#!/usr/bin/env node
import { type Command, readCommand } from './cli-options';
import { send } from './cli-send';
import { serve } from './cli-serve';
import { USAGE } from './cli-usage';
import { describeError } from './describe-error';
import { keyFromFile } from './key-file';
import { printToStdout } from './print';
import { SAMPLE_KINDS } from './sample-catalogue';

const EXIT_REFUSED = 1;
const EXIT_USAGE = 2;

const print = printToStdout();

async function run(command: Command, signal: AbortSignal): Promise<boolean> {
  switch (command.name) {
    case 'help':
      process.stdout.write(USAGE);
      return true;
    case 'list':
      for (const { name, description } of SAMPLE_KINDS) print(`${name.padEnd(28)} ${description}`);
      return true;
    case 'key':
      print(keyFromFile(command.keyFile).publicKey);
      return true;
    case 'send':
      return send(command.options, print, signal);
    case 'serve':
      await serve(command.options, print, signal);
      return true;
  }
}

async function main(): Promise<number> {
  let command: Command;
  try {
    command = readCommand(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${describeError(error)}\nSee: telnyx-simulator --help\n`);
    return EXIT_USAGE;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    return (await run(command, stop.signal)) ? 0 : EXIT_REFUSED;
  } catch (error) {
    if (stop.signal.aborted) return EXIT_REFUSED;
    process.stderr.write(`${describeError(error)}\n`);
    return EXIT_REFUSED;
  }
}

void main().then((code) => {
  process.exitCode = code;
});
