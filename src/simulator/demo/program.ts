import { spawn } from 'node:child_process';

/** The end of a program's output, for messages about it. */
export function lastLines(output: string, count: number): string {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}

/**
 * Runs npm and waits for its end.
 *
 * @param cwd working directory
 * @param signal ends npm early
 * @returns what npm wrote to stdout
 * @throws Error with the end of npm's output when it fails or cannot be started
 */
export async function runNpm(args: string[], cwd: string, signal: AbortSignal): Promise<string> {
  const { command, first } = npmCommand();
  const windows = process.platform === 'win32';
  const child = spawn(command, [...first, ...args], {
    cwd,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    // On Windows npm is a command file, which only a shell can run.
    shell: windows && first.length === 0,
    signal
  });
  let stdout = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (all += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    throw new Error(`npm ${args[0] ?? ''} failed with exit code ${code ?? 'none'}:\n${lastLines(all, 15)}`);
  }
  return stdout;
}

/** The npm that runs `npm start`, so that the same version and settings are used. */
function npmCommand(): { command: string; first: string[] } {
  const running = process.env['npm_execpath'];
  return running?.endsWith('.js') === true
    ? { command: process.execPath, first: [running] }
    : { command: 'npm', first: [] };
}

/** The environment without what `npm start` adds about this package; a user's npm has none of it. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !/^npm_(package|lifecycle|command)/.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
