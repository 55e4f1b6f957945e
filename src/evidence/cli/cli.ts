#!/usr/bin/env node
import { checkCertificate } from './cli-certificate';
import { type Command, USAGE, readCommand } from './cli-options';
import { EXIT, verify } from './cli-verify';

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
}

async function main(): Promise<number> {
  let command: Command;
  try {
    command = readCommand(process.argv.slice(2));
  } catch (error) {
    complain(error);
    process.stderr.write('See: telnyx-evidence --help\n');
    return EXIT.usage;
  }
  if (command.name === 'help') {
    process.stdout.write(USAGE);
    return EXIT.intact;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new Error('Stopped before the end.')));
  try {
    const output = { print: say, progress: (line: string) => void process.stderr.write(`${line}\n`) };
    return command.name === 'verify'
      ? await verify(command, output, stop.signal)
      : await checkCertificate(command, output, stop.signal);
  } catch (error) {
    complain(error);
    return EXIT.incomplete;
  }
}

void main().then((code) => {
  process.exitCode = code;
});
