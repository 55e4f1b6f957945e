#!/usr/bin/env node
import { type Command, readCommand } from './cli-options';
import { send, type SendOutcome } from './cli-send';
import { serve } from './cli-serve';
import { USAGE } from './cli-usage';
import { describeError } from './describe-error';
import { printToStdout } from './print';

const EXIT_REFUSED = 1;
const EXIT_USAGE = 2;

const EXIT_OF: Readonly<Record<SendOutcome, number>> = { done: 0, refused: EXIT_REFUSED, 'not-fetched': 3 };

const print = printToStdout();

/** @returns the exit code */
async function run(command: Command, signal: AbortSignal): Promise<number> {
  switch (command.name) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'list':
      for (const { kinds } of command.standIns)
        for (const { name, description } of kinds) print(`${name.padEnd(28)} ${description}`);
      return 0;
    case 'key':
      for (const line of command.standIn.keyLines(command.keyFile)) print(line);
      return 0;
    case 'send':
      return EXIT_OF[await send(command.options, print, signal)];
    case 'serve':
      await serve(command.options, print, signal);
      return 0;
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
    return await run(command, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return EXIT_REFUSED;
    process.stderr.write(`${describeError(error)}\n`);
    return EXIT_REFUSED;
  }
}

void main().then((code) => {
  process.exitCode = code;
});
